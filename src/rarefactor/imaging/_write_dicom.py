"""A made volume as DICOM files, classic (a file per slice) or enhanced (all slices in one file).

Convention: what is written here shows no patient, and says so in its description, its comment and its image type
(DERIVED). Numbers are stored as 16 bits with a slope and an intercept. Identifiers follow from what the caller names,
so the same call gives the same bytes.
"""

from __future__ import annotations

import hashlib
import io
from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from rarefactor.imaging._scan import Acquisition, Kind
from rarefactor.imaging._volume import Grid, Volume

if TYPE_CHECKING:
    from pydicom.dataset import Dataset

CLASSIC = "1.2.840.10008.5.1.4.1.1.4"
ENHANCED = "1.2.840.10008.5.1.4.1.1.4.1"
_DAY = "20000101"
_COMMENT = "Synthetic image made by rarefactor. It shows no patient."
_IMAGE_TYPES: Mapping[Kind, tuple[str, str]] = {
    Kind.FAT: ("M", "FAT"),
    Kind.WATER: ("M", "WATER"),
    Kind.IN_PHASE: ("M", "IN_PHASE"),
    Kind.OPPOSED_PHASE: ("M", "OUT_PHASE"),
    Kind.FAT_FRACTION: ("M", "FAT_FRACTION"),
    Kind.PHASE: ("P", "NONE"),
}
_CONTRASTS: Mapping[Kind, str] = {Kind.T1: "T1", Kind.T2: "T2", Kind.STIR: "STIR"}


@dataclass(frozen=True, slots=True, kw_only=True)
class DicomLabel:
    """The fictitious names under which a made volume is written.

    Attributes
    ----------
    patient, study
        What tells patients and studies apart. Never a real patient's.
    series
        Series number; volumes of one study with the same number share one series identifier, as some scanners do.
    description
        Series description; "synthetic" and the kind if None.
    date
        Of the study, as YYYYMMDD; fictitious.
    """

    patient: str = "SYNTHETIC"
    study: str = "1"
    series: int = 1
    description: str | None = None
    date: str = _DAY

    def uid(self, *parts: object) -> str:
        """A valid identifier that follows from the label and ``parts``."""
        text = "\n".join(map(str, (self.patient, self.study, *parts)))
        return f"2.25.{int.from_bytes(hashlib.sha256(text.encode()).digest()[:16], 'big')}"


@dataclass(frozen=True, slots=True, kw_only=True)
class _Stored:
    """Numbers as they stand in the file, and what takes them back: stored * slope + intercept."""

    values: NDArray[np.uint16]
    slope: str
    intercept: str


def write_dicom(
    volume: Volume,
    kind: Kind,
    acquisition: Acquisition,
    *,
    enhanced: bool = False,
    label: DicomLabel | None = None,
) -> Mapping[str, bytes]:
    """Return a made volume as DICOM: relative path to bytes, one file per slice or one for all.

    Parameters
    ----------
    volume
        Any grid; values are kept to 1/65535 of their range.
    kind
        What the image type and the description say.
    acquisition
        Times, angles and names of the header; what is None is left out.
    label
        The fictitious patient, study and series.

    Examples
    --------
    >>> grid = Grid(shape=(2, 3, 4), spacing_mm=(5.0, 1.0, 1.0))
    >>> volume = Volume(values=np.ones(grid.shape, np.float32), grid=grid)
    >>> sorted(write_dicom(volume, Kind.FAT, Acquisition(flip_degrees=3.0)))
    ['001_fat/0001.dcm', '001_fat/0002.dcm']
    """
    label = label or DicomLabel()
    name = f"{label.series:03}_{kind}"
    stored = _stored(volume.values)
    if enhanced:
        return {f"{name}.dcm": _bytes(_enhanced(volume.grid, stored, kind, acquisition, label))}
    frames = range(volume.grid.shape[0])
    return {
        f"{name}/{each + 1:04}.dcm": _bytes(_classic(volume.grid, stored, each, kind, acquisition, label))
        for each in frames
    }


def _stored(values: NDArray[np.float32]) -> _Stored:
    low, high = min(0.0, float(values.min())), float(values.max())
    slope, intercept = _decimal((high - low) / 65535 or 1.0), _decimal(low)
    numbers = np.rint((values - float(intercept)) / float(slope))
    return _Stored(values=numbers.clip(0, 65535).astype(np.uint16), slope=slope, intercept=intercept)


