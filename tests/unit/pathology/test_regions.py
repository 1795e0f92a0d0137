"""Regions are read as QuPath writes them, hold the pixels whose centres they hold, and are not lost off the slide."""

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image

from rarefactor.errors import ImageError
from rarefactor.pathology import (
    Annotation,
    CellOutline,
    Polygon,
    Window,
    check_regions,
    open_slide,
    rasterise,
    read_regions,
    write_cells,
)
from rarefactor.pathology._regions import compute_outside

SQUARE = [[0, 0], [40, 0], [40, 30], [0, 30], [0, 0]]
HOLE = [[10, 10], [20, 10], [20, 20], [10, 20], [10, 10]]
FAR = [[60, 0], [70, 0], [70, 10], [60, 0]]


def _feature(geometry: dict[str, Any] | None, **properties: Any) -> dict[str, Any]:
    return {"type": "Feature", "geometry": geometry, "properties": {"objectType": "annotation"} | properties}


def _write(path: Path, held: Any) -> Path:
    path.write_text(json.dumps(held), encoding="utf-8")
    return path


def _region(*rings: list[tuple[float, float]], name: str = "a") -> Annotation:
    outline, *holes = (np.array(ring, dtype=float) for ring in rings)
    return Annotation(name=name, polygons=(Polygon(outline=outline, holes=tuple(holes)),))


def test_annotations_keep_names_classes_parts_and_holes(tmp_path: Path) -> None:
    features = [
        _feature(
            {"type": "Polygon", "coordinates": [SQUARE, HOLE]}, name="Fascicle", classification={"name": "Tissue"}
        ),
        _feature({"type": "MultiPolygon", "coordinates": [[SQUARE], [FAR]]}, classification={"names": ["Ignore*"]}),
        _feature({"type": "Polygon", "coordinates": [SQUARE]}, name="Fascicle"),
        _feature({"type": "Polygon", "coordinates": [SQUARE]}),
        _feature({"type": "Point", "coordinates": [1, 1]}, objectType="detection"),
    ]
    path = _write(tmp_path / "roi.geojson", {"type": "FeatureCollection", "features": features})
    regions = read_regions(path)
    assert [(each.name, each.kind, each.area, each.is_ignored) for each in regions] == [
        ("Fascicle 1", "Tissue", 1100, False),
        ("Ignore*", "Ignore*", 1250, True),
        ("Fascicle 2", None, 1200, False),
        ("region 4", None, 1200, False),
    ]
    assert regions[1].bounds == (0, 0, 70, 30)
    assert len(read_regions(_write(path, features))) == 4  # QuPath writes bare lists, too


BROKEN: list[tuple[Any, str]] = [
    ([_feature({"type": "LineString", "coordinates": SQUARE})], "feature 1: found a LineString"),
    ([_feature(None)], "feature 1: found a feature without geometry"),
    ([_feature({"type": "Polygon", "coordinates": [[[0, 0], [1, "x"], [2, 2]]]})], "feature 1"),
    ([_feature({"type": "Polygon", "coordinates": [[[0, 0], [1, 1]]]})], "fewer than three points"),
    ([_feature({"type": "Polygon", "coordinates": [[[0, 0], [1, 1], [2, 2]]]})], "without an area"),
    ([_feature({"type": "Polygon", "coordinates": []})], "feature 1"),
    ([_feature({"type": "Polygon", "coordinates": [SQUARE]}, objectType="cell")], "no annotation"),
    (3, "JSON without features"),
    ({"features": [3]}, "JSON without features"),
]


@pytest.mark.parametrize(("held", "message"), BROKEN, ids=[message for _, message in BROKEN])
def test_what_is_no_region_is_named(tmp_path: Path, held: Any, message: str) -> None:
    with pytest.raises(ImageError, match=r"^roi\.geojson") as caught:
        read_regions(_write(tmp_path / "roi.geojson", held))
    assert message in str(caught.value)


def test_text_is_no_geojson(tmp_path: Path) -> None:
    (tmp_path / "roi.geojson").write_text("roi")
    with pytest.raises(ImageError, match="no JSON"):
        read_regions(tmp_path / "roi.geojson")
    with pytest.raises(ImageError, match="cannot be opened"):
        read_regions(tmp_path / "missing.geojson")


