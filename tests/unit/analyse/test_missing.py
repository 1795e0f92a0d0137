"""What is missing at a landmark: counts, patterns by outcome, and the patients behind them."""

from pathlib import Path

import polars as pl

from rarefactor.analyse import trace_results
from rarefactor.analyse._missing import describe_missing
from rarefactor.derive import AnalysisTable, LandmarkTable, Values
from rarefactor.results import Results
from rarefactor.spec import Scope, load

PATIENTS = [  # subject, outcome, age, ck, biopsy
    ("a", True, 50.0, 900.0, None),
    ("b", True, 41.0, 700.0, 1.0),
    ("c", False, 62.0, None, None),
    ("d", None, 33.0, 800.0, None),
    ("e", None, 70.0, 300.0, 2.0),
]
FRAME = pl.DataFrame(PATIENTS, schema=["subject", "outcome", "age", "ck", "biopsy"], orient="row")
TABLE = LandmarkTable(
    landmark="baseline", frame=FRAME, factors=("age", "ck", "biopsy"), measured=FRAME, parts=(), recipes={}
)


def test_values_are_counted_and_patients_are_sorted_by_what_they_lack() -> None:
    rows = describe_missing(TABLE).rows
    counts = {row.factor or row.term: row.estimate for row in rows if row.measure == "missing"}
    assert counts == {"outcome": 2, "age": 0, "ck": 1, "biopsy": 3}
    assert [row.estimate for row in rows if row.measure == "share_missing" and row.factor == "biopsy"] == [0.6]
    patterns = [(row.term, row.group, row.estimate) for row in rows if row.measure in {"complete", "pattern"}]
    assert patterns == [
        (None, "all", 2), (None, "event", 1), (None, "outcome_unknown", 1),
        ("biopsy", "all", 2), ("biopsy", "event", 1), ("biopsy", "outcome_unknown", 1),
        ("ck+biopsy", "all", 1), ("ck+biopsy", "no_event", 1),
    ]  # fmt: skip


def test_each_pattern_names_its_own_patients() -> None:
    study = load(Path(__file__).parents[3] / "examples" / "pbc48" / "study.yaml")
    values = Values(subjects=TABLE.frame.select("subject"), tables={}, scope=Scope(tables={}, visits=()))
    table = AnalysisTable(values=values, landmarks={"baseline": TABLE}, factors=(), flow=(), notes=(), inputs=())
    results = Results(study={}, flow=(), rows=describe_missing(TABLE).rows)
    traced = trace_results(study, table, results, ())
    named = {(row.term, row.group): traced.sets[row.patients or ""] for row in traced.rows if row.measure != "missing"}
    assert named["biopsy", "all"] == ("a", "d")
    assert named["biopsy", "outcome_unknown"] == ("d",)
    assert named[None, "event"] == ("b",)
    assert named["ck+biopsy", "no_event"] == ("c",)
