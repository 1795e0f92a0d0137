"""Cells: where their stain is read, what they add up to, and how QuPath gets them."""

import json
from dataclasses import replace

import numpy as np
import pytest

from rarefactor.errors import InputError
from rarefactor.pathology._cells import (
    Cells,
    compute_cells,
    compute_grades,
    compute_summary,
    join_cells,
    select_cells,
)
from rarefactor.pathology._compartments import Compartment
from rarefactor.pathology._geojson import write_cells
from rarefactor.pathology._outlines import classify_outlines, derive_outlines
from rarefactor.pathology._pyramid import Tile, Window
from rarefactor.pathology._white import White, WhiteSource

WHITE = White(level=(240.0, 240.0, 240.0), source=WhiteSource.GIVEN)
BLUE = (0.65111, 0.70119, 0.29049)
BROWN = (0.26917, 0.56824, 0.77759)


def stain(hematoxylin: np.ndarray, dab: np.ndarray) -> np.ndarray:
    density = hematoxylin[..., None] * BLUE + dab[..., None] * BROWN
    return np.round(240 * 10**-density).astype(np.uint8)


def membranous() -> tuple[Tile, np.ndarray]:
    """A blue nucleus with a brown ring, and a blue nucleus without; 4 level-0 pixels in one, halo 4."""
    rows, columns = np.mgrid[:44, :84]
    left, right = np.hypot(rows - 22, columns - 24), np.hypot(rows - 22, columns - 60)
    nuclei = (left < 6) * 1 + (right < 6) * 2
    image = stain((nuclei > 0) * 0.4, ((left >= 6) & (left < 12)) * 0.7)
    tile = Tile(window=Window(x=400, y=800, width=304, height=144), image=image, halo=4)
    return tile, nuclei.astype(np.int32)


def table(nucleus: list[float], ring: list[float] | None = None) -> Cells:
    values, one = np.array(nucleus), np.ones(len(nucleus))
    held, label = values if ring is None else np.array(ring), np.arange(len(one)) + 1
    return Cells(x=one, y=one, area_um2=one, hematoxylin=one, nucleus=values, ring=held, beyond=0 * one, label=label)


def test_a_membranous_stain_is_read_in_the_ring() -> None:
    tile, labels = membranous()
    cells = compute_cells(tile, labels, WHITE, um_per_px=0.5, downsample=4.0)
    assert cells.ring == pytest.approx([0.7, 0.0], abs=0.02)
    assert cells.nucleus == pytest.approx([0.0, 0.0], abs=0.02)
    assert cells.hematoxylin == pytest.approx([0.4, 0.4], abs=0.02)
    assert cells.density(Compartment.MAX) == pytest.approx([0.7, 0.0], abs=0.02)
    assert compute_grades(cells, Compartment.RING).tolist() == [3, 0]
    assert compute_grades(cells, Compartment.NUCLEUS).tolist() == [0, 0]


def in_tissue(dab_around: float, dab_of_cell: float) -> Cells:
    """A blue nucleus whose cell is ``dab_of_cell``, in tissue of another density."""
    rows, columns = np.mgrid[:64, :64]
    far = np.hypot(rows - 32, columns - 32)
    image = stain((far < 6) * 0.5, np.select([far < 6, far < 10], [0.4 * dab_of_cell, dab_of_cell], dab_around))
    tile = Tile(window=Window(x=0, y=0, width=64, height=64), image=image)
    return compute_cells(tile, (far < 6).astype(np.int32), WHITE, um_per_px=0.5)


@pytest.mark.parametrize(("around", "of_cell", "grade"), [(0.5, 0.5, 0), (0.5, 0.3, 0), (0.02, 0.3, 1), (0.3, 0.8, 3)])
def test_a_cell_in_brown_tissue_is_positive_only_if_it_stands_out(around: float, of_cell: float, grade: int) -> None:
    cells = in_tissue(around, of_cell)
    assert compute_grades(cells, Compartment.RING).tolist() == [grade]
    assert compute_grades(cells, Compartment.MAX).tolist() == [grade]
    assert compute_summary(cells, Compartment.MAX).positive == (grade > 0)


def test_a_nuclear_stain_is_read_in_the_nucleus_whatever_lies_around() -> None:
    cells = replace(in_tissue(0.6, 0.6), nucleus=np.array([0.25]))
    assert compute_grades(cells, Compartment.NUCLEUS).tolist() == [1]