def test_holes_and_parts_are_counted_once() -> None:
    outer, hole = [(2, 2), (18, 2), (18, 18), (2, 18)], [(5, 5), (9, 5), (9, 9), (5, 9)]
    overlapping = Polygon(outline=np.array([(4.0, 4.0), (10.0, 4.0), (10.0, 10.0), (4.0, 10.0)]))
    region = _region(outer, hole)
    window = Window(x=0, y=0, width=20, height=20)
    assert rasterise(region, window).sum() == region.area == 240
    both = Annotation(name="b", polygons=(*region.polygons, overlapping))
    assert rasterise(both, window).sum() == 256
    assert rasterise(region, window, 2).sum() == 60


def _inside(points: np.ndarray, ring: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """The crossing-number rule, point by point, and which points are so near an edge that either side is right."""
    x, y = points.T
    held, near = np.zeros((2, len(points)), dtype=bool)
    for (x0, y0), (x1, y1) in zip(ring, np.roll(ring, -1, axis=0), strict=True):
        near |= np.isclose(y, y0, atol=1e-6)
        if y0 != y1:
            across = x0 + (y - y0) * (x1 - x0) / (y1 - y0)
            near |= np.isclose(x, across, atol=1e-6)
            held ^= ((y0 <= y) != (y1 <= y)) & (x >= across)
    return held, near


coordinate = st.integers(-60, 260).map(lambda value: value / 4 + 0.1)


@settings(max_examples=40)
@given(
    ring=st.lists(st.tuples(coordinate, coordinate), min_size=3, max_size=9),
    downsample=st.sampled_from([1.0, 2.5, 3.0]),
)
def test_a_pixel_is_inside_when_its_centre_is_whatever_the_tile(
    ring: list[tuple[float, float]], downsample: float
) -> None:
    window = Window(x=0, y=0, width=30 * downsample, height=20 * downsample)
    mask = rasterise(_region(ring), window, downsample)
    rows, columns = np.indices(mask.shape)
    centres = np.stack([columns.ravel(), rows.ravel()], axis=1) + 0.5
    held, near = _inside(centres, np.array(ring) / downsample)
    assert ((mask.ravel() == held) | near).all()
    for left in (0, 10, 20):
        tile = Window(x=left * downsample, y=0, width=10 * downsample, height=20 * downsample)
        assert np.array_equal(rasterise(_region(ring), tile, downsample), mask[:, left : left + 10])


def test_regions_off_the_slide_are_flagged_and_the_others_kept(tmp_path: Path) -> None:
    Image.new("RGB", (100, 80), (240, 240, 240)).save(tmp_path / "field.png")
    half = [(90, 10), (110, 10), (110, 20), (90, 20)]
    regions = (
        _region([(10, 10), (100, 10), (100, 80), (10, 80)], name="whole"),
        _region(half, name="half"),
        _region([(100, 0), (120, 0), (120, 20)], name="beside"),
        _region([(80, 150), (90, 150), (90, 170)], name="below"),
        _region([(0, -200), (300, 100), (300, -200)], name="around the corner"),  # only its bounds meet the slide
    )
    with open_slide(tmp_path / "field.png") as slide:
        placed, refused = check_regions(regions, slide)
    assert [(each.region.name, [flag.name for flag in each.flags]) for each in placed] == [
        ("whole", []),
        ("half", ["region_cut"]),
    ]
    assert "50.0%" in placed[1].flags[0].detail
    assert [flag.name for flag in refused] == ["region_outside"] * 3
    assert "beside" in refused[0].detail


def test_a_concave_region_cut_in_two_keeps_its_area_inside() -> None:
    comb = _region([(-10, 0), (20, 0), (20, 10), (-10, 10), (-10, 30), (20, 30), (20, 40), (-20, 40), (-20, 0)])
    inside = 20 * 10 + 20 * 10
    assert compute_outside(comb, 100, 100) == pytest.approx(1 - inside / comb.area)


def test_cells_are_written_for_qupath() -> None:
    outline = np.array([[0.123, 0.0], [4.0, 0.0], [4.0, 4.0]])
    cells = [
        CellOutline(
            outline=outline, nucleus=outline / 2, kind="Positive", values={"DAB mean": 0.4, "none": float("nan")}
        ),
        CellOutline(outline=outline),
    ]
    first, second = json.loads(write_cells(cells))["features"]
    assert first["geometry"]["coordinates"] == [[[0.12, 0.0], [4.0, 0.0], [4.0, 4.0], [0.12, 0.0]]]
    assert first["nucleusGeometry"]["coordinates"][0][2] == [2.0, 2.0]
    assert first["properties"] == {
        "objectType": "cell",
        "classification": {"name": "Positive", "color": [250, 62, 62]},
        "measurements": {"DAB mean": 0.4},
    }
    assert second["properties"] == {"objectType": "detection", "measurements": {}}
