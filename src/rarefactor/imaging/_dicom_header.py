"""What a DICOM file says of its frames: place, scale, acquisition and words; classic and enhanced alike.

Convention: only the elements named here are read from a file, and no name, number or date of a patient leaves this
module: they become keyed hashes that can be compared while a folder is read and mean nothing afterwards.
"""

from __future__ import annotations

import hashlib
import struct
import warnings
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from rarefactor.errors import ImageError, Problem
from rarefactor.imaging._recognise import Clues
from rarefactor.imaging._scan import Acquisition

if TYPE_CHECKING:
    from pydicom.dataset import Dataset

PIXELS = (
    "SamplesPerPixel",
    "PhotometricInterpretation",
    "PlanarConfiguration",
    "NumberOfFrames",
    "Rows",
    "Columns",
    "BitsAllocated",
    "BitsStored",
    "HighBit",
    "PixelRepresentation",
    "PixelData",
    "FloatPixelData",
    "DoubleFloatPixelData",
    "ExtendedOffsetTable",
    "ExtendedOffsetTableLengths",
)
_MR_CLASSES = ("1.2.840.10008.5.1.4.1.1.4", "1.2.840.10008.5.1.4.1.1.4.1", "1.2.840.10008.5.1.4.1.1.4.4")
_PHILIPS, _PHILIPS_SCALE = 0x20050010, 0x2005100E
_GE, _GE_COMPONENT = 0x00430010, 0x0043102F
_MACROS = (
    "FrameContentSequence",
    "PlanePositionSequence",
    "PlaneOrientationSequence",
    "PixelMeasuresSequence",
    "PixelValueTransformationSequence",
    "MRImageFrameTypeSequence",
    "MRTimingAndRelatedParametersSequence",
    "MREchoSequence",
    "MRModifierSequence",
    "MRReceiveCoilSequence",
)
_PERSON = {"number": "PatientID", "name": "PatientName", "date of birth": "PatientBirthDate"}
_TAGS = (
    *_PERSON.values(),
    *("SOPClassUID", "SOPInstanceUID", "StudyInstanceUID", "SeriesInstanceUID", "SeriesNumber", "Modality"),
    *("ImageType", "FrameType", "ComplexImageComponent", "AcquisitionContrast", "SeriesDescription", "ProtocolName"),
    *("ScanningSequence", "SequenceVariant", "ScanOptions", "SequenceName", "PulseSequenceName"),
    *("RepetitionTime", "EchoTime", "EffectiveEchoTime", "InversionTime", "InversionTimes", "FlipAngle"),
    *("MagneticFieldStrength", "ReceiveCoilName", "Manufacturer", "ManufacturerModelName", "SoftwareVersions"),
    *("ContrastBolusAgent", "LossyImageCompression", "SamplesPerPixel", "NumberOfFrames", "Rows", "Columns"),
    *("ImagePositionPatient", "ImageOrientationPatient", "PixelSpacing", "SliceThickness", "SpacingBetweenSlices"),
    *("RescaleSlope", "RescaleIntercept", "TemporalPositionIdentifier", "AcquisitionNumber", "TriggerTime"),
    *("InstanceNumber", "SharedFunctionalGroupsSequence", "PerFrameFunctionalGroupsSequence"),
    *(_PHILIPS, _PHILIPS_SCALE, _GE, _GE_COMPONENT),
)
BROKEN = (EOFError, ValueError, TypeError, KeyError, AttributeError, NotImplementedError, struct.error, OSError)
"""What pydicom raises where a file is cut off or is none of its kind."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Frame:
    """One slice of a file.

    Attributes
    ----------
    position, orientation, spacing_mm
        ImagePositionPatient (x, y, z), ImageOrientationPatient (six cosines), distances of rows and columns; empty
        where the file does not say.
    step_mm
        Distance of slices as declared, 0 if it is not.
    slope, intercept
        What takes a stored number to the image's.
    repeat
        What tells images of one place apart: temporal position, acquisition, trigger time.
    """

    path: Path
    index: int
    uid: str
    series: str
    number: int
    shape: tuple[int, int]
    position: tuple[float, ...]
    orientation: tuple[float, ...]
    spacing_mm: tuple[float, ...]
    step_mm: float
    slope: float
    intercept: float
    repeat: tuple[float, ...]
    clues: Clues
    description: str
    lossy: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class Header:
    """A file's frames, and hashes of who and which study it belongs to; no frames where it is no MR image."""

    path: Path
    frames: tuple[Frame, ...]
    person: Mapping[str, bytes]
    study: bytes
    modality: str


