"""A scan as a viewer shows it, and the way back: a mask that a reader has corrected.

Convention: everything is shown on the grid of the measurement, which a corrected mask has to have; only an image of
another series is resampled (linear), for the eye. Regions go by the numbers of ``_numbered``. Images are scaled to 0 to
1 (the brightest 0.5 % are clipped) in steps of 0.001, fat fractions are in per cent in steps of 0.1.
"""

from __future__ import annotations

import contextlib
import tempfile
from collections.abc import Generator, Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

import numpy as np

from rarefactor.errors import InputError, Problem
from rarefactor.imaging._corrected import ENDING, MASK
from rarefactor.imaging._job import Drawn, Hasher, make_job, read_visit_drawn, read_visit_fraction
from rarefactor.imaging._masks import check_labels, read_labels
from rarefactor.imaging._nifti import read_nifti_volume
from rarefactor.imaging._numbered import REGIONS, name_numbers, number_regions
from rarefactor.imaging._plan import Plan
from rarefactor.imaging._regions import LabelMap
from rarefactor.imaging._regrid import compute_resampled
from rarefactor.imaging._scan import Kind
from rarefactor.imaging._settings import PatientFiles, VisitFiles
from rarefactor.imaging._visit import Visit, compute_percent, read_visit
from rarefactor.imaging._volume import Grid, Volume
from rarefactor.imaging._write import write_labels, write_percent, write_steps
from rarefactor.readings import Draft
from rarefactor.results import Flag
from rarefactor.work import Cache, content_key, hash_file, read_packed, remember, write_packed

FRACTION = "fat fraction"
_OTHERS = {Kind.T1: "T1-weighted", Kind.T2: "T2", Kind.STIR: "STIR"}
_BRIGHTEST = 0.995


@dataclass(frozen=True, slots=True, kw_only=True)
class NewMask:
    """A mask as it came from a reader, checked: its file, how many voxels each region gained and lost, doubts."""

    data: bytes
    changes: Mapping[str, tuple[int, int]]
    flags: tuple[Flag, ...]


def find_files(asked: Plan, patient: str, visit: str) -> tuple[PatientFiles, VisitFiles]:
    """Return the files of a patient and of one visit.

    Raises
    ------
    InputError
        There is no such scan.
    """
    for each in asked.patients:
        for held in each.visits:
            if (each.patient, held.visit) == (patient, visit):
                return each, held
    raise InputError(
        Problem(
            found="no scan of this patient and visit",
            expected="one of the scans of the study",
            next_step="Choose it from the list of scans.",
        )
    )


def read_shown(
    asked: Plan, patient: str, visit: str, *, cache: Cache, code: str, hasher: Hasher = hash_file
) -> Mapping[str, bytes]:
    """Return the images of a scan as NIfTI files by their name: fat fraction, fat, water, and others that there are.

    Parameters
    ----------
    asked, patient, visit
        The plan of a study, and whose scan it is.
    cache, code, hasher
        As of :func:`read_gist`.

    Raises
    ------
    ImageError
        The scan cannot be read.
    """
    _, files = find_files(asked, patient, visit)
    bare = VisitFiles(visit=files.visit, paths=files.paths)
    alone = PatientFiles(patient=patient, visits=(bare,))
    key = content_key("mri shown", make_job(alone, asked.settings, code=code, hasher=hasher).key)
    packed, _ = remember(
        cache, key, lambda: _draw_shown(read_visit(bare, asked.settings)), write=write_packed, read=read_packed
    )
    return packed


def read_drawn(
    asked: Plan, patient: str, visit: str, *, cache: Cache, code: str, hasher: Hasher = hash_file
) -> Drawn | None:
    """Return what was drawn of a scan when it was measured, None where it was not.

    Raises
    ------
    InputError
        There is no such scan.
    """
    kept = _read_measured(asked, patient, visit, cache, code, hasher)
    return None if kept is None else read_visit_drawn(kept, visit)


