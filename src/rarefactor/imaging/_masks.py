"""A reader's mask becomes a label map on the grid of the image, each region with its side.

Convention: labels are whole numbers, 0 is nothing. A label that covers both legs becomes two: the right keeps its
number, the left gets it plus 100 (or the next power of ten above the labels). A mask has to lie on the image's own
grid; nothing is resampled.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from rarefactor.errors import ImageError, Problem
from rarefactor.imaging._label_names import derive_regions
from rarefactor.imaging._nifti import ENDINGS, read_nifti_volume
from rarefactor.imaging._regions import LabelMap, Region, Side
from rarefactor.imaging._sides import compute_left, derive_side
from rarefactor.imaging._volume import Grid, Volume, compute_oriented
from rarefactor.results import Flag, Severity

_OTHER_ENDINGS = (".nrrd", ".mha", ".mhd")
_OUTSIDE = 0.2


def read_labels(path: Path, grid: Grid, *, names: Mapping[int, str] | None = None, source: str = "reader") -> LabelMap:
    """Return the label map of a mask file on ``grid``.

    Parameters
    ----------
    path
        NIfTI, or NRRD and MetaImage as 3D Slicer writes them.
    grid
        The image's; the mask's voxels lie at the same places within a tenth of a voxel.
    names
        What each label means, see :func:`read_label_names`; labels 1 to 11 in the order of the muscles if None.
    source
        Who drew it.

    Raises
    ------
    ImageError
        Unreadable, on another grid, empty, not whole numbers, without a name, or with right and left exchanged.
    """
    volume = _read_volume(path)
    _check_grid(volume.grid, grid, path.name)
    values = _whole_numbers(volume.values, path.name)
    labels = [int(label) for label in np.unique(values) if label]
    regions = derive_regions(labels, names, path.name)
    if not regions:
        raise ImageError(_empty(path.name))
    kept = np.where(np.isin(values, list(regions)), values, 0).astype(np.int16)
    found = split_sides(LabelMap(values=kept, grid=grid, regions=regions, source=source))
    _check_sides(found, path.name)
    return found


def _read_volume(path: Path) -> Volume:
    if not path.is_file():
        raise ImageError(_unreadable(path.name, "no such file"))
    if path.name.lower().endswith(ENDINGS):
        return read_nifti_volume(path)
    if path.suffix.lower() in _OTHER_ENDINGS:
        return _read_with_simpleitk(path)
    raise ImageError(_unreadable(path.name, "a file of another kind"))


def _read_with_simpleitk(path: Path) -> Volume:
    import SimpleITK  # noqa: PLC0415 - loaded late, so that importing this part is light

    try:
        image: Any = SimpleITK.ReadImage(str(path))
    except RuntimeError as error:
        raise ImageError(_unreadable(path.name, "a file that is cut off or damaged")) from error
    values = SimpleITK.GetArrayFromImage(image)
    if values.ndim != 3:
        raise ImageError(_unreadable(path.name, f"an image of {values.ndim} dimensions"))
    affine = np.eye(4)
    affine[:3, :3] = np.reshape(image.GetDirection(), (3, 3)) @ np.diag(image.GetSpacing())
    affine[:3, 3] = image.GetOrigin()
    return compute_oriented(np.transpose(values).astype(np.float32), affine)


def _unreadable(name: str, found: str) -> Problem:
    return Problem(
        file=name,
        found=found,
        expected="a mask as NIfTI (.nii, .nii.gz), NRRD or MetaImage",
        next_step="Check the path, or save the mask as NIfTI.",
    )


def _empty(name: str) -> Problem:
    return Problem(
        file=name,
        found="a mask without any muscle",
        expected="at least one labelled region",
        next_step="Check that the right file was saved; an image without a mask needs no empty one.",
    )


def _check_grid(mask: Grid, image: Grid, name: str) -> None:
    if mask.matches(image, tolerance_mm=max(0.05, 0.1 * min(image.spacing_mm))):
        return
    shapes = [" x ".join(map(str, each.shape)) for each in (mask, image)]
    moved = max(abs(one - other) for one, other in zip(mask.origin_mm, image.origin_mm, strict=True))
    places = f"the same shape ({shapes[0]}) at another place (its first voxel is {moved:.1f} mm away, or it is turned)"
    raise ImageError(
        Problem(
            file=name,
            found=places if mask.shape == image.shape else f"a mask of {shapes[0]} on an image of {shapes[1]}",
            expected="the image's own grid (slices x rows x columns, and the same places)",
            next_step="Draw or export the mask on the image that is measured; it is not resampled.",
        )
    )


def _whole_numbers(values: NDArray[np.float32], name: str) -> NDArray[np.int16]:
    whole = np.rint(values)
    if np.abs(values - whole).max() < 1e-3 and values.min() > -0.5 and values.max() <= 10_000:
        return whole.astype(np.int16)
    raise ImageError(
        Problem(
            file=name,
            found="values that are no labels (fractions, negative or very large numbers)",
            expected="whole numbers, 0 where there is no muscle",
            next_step="Save the label map itself, not a probability or an image.",
        )
    )


def split_sides(labels: LabelMap) -> LabelMap:
    """Return ``labels`` with a side for each region; where one leg is shown, its muscles tell which.

    A region keeps side None only where the mask shows one leg whose muscles do not tell its side.
    """
    open_ones = {label: region.name for label, region in labels.regions.items() if region.side is None}
    if not open_ones:
        return labels
    mixed = np.where(np.isin(labels.values, list(open_ones)), labels.values, 0).astype(np.int16)
    if not mixed.any():
        return labels
    left = compute_left(mixed, labels.grid.spacing_mm[2])
    if left is None:
        side = derive_side(mixed, open_ones)
        named = {label: Region(name=name, side=side) for label, name in open_ones.items()}
        return replace(labels, regions={**labels.regions, **named})
    return _with_left(labels, open_ones, left & (mixed > 0))


def _with_left(labels: LabelMap, open_ones: Mapping[int, str], left: NDArray[np.bool_]) -> LabelMap:
    offset = max(100, 10 ** len(str(max(labels.regions))))
    values = labels.values.copy()
    values[left] += offset
    sided = {label: region for label, region in labels.regions.items() if region.side}
    for label, name in open_ones.items():
        sided[label] = Region(name=name, side=Side.RIGHT)
        sided[label + offset] = Region(name=name, side=Side.LEFT)
    present = set(np.unique(values).tolist())
    return replace(labels, values=values, regions={key: sided[key] for key in sorted(sided) if key in present})


def _check_sides(labels: LabelMap, name: str) -> None:
    """Columns grow to the patient's left: what is called right has to lie before what is called left."""
    columns = {side: _columns(labels, side) for side in Side}
    right, left = columns[Side.RIGHT], columns[Side.LEFT]
    wrong = right.size and left.size and right.mean() > left.mean()
    if not wrong and bool(right.size) != bool(left.size):
        named = Side.RIGHT if right.size else Side.LEFT
        wrong = derive_side(labels.values, _codes(labels, named)) not in {named, None}
    if wrong:
        raise ImageError(
            Problem(
                file=name,
                found="a mask whose right and left are exchanged",
                expected="right and left of the patient, as the image's header has them",
                next_step="Exchange the sides in the table of names, or correct the header of image or mask.",
            )
        )