def _decimal(value: float) -> str:
    """A number in at most the 16 characters of a decimal string."""
    return f"{value:.9g}"


def _decimals(values: tuple[float, ...]) -> list[str]:
    return [_decimal(value) for value in values]


def _classic(
    grid: Grid, stored: _Stored, index: int, kind: Kind, acquisition: Acquisition, label: DicomLabel
) -> Dataset:
    dataset = _head(CLASSIC, kind, acquisition, label, f"{kind} {index}")
    dataset.InstanceNumber = index + 1
    _fill(dataset, _position(grid, index) | _orientation(grid) | _measures(grid))
    _fill(dataset, {"RescaleSlope": stored.slope, "RescaleIntercept": stored.intercept, "RescaleType": "US"})
    _fill(dataset, _classic_times(acquisition))
    _pixels(dataset, stored.values[index])
    return dataset


def _enhanced(grid: Grid, stored: _Stored, kind: Kind, acquisition: Acquisition, label: DicomLabel) -> Dataset:
    dataset = _head(ENHANCED, kind, acquisition, label, kind)
    dataset.NumberOfFrames = grid.shape[0]
    dataset.InstanceNumber = 1
    dataset.AcquisitionContrast = _CONTRASTS.get(kind, "UNKNOWN")
    dataset.ComplexImageComponent = _component(kind)
    dataset.SharedFunctionalGroupsSequence = [_shared_groups(grid, stored, kind, acquisition)]
    dataset.PerFrameFunctionalGroupsSequence = [_frame_groups(grid, each) for each in range(grid.shape[0])]
    _pixels(dataset, stored.values)
    return dataset


def _head(sop_class: str, kind: Kind, acquisition: Acquisition, label: DicomLabel, instance: str) -> Dataset:
    from pydicom.dataset import Dataset, FileMetaDataset  # noqa: PLC0415 - loaded late; importing this part is light
    from pydicom.uid import ExplicitVRLittleEndian  # noqa: PLC0415 - as above

    dataset = Dataset()
    dataset.file_meta = FileMetaDataset()
    dataset.file_meta.TransferSyntaxUID = ExplicitVRLittleEndian
    _fill(dataset, _identity(sop_class, label, instance))
    _fill(dataset, _said(kind, label))
    _fill(
        dataset,
        {
            "MagneticFieldStrength": acquisition.field_tesla,
            "Manufacturer": "rarefactor",
            "ManufacturerModelName": acquisition.scanner,
            "SoftwareVersions": acquisition.software,
            "SequenceName": acquisition.sequence if sop_class == CLASSIC else None,
            "PulseSequenceName": acquisition.sequence if sop_class == ENHANCED else None,
            "ReceiveCoilName": acquisition.coil if sop_class == CLASSIC else None,
        },
    )
    return dataset


def _identity(sop_class: str, label: DicomLabel, instance: str) -> dict[str, Any]:
    return {
        "SOPClassUID": sop_class,
        "SOPInstanceUID": label.uid(label.series, instance),
        "StudyInstanceUID": label.uid(),
        "SeriesInstanceUID": label.uid(label.series),
        "FrameOfReferenceUID": label.uid("frame"),
        "PatientName": "Synthetic^Phantom",
        "PatientID": label.patient,
        "PatientBirthDate": "",
        "PatientSex": "",
        "PatientIdentityRemoved": "YES",
        "DeidentificationMethod": "Synthetic: there is no patient",
        "StudyID": label.study[:16],
        "SeriesNumber": label.series,
        **dict.fromkeys(("StudyDate", "SeriesDate", "ContentDate"), label.date),
        **dict.fromkeys(("StudyTime", "ContentTime"), "000000"),
        "AcquisitionDateTime": f"{label.date}000000",
    }


def _said(kind: Kind, label: DicomLabel) -> dict[str, Any]:
    description = f"synthetic {kind}" if label.description is None else label.description
    return {
        "Modality": "MR",
        "ImageType": _image_type(kind),
        "SeriesDescription": description[:64],
        "ProtocolName": "synthetic",
        "ImageComments": _COMMENT,
        "BurnedInAnnotation": "NO",
        "LossyImageCompression": "00",
    }


