"""A folder of everything that is wrong with slides: each is told with its file and reason, the others are measured."""

import csv
import json
import zlib
from pathlib import Path

import numpy as np
import pytest
import tifffile
from numpy.typing import NDArray
from PIL import Image

from rarefactor.cli import main

GLASS, BLUE, BROWN, RED = (240, 240, 240), (165, 165, 205), (150, 110, 80), (225, 60, 55)
Rgb = NDArray[np.uint8]


def read_rows(path: Path) -> dict[str, dict[str, str]]:
    return {row["patient"]: row for row in csv.DictReader(path.read_text(encoding="utf-8").splitlines())}


def make_section() -> Rgb:
    """Return a section on glass, half of it brown, with the noise of a camera."""
    image = np.full((160, 160, 3), GLASS, dtype=np.uint8)
    image[20:140, 60:140] = BLUE
    image[20:80, 60:140] = BROWN
    noise = np.random.default_rng(1).integers(-3, 4, image.shape)
    return np.clip(image + noise, 0, 255).astype(np.uint8)


def make_plain(colour: tuple[int, int, int]) -> Rgb:
    return np.full((200, 200, 3), colour, dtype=np.uint8)


def make_penned(ink: tuple[int, int, int]) -> Rgb:
    image = np.full((400, 400, 3), GLASS, dtype=np.uint8)
    image[100:300, 60:340] = BLUE
    image[100:150, 60:340] = BROWN
    image[:, 200:240] = ink
    return image


def write_cut(path: Path, section: Rgb, tiles: int) -> None:
    """Write a tiled JPEG slide of which some tiles end too early."""
    tifffile.imwrite(path, np.kron(section, np.ones((8, 8, 1), np.uint8)), tile=(64, 64), compression="jpeg")
    with tifffile.TiffFile(path) as file:
        page = file.pages[0]
        places = list(zip(page.dataoffsets, page.databytecounts, strict=True))[::9][:tiles]
    data = bytearray(path.read_bytes())
    for start, count in places:
        data[start + count // 2 : start + count] = bytes(count - count // 2)
    path.write_bytes(data)


def write_strip(path: Path) -> None:
    """Write a slide of 60,000 x 60,000 pixels in one compressed strip: 10 GB that nobody can decode in pieces."""
    packer = zlib.compressobj(1)
    strip = packer.compress(b"\0") + packer.flush()
    with tifffile.TiffWriter(path, bigtiff=True) as file:
        shape = (60_000, 60_000, 3)
        file.write(
            iter([strip]), shape=shape, dtype="uint8", photometric="rgb", compression="zlib", rowsperstrip=60_000
        )


def write_all(folder: Path) -> None:
    section = make_section()
    Image.fromarray(section).save(folder / "good.png")
    Image.fromarray(make_plain((255, 255, 255))).save(folder / "white.png")
    Image.fromarray(make_plain(BROWN)).save(folder / "brown.png")
    Image.fromarray(make_penned((30, 30, 32))).save(folder / "pen.png")
    Image.fromarray(make_penned(RED)).save(folder / "redpen.png")
    Image.fromarray(np.dstack([section, np.full(section.shape[:2], 255, np.uint8)])).save(folder / "alpha.png")
    Image.fromarray(section).convert("CMYK").save(folder / "print.tif")
    tifffile.imwrite(folder / "deep.tif", section.astype(np.uint16) * 257, photometric="rgb")
    write_cut(folder / "cut.tif", section, 5)
    write_cut(folder / "ruined.tif", section, 40)
    Image.fromarray(section).convert("L").save(folder / "grey.png")
    Image.fromarray(np.where(section < 200, RED, GLASS).astype(np.uint8)).save(folder / "red.png")
    Image.new("RGB", (1, 1)).save(folder / "dot.png")
    (folder / "text.svs").write_text("no slide")
    (folder / "empty.tif").write_bytes(b"")
    (folder / "half.png").write_bytes((folder / "good.png").read_bytes()[:3000])
    write_strip(folder / "strip.tif")


MEASURED = {
    "good": ("um_per_px_unknown", 0.5),
    "alpha": ("alpha_channel", 0.5),
    "deep": ("sixteen_bit", 0.5),
    "print": ("cmyk", 0.5),
    "cut": ("damaged_tiles", 0.5),
    "pen": ("pen_black", 0.25),
    "redpen": ("pen_red", 0.25),
    "brown": ("all_dab", 1.0),
    "white": ("no_tissue", None),
}
FAILED = {
    "ruined": "tiles damaged",
    "grey": "no colour",
    "red": "another chromogen",
    "dot": "1 x 1 pixels",
    "text": "no image or slide",
    "empty": "an empty file",
    "half": "cannot be decoded",
    "strip": "60000 x 60000 pixels that has to be decoded as a whole",
}


def test_each_bad_slide_is_told_and_the_others_are_measured(tmp_path: Path) -> None:
    slides, out = tmp_path / "slides", tmp_path / "out"
    slides.mkdir()
    write_all(slides)
    assert main(["measure", "ihc", str(slides), "--out", str(out), "--stain", "CD20", "--quiet"]) == 5
    rows = read_rows(out / "measurements/ihc.csv")
    assert set(rows) == set(MEASURED)
    for name, (flag, share) in MEASURED.items():
        assert flag in rows[name]["flags"].split("; "), name
        found = rows[name]["positive_area"]
        assert found in {"", "NaN"} if share is None else float(found) == pytest.approx(share, abs=0.06), name
        assert rows[name]["cells_per_mm2"] == rows[name]["tissue_mm2"] == "", name
        assert (out / f"overlays/{name}_CD20.png").exists()
    failed = read_rows(out / "measurements/ihc_failures.csv")
    assert {name: FAILED[name] in row["found"] for name, row in failed.items()} == dict.fromkeys(FAILED, True)
    assert all(row["file"].startswith(name) and row["next_step"] for name, row in failed.items())


def test_regions_that_all_lie_beside_the_slide_are_refused(tmp_path: Path) -> None:
    Image.fromarray(make_section()).save(tmp_path / "a.png")
    corners = [[500, 500], [600, 500], [600, 600], [500, 600], [500, 500]]
    region = {"type": "Feature", "properties": {}, "geometry": {"type": "Polygon", "coordinates": [corners]}}
    (tmp_path / "roi.geojson").write_text(json.dumps(region))
    asked = ["measure", "ihc", str(tmp_path / "a.png"), "--regions", str(tmp_path / "roi.geojson"), "--quiet"]
    assert main([*asked, "--out", str(tmp_path / "out")]) == 5
    (failed,) = read_rows(tmp_path / "out/measurements/ihc_failures.csv").values()
    assert "all lie outside the slide" in failed["found"]
