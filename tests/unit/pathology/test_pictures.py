"""What the pictures show: the cells that were counted, the tiles that nobody chose, the same bytes each time."""

import io

import numpy as np
import pytest
from PIL import Image

from rarefactor.pathology import Compartment, Reading, Settings, open_slide
from rarefactor.pathology._block import Part, measure_block
from rarefactor.pathology._cells import compute_grades
from rarefactor.pathology._paper import Sheet
from rarefactor.pathology._picture import draw_slide
from rarefactor.pathology._picture_cells import choose_tiles, read_nuclei
from rarefactor.pathology._pyramid import Window
from rarefactor.pathology._settings import SlideFile
from rarefactor.pathology._survey import Survey, read_survey, survey_slide, write_survey
from rarefactor.pathology._write_slide import write_field
from rarefactor.pathology.simulate import Camera, simulate_field

READING = Reading(measure="cells", compartment=Compartment.MAX)
SETTINGS = Settings(readings={"CD20": READING})
Measured = tuple[SlideFile, Survey, Part]


@pytest.fixture(scope="module")
def measured(tmp_path_factory: pytest.TempPathFactory) -> Measured:
    path = tmp_path_factory.mktemp("field") / "P1_CD20.tif"
    made = simulate_field(np.random.default_rng(4), stain="CD20", camera=Camera(width=900, height=800))
    path.write_bytes(write_field(made))
    file = SlideFile(patient="P1", visit="", stain="CD20", path=path)
    survey = read_survey(write_survey(survey_slide(file, SETTINGS)))
    whole = Window(x=0, y=0, width=survey.width, height=survey.height)
    return file, survey, measure_block(file, survey, READING, whole)["all"]


def _overlap(one: Window, other: Window) -> bool:
    return abs(one.x - other.x) < one.width and abs(one.y - other.y) < one.height


def test_tiles_are_apart_on_the_slide_and_begin_with_most_positive_cells(measured: Measured) -> None:
    _, survey, total = measured
    tiles = choose_tiles(total, survey, READING)
    every = [*tiles.random, *tiles.extreme]
    assert (len(tiles.random), len(tiles.extreme)) == (3, 3)
    assert not any(_overlap(one, other) for place, one in enumerate(every) for other in every[:place])
    assert all(
        0 <= tile.x <= survey.width - tile.width and 0 <= tile.y <= survey.height - tile.height for tile in every
    )
    assert total.cells is not None
    positive = compute_grades(total.cells, READING.compartment, READING.grades) > 0
    places = np.column_stack([total.cells.x, total.cells.y])[positive]
    held = [sum(0 <= x - t.x < t.width and 0 <= y - t.y < t.height for x, y in places) for t in every]
    assert held[3] == max(held) >= held[4] >= held[5] > 0


def test_outlines_are_of_the_cells_that_were_counted(measured: Measured) -> None:
    file, survey, total = measured
    window = choose_tiles(total, survey, READING).extreme[0]
    assert total.cells is not None
    cells = total.cells
    inside = (np.abs(cells.x - window.x - window.width / 2) < window.width / 2) & (
        np.abs(cells.y - window.y - window.height / 2) < window.height / 2
    )
    grades = compute_grades(cells, READING.compartment, READING.grades)[inside]
    with open_slide(file.path) as slide:
        shown = read_nuclei(slide, window, (total, survey, READING))
        without = read_nuclei(slide, window, (_without_cells(total), survey, READING))
    assert shown.counts == ((grades > 0).sum(), (grades == 0).sum())
    assert without.counts == (0, 0)


def _without_cells(total: Part) -> Part:
    return Part(histogram=total.histogram, squares=total.squares, pixels=total.pixels, corners=total.corners)


def test_a_slide_gives_the_same_picture_in_print_size(measured: Measured) -> None:
    file, survey, total = measured
    first, thumbnail = draw_slide(file, survey, total, SETTINGS)
    assert draw_slide(file, survey, total, SETTINGS) == (first, thumbnail)
    image = Image.open(io.BytesIO(first))
    assert [round(side / image.info["dpi"][0] * 25.4) for side in image.size] == [180, 150]
    assert "CD20" in image.info["Description"]


def test_an_outline_stays_inside_and_leaves_the_middle() -> None:
    sheet = Sheet(20, 20)
    mask = np.zeros((40, 40), dtype=np.bool_)
    mask[10:30, 10:30] = True
    frame = sheet.show(np.full((40, 40, 3), 200, dtype=np.uint8), (0, 0, 20, 20))
    frame.draw_outline(mask, "#ff0000", width=2)
    drawn = np.asarray(sheet.image)[:, :, 1] == 0
    edge = round(10 * frame.scale)
    assert drawn[edge + 1, frame.width // 2]
    assert not drawn[edge - 2, frame.width // 2]
    assert not drawn[frame.height // 2, frame.width // 2]
