"""Volumes and label maps as bytes of files: NIfTI here, DICOM from ``_write_dicom``.

Convention: a NIfTI array is (column, row, slice) of our grid, so that it grows to the left, back and head; its affine
takes an index to x right to left turned round (x to the right, y to the front, z to the head), as NIfTI demands. The
same volume gives the same bytes on every machine.
"""

from __future__ import annotations

import gzip
from typing import Any

import numpy as np
from numpy.typing import NDArray

from rarefactor.imaging._regions import LabelMap
from rarefactor.imaging._volume import Grid, Volume
from rarefactor.imaging._write_dicom import DicomLabel, write_dicom

__all__ = ["DicomLabel", "compute_affine", "write_dicom", "write_label_names", "write_labels", "write_nifti"]

_TO_NIFTI = np.diag([-1.0, -1.0, 1.0, 1.0])  # DICOM's x and y have the other sign


def write_nifti(volume: Volume, *, compressed: bool = True, description: str = "") -> bytes:
    """Return ``volume`` as a NIfTI-1 file (float32, millimetres), gzipped unless ``compressed`` is False.

    Parameters
    ----------
    description
        At most 79 characters for the header; a made image says there that it is synthetic.

    Examples
    --------
    >>> grid = Grid(shape=(2, 3, 4), spacing_mm=(5.0, 1.0, 1.0))
    >>> len(write_nifti(Volume(values=np.zeros(grid.shape, np.float32), grid=grid), compressed=False))
    448
    """
    return _packed(_nifti(volume.values.astype(np.float32), volume.grid, description), compressed)


def write_steps(volume: Volume, step: float) -> bytes:
    """Return ``volume`` as a gzipped NIfTI-1 file (int16 times ``step``): half of :func:`write_nifti`, and sooner.

    Parameters
    ----------
    step
        What the values are rounded to; none may be more than 32,767 steps from 0.

    Examples
    --------
    >>> grid = Grid(shape=(1, 1, 3), spacing_mm=(5.0, 1.0, 1.0))
    >>> data = write_steps(Volume(values=np.array([[[0.0, 12.34, 100.0]]], np.float32), grid=grid), 0.1)
    >>> import nibabel
    >>> nibabel.Nifti1Image.from_bytes(gzip.decompress(data)).get_fdata().ravel().round(4).tolist()
    [0.0, 12.3, 100.0]
    """
    image = _make_nifti(np.round(volume.values / step).astype(np.int16), volume.grid, "")
    image.header.set_slope_inter(step, 0)
    return gzip.compress(image.to_bytes(), compresslevel=1, mtime=0)


def write_percent(fraction: Volume) -> bytes:
    """Return a fat fraction (0 to 100 %) as a viewer takes it: a gzipped NIfTI-1 file in steps of 0.1.

    Examples
    --------
    >>> grid = Grid(shape=(1, 1, 2), spacing_mm=(5.0, 1.0, 1.0))
    >>> data = write_percent(Volume(values=np.array([[[12.34, 99.99]]], np.float32), grid=grid))
    >>> import nibabel
    >>> nibabel.Nifti1Image.from_bytes(gzip.decompress(data)).get_fdata().ravel().round(4).tolist()
    [12.3, 100.0]
    """
    return write_steps(fraction, 0.1)


def write_labels(labels: LabelMap, *, compressed: bool = True) -> bytes:
    """Return a label map as a NIfTI-1 file (int16); :func:`write_label_names` gives the table that belongs to it."""
    return _packed(_nifti(labels.values.astype(np.int16), labels.grid, f"labels: {labels.source}"), compressed)


def write_label_names(labels: LabelMap) -> bytes:
    r"""Return what each label means as a CSV table with the columns ``label`` and ``name``.

    Examples
    --------
    >>> from rarefactor.imaging._regions import Region, Side
    >>> grid = Grid(shape=(1, 1, 1), spacing_mm=(1.0, 1.0, 1.0))
    >>> regions = {1: Region(name="RF", side=Side.LEFT)}
    >>> labels = LabelMap(values=np.ones((1, 1, 1), np.int16), grid=grid, regions=regions, source="reader")
    >>> write_label_names(labels)
    b'label,name\n1,RF left\n'
    """
    rows = (
        f"{label},{region.name}{f' {region.side}' if region.side else ''}"
        for label, region in sorted(labels.regions.items())
    )
    return "".join(f"{row}\n" for row in ("label,name", *rows)).encode()


def compute_affine(grid: Grid) -> NDArray[np.float64]:
    """Return NIfTI's affine (4 x 4) of a grid whose array is turned round to (column, row, slice).

    Examples
    --------
    >>> compute_affine(Grid(shape=(2, 2, 2), spacing_mm=(24.0, 0.8, 0.7))).diagonal().tolist()
    [-0.7, -0.8, 24.0, 1.0]
    """
    affine = np.eye(4)
    affine[:3, :3] = (np.asarray(grid.directions) * np.asarray(grid.spacing_mm)[:, None])[::-1].T
    affine[:3, 3] = grid.origin_mm
    return _TO_NIFTI @ affine


def _nifti(values: NDArray[Any], grid: Grid, description: str) -> bytes:
    return _make_nifti(values, grid, description).to_bytes()


def _make_nifti(values: NDArray[Any], grid: Grid, description: str) -> Any:
    import nibabel  # noqa: PLC0415 - loaded late, so that importing this part is light

    affine = compute_affine(grid)
    image = nibabel.Nifti1Image(np.transpose(values), affine)
    image.set_qform(affine, code=1)
    image.set_sform(affine, code=1)
    image.header.set_xyzt_units("mm")
    image.header["descrip"] = description.encode()[:79]
    return image


def _packed(data: bytes, compressed: bool) -> bytes:  # noqa: FBT001 - handed through from two keyword arguments
    return gzip.compress(data, compresslevel=6, mtime=0) if compressed else data