def _image_type(kind: Kind) -> list[str]:
    return ["DERIVED", "PRIMARY", *_IMAGE_TYPES.get(kind, ("M", _CONTRASTS.get(kind, "NONE")))]


def _component(kind: Kind) -> str:
    return "PHASE" if kind is Kind.PHASE else "MAGNITUDE"


def _classic_times(acquisition: Acquisition) -> dict[str, Any]:
    times = {
        "RepetitionTime": acquisition.repetition_ms,
        "EchoTime": acquisition.echo_ms,
        "InversionTime": acquisition.inversion_ms,
        "FlipAngle": acquisition.flip_degrees,
    }
    return {name: _decimal(value) for name, value in times.items() if value is not None}


def _position(grid: Grid, index: int) -> dict[str, Any]:
    return {"ImagePositionPatient": _decimals(grid.position((index, 0, 0)))}


def _orientation(grid: Grid) -> dict[str, Any]:
    return {"ImageOrientationPatient": _decimals((*grid.directions[2], *grid.directions[1]))}


def _measures(grid: Grid) -> dict[str, Any]:
    between, rows, columns = _decimals(grid.spacing_mm)
    return {"PixelSpacing": [rows, columns], "SliceThickness": between, "SpacingBetweenSlices": between}


def _shared_groups(grid: Grid, stored: _Stored, kind: Kind, acquisition: Acquisition) -> Dataset:
    frame_type = {
        "FrameType": _image_type(kind),
        "ComplexImageComponent": _component(kind),
        "AcquisitionContrast": _CONTRASTS.get(kind, "UNKNOWN"),
    }
    scale = {"RescaleIntercept": stored.intercept, "RescaleSlope": stored.slope, "RescaleType": "US"}
    timing = {"RepetitionTime": acquisition.repetition_ms, "FlipAngle": acquisition.flip_degrees}
    return _dataset(
        {
            "PlaneOrientationSequence": [_dataset(_orientation(grid))],
            "PixelMeasuresSequence": [_dataset(_measures(grid))],
            "PixelValueTransformationSequence": [_dataset(scale)],
            "MRImageFrameTypeSequence": [_dataset(frame_type)],
            "MRTimingAndRelatedParametersSequence": [_dataset(timing)],
            "MREchoSequence": [_dataset({"EffectiveEchoTime": acquisition.echo_ms})],
            "MRModifierSequence": [_dataset(_inversion(acquisition.inversion_ms))],
            "MRReceiveCoilSequence": [_dataset({"ReceiveCoilName": acquisition.coil})],
        }
    )


def _inversion(time_ms: float | None) -> dict[str, Any]:
    return {"InversionRecovery": "NO" if time_ms is None else "YES", "InversionTimes": time_ms}


def _frame_groups(grid: Grid, index: int) -> Dataset:
    content = {"StackID": "1", "InStackPositionNumber": index + 1, "DimensionIndexValues": [1, index + 1]}
    return _dataset(
        {
            "FrameContentSequence": [_dataset(content)],
            "PlanePositionSequence": [_dataset(_position(grid, index))],
        }
    )


def _pixels(dataset: Dataset, values: NDArray[np.uint16]) -> None:
    _fill(
        dataset,
        {
            "SamplesPerPixel": 1,
            "PhotometricInterpretation": "MONOCHROME2",
            "Rows": values.shape[-2],
            "Columns": values.shape[-1],
            "BitsAllocated": 16,
            "BitsStored": 16,
            "HighBit": 15,
            "PixelRepresentation": 0,
            "PixelData": values.astype("<u2").tobytes(),
        },
    )


def _dataset(values: Mapping[str, Any]) -> Dataset:
    from pydicom.dataset import Dataset  # noqa: PLC0415 - as above

    dataset = Dataset()
    _fill(dataset, values)
    return dataset


def _fill(dataset: Dataset, values: Mapping[str, Any]) -> None:
    for name, value in values.items():
        if value is not None:
            setattr(dataset, name, value)


def _bytes(dataset: Dataset) -> bytes:
    import pydicom  # noqa: PLC0415 - as above

    buffer = io.BytesIO()
    pydicom.dcmwrite(buffer, dataset, enforce_file_format=True)
    return buffer.getvalue()
