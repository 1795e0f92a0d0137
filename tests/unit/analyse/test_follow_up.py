"""Curves that step where the events are, and groups that are too small to be compared."""

import dataclasses

import numpy as np
import polars as pl
import pytest

from rarefactor.analyse._follow_up import MOST_STEPS, analyse_follow_up, find_steps
from rarefactor.derive import TimeTable
from rarefactor.results import FactorInfo
from rarefactor.spec import FollowUp
from rarefactor.spec._later import Competing

STAGE = FactorInfo(name="stage", label="Stage", kind="categorical", role="marker", measured_at="", definition="")
STAGE = dataclasses.replace(STAGE, levels=("I", "II"))
RNG = np.random.default_rng(4)
DAYS = np.round(RNG.exponential(900.0, 40)) + 1.0
CAUSE = RNG.integers(0, 3, 40)
ALONE = FollowUp(label="Death", when="x", day="y", unit="days")
COMPETED = ALONE.model_copy(update={"competing": Competing(name="other", when="z")})


def follow(small, follow_up=ALONE, cause=CAUSE):
    stage = ["I"] * small + ["II"] * (40 - small)
    frame = pl.DataFrame({"subject": [str(place) for place in range(40)], "days": DAYS, "cause": cause, "stage": stage})
    table = TimeTable(name="death", landmark="baseline", frame=frame, factors=("stage",), notes=())
    return analyse_follow_up(table, (STAGE,), follow_up, level=0.95)


@pytest.mark.parametrize(
    ("follow_up", "shown"), [(ALONE, "survival"), (COMPETED, "incidence")], ids=["survival", "incidence"]
)
def test_a_curve_says_at_each_time_what_the_table_says(follow_up, shown):
    rows = [row for row in follow(12, follow_up).rows if row.group == "II"]
    curve = sorted((float(row.term or 0), row) for row in rows if row.measure == "curve")
    for told in (row for row in rows if row.measure == shown and row.estimate is not None):
        last = [row for time, row in curve if time <= float(told.term or 0)][-1]
        assert (last.estimate, last.low, last.high) == pytest.approx((told.estimate, told.low, told.high), abs=1e-12)


def test_more_events_than_steps_are_read_on_a_grid_that_says_so():
    time = np.arange(1.0, MOST_STEPS + 1.0)
    assert find_steps(time, time > 0)[0].tolist() == [0.0, *time]
    more = np.append(time, MOST_STEPS + 1.0)
    grid, flags = find_steps(more, more > 0)
    assert (grid.size, flags) == (MOST_STEPS, ("equally_spaced",))


def test_groups_too_small_for_a_curve_are_not_compared_and_it_is_said_why():
    compared, left = follow(5), follow(4)
    assert [row.p is not None for row in compared.rows if row.measure == "logrank"] == [True]
    assert not [row for row in left.rows if row.measure == "logrank"]
    said = [note.text for note in left.notes if "were not compared" in note.text]
    assert len(said) == 1
    assert said[0].startswith("The groups by Stage were not compared: some have fewer than 5 patients (I, 4)")
    assert not [note for note in compared.notes if "were not compared" in note.text]
