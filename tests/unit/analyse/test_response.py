"""The response at a visit: who can be placed, what bounds decide, and what the patients without an outcome could do."""

import polars as pl
import pytest

from rarefactor.analyse._images import analyse_images
from rarefactor.analyse._response import analyse_outcome, analyse_response
from rarefactor.derive import ImageTable, LandmarkTable, ResponseTable
from rarefactor.results import Estimate

SCORES = [  # subject, score, lower, upper, attainable, outcome
    ("a", 65.0, 65.0, 65.0, 100.0, False),
    ("b", 40.0, 40.0, 40.0, 90.0, False),
    ("c", 0.0, 0.0, 0.0, 55.0, True),
    ("d", None, 22.5, 37.5, 80.0, None),  # minimal, whatever the missing measure was
    ("e", None, 30.0, 50.0, 80.0, None),
    ("f", None, None, None, None, None),
]
TABLE = ResponseTable(
    name="tis",
    frame=pl.DataFrame(
        SCORES, schema=["subject", "score", "lower", "upper", "attainable", "outcome"], orient="row"
    ).with_columns(visit=pl.lit("year")),
    measures=pl.DataFrame(
        [("a", "year", "haq", 1.0, False), ("b", "year", "haq", 2.0, False), ("c", "year", "haq", 3.0, True)],
        schema=["subject", "visit", "measure", "value", "outcome"],
        orient="row",
    ),
    thresholds=(20.0, 40.0, 60.0),
    quantities={},
)


def by_id(rows: tuple[Estimate, ...]) -> dict[str, Estimate]:
    return {row.id: row for row in rows}


def test_a_score_that_misses_a_measure_counts_where_its_bounds_agree() -> None:
    rows = by_id(analyse_response(TABLE, ("baseline", "year"), "year", 0.95).rows)
    counts = {
        term: rows[f"response/year/tis/{term}/count"].estimate for term in ("none", "minimal", "moderate", "major")
    }
    assert counts == {"none": 1, "minimal": 1, "moderate": 1, "major": 1}
    better = rows["response/year/tis/moderate_or_better/wilson/proportion"]
    assert (better.estimate, better.n, better.events) == (0.5, 4, 2)
    assert better.low == pytest.approx(0.150, abs=0.001)  # Wilson, 2 of 4
    assert rows["response/year/tis/unknown"].estimate == 2
    assert rows["response/year/tis/incomplete"].estimate == 3
    assert rows["response/year/tis/major/out_of_reach"].estimate == 1
    assert rows["response/year/tis/haq/no_event/quartiles/median"].estimate == 1.5


def test_each_patient_has_one_bar_and_none_who_has_no_bounds() -> None:
    shown = [row for row in analyse_response(TABLE, ("year",), "year", 0.95).rows if row.measure == "score"]
    assert [row.group for row in shown] == ["a", "b", "e", "d", "c"]
    assert [row.term for row in shown] == ["major", "moderate", None, "minimal", "none"]
    assert shown[2].flags == ("incomplete", "outcome_unknown")
    assert (shown[2].low, shown[2].high, shown[2].estimate) == (30.0, 50.0, None)


def test_the_share_with_the_outcome_is_bounded_by_those_without_one() -> None:
    frame = pl.DataFrame({"subject": list("abcdef"), "outcome": [True, False, False, False, None, None]})
    table = LandmarkTable(landmark="baseline", frame=frame, factors=(), measured=frame, parts=(), recipes={})
    risk, bounds = analyse_outcome(table, 0.95).rows
    assert (risk.estimate, risk.n, risk.events) == (0.25, 4, 1)
    assert (bounds.low, bounds.high, bounds.n) == (pytest.approx(1 / 6), 0.5, 6)


def test_only_the_columns_asked_for_tell_patients_apart() -> None:
    values = pl.DataFrame(
        [
            ("a", "v", "x.positive_area", 3.0, True),
            ("b", "v", "x.positive_area", 1.0, None),
            ("a", "v", "y", 5.0, True),
        ],
        schema=["subject", "visit", "column", "value", "outcome"],
        orient="row",
    )
    table = ImageTable(name="biopsy", kind="pathology", values=values, rates=values.clear(), quantities={})
    rows = analyse_images(table, ["x.positive_area"]).rows
    own = [(row.group, row.estimate, row.flags) for row in rows if row.measure == "value"]
    assert own == [("b", 1.0, ("outcome_unknown",)), ("a", 3.0, ("event",))]
    found = by_id(rows)
    assert found["pathology/v/biopsy/x.positive_area/all/quartiles/median_value"].estimate == 2.0
    assert found["pathology/v/biopsy/y/event/quartiles/median_value"].n == 1
