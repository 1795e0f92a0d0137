"""Which files are the scan of which patient at which visit.

Convention: a layout is a path below a folder, with ``{subject}`` and ``{visit}`` where their names stand and ``*`` for
anything within one name: ``{subject}/{visit}`` is a folder for each visit, ``{subject}_{visit}_*.nii.gz`` are files.
What one layout finds for the same patient and visit belongs together.
"""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from rarefactor.errors import ImageError, Problem
from rarefactor.imaging._dicom_header import read_examination
from rarefactor.work import find_by_layout

ONLY_VISIT = "scan"
_IMAGES = re.compile(r"\.(nii|nii\.gz|dcm|ima)$", re.IGNORECASE)
_NO_EXTENSION = re.compile(r"^[^.]+$|^[\d.]+$")


@dataclass(frozen=True, slots=True, kw_only=True)
class Found:
    """The files (or the folder) of one patient and visit, in the order of their names."""

    subject: str
    visit: str
    paths: tuple[Path, ...]


def find_scans(folder: Path, layout: str, *, visits: Mapping[str, str] | None = None) -> tuple[Found, ...]:
    """Return what lies in a folder by patient and visit, sorted by patient, then in the order of ``visits``.

    Parameters
    ----------
    folder
        Where the layout starts.
    layout
        Such as ``{subject}/{visit}``; without ``{visit}`` everything belongs to the only visit.
    visits
        The folder's word for each visit; other words are not looked at. None: every word is a visit of its own.

    Raises
    ------
    ImageError
        There is no such folder, or nothing in it fits the layout.

    Examples
    --------
    >>> import tempfile
    >>> root = Path(tempfile.mkdtemp())
    >>> for name in ("P2_v0_fat.nii", "P1_v3_fat.nii", "P1_v0_fat.nii", "P1_v0_water.nii"):
    ...     (root / name).touch()
    >>> [(found.subject, found.visit, len(found.paths)) for found in
    ...  find_scans(root, "{subject}_{visit}_*.nii", visits={"baseline": "v0", "month_3": "v3"})]
    [('P1', 'baseline', 2), ('P1', 'month_3', 1), ('P2', 'baseline', 1)]
    """
    if not folder.is_dir():
        raise _refuse(folder, "no such folder", "a folder of scans", "Check the path.")
    groups: dict[tuple[str, str], list[Path]] = defaultdict(list)
    names = {word: visit for visit, word in (visits or {}).items()}
    for words, path in find_by_layout(folder, layout, known={"visit": names}):
        word = words.get("visit", ONLY_VISIT)
        groups[words["subject"], names.get(word, word)].append(path)
    if not groups:
        raise _refuse(
            folder, f"nothing that fits {layout}", "scans filed by this layout", "Compare it with the names there."
        )
    order = {visit: place for place, visit in enumerate(visits or ())}
    keys = sorted(groups, key=lambda key: (key[0], order.get(key[1], len(order)), key[1]))
    return tuple(Found(subject=key[0], visit=key[1], paths=tuple(groups[key])) for key in keys)


def guess_layout(folder: Path) -> str | None:
    """Return the layout that a folder seems to have, or None where it holds one scan itself.

    Images two folders down are taken for ``{subject}/{visit}``, one folder down for ``{subject}``; folders of series of
    one DICOM examination belong to the folder above them.

    Raises
    ------
    ImageError
        There is no image in it.
    """
    images = sorted(path for path in folder.rglob("*") if path.is_file() and is_image(path))
    if not images:
        raise _refuse(folder, "no images", "DICOM or NIfTI files", "Check the path.")
    depth = min(3, *(len(path.relative_to(folder).parts) - 1 for path in images))
    if depth and _are_series(images, folder, depth):
        depth -= 1
    return (None, "{subject}", "{subject}/{visit}")[min(depth, 2)]


def _are_series(images: Sequence[Path], folder: Path, depth: int) -> bool:
    """Whether the folders at a depth are the series of one examination each, wherever several lie side by side."""
    firsts: dict[tuple[str, ...], Path] = {}
    for path in images:
        firsts.setdefault(path.relative_to(folder).parts[:depth], path)
    beside: dict[tuple[str, ...], list[Path]] = defaultdict(list)
    for parts, path in firsts.items():
        beside[parts[:-1]].append(path)
    several = [paths for paths in beside.values() if len(paths) > 1]
    found = [{read_examination(path) for path in paths} for paths in several]
    return bool(found) and all(len(each) == 1 and None not in each for each in found)


def is_image(path: Path) -> bool:
    """Tell by its name whether a file may be an image: DICOM files often have no extension.

    Examples
    --------
    >>> [is_image(Path(name)) for name in ("fat.nii.gz", "IM0001", "1.2.840.1", "names.csv")]
    [True, True, True, False]
    """
    return bool(_IMAGES.search(path.name) or _NO_EXTENSION.match(path.name)) and path.name != "DICOMDIR"


def _refuse(folder: Path, found: str, expected: str, next_step: str) -> ImageError:
    return ImageError(Problem(file=str(folder), found=found, expected=expected, next_step=next_step))