def _codes(labels: LabelMap, side: Side) -> dict[int, str]:
    return {label: region.name for label, region in labels.regions.items() if region.side is side}


def _columns(labels: LabelMap, side: Side) -> NDArray[np.intp]:
    return np.nonzero(np.isin(labels.values, list(_codes(labels, side))))[2]


def check_labels(labels: LabelMap, image: Volume | None = None) -> tuple[Flag, ...]:
    """Return what is doubtful about a mask: one leg only, very unequal legs, no signal, muscles in each other's places.

    Parameters
    ----------
    image
        Where the thigh is bright (fat + water, or T1), on the grid of ``labels``.
    """
    return (*_one_sided(labels), *_unequal(labels), *_outside(labels, image), *_exchanged_muscles(labels))


def _one_sided(labels: LabelMap) -> list[Flag]:
    right, left = (set(_codes(labels, side).values()) for side in Side)
    single = sorted(right ^ left) if right and left else []
    detail = f"Labelled in one leg only: {', '.join(single)}."
    return [Flag(name="one_sided_labels", severity=Severity.WARNING, detail=detail)] if single else []


def _unequal(labels: LabelMap) -> list[Flag]:
    sizes = [_columns(labels, side).size for side in Side]
    if not all(sizes) or max(sizes) < 2.5 * min(sizes):
        return []
    detail = f"The mask has {max(sizes) / min(sizes):.1f} times as much muscle in one leg as in the other."
    return [Flag(name="unequal_legs", severity=Severity.WARNING, detail=detail)]


def _outside(labels: LabelMap, image: Volume | None) -> list[Flag]:
    muscle = labels.values > 0
    if image is None or not muscle.any():
        return []
    dark = float(np.mean(image.values[muscle] < 0.05 * np.quantile(image.values, 0.99)))
    detail = f"{dark:.0%} of the mask lies where the image has no signal: is it of this visit?"
    return [Flag(name="mask_outside", severity=Severity.WARNING, detail=detail)] if dark > _OUTSIDE else []


def _exchanged_muscles(labels: LabelMap) -> list[Flag]:
    wrong = [side for side in Side if derive_side(labels.values, _codes(labels, side)) not in {side, None}]
    detail = f"In the {' and '.join(wrong)} leg the medial muscles lie outside of the lateral ones: check the names."
    return [Flag(name="muscles_exchanged", severity=Severity.WARNING, detail=detail)] if wrong else []
