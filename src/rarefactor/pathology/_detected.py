"""Nuclei of a tile by the detector that is asked for: ours, or one of the user's.

Convention: ours knows the white of the whole slide and what the stain marks; others are given the tile and the size of
its pixels, and what they give is checked.
"""

from __future__ import annotations

from pathlib import Path

from rarefactor.errors import ImageError, Problem, RarefactorError
from rarefactor.pathology._detector_scale import check_labels
from rarefactor.pathology._nuclei import compute_nuclei
from rarefactor.pathology._settings import OURS, Reading
from rarefactor.pathology._watershed import Labels
from rarefactor.pathology._white import Rgb, White
from rarefactor.pathology.detect import check_detector, find_detector
from rarefactor.work import content_key, hash_file


def compute_labels(image: Rgb, white: White, reading: Reading, um_per_px: float) -> Labels:
    """Return the nuclei of an image (row, column, 3) as labels (row, column).

    Raises
    ------
    ImageError
        The detector is not there, fails, or gives something else than labels.
    """
    if reading.detector == OURS:
        return compute_nuclei(image, white, settings=reading.nuclei)
    found = find_detector(reading.detector)
    try:
        return check_labels(found.detect(image, um_per_px), image, reading.detector)
    except RarefactorError:
        raise
    except Exception as error:  # a detector of others fails in any way
        raise ImageError(
            Problem(
                found=f"a detector that failed ({type(error).__name__})",
                expected="nuclei of the tile",
                next_step="Try it on one tile by itself, or take log_watershed.",
            )
        ) from error


def resolve_detector(name: str, folder: Path) -> tuple[str, str]:
    """Return a detector's name with the full path of its weights, and the hash of these.

    Parameters
    ----------
    name
        As :func:`~rarefactor.pathology.detect.find_detector` takes it.
    folder
        Where a path begins.

    Raises
    ------
    ImageError
        There is no such detector, its package is not installed, or its weights are not there.
    """
    kind, _, place = name.partition(":")
    full = f"{kind}:{(folder / place).absolute()}" if place else name
    check_detector(full)
    path = folder / place
    files = sorted(each for each in path.rglob("*") if each.is_file()) if path.is_dir() else [path]
    return full, content_key(*(hash_file(each) for each in files)) if place else ""
