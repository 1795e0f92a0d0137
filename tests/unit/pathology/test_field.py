"""Fields of any kind become red, green and blue; what cannot be measured says so, and nothing is guessed."""

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import tifffile
from imagecodecs import png_encode
from PIL import Image

from rarefactor.errors import ImageError
from rarefactor.pathology import Severity, Slide, open_slide

SHAPE = (60, 80)


@pytest.fixture(scope="module")
def image() -> np.ndarray:
    rng = np.random.default_rng(3)
    return rng.integers(60, 250, (*SHAPE, 3)).astype(np.uint8)


def _read(path: Path) -> np.ndarray:
    with open_slide(path) as slide:
        return slide.read(0, 0, slide.width, slide.height)


def _flags(path: Path) -> dict[str, Severity]:
    with open_slide(path) as slide:
        slide.read(0, 0, slide.width, slide.height)
        return {flag.name: flag.severity for flag in slide.flags if not flag.name.startswith("um_per_px")}


def _microns(path: Path) -> tuple[float, str] | None:
    with open_slide(path) as slide:
        found = slide.microns_per_pixel
        return found and (found.value, found.source)


RGB_LAYOUTS: list[dict[str, Any]] = [
    {},
    {"rowsperstrip": 7},
    {"tile": (32, 32), "compression": "lzw", "predictor": True},
    {"compression": "zlib"},
    {"compression": "zlib", "rowsperstrip": 7, "byteorder": ">", "bigtiff": True},
    {"planarconfig": "separate"},
    {"planarconfig": "separate", "tile": (32, 48), "compression": "zlib"},
]


@pytest.mark.parametrize("layout", RGB_LAYOUTS, ids=str)
@pytest.mark.parametrize("bits", [8, 16])
def test_every_layout_of_tiff_gives_the_same_pixels(
    tmp_path: Path, image: np.ndarray, layout: dict[str, Any], bits: int
) -> None:
    path = tmp_path / "field.tif"
    samples = image if bits == 8 else image.astype(np.uint16) * 257
    stored = np.moveaxis(samples, 2, 0) if "planarconfig" in layout else samples
    tifffile.imwrite(path, stored, photometric="rgb", **layout)
    with open_slide(path) as slide:
        assert np.array_equal(slide.read(0, 0, slide.width, slide.height), image)
        assert np.array_equal(slide.read(33, 17, 20, 30), image[17:47, 33:53])


@pytest.mark.parametrize("ending", ["png", "tif"])
def test_a_twelve_bit_camera_is_not_taken_for_darkness(tmp_path: Path, image: np.ndarray, ending: str) -> None:
    path, deep = tmp_path / f"field.{ending}", image.astype(np.uint16) * 16
    path.write_bytes(png_encode(deep)) if ending == "png" else tifffile.imwrite(path, deep, photometric="rgb")
    assert np.abs(_read(path) - image.astype(int)).max() <= 1
    assert _flags(path) == {"sixteen_bit": Severity.NOTE}


def test_grey_and_print_colours_are_flagged(tmp_path: Path, image: np.ndarray) -> None:
    grey = image[..., 0]
    tifffile.imwrite(tmp_path / "grey.tif", grey, photometric="minisblack")
    tifffile.imwrite(tmp_path / "inverted.tif", 255 - grey, photometric="miniswhite")
    Image.fromarray(grey).save(tmp_path / "grey.png")
    for name in ("grey.tif", "inverted.tif", "grey.png"):
        assert np.array_equal(_read(tmp_path / name), np.repeat(grey[..., None], 3, axis=2))
        assert _flags(tmp_path / name) == {"greyscale": Severity.REFUSED}
    inks = np.dstack([255 - image, np.full(SHAPE, 51, dtype=np.uint8)])
    tifffile.imwrite(tmp_path / "inks.tif", inks, photometric="separated")
    Image.fromarray(image).convert("CMYK").save(tmp_path / "inks.jpg", quality=95)
    assert np.abs(_read(tmp_path / "inks.tif") - image * 0.8).max() <= 1
    assert _flags(tmp_path / "inks.tif") == _flags(tmp_path / "inks.jpg") == {"cmyk": Severity.WARNING}


