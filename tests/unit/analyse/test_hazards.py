"""Cox models with missing factor values: what is filled in knows of the follow-up, and what is said of it."""

import math

import numpy as np
import polars as pl
import pytest

from rarefactor.analyse._followed import derive_followed
from rarefactor.analyse._hazards import Asked, analyse_hazards
from rarefactor.derive import LandmarkTable, Part, Recipe, TimeTable
from rarefactor.results import Analysed, Estimate, FactorInfo
from rarefactor.spec import Analysis, FollowUp

N = 160
MARKER = FactorInfo(name="marker", label="Marker", kind="continuous", role="marker", measured_at="baseline")
STAGE = FactorInfo(
    name="stage", label="Stage", kind="categorical", role="marker", measured_at="baseline", levels=("I", "II", "III")
)
PARTS = (
    Part(name="marker", kind="continuous"),
    Part(name="stage", kind="categorical", levels=STAGE.levels),
    Part(name="rare", kind="continuous"),
)
RECIPES = {"marker": Recipe(parts=("marker",)), "stage": Recipe(parts=("stage",), rule="lookup", lookup=(0, 1, 2))}


def analysed(*, share: float, imputations: int = 10, never: bool = False) -> Analysed:
    """Analyse patients in whom a share of the markers is missing at random; ``never``: a part is hardly ever known."""
    rng = np.random.default_rng(3)
    marker, stage = rng.normal(size=N), rng.integers(3, size=N)
    days = rng.exponential(np.exp(-marker)) * 400 + 1
    cause = (days < 900).astype(int)
    seen = np.where(rng.random(N) < share, np.nan, marker)
    rare = np.where(np.arange(N) < (5 if never else N), rng.normal(size=N), np.nan)
    subjects = [f"S-{place}" for place in range(N)]
    factors = {"marker": seen, "stage": [STAGE.levels[place] for place in stage]}
    frame = pl.DataFrame(
        {"subject": subjects, "days": np.minimum(days, 900), "cause": cause, **factors}, nan_to_null=True
    )
    measured = pl.DataFrame(
        {"subject": subjects, "marker": seen, "stage": stage.astype(float), "rare": rare}, nan_to_null=True
    )
    at = LandmarkTable(
        landmark="baseline", frame=frame, factors=tuple(factors), measured=measured, parts=PARTS, recipes=RECIPES
    )
    times = TimeTable(name="death", landmark="baseline", frame=frame, factors=tuple(factors), notes=())
    asked = Asked(
        name="death.both",
        follow_up=FollowUp(label="Death", when="dead", day="days", unit="months"),
        settings=Analysis(landmarks=("baseline",), missing={"imputations": imputations}, seed=5),
    )
    return analyse_hazards(times, at, [MARKER, STAGE], asked)


def test_a_competing_event_is_in_the_imputation_too() -> None:
    frame = pl.DataFrame({"subject": ["a", "b", "c"], "days": [1.0, 2.0, 3.0], "cause": [1, 2, 0]})
    times = TimeTable(name="death", landmark="baseline", frame=frame, factors=(), notes=())
    at = LandmarkTable(
        landmark="baseline", frame=frame, factors=(), measured=frame.select("subject"), parts=(), recipes={}
    )
    found = derive_followed(times, at)
    assert found.frame["outcome"].to_list() == [True, False, False]
    hazards = found.measured.select("(cumulative hazard)", "(cumulative hazard of the competing event)")
    assert [round(value, 3) for value in hazards.row(2)] == [0.333, 0.5]
    assert found.measured["(competing event)"].to_list() == [0.0, 1.0, 0.0]


def find(found: Analysed, method: str, analysis: str = "survival") -> Estimate:
    wanted = (analysis, "marker", method)
    return next(row for row in found.rows if (row.analysis, row.factor, row.method) == wanted)


@pytest.fixture(scope="module")
def half() -> Analysed:
    return analysed(share=0.5)


def test_what_is_filled_in_knows_of_the_follow_up(half: Analysed) -> None:
    """Values missing by mere chance: filled in without the cumulative hazard, the estimate falls by two fifths."""
    alone = math.log(find(half, "firth", "sensitivity").estimate)
    for method in ("ml", "firth"):
        row = find(half, method)
        assert (row.n, row.imputations) == (N, 10)
        assert math.log(row.estimate) == pytest.approx(alone, rel=0.15)


def test_nothing_is_filled_in_where_nothing_is_missing() -> None:
    assert {row.imputations for row in analysed(share=0.0).rows} == {None}


def test_complete_cases_stand_beside(half: Analysed) -> None:
    row = find(half, "firth", "sensitivity")
    counted = next(row for row in half.rows if row.measure == "complete_cases")
    assert (row.group, row.n, row.imputations) == ("complete_cases", counted.n, None)
    assert 60 < counted.n < 100


def test_without_imputation_complete_cases_are_the_analysis() -> None:
    found = analysed(share=0.5, imputations=0)
    assert {row.analysis for row in found.rows} == {"survival"}
    assert find(found, "ml").n < 100
    assert any(note.text.startswith("Complete cases only") for note in found.notes)


def test_what_cannot_be_filled_in_is_said_and_complete_cases_are_analysed() -> None:
    found = analysed(share=0.5, never=True)
    assert find(found, "firth").n < 100
    assert any(note.text.startswith("Missing values could not be filled in") for note in found.notes)


def test_a_factor_with_levels_is_tested_as_a_whole(half: Analysed) -> None:
    tests = [row.term for row in half.rows if row.measure == "proportional_hazards" and row.factor == "stage"]
    assert tests == ["II", "III", "2 df"]


def test_no_death_is_shown_alone(half: Analysed) -> None:
    points = [row for row in half.rows if row.measure == "hazard_ratio_of_events" and row.factor == "marker"]
    events = find(half, "ml").events
    assert sum(row.n for row in points) == events
    assert min(row.n for row in points) >= 5
