"""A DICOM slide of one level, made for comparison: tiled, JPEG, with the size of its pixels."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from pydicom.dataset import Dataset, FileMetaDataset
from pydicom.encaps import encapsulate
from pydicom.uid import JPEGBaseline8Bit, VLWholeSlideMicroscopyImageStorage, generate_uid

TILE = 512
KINDS: dict[str, Any] = {
    "Modality": "SM",
    "ImageType": ["ORIGINAL", "PRIMARY", "VOLUME", "NONE"],
    "DimensionOrganizationType": "TILED_FULL",
    "TotalPixelMatrixFocalPlanes": 1,
    "NumberOfOpticalPaths": 1,
    "SamplesPerPixel": 3,
    "PhotometricInterpretation": "YBR_FULL_422",
    "PlanarConfiguration": 0,
    "BitsAllocated": 8,
    "BitsStored": 8,
    "HighBit": 7,
    "PixelRepresentation": 0,
}


def make_part(**values: object) -> Dataset:
    part = Dataset()
    for name, value in values.items():
        setattr(part, name, value)
    return part


def write_dicom(path: Path, shape: tuple[int, ...], frames: list[bytes], *, um_per_px: float) -> None:
    """Write JPEG tiles of 512 x 512 pixels, row by row, of an image of this shape."""
    rows, columns = shape[:2]
    slide = make_part(**KINDS, Rows=TILE, Columns=TILE, NumberOfFrames=len(frames))
    slide.TotalPixelMatrixRows, slide.TotalPixelMatrixColumns = rows, columns
    slide.file_meta = FileMetaDataset()
    slide.file_meta.TransferSyntaxUID = JPEGBaseline8Bit
    slide.file_meta.MediaStorageSOPClassUID = slide.SOPClassUID = VLWholeSlideMicroscopyImageStorage
    slide.file_meta.MediaStorageSOPInstanceUID = slide.SOPInstanceUID = generate_uid(entropy_srcs=["slide"])
    for name in ("Study", "Series"):
        setattr(slide, f"{name}InstanceUID", generate_uid(entropy_srcs=[name]))
    measures = make_part(PixelMeasuresSequence=[make_part(PixelSpacing=[um_per_px / 1000] * 2)])
    slide.SharedFunctionalGroupsSequence = [measures]
    slide.OpticalPathSequence = [make_part(OpticalPathIdentifier="1")]
    slide.PixelData = encapsulate(frames)
    slide["PixelData"].is_undefined_length = True
    slide.save_as(path, enforce_file_format=True)
