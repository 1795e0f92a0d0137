"""Blind grades: which count, and what two readers' agreement on them is, by hand."""

from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path

import pytest

from rarefactor.errors import InputError
from rarefactor.imaging import (
    count_agreement,
    draft_blind,
    read_blind,
    tabulate_grade_agreement,
    tabulate_grade_repeats,
)
from rarefactor.readings import add_readings, read_readings
from rarefactor.spec import Grades

ASKED = Grades(scale="mercuri")
WHEN = datetime(2026, 1, 2, tzinfo=UTC)
GIVEN = {
    ("Ada", 1): ({"VL": 0, "VM": 2}, {"VL": 4, "VM": 4}, {"VL": 2, "VM": 2}),
    ("Bea", 1): ({"VL": 1, "VM": 2}, {"VL": 4, "VM": 2}, {"VL": 2, "VM": 2}),
    ("Ada", 2): ({"VL": 0, "VM": 3}, {"VL": 4, "VM": 4}, {"VL": 2, "VM": 2}),
}


@pytest.fixture
def study(tmp_path: Path) -> Path:
    for (reader, number), scans in GIVEN.items():
        for patient, grades in zip(("S-1", "S-2", "S-3"), scans, strict=True):
            drafts = draft_blind(
                ASKED, grades, patient=patient, visit="month_3", reader=reader, when=WHEN, number=number
            )
            add_readings(tmp_path, drafts)
    return tmp_path


def test_two_readers_are_compared_muscle_by_muscle_and_by_the_mean_of_a_scan(study: Path) -> None:
    table = read_blind(read_readings(study), ASKED)
    (found,) = tabulate_grade_agreement(table)
    assert (found.readers, found.muscles, found.scans) == (("Ada", "Bea"), 6, 3)
    assert found.pairs == ((1.0, 1.5), (4.0, 3.0), (2.0, 2.0))
    assert found.limits.bias.estimate == pytest.approx(1 / 6)
    # linear weights 1 - |i - j| / 4 over the pairs (0,1) (2,2) (4,4) (4,2) (2,2) (2,2): seen 5.25 / 6, chance 25 / 36
    assert found.kappa.kappa == pytest.approx((5.25 / 6 - 25 / 36) / (1 - 25 / 36))
    rows = {row.measure: row for row in count_agreement("thigh", table)}
    assert rows["weighted_kappa"].n == 6
    assert rows["bias"].n == 3
    assert rows["bias"].flags == ("few_scored_twice",)


def test_what_was_graded_blind_is_told_apart_from_the_rest(study: Path) -> None:
    table = read_blind(read_readings(study), ASKED)
    opened = tuple(replace(each, blind=False) if each.patient == "S-3" else each for each in table.grades)
    rows = list(count_agreement("thigh", replace(table, grades=opened)))
    counted = {row.method: row.n for row in rows if row.measure == "weighted_kappa"}
    assert counted == {"readers_blind": 4}  # of S-1 and S-2; one scan with one grade has no kappa
    mixed = tuple(replace(each, blind=each.reader == "Ada") for each in table.grades)
    methods = {row.method for row in count_agreement("thigh", replace(table, grades=mixed))}
    assert methods == {"readers"}  # one of the two was not blind
    differences = [row for row in count_agreement("thigh", table) if row.measure == "difference_of_readings"]
    assert [row.estimate for row in differences] == [-0.5, 0.0, 1.0]
    assert {row.method for row in differences} == {"readers_blind"}


def test_a_second_round_is_held_against_the_first_of_the_same_reader_only(study: Path) -> None:
    log = read_readings(study)
    (found,) = tabulate_grade_repeats([read_blind(log, ASKED, number) for number in (1, 2)])
    assert found.readers == ("Ada, round 1", "Ada, round 2")
    assert found.limits.bias.estimate == pytest.approx(-1 / 6)


def test_a_grade_beyond_the_scale_is_refused() -> None:
    with pytest.raises(InputError, match="from 0 to 4"):
        draft_blind(ASKED, {"VL": 5}, patient="S-1", visit="month_3", reader="Ada", when=WHEN)
