"""A mask that a reader corrects goes before every other; grades given on a page stand beside those of a table."""

from collections.abc import Mapping
from datetime import UTC, datetime
from pathlib import Path

import numpy as np
import pytest

from rarefactor.errors import DataError, ImageError, InputError
from rarefactor.imaging import check_mask, describe_scale, draft_grade, draft_mask, renew_corrected
from rarefactor.imaging._grades import Grade, GradeTable, find_scale
from rarefactor.imaging._grades_given import join_grades, read_given_grades
from rarefactor.imaging._job import make_job
from rarefactor.imaging._label_names import read_label_names
from rarefactor.imaging._look import FRACTION, read_fraction, read_shown, read_volume
from rarefactor.imaging._numbered import number_regions
from rarefactor.imaging._patient import Patient, measure_patient
from rarefactor.imaging._plan import Plan, plan_folder
from rarefactor.imaging._regions import LabelMap, Side
from rarefactor.imaging._scan import Kind
from rarefactor.imaging._settings import Settings
from rarefactor.imaging._write import write_labels
from rarefactor.imaging.simulate import SMALL_GRID, Look, simulate_thigh, write_scan
from rarefactor.readings import FOLDER, Reading, add_reading, read_readings, restore_reading, withdraw_reading
from rarefactor.spec import Grades
from rarefactor.work import Cache

NOON = datetime(2026, 3, 1, 12, tzinfo=UTC)
GOUTALLIER = Grades(scale="goutallier")
RIGHT, LEFT = 3, 103  # vastus lateralis


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> tuple[Plan, LabelMap, Mapping[str, bytes]]:
    """Two patients with one scan each and a mask beside it: their plan, regions, and images as a viewer gets them."""
    folder = tmp_path_factory.mktemp("scans")
    thigh = simulate_thigh(np.random.default_rng(1), grid=SMALL_GRID, look=Look(noise=0.003))
    for patient in ("P1", "P2"):
        for name, data in write_scan({Kind.FAT: thigh.fat, Kind.WATER: thigh.water}, labels=thigh.labels).items():
            path = folder / patient / "baseline" / name
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_bytes(data)
    names = read_label_names(next(folder.rglob("labels.csv")))
    plan = plan_folder(
        folder, Settings(names=names), layout="{subject}/{visit}", masks="{subject}/{visit}/labels.nii.gz"
    )
    return plan, thigh.labels, read_shown(plan, "P1", "baseline", cache=Cache(folder / ".cache"), code="")


def _without(labels: LabelMap, number: int) -> bytes:
    """A corrected mask in which a region has lost its lower half."""
    numbered = number_regions(labels)
    values = numbered.values.copy()
    values[(values == number) & (np.arange(values.shape[1]) > values.shape[1] / 2)[:, None]] = 0
    return write_labels(LabelMap(values=values, grid=labels.grid, regions=numbered.regions, source="test"))


def _save(study: Path, made: tuple[Plan, LabelMap, Mapping[str, bytes]]) -> Reading:
    _, labels, shown = made
    mask = check_mask(_without(labels, RIGHT), shown, write_labels(number_regions(labels)))
    draft, data, ending = draft_mask(mask, patient="P1", visit="baseline", reader="Ada", when=NOON, reason="a leak")
    return add_reading(study, draft, data=data, ending=ending)


def _fat(patient: Patient, side: Side) -> tuple[float | None, int, str]:
    row = next(row for row in patient.measurements if (row.site, row.side) == ("VL", side))
    return row.fat_fraction, row.voxels, row.mask_source


def test_a_corrected_mask_counts_for_its_patient_and_for_nobody_else(tmp_path, made):
    plan = made[0]
    _save(tmp_path, made)
    after = renew_corrected(plan, tmp_path)
    keys = [[make_job(files, each.settings, code="").key for files in each.patients] for each in (plan, after)]
    assert keys[0][0] != keys[1][0]
    assert keys[0][1] == keys[1][1]
    first, then = (measure_patient(each.patients[0], each.settings) for each in (plan, after))
    assert _fat(first, Side.LEFT)[:2] == _fat(then, Side.LEFT)[:2]
    assert 0 < _fat(then, Side.RIGHT)[1] < _fat(first, Side.RIGHT)[1]
    assert _fat(first, Side.RIGHT)[2] == "reader"
    assert _fat(then, Side.RIGHT)[2] == "corrected by Ada, version 1"
    assert after.corrected == 1
    named = [{source.path for row in each.measurements for source in row.sources} for each in (first, then)]
    assert named[1] - named[0] == {"mask, corrected by Ada, version 1"}


def test_taking_corrections_back_is_as_if_nobody_had_corrected(tmp_path, made):
    plan = made[0]
    reading = _save(tmp_path, made)
    withdraw_reading(tmp_path, reading, reader="Ada", when=NOON)
    assert renew_corrected(plan, tmp_path).patients == plan.patients
    restore_reading(tmp_path, reading, reader="Bea", when=NOON)
    corrected = renew_corrected(plan, tmp_path).patients[0].visits[0].corrected
    assert corrected is not None
    assert corrected.source == "corrected by Bea, version 3"


