"""A folder of DICOM files is one slide, read through OpenSlide."""

from pathlib import Path

import numpy as np
import pytest
from imagecodecs import jpeg8_encode
from pydicom.dataset import Dataset, FileMetaDataset
from pydicom.encaps import encapsulate
from pydicom.uid import JPEGBaseline8Bit, VLWholeSlideMicroscopyImageStorage, generate_uid

from rarefactor.errors import ImageError
from rarefactor.pathology import open_slide

TILE = 64
KINDS = {
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


def _part(**values: object) -> Dataset:
    part = Dataset()
    for name, value in values.items():
        setattr(part, name, value)
    return part


def _encode(image: np.ndarray) -> list[bytes]:
    rows, columns = image.shape[:2]
    padded = np.pad(image, ((0, -rows % TILE), (0, -columns % TILE), (0, 0)), mode="edge")
    corners = [(y, x) for y in range(0, rows, TILE) for x in range(0, columns, TILE)]
    return [jpeg8_encode(padded[y : y + TILE, x : x + TILE], level=98, subsampling="444") for y, x in corners]


def _write(path: Path, image: np.ndarray) -> None:
    frames = _encode(image)
    slide = _part(**KINDS, Rows=TILE, Columns=TILE, NumberOfFrames=len(frames))
    slide.TotalPixelMatrixRows, slide.TotalPixelMatrixColumns = image.shape[:2]
    slide.file_meta = FileMetaDataset()
    slide.file_meta.TransferSyntaxUID = JPEGBaseline8Bit
    slide.file_meta.MediaStorageSOPClassUID = slide.SOPClassUID = VLWholeSlideMicroscopyImageStorage
    slide.file_meta.MediaStorageSOPInstanceUID = slide.SOPInstanceUID = generate_uid(entropy_srcs=["slide"])
    for name in ("Study", "Series"):
        setattr(slide, f"{name}InstanceUID", generate_uid(entropy_srcs=[name]))
    measures = _part(PixelMeasuresSequence=[_part(PixelSpacing=[0.0005, 0.0005])])
    slide.SharedFunctionalGroupsSequence = [measures]
    slide.OpticalPathSequence = [_part(OpticalPathIdentifier="1")]
    slide.PixelData = encapsulate(frames)
    slide["PixelData"].is_undefined_length = True
    slide.save_as(path, enforce_file_format=True)


def test_a_folder_of_dicom_is_a_slide(tmp_path: Path) -> None:
    pytest.importorskip("openslide")
    coarse = np.random.default_rng(1).integers(80, 250, (20, 25, 3)).astype(np.uint8)
    image = np.kron(coarse, np.ones((8, 8, 1), dtype=np.uint8))
    _write(tmp_path / "level0.dcm", image)
    with open_slide(tmp_path) as slide:
        assert (slide.width, slide.height, slide.microns_per_pixel.value) == (200, 160, 0.5)
        assert np.abs(slide.read(0, 0, 200, 160) - image.astype(int)).mean() < 1
        whole = slide.sha256
    with open_slide(tmp_path / "level0.dcm") as slide:
        assert slide.sha256 == whole


def test_dicom_that_is_no_slide_is_refused(tmp_path: Path) -> None:
    (tmp_path / "junk.dcm").write_bytes(b"\0" * 128 + b"DICM" + b"junk" * 20)
    with pytest.raises(ImageError, match=r"junk\.dcm: found"):
        open_slide(tmp_path)
    (tmp_path / "empty").mkdir()
    with pytest.raises(ImageError, match="folder without DICOM"):
        open_slide(tmp_path / "empty")
