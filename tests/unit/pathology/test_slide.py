"""Slides of any make give the pixels that OpenSlide gives, whole or by tiles, and say what is wrong with them."""

import subprocess
import sys
import zlib
from collections.abc import Iterator
from itertools import repeat
from pathlib import Path

import numpy as np
import pytest
import tifffile
from hypothesis import given, settings
from hypothesis import strategies as st
from imagecodecs import jpeg8_encode

from rarefactor.errors import ImageError, InputError
from rarefactor.pathology import MicronsPerPixel, Slide, Window, compute_downsample, open_slide
from rarefactor.pathology._openslide import open_library

SLIDES = ("open/CMU-1-Small-Region.svs", "derived/ihc_mosaic.ome.tif", "derived/ihc_mosaic_generic.tif")
JPEG2000 = "open/tcga-cr-7395-01a-01-ts1.svs"


def _tissue(rows: int, columns: int, *, seed: int = 5) -> np.ndarray:
    """Smooth colours, so that resampling has something to keep."""
    rng = np.random.default_rng(seed)
    coarse = rng.integers(80, 250, (rows // 8 + 2, columns // 8 + 2, 3)).astype(np.uint8)
    return np.kron(coarse, np.ones((8, 8, 1), dtype=np.uint8))[:rows, :columns]


def _write_pyramid(path: Path, image: np.ndarray) -> Path:
    with tifffile.TiffWriter(path) as file:
        for factor in (1, 2, 4):
            rows, columns = image.shape[0] // factor, image.shape[1] // factor
            trimmed = image[: rows * factor, : columns * factor].reshape(rows, factor, columns, factor, 3)
            level = np.rint(trimmed.mean(axis=(1, 3))).astype(np.uint8)
            file.write(level, photometric="rgb", tile=(64, 64), compression="zlib", subfiletype=int(factor > 1))
    return path


@pytest.fixture(scope="module")
def image() -> np.ndarray:
    return _tissue(301, 403)


@pytest.fixture(scope="module")
def pyramid(tmp_path_factory: pytest.TempPathFactory, image: np.ndarray) -> Iterator[Slide]:
    with open_slide(_write_pyramid(tmp_path_factory.mktemp("slides") / "pyramid.tif", image)) as slide:
        yield slide


def _names(slide: Slide) -> set[str]:
    return {flag.name for flag in slide.flags}


@pytest.mark.shared
@pytest.mark.parametrize("name", [*SLIDES, JPEG2000])
def test_pixels_are_those_of_openslide(shared: Path, name: str) -> None:
    openslide = pytest.importorskip("openslide")
    x, y, width, height = 1130, 1190, 700, 450
    with (
        open_slide(shared / "data" / "ihc" / name) as ours,
        openslide.OpenSlide(str(shared / "data" / "ihc" / name)) as theirs,
    ):
        expected = np.asarray(theirs.read_region((x, y), 0, (width, height)))[..., :3]
        assert np.array_equal(ours.read(x, y, width, height), expected)
        assert (ours.width, ours.height) == theirs.dimensions


@pytest.mark.shared
@pytest.mark.parametrize("library", ["openslide", "tiffslide"])
def test_slides_left_to_a_library_agree_with_ours(shared: Path, monkeypatch: pytest.MonkeyPatch, library: str) -> None:
    if library == "tiffslide":
        monkeypatch.setitem(sys.modules, "openslide", None)
    path = shared / "data" / "ihc" / SLIDES[0]
    with open_library(path, tiff=True) as theirs, open_slide(path) as ours:
        assert theirs.reader.startswith(library)
        assert theirs.microns_per_pixel.value == ours.microns_per_pixel.value == 0.499
        window = (-20, 2800, 300, 300)  # over the left and the lower border
        assert np.array_equal(theirs.read(*window), ours.read(*window))
        assert theirs.sha256 == ours.sha256


@pytest.mark.shared
@pytest.mark.parametrize(
    ("name", "microns", "source"),
    [
        (SLIDES[0], 0.499, "Aperio MPP"),
        (SLIDES[1], 0.5, "OME PhysicalSize"),
        (SLIDES[2], 0.5, "TIFF resolution"),
        (JPEG2000, None, None),  # an Aperio slide without MPP
        ("open/idr0073_kidney_48_5.tif", None, None),  # one pixel per inch
    ],
)
def test_size_of_a_pixel_is_read_or_unknown(shared: Path, name: str, microns: float | None, source: str | None) -> None:
    with open_slide(shared / "data" / "ihc" / name) as slide:
        found = slide.microns_per_pixel
        assert (found and found.value, found and found.source) == (microns, source)
        assert ("um_per_px_unknown" in _names(slide)) == (microns is None)


def test_level_is_chosen_and_whole_factors_are_exact(pyramid: Slide, image: np.ndarray) -> None:
    assert pyramid.downsamples == (1.0, 2.0, 4.0)  # 403 / 2 = 201.5 was cut, not stretched
    block = image[40:280, 80:392].reshape(40, 6, 52, 6, 3).mean(axis=(1, 3))
    assert np.abs(pyramid.read(80, 40, 312, 240, downsample=6) - block).max() <= 1


def test_outside_is_white_and_the_border_keeps_its_colour(pyramid: Slide, image: np.ndarray) -> None:
    window = pyramid.read(-10, -10, 430, 330)
    assert np.array_equal(window[10:311, 10:413], image)
    outside = np.ones(window.shape[:2], dtype=bool)
    outside[10:311, 10:413] = False
    assert (window[outside] == 255).all()
    assert (pyramid.read(1000, 1000, 20, 20, downsample=3) == 255).all()
    edge = pyramid.read(395, 0, 8, 301, downsample=1.3)[:, -2].mean()
    assert abs(edge - image[:, -2:].mean()) < 3  # no white bleeds in


@settings(max_examples=25)
@given(
    size=st.integers(25, 250), downsample=st.sampled_from([1.0, 1.3, 2.0, 2.5, 3.0, 4.0, 7.0]), halo=st.integers(0, 9)
)
def test_tiles_fit_together(pyramid: Slide, size: int, downsample: float, halo: int) -> None:
    whole = pyramid.read(0, 0, pyramid.width, pyramid.height, downsample=downsample)
    seen = np.zeros(whole.shape[:2], dtype=int)
    for tile in pyramid.tiles(size, downsample=downsample, halo=halo):
        rows, columns = tile.core.shape[:2]
        top, left = round(tile.window.y / downsample), round(tile.window.x / downsample)
        seen[top : top + rows, left : left + columns] += 1
        assert np.abs(tile.core - whole[top : top + rows, left : left + columns].astype(int)).max() <= 1
        assert tile.image.shape[:2] == (rows + 2 * halo, columns + 2 * halo)
    assert (seen == 1).all()


def test_a_large_window_is_read_in_pieces(pyramid: Slide, monkeypatch: pytest.MonkeyPatch) -> None:
    whole = pyramid.read(3, 5, 390, 280, downsample=2.5)
    monkeypatch.setattr("rarefactor.pathology._pyramid.MAX_PIECE", 50)
    assert np.abs(pyramid.read(3, 5, 390, 280, downsample=2.5) - whole.astype(int)).max() <= 1
    with pytest.raises(InputError, match="tiles"):
        pyramid.read(0, 0, 10**6, 10**6)


def test_block_cuts_no_stored_tile(pyramid: Slide) -> None:
    assert pyramid.block % 64 == 0
    assert pyramid.windows(within=Window(x=10, y=20, width=30, height=40)) == (Window(x=10, y=20, width=30, height=40),)


def _write_jpeg(path: Path) -> list[tuple[int, int]]:
    tifffile.imwrite(path, _tissue(640, 640), photometric="rgb", tile=(64, 64), compression="jpeg")
    with tifffile.TiffFile(path) as file:
        return list(zip(file.pages[0].dataoffsets, file.pages[0].databytecounts, strict=True))


def _spoil(path: Path, places: list[tuple[int, int]]) -> None:
    data = bytearray(path.read_bytes())
    for start, count in places:
        data[start + count // 2 : start + count] = bytes(count - count // 2)
    path.write_bytes(data)


def test_truncated_tiles_are_counted_and_too_many_are_refused(tmp_path: Path) -> None:
    path = tmp_path / "slide.tif"
    places = _write_jpeg(path)
    _spoil(path, places[:2])
    with open_slide(path) as slide:
        assert "damaged_tiles" not in _names(slide)
        assert (slide.read(0, 0, 128, 64) == 255).all()
        slide.read(0, 0, 640, 640)
        assert "2 stored tiles" in next(flag.detail for flag in slide.flags if flag.name == "damaged_tiles")
    _spoil(path, places[2:6])
    with open_slide(path) as slide, pytest.raises(ImageError, match=r"slide\.tif: found 6 of 100 tiles damaged"):
        slide.read(0, 0, 640, 640)


@pytest.mark.parametrize("share", [0.5, 0.05, 0.001])
def test_a_slide_that_was_not_copied_whole_is_refused(tmp_path: Path, share: float) -> None:
    path = tmp_path / "slide.svs"
    _write_jpeg(path)
    data = path.read_bytes()
    path.write_bytes(data[: max(5, int(len(data) * share))])
    with pytest.raises(ImageError, match=r"slide\.svs: found .*Copy or export"):
        open_slide(path)


@pytest.mark.parametrize("content", ["this is no slide", "", "II*\0"])
def test_what_is_no_slide_is_refused(tmp_path: Path, content: str) -> None:
    path = tmp_path / "text.svs"
    path.write_text(content)
    with pytest.raises(ImageError, match=r"text\.svs: found"):
        open_slide(path)
    with pytest.raises(ImageError, match="nothing of this name"):
        open_slide(tmp_path / "missing.svs")


def test_mirax_without_openslide_says_what_to_install(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "openslide", None)
    path = tmp_path / "slide.mrxs"
    path.write_bytes(b"\xff\xd8\xff")
    with pytest.raises(ImageError, match=r"rarefactor\[openslide\]"):
        open_slide(path)


def test_a_strip_too_large_to_decode_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "strip.tif"
    packer = zlib.compressobj(1)
    strip = packer.compress(b"\0") + packer.flush()  # what it holds is never looked at
    with tifffile.TiffWriter(path, bigtiff=True) as file:
        shape = (60_000, 60_000, 3)
        file.write(
            iter([strip]), shape=shape, dtype="uint8", photometric="rgb", compression="zlib", rowsperstrip=60_000
        )
    with pytest.raises(ImageError, match="60000 x 60000 pixels that has to be decoded as a whole"):
        open_slide(path)


MEMORY = """
import resource, sys
from pathlib import Path
from rarefactor.pathology import open_slide
with open_slide(Path(sys.argv[1])) as slide:
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    sums = [int(slide.read(x, y, 2000, 2000).sum()) for x in range(0, slide.width, 20000) for y in (0, 58000)]
print(sum(255 * 2000 * 2000 * 3 - each for each in sums), resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before)
"""


@pytest.mark.slow
@pytest.mark.skipif(sys.platform == "win32", reason="Windows has no sparse file here and no resource module")
def test_a_large_strip_that_is_not_compressed_is_read_in_bounded_memory(tmp_path: Path) -> None:
    path = tmp_path / "strip.tif"
    held = tifffile.memmap(path, shape=(60_000, 60_000, 3), dtype="uint8", photometric="rgb", bigtiff=True)
    held[59_999, 1] = 255
    del held
    run = subprocess.run([sys.executable, "-c", MEMORY, str(path)], capture_output=True, text=True, check=True)
    darkness, kilobytes = (int(word) for word in run.stdout.split())
    assert darkness == 6 * 255 * 2000 * 2000 * 3 - 3 * 255
    assert kilobytes < 100_000


@pytest.mark.slow
def test_memory_of_a_large_pyramid_is_bounded(tmp_path: Path) -> None:
    path = tmp_path / "large.tif"
    tile = jpeg8_encode(np.full((1024, 1024, 3), 230, dtype=np.uint8), level=60)
    with tifffile.TiffWriter(path, bigtiff=True) as file:
        for width, height in ((100_000, 80_000), (25_000, 20_000), (6_250, 5_000)):
            count = -(-width // 1024) * -(-height // 1024)
            file.write(
                repeat(tile, count), shape=(height, width, 3), dtype="uint8", tile=(1024, 1024), photometric="ycbcr",
                subsampling=(1, 1), compression="jpeg", subfiletype=int(width < 100_000),
            )  # fmt: skip
    run = subprocess.run([sys.executable, "-c", LARGE, str(path)], capture_output=True, text=True, check=True)
    rows, columns, level, kilobytes = (int(word) for word in run.stdout.split())
    assert (rows, columns, level) == (1250, 1563, 230)
    assert kilobytes < 300_000


LARGE = """
import resource, sys
from pathlib import Path
from rarefactor.pathology import open_slide
with open_slide(Path(sys.argv[1])) as slide:
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    image = slide.read(0, 0, slide.width, slide.height, downsample=64)
    for window in slide.windows()[1000:1003]:
        slide.read_tile(window, halo=32)
print(*image.shape[:2], image.min(), resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before)
"""


@pytest.mark.parametrize(("found", "factor"), [(0.25, 2.0), (0.499, 1.0), (0.5, 1.0), (1.0, 0.5)])
def test_resolutions_of_a_study_become_one(found: float, factor: float) -> None:
    assert compute_downsample(MicronsPerPixel(value=found, source="file"), 0.5) == factor