def read_header(path: Path, *, key: bytes, name: str | None = None) -> Header:
    """Return what a DICOM file says; ``key`` makes the hashes of persons comparable within one reading only.

    Parameters
    ----------
    name
        How messages call the file.

    Raises
    ------
    ImageError
        The file is cut off or cannot be understood.
    """
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # they quote header values, which may be a patient's
            dataset = _dataset(path)
            return _header(path, dataset, key)
    except BROKEN as error:
        raise ImageError(
            Problem(
                file=name or path.name,
                found="a DICOM file that is cut off or damaged",
                expected="a complete file",
                next_step="Export or copy it again, or take it out of the folder.",
            )
        ) from error


def read_examination(path: Path) -> str | None:
    """Return which examination a DICOM file belongs to, as a word without meaning; None where it does not say."""
    import pydicom  # noqa: PLC0415 - loaded late, so that importing this part is light
    from pydicom.errors import InvalidDicomError  # noqa: PLC0415 - as above

    try:
        dataset = pydicom.dcmread(path, stop_before_pixels=True, specific_tags=["StudyInstanceUID"])
    except (InvalidDicomError, OSError, EOFError):
        return None
    held = str(dataset.get("StudyInstanceUID", "") or "")
    return hashlib.sha256(held.encode()).hexdigest() if held else None


def _dataset(path: Path) -> Dataset:
    import pydicom  # noqa: PLC0415 - loaded late, so that importing this part is light
    from pydicom.tag import Tag  # noqa: PLC0415 - as above

    tags = [Tag(tag) for tag in _TAGS]
    dataset = pydicom.dcmread(path, stop_before_pixels=True, force=True, specific_tags=tags)
    declared = dataset.get("SOPClassUID") or dataset.file_meta.get("MediaStorageSOPClassUID")
    if declared is None or (declared in _MR_CLASSES and "Rows" not in dataset):
        raise EOFError
    return dataset


def _header(path: Path, dataset: Dataset, key: bytes) -> Header:
    words = _person_words(dataset)
    return Header(
        path=path,
        frames=tuple(_frames(path, dataset, words)) if _is_image(dataset) else (),
        person={what: _hash(_person_text(dataset, tag), key) for what, tag in _PERSON.items() if dataset.get(tag)},
        study=_hash(str(dataset.get("StudyInstanceUID", "")), key),
        modality=str(dataset.get("Modality", "") or ""),
    )


def _is_image(dataset: Dataset) -> bool:
    return dataset.get("Modality") == "MR" and "Rows" in dataset and dataset.get("SamplesPerPixel", 1) == 1


def _hash(text: str, key: bytes) -> bytes:
    return hashlib.blake2b(text.encode(), key=key).digest()


def _person_text(dataset: Dataset, tag: str) -> str:
    """Names are compared whatever the order and the marks between their parts."""
    return " ".join(sorted(str(dataset.get(tag)).replace("^", " ").replace(",", " ").casefold().split()))


def _person_words(dataset: Dataset) -> frozenset[str]:
    texts = (_person_text(dataset, tag) for tag in _PERSON.values() if dataset.get(tag))
    return frozenset(word for text in texts for word in text.split() if len(word) >= 3)


def _without(text: str, words: frozenset[str]) -> str:
    """A description without the patient's name or number in it."""
    return " ".join(word for word in text.split() if not any(part in word.casefold() for part in words))


def _frames(path: Path, dataset: Dataset, words: frozenset[str]) -> list[Frame]:
    shared = _flat(dataset.get("SharedFunctionalGroupsSequence"))
    top = {element.keyword: element.value for element in dataset if element.keyword}
    top |= _private(dataset)
    groups = dataset.get("PerFrameFunctionalGroupsSequence")
    if groups is None:
        return [_frame(path, each, top, words) for each in range(int(dataset.get("NumberOfFrames") or 1))]
    return [_frame(path, index, top | shared | _flat([group]), words) for index, group in enumerate(groups)]


def _flat(groups: Sequence[Dataset] | None) -> dict[str, Any]:
    """The elements of all macros of a frame under their own names, which do not meet."""
    if not groups:
        return {}
    macros = (groups[0].get(name) for name in _MACROS)
    return {element.keyword: element.value for macro in macros if macro for element in macro[0]}


def _private(dataset: Dataset) -> dict[str, Any]:
    found: dict[str, Any] = {}
    if str(dataset.get(_PHILIPS, "")).find("Philips MR Imaging DD") >= 0 and _PHILIPS_SCALE in dataset:
        found["PhilipsScale"] = dataset[_PHILIPS_SCALE].value
    if str(dataset.get(_GE, "")).find("GEMS_PARM") >= 0 and _GE_COMPONENT in dataset:
        found["GEComponent"] = dataset[_GE_COMPONENT].value
    return found


