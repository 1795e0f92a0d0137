"""Looking at slides: tiles fit together, overlays and moved thresholds say what the measurement says."""

import io
import json
import time
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from rarefactor.errors import InputError
from rarefactor.pathology import (
    EXCLUSION,
    Excluded,
    Looked,
    Plan,
    Reading,
    Settings,
    SlideFile,
    View,
    check_outlines,
    compute_moved,
    draw_overlay,
    look,
    make_stored,
    measure_folder,
    move_threshold,
    name_item,
    preview,
)
from rarefactor.pathology._excluded import derive_excluded
from rarefactor.pathology._write_slide import write_field
from rarefactor.pathology.simulate import Camera, simulate_field
from rarefactor.readings import Draft, add_reading, withdraw_reading
from rarefactor.work import Cache

SETTINGS = Settings(readings={"CD20": Reading(measure="cells"), "BAFF-R": Reading()})
HALF = ((0.0, 0.0), (320.0, 0.0), (320.0, 600.0), (0.0, 600.0))
SKIP = {
    "type": "Feature",
    "properties": {"classification": {"name": "Skip*"}},
    "geometry": {"type": "Polygon", "coordinates": [HALF]},
}


@pytest.fixture(scope="module")
def files(tmp_path_factory: pytest.TempPathFactory) -> tuple[SlideFile, SlideFile]:
    folder = tmp_path_factory.mktemp("slides")
    made = []
    for seed, stain in ((4, "CD20"), (5, "BAFF-R")):
        path = folder / f"{stain}.tif"
        field = simulate_field(np.random.default_rng(seed), stain=stain, camera=Camera(width=640, height=600))
        path.write_bytes(write_field(field))
        made.append(SlideFile(patient=f"S-{seed}", visit="baseline", stain=stain, path=path))
    return made[0], made[1]


@pytest.fixture(scope="module")
def cache(tmp_path_factory: pytest.TempPathFactory) -> Cache:
    return Cache(tmp_path_factory.mktemp("cache"))


def looked_at(file: SlideFile, cache: Cache) -> Looked:
    found = look(Plan(slides=(file,), settings=SETTINGS), file, code="", cache=cache)
    assert isinstance(found, Looked)
    return found


def read_png(data: bytes) -> np.ndarray:
    return np.asarray(Image.open(io.BytesIO(data)))


def test_tiles_of_the_last_level_are_the_slides_pixels(files: tuple[SlideFile, SlideFile]) -> None:
    with View(files[0].path) as view:
        last = view.zoom.last
        rows = [np.concatenate([view.read((last, x, y)) for x in (0, 1)], axis=1) for y in (0, 1)]
        whole = np.concatenate(rows)
        assert view.zoom.um_per_px == 0.5
        with Image.open(files[0].path) as image:
            assert np.array_equal(whole, np.asarray(image.convert("RGB")))
        assert read_png(view.draw_tile((last, 1, 1))).shape == (600 - 512, 640 - 512, 3)
        assert view.read((last - 1, 0, 0)).shape == (300, 320, 3)
        for place in ((last + 1, 0, 0), (last, 2, 0), (last, 0, -1), (-1, 0, 0)):
            with pytest.raises(InputError, match="no tile"):
                view.read(place)


def test_a_tile_with_its_overlays_takes_little_time(files: tuple[SlideFile, SlideFile], cache: Cache) -> None:
    looked = looked_at(files[0], cache)
    with View(files[0].path) as view:
        place = (view.zoom.last - 1, 0, 0)
        draw_overlay(view, place, "positive", looked)
        started = time.perf_counter()
        for _ in range(5):
            view.draw_tile(place)
            draw_overlay(view, place, "positive", looked)
        assert (time.perf_counter() - started) / 5 < 0.15  # 0.03 s on a desk; a shared machine may be slower


def test_overlays_show_what_was_counted(files: tuple[SlideFile, SlideFile], cache: Cache) -> None:
    half = replace(files[1], excluded=Excluded(sha256=looked_at(files[1], cache).survey.sha256, outlines=(HALF,)))
    for file in (files[1], half):
        looked = looked_at(file, cache)
        with View(file.path) as view:
            last = view.zoom.last
            places = [(last, x, y) for y in (0, 1) for x in (0, 1)]
            shown = sum(int((read_png(draw_overlay(view, at, "positive", looked))[..., 3] > 0).sum()) for at in places)
            aside = read_png(draw_overlay(view, (last, 0, 0), "tissue", looked))
        reading = looked.reading
        assert shown == pytest.approx(looked.total.histogram.count_above(reading.threshold), abs=1)
        assert bool((aside[300, 10:310, 3] > 0).all()) is (file is half)