def read_fraction(
    asked: Plan, patient: str, visit: str, *, cache: Cache, code: str, hasher: Hasher = hash_file
) -> bytes | None:
    """Return the fat fraction of a scan as it was measured, None where it was not: sooner than all images are read.

    It is a gzipped NIfTI file of 0 to 100 % in steps of 0.1, on the grid of the measurement.

    Raises
    ------
    InputError
        There is no such scan.
    """
    kept = _read_measured(asked, patient, visit, cache, code, hasher)
    return None if kept is None else read_visit_fraction(kept, visit)


def _read_measured(asked: Plan, patient: str, visit: str, cache: Cache, code: str, hasher: Hasher) -> bytes | None:
    files, _ = find_files(asked, patient, visit)
    return cache.get(make_job(files, asked.settings, code=code, hasher=hasher).key)


def check_mask(data: bytes, shown: Mapping[str, bytes], before: bytes | None) -> NewMask:
    """Return a corrected mask as it will be kept.

    Parameters
    ----------
    data
        A NIfTI label map, gzipped or not, under the numbers of ``REGIONS``.
    shown
        What :func:`read_shown` gave: the mask has to lie on its grid.
    before
        The mask that the reader began with.

    Raises
    ------
    ImageError
        It is no label map, lies on another grid, is empty, names a region that is none, or exchanges right and left.
    """
    image = read_volume(next(iter(shown.values())))
    labels = read_regions(data, image.grid)
    old = read_regions(before, image.grid) if before else None
    return NewMask(
        data=write_labels(number_regions(labels)),
        changes=dict(_list_changes(old, labels)),
        flags=check_labels(labels, image),
    )


def draft_mask(
    mask: NewMask, *, patient: str, visit: str, reader: str, when: datetime, reason: str
) -> tuple[Draft, bytes, str]:
    """Return a corrected mask as a reading, with its file and the file's ending."""
    content = {
        "labels": {str(number): name for number, name in name_numbers().items()},
        "changes": {name: list(change) for name, change in mask.changes.items()},
    }
    draft = Draft(kind=MASK, reader=reader, when=when, subject=patient, place=visit, content=content, reason=reason)
    return draft, mask.data, ENDING


def _draw_shown(visit: Visit) -> dict[str, bytes]:
    images = {name.lower() if name != "T1-weighted" else name: volume for name, volume in visit.images}
    images |= {words: each.volume for kind, words in _OTHERS.items() if (each := visit.scan.first([kind]))}
    fraction = compute_percent(visit)
    on_grid = {name: compute_resampled(volume, fraction.grid) for name, volume in images.items()}
    shown = {name: write_steps(_scaled(volume), 0.001) for name, volume in on_grid.items()}
    return {FRACTION: write_percent(fraction), **shown}


def _scaled(volume: Volume) -> Volume:
    top = float(np.quantile(volume.values, _BRIGHTEST)) or 1.0
    return volume.with_values(np.clip(volume.values / top, 0.0, 1.0))


def read_regions(data: bytes, grid: Grid) -> LabelMap:
    """Return a mask under the numbers of ``REGIONS``, which has to lie on ``grid``."""
    with _as_file(data) as path:
        return read_labels(path, grid, names=name_numbers())


def read_volume(data: bytes) -> Volume:
    """Return a volume from the bytes of a NIfTI file."""
    with _as_file(data) as path:
        return read_nifti_volume(path)


@contextlib.contextmanager
def _as_file(data: bytes) -> Generator[Path]:
    """Give the bytes as a file, which is what readers of NIfTI take."""
    packed = data[:2] == b"\x1f\x8b"
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / ("mask.nii.gz" if packed else "mask.nii")
        path.write_bytes(data)
        yield path


def _list_changes(before: LabelMap | None, after: LabelMap) -> Iterator[tuple[str, tuple[int, int]]]:
    """Each region that changed, with the voxels that it gained and lost."""
    old = before.values if before else np.zeros_like(after.values)
    for number, each in REGIONS.items():
        gained = int(np.count_nonzero((after.values == number) & (old != number)))
        lost = int(np.count_nonzero((after.values != number) & (old == number)))
        if gained or lost:
            yield each.name, (gained, lost)