def _frame(path: Path, index: int, values: Mapping[str, Any], words: frozenset[str]) -> Frame:
    clues = _clues(values)
    slope, intercept = _scale(values)
    return Frame(
        path=path,
        index=index,
        uid=str(values.get("SOPInstanceUID", path)),
        series=str(values.get("SeriesInstanceUID", "")),
        number=int(_number(values, "SeriesNumber") or 0),
        shape=(int(values["Rows"]), int(values["Columns"])),
        position=_numbers(values, "ImagePositionPatient", 3),
        orientation=_numbers(values, "ImageOrientationPatient", 6),
        spacing_mm=_numbers(values, "PixelSpacing", 2),
        step_mm=_number(values, "SpacingBetweenSlices") or _number(values, "SliceThickness") or 0.0,
        slope=slope,
        intercept=intercept,
        repeat=tuple(_number(values, name) or 0.0 for name in _REPEATS),
        clues=clues,
        description=_without(clues.description, words),
        lossy=str(values.get("LossyImageCompression", "")) == "01",
    )


_REPEATS = ("TemporalPositionIdentifier", "TemporalPositionIndex", "AcquisitionNumber", "TriggerTime")


def _scale(values: Mapping[str, Any]) -> tuple[float, float]:
    """Slope and intercept.

    Philips rescales every image for display and keeps the scale of the signal apart (its scale slope); only stored
    numbers taken back by both are comparable between the fat and the water image.

    References
    ----------
    Chenevert TL, et al. Errors in quantitative image analysis due to platform-dependent image scaling.
    Transl Oncol 2014;7:65–71. doi:10.1593/tlo.13811
    """
    slope = _number(values, "RescaleSlope")
    intercept = _number(values, "RescaleIntercept") or 0.0
    slope = 1.0 if slope is None else slope
    philips = _number(values, "PhilipsScale")
    return (1.0 / philips, intercept / (slope * philips)) if philips and slope else (slope, intercept)


def _clues(values: Mapping[str, Any]) -> Clues:
    return Clues(
        image_type=_texts(values.get("FrameType") or values.get("ImageType")),
        component=_component(values),
        contrast=_text(values, "AcquisitionContrast"),
        description=_text(values, "SeriesDescription") or "",
        context=" ".join(
            _text(values, name) or "" for name in ("ProtocolName", "SequenceName", "PulseSequenceName", "ScanOptions")
        ),
        technique=_texts(values.get("ScanningSequence")),
        agent=bool(values.get("ContrastBolusAgent")),
        acquisition=_acquisition(values),
    )


def _component(values: Mapping[str, Any]) -> str | None:
    said = _text(values, "ComplexImageComponent")
    vendor = {0: "MAGNITUDE", 1: "PHASE", 2: "REAL", 3: "IMAGINARY"}.get(int(_number(values, "GEComponent") or 0))
    return said or (vendor if "GEComponent" in values else None)


def _acquisition(values: Mapping[str, Any]) -> Acquisition:
    technique = "/".join((*_texts(values.get("ScanningSequence")), *_texts(values.get("SequenceVariant"))))
    return Acquisition(
        sequence=_text(values, "PulseSequenceName") or _text(values, "SequenceName") or technique or None,
        repetition_ms=_number(values, "RepetitionTime"),
        echo_ms=_first(_number(values, "EffectiveEchoTime"), _number(values, "EchoTime")),
        inversion_ms=_first(_number(values, "InversionTimes"), _number(values, "InversionTime")),
        flip_degrees=_number(values, "FlipAngle"),
        field_tesla=_number(values, "MagneticFieldStrength"),
        coil=_text(values, "ReceiveCoilName"),
        scanner=_joined(values, "Manufacturer", "ManufacturerModelName"),
        software=" ".join(_texts(values.get("SoftwareVersions"))) or None,
    )


def _first(one: float | None, other: float | None) -> float | None:
    return other if one is None else one


def _joined(values: Mapping[str, Any], *names: str) -> str | None:
    return " ".join(filter(None, (_text(values, name) for name in names))) or None


def _text(values: Mapping[str, Any], name: str) -> str | None:
    value = values.get(name)
    return str(value).strip() or None if value is not None else None


def _texts(value: Any) -> tuple[str, ...]:
    if value is None or value == "":
        return ()
    return (value,) if isinstance(value, str) else tuple(str(each) for each in value)


def _numbers(values: Mapping[str, Any], name: str, count: int) -> tuple[float, ...]:
    value = values.get(name)
    numbers = () if value is None or isinstance(value, str) else tuple(float(each) for each in value)
    return numbers if len(numbers) == count else ()


def _number(values: Mapping[str, Any], name: str) -> float | None:
    """The first number of an element, None where it is missing or empty."""
    value = values.get(name)
    if value is None or value == "":
        return None
    if isinstance(value, (str, int, float)):
        return float(value)
    parts = list(value)
    return float(parts[0]) if parts else None