def test_cells_are_outlined_near_and_dots_from_afar(files: tuple[SlideFile, SlideFile], cache: Cache) -> None:
    looked = looked_at(files[0], cache)
    cells = looked.total.cells
    assert cells is not None
    with View(files[0].path) as view:
        dots = read_png(draw_overlay(view, (view.zoom.last - 1, 0, 0), "cells", looked))
        lines = read_png(draw_overlay(view, (view.zoom.last, 0, 0), "cells", looked))
    for x, y in zip(cells.x, cells.y, strict=True):
        assert dots[int(y / 2), int(x / 2), 3] == 255
    near = (cells.x < 500) & (cells.y < 500)
    assert (lines[..., 3] > 0).sum() > 8 * near.sum() > 0


def test_a_threshold_moved_gives_what_measuring_at_it_gives(files: tuple[SlideFile, SlideFile], cache: Cache) -> None:
    for file in files:
        looked = looked_at(file, cache)
        at = move_threshold(looked.reading, 0.31)
        moved = compute_moved(looked, at)
        main = moved.positive_area if moved.cells is None else moved.positive_per_mm2
        assert make_stored(looked).compute(0.31) == pytest.approx(main)
        asked = Plan(slides=(file,), settings=replace(SETTINGS, readings={file.stain: at}))
        row = measure_folder(asked).rows.row(0, named=True)
        for name in ("positive_area", "positive_cells", "positive_per_mm2", "tissue_mm2"):
            assert getattr(moved, name) == (pytest.approx(row[name]) if row[name] is not None else None), name
    with pytest.raises(InputError, match="outside the range"):
        move_threshold(Reading(), 3.0)


def test_regions_that_are_drawn_give_what_they_give_when_they_are_kept(
    files: tuple[SlideFile, SlideFile], cache: Cache
) -> None:
    other = ((300.0, 100.0), (500.0, 90.0), (480.0, 420.0), (330.0, 400.0))
    for file in files:
        looked = looked_at(file, cache)
        kept = {
            drawn: looked_at(replace(file, excluded=Excluded(sha256=looked.sha256, outlines=drawn)), cache)
            for drawn in ((HALF,), (HALF, other), ())
        }
        for before in kept.values():
            for drawn, after in kept.items():
                shown = preview(before, drawn)
                assert shown is not None
                assert compute_moved(shown, looked.reading) == compute_moved(after, looked.reading)
        assert compute_moved(kept[(HALF,)], looked.reading) != compute_moved(looked, looked.reading)


def test_what_is_left_out_changes_that_slide_alone_as_a_file_of_regions_would(
    files: tuple[SlideFile, SlideFile], tmp_path: Path, cache: Cache
) -> None:
    before = measure_folder(Plan(slides=files, settings=SETTINGS)).rows
    sha256 = looked_at(files[0], cache).survey.sha256
    content = {"sha256": sha256, "outlines": check_outlines([HALF], 640, 600)}
    draft = Draft(
        kind=EXCLUSION, reader="Ada", when=datetime.now(UTC), subject="S-4", place="CD20", item=name_item(files[0]),
        content=content,
    )  # fmt: skip
    reading = add_reading(tmp_path, draft)
    after = measure_folder(Plan(slides=derive_excluded(tmp_path, files), settings=SETTINGS)).rows
    (tmp_path / "skip.geojson").write_text(json.dumps(SKIP))
    drawn = replace(files[0], regions=tmp_path / "skip.geojson")
    by_file = measure_folder(Plan(slides=(drawn, files[1]), settings=SETTINGS)).rows
    assert after.drop("flags").equals(by_file.drop("flags"))
    assert after.filter(stain="BAFF-R").equals(before.filter(stain="BAFF-R"))
    assert after["tissue_px"][0] < 0.7 * before["tissue_px"][0]
    assert "left_out" in after["flags"][0]
    withdraw_reading(tmp_path, reading, reader="Bea", when=datetime.now(UTC))
    assert derive_excluded(tmp_path, files) == files


def test_regions_of_another_file_under_the_same_name_hold_nothing(files: tuple[SlideFile, SlideFile]) -> None:
    stale = replace(files[1], excluded=Excluded(sha256="of the slide before", outlines=(HALF,)))
    rows = measure_folder(Plan(slides=(files[1], replace(stale, number=2)), settings=SETTINGS)).rows
    assert rows["tissue_px"][0] == rows["tissue_px"][1]
    assert "left_out_elsewhere" in rows["flags"][1]


@pytest.mark.parametrize(
    "outline", [[], [(0, 0), (1, 1)], [(0, 0), (9, 9), (5, 5)], [(0, 0), (1, float("nan")), (2, 0)]]
)
def test_an_outline_around_nothing_is_refused(outline: list[tuple[float, float]]) -> None:
    with pytest.raises(InputError, match="region 1"):
        check_outlines([outline], 100, 100)
