"""A made scan as the files of a visit: DICOM (classic or enhanced) or NIfTI with sidecars.

Convention: a mapping of relative paths to bytes; nothing is written to disk here. Every header or sidecar says that the
image is synthetic, and the patient's name is the fictitious one that the caller gives.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import replace
from enum import StrEnum

from rarefactor.imaging._regions import LabelMap
from rarefactor.imaging._scan import Acquisition, Kind
from rarefactor.imaging._volume import Volume
from rarefactor.imaging._write import DicomLabel, write_dicom, write_label_names, write_labels, write_nifti

_MADE = "synthetic, made by rarefactor; shows no patient"


class FileForm(StrEnum):
    """How a scan is written."""

    DICOM = "dicom"
    ENHANCED = "enhanced"
    NIFTI = "nifti"


def write_scan(
    images: Mapping[Kind, Volume],
    *,
    form: FileForm | str = FileForm.DICOM,
    acquisition: Acquisition | None = None,
    label: DicomLabel | None = None,
    labels: LabelMap | None = None,
) -> Mapping[str, bytes]:
    """Return the files of one visit: relative path to bytes.

    Parameters
    ----------
    images
        One volume of each kind.
    form
        ``dicom`` (a file per slice), ``enhanced`` (a file per series) or ``nifti``.
    acquisition
        What header or sidecar say of the scan.
    label
        The fictitious patient and study of DICOM files.
    labels
        Written beside the images as ``labels.nii.gz`` and ``labels.csv``, in any form.

    Raises
    ------
    ValueError
        ``form`` is none of the three.

    Examples
    --------
    >>> import numpy as np
    >>> from rarefactor.imaging._volume import Grid
    >>> grid = Grid(shape=(2, 4, 4), spacing_mm=(5.0, 1.0, 1.0))
    >>> image = Volume(values=np.ones(grid.shape, np.float32), grid=grid)
    >>> sorted(write_scan({Kind.FAT: image}, form="nifti"))
    ['fat.json', 'fat.nii.gz']
    """
    scan, form, label = acquisition or Acquisition(), FileForm(form), label or DicomLabel()
    files: dict[str, bytes] = {}
    for number, (kind, volume) in enumerate(images.items(), start=1):
        if form is FileForm.NIFTI:
            files |= _nifti_files(volume, kind, scan)
        else:
            series = replace(label, series=number)
            files |= write_dicom(volume, kind, scan, enhanced=form is FileForm.ENHANCED, label=series)
    if labels is not None:
        files |= {"labels.nii.gz": write_labels(labels), "labels.csv": write_label_names(labels)}
    return files


def _nifti_files(volume: Volume, kind: Kind, scan: Acquisition) -> dict[str, bytes]:
    sidecar = json.dumps(_sidecar(kind, scan), indent=1, sort_keys=True) + "\n"
    return {f"{kind}.nii.gz": write_nifti(volume, description=_MADE), f"{kind}.json": sidecar.encode()}


def _sidecar(kind: Kind, scan: Acquisition) -> dict[str, object]:
    """What dcm2niix would say; times in seconds."""
    said = {
        "SeriesDescription": f"synthetic {kind}",
        "ImageComments": _MADE,
        "PulseSequenceName": scan.sequence,
        "RepetitionTime": _seconds(scan.repetition_ms),
        "EchoTime": _seconds(scan.echo_ms),
        "InversionTime": _seconds(scan.inversion_ms),
        "FlipAngle": scan.flip_degrees,
        "MagneticFieldStrength": scan.field_tesla,
        "ReceiveCoilName": scan.coil,
        "Manufacturer": scan.scanner,
        "SoftwareVersions": scan.software,
    }
    return {name: value for name, value in said.items() if value is not None}


def _seconds(time_ms: float | None) -> float | None:
    return None if time_ms is None else round(time_ms / 1000.0, 6)