def test_a_correction_whose_file_is_gone_stops_with_its_name(tmp_path, made):
    reading = _save(tmp_path, made)
    (tmp_path / FOLDER / "files" / (reading.file or "")).unlink()
    with pytest.raises(DataError, match="missing or was changed"):
        renew_corrected(made[0], tmp_path)


def test_what_changed_is_told_by_region(made):
    _, labels, shown = made
    mask = check_mask(_without(labels, LEFT), shown, write_labels(number_regions(labels)))
    ((name, (gained, lost)),) = mask.changes.items()
    assert (name, gained) == ("vastus lateralis, left", 0)
    assert lost > 0


@pytest.mark.parametrize(
    ("spoil", "found"),
    [
        (lambda values: np.where(values > 0, 50, 0), "labels without a name: 50"),
        (lambda values: values * 0, "without any muscle"),
        (lambda values: values[:-1], "on an image of"),
        (lambda values: np.where(values > 100, values - 100, np.where(values > 0, values + 100, 0)), "exchanged"),
    ],
)
def test_a_mask_that_is_none_is_refused(made, spoil, found):
    _, labels, shown = made
    numbered = number_regions(labels)
    values = spoil(numbered.values).astype(np.int16)
    grid = (
        labels.grid
        if values.shape == labels.grid.shape
        else type(labels.grid)(shape=values.shape, spacing_mm=labels.grid.spacing_mm, origin_mm=labels.grid.origin_mm)
    )
    spoilt = write_labels(LabelMap(values=values, grid=grid, regions=numbered.regions, source="test"))
    with pytest.raises(ImageError, match=found):
        check_mask(spoilt, shown, None)
    with pytest.raises(ImageError):
        check_mask(b"no image", shown, None)


def test_grades_given_stand_beside_the_table_and_replace_the_same_readers(tmp_path):
    def give(grade: int, reader: str, muscle: str, side: str = "right") -> None:
        draft = draft_grade(
            GOUTALLIER, grade, patient="s1", visit="baseline", muscle=muscle, side=side, reader=reader, when=NOON
        )
        add_reading(tmp_path, draft)

    give(1, "Ada", "VL")
    give(3, "Ada", "VL")
    give(2, "Bea", "VL", "")
    row = Grade(patient="P1", visit="baseline", muscle="VL", side=Side.RIGHT, reader="Ada", grade=0)
    other = Grade(patient="P1", visit="baseline", muscle="RF", side=Side.RIGHT, reader="Ada", grade=4)
    scale = find_scale("goutallier")
    given = read_given_grades(read_readings(tmp_path), scale, {"P1": "s1"})
    joined = join_grades(GradeTable(scale=scale, grades=(row, other)), given)
    assert [(each.muscle, each.side, each.reader, each.grade) for each in joined.grades] == [
        ("RF", Side.RIGHT, "Ada", 4),
        ("VL", Side.RIGHT, "Ada", 3),
        ("VL", None, "Bea", 2),
    ]
    assert len(read_given_grades(read_readings(tmp_path), find_scale("lamminen"), {"P1": "s1"}).failures) == 0
    assert not read_given_grades(read_readings(tmp_path), scale, {"P2": "s2"}).grades


def test_a_grade_outside_the_scale_is_refused_and_one_of_another_scale_is_told(tmp_path):
    with pytest.raises(InputError, match="from 0 to 4"):
        draft_grade(GOUTALLIER, 5, patient="s1", visit="v", muscle="VL", side="", reader="Ada", when=NOON)
    highest = max(describe_scale(GOUTALLIER))
    draft = draft_grade(GOUTALLIER, highest, patient="s1", visit="v", muscle="VL", side="", reader="Ada", when=NOON)
    add_reading(tmp_path, draft)
    table = read_given_grades(read_readings(tmp_path), find_scale("lamminen"), {"P1": "s1"})
    assert not table.grades
    assert "from 0 to 3" in table.failures[0].expected


def test_the_fat_fraction_that_a_viewer_gets_is_the_one_that_was_measured(tmp_path, made):
    plan, labels, shown = made
    cache, job = Cache(tmp_path), make_job(plan.patients[0], plan.settings, code="")
    assert read_fraction(plan, "P1", "baseline", cache=cache, code="") is None  # it is not measured yet
    cache.put(job.key, job.function(*job.arguments))
    fraction = read_volume(read_fraction(plan, "P1", "baseline", cache=cache, code=""))
    before = read_volume(shown[FRACTION])
    inside = number_regions(labels).values == RIGHT
    assert fraction.grid == before.grid
    assert np.abs(fraction.values - before.values)[inside].max() <= 0.1
    patient = measure_patient(plan.patients[0], plan.settings)
    assert float(fraction.values[inside].mean()) == pytest.approx(100 * _fat(patient, Side.RIGHT)[0], abs=0.5)