def test_where_no_tissue_is_left_beyond_a_cell_nothing_more_is_asked_for() -> None:
    cells = replace(in_tissue(0.5, 0.5), beyond=np.array([np.nan]))
    assert compute_grades(cells, Compartment.RING).tolist() == [2]


def test_places_and_areas_are_those_of_the_slide() -> None:
    tile, labels = membranous()
    cells = compute_cells(tile, labels, WHITE, um_per_px=0.5, downsample=4.0)
    assert cells.x == pytest.approx([400 + 20.5 * 4, 400 + 56.5 * 4])
    assert cells.y == pytest.approx([800 + 18.5 * 4] * 2)
    assert cells.area_um2 == pytest.approx([(labels == 1).sum() / 4] * 2)


def test_a_nucleus_belongs_to_the_tile_of_its_centroid() -> None:
    labels = np.zeros((20, 20), dtype=np.int32)
    labels[8:11, 2:5] = 1  # centroid 3, in the halo
    labels[8:11, 6:9] = 2
    tile = Tile(window=Window(x=0, y=0, width=12, height=12), image=np.full((20, 20, 3), 200, np.uint8), halo=4)
    assert compute_cells(tile, labels, WHITE, um_per_px=0.5).label.tolist() == [2]


def test_h_score_and_densities_are_those_of_the_definition() -> None:
    cells = table([0.05, 0.25, 0.25, 0.45, 0.9, 0.9, 0.9, 0.1])
    found = compute_summary(cells, Compartment.NUCLEUS, area_mm2=0.25)
    assert (found.weak, found.moderate, found.strong) == (2, 1, 3)
    assert found.h_score == pytest.approx(1 * 25 + 2 * 12.5 + 3 * 37.5)
    assert found.positive_share == pytest.approx(6 / 8)
    assert (found.cells_per_mm2, found.positive_per_mm2) == (32.0, 24.0)


def test_without_an_area_nothing_is_given_per_mm2_and_without_cells_no_share() -> None:
    found = compute_summary(join_cells([]), Compartment.MAX)
    assert found.cells_per_mm2 is None
    assert found.positive_per_mm2 is None
    assert np.isnan(found.h_score)
    assert compute_summary(join_cells([]), Compartment.MAX, area_mm2=1.0).cells_per_mm2 == 0.0


def test_a_nucleus_without_a_ring_is_unread_in_the_ring_and_read_in_the_greater() -> None:
    cells = table([0.5, 0.1], [float("nan"), 0.3])
    assert compute_summary(cells, Compartment.RING).unread == 1
    assert compute_summary(cells, Compartment.RING).positive == 1
    assert compute_summary(cells, Compartment.MAX).positive == 2


@pytest.mark.parametrize("wrong", [(0.4, 0.2, 0.6), (0.0, 0.2, 0.6), (0.2, float("nan"), 0.6)])
def test_thresholds_must_rise(wrong: tuple[float, float, float]) -> None:
    with pytest.raises(InputError, match="three rising"):
        compute_summary(table([0.1]), Compartment.NUCLEUS, thresholds=wrong)


@pytest.mark.parametrize("wrong", [0.0, -1.0, float("nan")])
def test_cells_need_the_size_of_a_pixel(wrong: float) -> None:
    tile, labels = membranous()
    with pytest.raises(InputError, match="µm per pixel"):
        compute_cells(tile, labels, WHITE, um_per_px=wrong)


def test_cells_are_chosen_by_a_region() -> None:
    assert select_cells(table([0.1, 0.5, 0.9]), np.array([True, False, True])).label.tolist() == [1, 3]


def test_outlines_reach_qupath_with_class_and_values() -> None:
    tile, labels = membranous()
    cells = compute_cells(tile, labels, WHITE, um_per_px=0.5, downsample=4.0)
    outlines = derive_outlines(tile, labels, cells, um_per_px=0.5, downsample=4.0)
    held = json.loads(write_cells(classify_outlines(outlines, cells, Compartment.RING)))["features"]
    assert [each["properties"]["classification"]["name"] for each in held] == ["Positive", "Negative"]
    ring = np.array(held[0]["nucleusGeometry"]["coordinates"][0])
    assert (ring[:-1].min(axis=0) + ring[:-1].max(axis=0)) / 2 == pytest.approx([482.0, 874.0])
    assert np.ptp(ring[:, 0]) == pytest.approx(11 * 4)
    assert held[0]["properties"]["measurements"]["Ring: DAB OD mean"] == pytest.approx(0.7, abs=0.02)
