"""The volumes among DICOM files of one visit.

Convention: all files of a folder show one patient; that is checked on hashes that are forgotten at once. Copies of one
image are read once.
"""

from __future__ import annotations

import secrets
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path

from rarefactor.errors import ImageError, Problem
from rarefactor.imaging._candidate import Candidate, derive_name
from rarefactor.imaging._dicom_header import Frame, Header, read_header
from rarefactor.imaging._dicom_stack import derive_stacks, read_stack
from rarefactor.results import Flag, Severity


@dataclass(frozen=True, slots=True, kw_only=True)
class DicomFiles:
    """What DICOM files hold: volumes, what is doubtful about them, and how many files are of another modality."""

    candidates: tuple[Candidate, ...]
    flags: tuple[Flag, ...]
    others: Mapping[str, int]


def read_dicom(paths: Sequence[Path], root: Path) -> DicomFiles:
    """Return the volumes of DICOM files, whose numbers are read when they are asked for.

    Parameters
    ----------
    root
        The folder of the visit; messages name files relative to it.

    Raises
    ------
    ImageError
        A file is cut off, or the files show more than one patient.
    """
    key = secrets.token_bytes(32)  # hashes of persons can be compared in this call and never again
    headers = [read_header(path, key=key, name=derive_name((path,), root)) for path in paths]
    images = [header for header in headers if header.frames]
    _check_one_patient(images, root)
    frames, copies = _distinct(images)
    return DicomFiles(
        candidates=tuple(_candidates(derive_stacks(frames), root)),
        flags=(*_copy_flags(copies), *_study_flags(images), *_lossy_flags(frames)),
        others=Counter(header.modality or "no image" for header in headers if not header.frames),
    )


def _check_one_patient(headers: Sequence[Header], root: Path) -> None:
    kinds = {what: kind for header in headers for what, kind in header.person.items()}
    for what in kinds:
        first = {header.person[what]: header for header in reversed(headers) if what in header.person}
        if len(first) > 1:
            files = sorted(derive_name((header.path,), root) for header in first.values())
            raise ImageError(
                Problem(
                    file=files[0],
                    found=f"files of {len(first)} patients in one folder: the patient's {what} differs from {files[1]}",
                    expected="one visit of one patient",
                    next_step="Sort the files into a folder for each patient and visit.",
                )
            )


def _distinct(headers: Sequence[Header]) -> tuple[list[Frame], int]:
    frames = [frame for header in headers for frame in header.frames]
    kept = {(frame.uid, frame.index): frame for frame in reversed(frames)}
    return list(reversed(kept.values())), len(frames) - len(kept)


def _copy_flags(copies: int) -> list[Flag]:
    detail = f"{copies} images lie in the folder more than once; each was read once."
    return [Flag(name="copied_files", severity=Severity.NOTE, detail=detail)] if copies else []


def _study_flags(headers: Sequence[Header]) -> list[Flag]:
    studies = len({header.study for header in headers})
    detail = f"The files come from {studies} examinations of the patient; a visit is expected to be one."
    return [Flag(name="several_examinations", severity=Severity.WARNING, detail=detail)] if studies > 1 else []


def _lossy_flags(frames: Sequence[Frame]) -> list[Flag]:
    lossy = sum(frame.lossy for frame in frames)
    detail = f"{lossy} images were compressed with loss; their numbers are not the scanner's."
    return [Flag(name="lossy_compression", severity=Severity.WARNING, detail=detail)] if lossy else []


def _candidates(stacks: Sequence[tuple[Frame, ...]], root: Path) -> Iterator[Candidate]:
    """Volumes are called by their folder, or by their first file where a folder holds several."""
    files = [tuple(sorted({frame.path for frame in frames})) for frames in stacks]
    folders = Counter(derive_name(paths, root) for paths in files)
    for frames, paths in zip(stacks, files, strict=True):
        name = derive_name(paths, root)
        mixed = len(paths) > 1 and (name == "." or folders[name] > 1)
        first = f"{derive_name(paths[:1], root)} and {len(paths) - 1} more"
        yield _candidate(frames, paths, first if mixed else name, root)


def _candidate(frames: tuple[Frame, ...], paths: tuple[Path, ...], name: str, root: Path) -> Candidate:
    return Candidate(
        name=name,
        clues=frames[0].clues,
        number=frames[0].number,
        paths=paths,
        description=frames[0].description,
        read=partial(read_stack, frames, name=name, root=root),
    )