def test_transparent_pixels_are_glass(tmp_path: Path, image: np.ndarray) -> None:
    alpha = np.where(np.arange(SHAPE[1]) < 40, 255, 102).astype(np.uint8) * np.ones((SHAPE[0], 1), dtype=np.uint8)
    cover = alpha[..., None] / 255
    straight = np.dstack([image, alpha])
    premultiplied = np.dstack([np.rint(image * cover).astype(np.uint8), alpha])
    Image.fromarray(straight).save(tmp_path / "straight.png")
    for name, stored in (("unassalpha", straight), ("assocalpha", premultiplied)):
        tifffile.imwrite(tmp_path / f"{name}.tif", stored, photometric="rgb", extrasamples=[name])
    for name in ("straight.png", "unassalpha.tif", "assocalpha.tif"):
        found = _read(tmp_path / name)
        assert np.abs(found - (image * cover + 255 * (1 - cover))).max() <= 1
        assert _flags(tmp_path / name) == {"alpha_channel": Severity.NOTE}


def test_palettes_are_resolved(tmp_path: Path, image: np.ndarray) -> None:
    paletted = Image.fromarray(image).convert("P")
    paletted.save(tmp_path / "palette.png")
    paletted.save(tmp_path / "palette.tif")
    expected = np.asarray(paletted.convert("RGB"))
    assert np.array_equal(_read(tmp_path / "palette.png"), expected)
    assert np.array_equal(_read(tmp_path / "palette.tif"), expected)


@pytest.mark.parametrize("ending", ["png", "tif"])
def test_one_pixel_is_too_few(tmp_path: Path, ending: str) -> None:
    Image.new("RGB", (1, 1), (200, 100, 90)).save(tmp_path / f"one.{ending}")
    assert _read(tmp_path / f"one.{ending}").tolist() == [[[200, 100, 90]]]
    assert _flags(tmp_path / f"one.{ending}") == {"tiny_image": Severity.REFUSED}


def _write_unsuitable(path: Path, image: np.ndarray) -> None:
    match path.stem:
        case "channels":
            tifffile.imwrite(
                path, np.moveaxis(image, 2, 0), photometric="minisblack", ome=True, metadata={"axes": "CYX"}
            )
        case "float":
            tifffile.imwrite(path, image.astype(np.float32), photometric="rgb")
        case "cut":
            Image.fromarray(image).save(path)
            path.write_bytes(path.read_bytes()[:2000])
        case _:
            path.write_bytes(b"\x89PNG\r\n\x1a\n" + b"x" * 100)


@pytest.mark.parametrize("name", ["channels.tif", "float.tif", "cut.png", "cut.jpg", "garbage.png"])
def test_what_shows_no_brightfield_image_is_refused(tmp_path: Path, image: np.ndarray, name: str) -> None:
    _write_unsuitable(tmp_path / name, image)
    with pytest.raises(ImageError, match=rf"^{name.replace('.', '[.]')}: found .*(xport the image in|Copy or export)"):
        open_slide(tmp_path / name)


def test_a_field_too_large_to_be_held_is_refused(
    tmp_path: Path, image: np.ndarray, monkeypatch: pytest.MonkeyPatch
) -> None:
    Image.fromarray(image).save(tmp_path / "field.png")
    monkeypatch.setattr("rarefactor.pathology._field.MAX_FIELD", 4799)
    with pytest.raises(ImageError, match="tiled TIFF"):
        open_slide(tmp_path / "field.png")
    monkeypatch.setattr(Image, "MAX_IMAGE_PIXELS", 2399)  # Pillow's own bound is an error beyond twice this
    with pytest.raises(ImageError, match="tiled TIFF"):
        open_slide(tmp_path / "field.png")


def test_a_stack_is_measured_in_its_first_plane(tmp_path: Path, image: np.ndarray) -> None:
    tifffile.imwrite(tmp_path / "stack.tif", np.stack([image, 255 - image]), photometric="rgb")
    assert np.array_equal(_read(tmp_path / "stack.tif"), image)
    assert _flags(tmp_path / "stack.tif") == {"several_planes": Severity.WARNING}


OME_SIZES = {"PhysicalSizeX": 250.0, "PhysicalSizeXUnit": "nm", "PhysicalSizeY": 0.25, "PhysicalSizeYUnit": "µm"}
TAGS: list[tuple[dict[str, Any], tuple[float, str] | None]] = [
    ({"resolution": (20_000, 20_000), "resolutionunit": "centimeter"}, (0.5, "TIFF resolution")),
    ({"resolution": (25_400, 25_400), "resolutionunit": "inch"}, (1.0, "TIFF resolution")),
    ({"resolution": (300, 300), "resolutionunit": "inch"}, None),  # a printer's
    ({"resolution": (2, 2), "resolutionunit": "none"}, None),
    ({"resolution": (2, 2), "imagej": True, "metadata": {"unit": "micron"}}, (0.5, "ImageJ unit micron")),
    ({"resolution": (2, 2), "imagej": True, "metadata": {"unit": "pixel"}}, None),
    ({"ome": True, "metadata": OME_SIZES}, (0.25, "OME PhysicalSize")),
    ({"ome": True, "metadata": {}}, None),
]  # fmt: skip


@pytest.mark.parametrize(("tags", "expected"), TAGS, ids=str)
def test_size_of_a_pixel_comes_from_real_units_only(
    tmp_path: Path, image: np.ndarray, tags: dict[str, Any], expected: tuple[float, str] | None
) -> None:
    tifffile.imwrite(tmp_path / "field.tif", image, photometric="rgb", **tags)
    found = _microns(tmp_path / "field.tif")
    if expected is None:
        assert found is None
    else:
        assert found is not None
        assert found[0] == pytest.approx(expected[0], rel=1e-6)
        assert found[1].startswith(expected[1])


def _scale_flags(slide: Slide) -> list[str]:
    return [flag.name for flag in slide.flags]


def test_the_sidecar_holds_and_contradictions_are_flagged(tmp_path: Path, image: np.ndarray) -> None:
    path = tmp_path / "field.tif"
    tifffile.imwrite(path, image, photometric="rgb", resolution=(20_000, 20_000), resolutionunit="centimeter")
    (tmp_path / "field.json").write_text(json.dumps({"type": "FeatureCollection", "features": []}))
    with open_slide(path) as slide:
        assert slide.microns_per_pixel.source == "TIFF resolution"  # JSON of somebody else is passed over
    (tmp_path / "field.tif.json").write_text(json.dumps({"um_per_px": 0.25}))
    with open_slide(path) as slide:
        assert (slide.microns_per_pixel.value, slide.microns_per_pixel.source) == (0.25, "sidecar field.tif.json")
        assert _scale_flags(slide) == ["um_per_px_conflict"]


@pytest.mark.parametrize("text", ['{"um_per_px": "0.5"}', '{"um_per_px": 0}', '{"um_per_px": NaN}', "um_per_px: 0.5"])
def test_a_sidecar_that_says_nothing_is_an_error(tmp_path: Path, image: np.ndarray, text: str) -> None:
    Image.fromarray(image).save(tmp_path / "field.png")
    (tmp_path / "field.json").write_text(text)
    with pytest.raises(ImageError, match=r"field\.json: found"):
        open_slide(tmp_path / "field.png")


def test_pixels_that_are_not_square_are_flagged(tmp_path: Path, image: np.ndarray) -> None:
    path = tmp_path / "field.tif"
    tifffile.imwrite(path, image, photometric="rgb", resolution=(20_000, 5_000), resolutionunit="centimeter")
    with open_slide(path) as slide:
        assert slide.microns_per_pixel.area_mm2(1e6) == pytest.approx(1.0)
        assert _scale_flags(slide) == ["unequal_pixels"]
