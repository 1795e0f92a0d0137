"""What the analysis says when the data cannot carry what was asked: each rule on a dozen patients."""

from pathlib import Path

import pytest

from rarefactor import analyse, study
from rarefactor.errors import AnalysisError
from rarefactor.results import Results, write_results
from rarefactor.work import Cache, Workers

STUDY = """
id: dozen
title: A dozen patients
cohort:
  records: records.csv
  subject: id
  fields:
    id: {type: id}
    poor: {type: yesno}
    a: {type: yesno}
    b: {type: number}
    c: {type: choice, choices: {1: low, 2: middle, 3: high, 4: highest}}
outcome:
  poor: {label: Poor course, at: month_12, when: poor}
factors:
  a: {from: a, label: Factor a}
  b: {from: b, label: Factor b}
  c: {from: c, label: Factor c}
analysis:
  models: {both: [a, b]}
  resamples: 0
  design: {data_sets: 0}
"""
VISITS = "  visits: {baseline: {month: 0}, month_12: {month: 12}}\noutcome:"
POOR = [1, 1, 1, 1, 1, 0, 0, 0, 0, 0, 0, 0]
A = [1, 1, 0, 1, 0, 0, 1, 0, 0, 1, 0, 0]
B = [3.1, 2.5, 4.0, 3.3, 1.9, 2.2, 1.0, 2.8, 1.7, 2.0, 3.0, 1.2]
C = [1, 2, 3, 1, 2, 3, 1, 2, 3, 1, 2, 3]


def analysed(
    folder: Path, *, poor: list[object] = POOR, a: list[object] = A, b: list[object] = B, **more: object
) -> Results:
    text = STUDY.replace("outcome:", VISITS, 1)
    (folder / "study.yaml").write_text(text.replace("{both: [a, b]}", str(more.get("models", "{both: [a, b]}"))))
    rows = zip(range(1, 13), poor, a, b, more.get("c", C), strict=True)
    lines = ["id,poor,a,b,c", *(",".join("" if value is None else str(value) for value in row) for row in rows)]
    (folder / "records.csv").write_text("\n".join(lines) + "\n")
    checked = study.check(folder / "study.yaml")
    workers = Workers(processes=int(str(more.get("processes", 1))))
    cache = Cache(folder / f"cache {workers.processes}")
    return analyse.run(checked.study, checked.table, cache=cache, code="test", workers=workers)


def at_two_landmarks(folder: Path, *, b: list[object]) -> Results:
    """The visit of month 3 has factor b, baseline the others."""
    text = STUDY.replace("outcome:", VISITS.replace("month_12", "month_3: {month: 3}, month_12", 1), 1)
    text = text.replace("label: Factor b", "label: Factor b, measured_at: month_3")
    text = text.replace("{both: [a, b]}", "{early: [a], late: [a, b]}\n  landmarks: [baseline, month_3]")
    (folder / "study.yaml").write_text(text)
    rows = zip(range(1, 13), POOR, A, b, C, strict=True)
    lines = ["id,poor,a,b,c", *(",".join("" if value is None else str(value) for value in row) for row in rows)]
    (folder / "records.csv").write_text("\n".join(lines) + "\n")
    checked = study.check(folder / "study.yaml")
    return analyse.run(checked.study, checked.table, cache=Cache(folder / "cache"), code="test")


def texts(results: Results, about: str) -> str:
    return " ".join(note.text for note in results.notes if note.about == about)


def test_two_workers_find_what_one_finds_to_the_last_bit(tmp_path: Path) -> None:
    one, two = (write_results(analysed(tmp_path, processes=processes)) for processes in (1, 2))
    assert one == two


@pytest.mark.parametrize("value", [0, 1])
def test_an_outcome_with_one_class_stops_the_run_and_says_which(tmp_path: Path, value: int) -> None:
    with pytest.raises(AnalysisError, match=f"one class at baseline: {12 * value} of 12 patients") as caught:
        analysed(tmp_path, poor=[value] * 12)
    assert "outcome.poor.when" in str(caught.value)


def test_a_factor_with_one_value_is_named_and_the_others_go_on(tmp_path: Path) -> None:
    results = analysed(tmp_path, a=[1] * 12, models="{only: [b]}")
    assert "Factor a has one value" in texts(results, "univariable")
    assert not results.select(analysis="univariable", factor="a", measure="odds_ratio")
    assert results.get("univariable/baseline/b/per_1_unit/firth/odds_ratio").n == 12


def test_a_factor_without_values_is_named_and_the_others_go_on(tmp_path: Path) -> None:
    results = analysed(tmp_path, b=[None] * 12, models="{only: [a]}")
    assert "Factor b has one value, or none" in texts(results, "univariable")
    assert results.get("table1/baseline/b/all/missing").estimate == 12


def test_a_model_leaves_out_patients_who_lack_a_factor_and_says_how_many(tmp_path: Path) -> None:
    results = analysed(tmp_path, b=[None, None, *B[2:]])
    complete = results.get("multivariable/baseline/both/complete_cases")
    assert complete.estimate == complete.n == 10
    assert "2 of 12 patients" in texts(results, "multivariable")


def test_a_level_that_only_patients_with_a_missing_value_have_does_not_end_the_sensitivity_analyses(
    tmp_path: Path,
) -> None:
    results = analysed(tmp_path, b=[*B[:-1], None], c=[1, 2] * 5 + [1, 3], models="{wide: [b, c]}")
    alone = results.select(analysis="sensitivity", group="complete_cases")
    assert {row.term for row in alone if row.factor == "c"} == {"middle"}
    assert {row.n for row in alone} == {11}
    assert len(results.select(analysis="sensitivity")) > len(alone)


def test_what_separates_in_some_imputations_only_is_separated(tmp_path: Path) -> None:
    a = [None if place in {0, 1, 2, 5, 6} else value for place, value in enumerate(POOR)]
    results = analysed(tmp_path, a=a, models="{alone: [a]}")
    ml = results.get("multivariable/baseline/alone/a/Yes/ml/odds_ratio")
    assert ml.estimate is None
    assert "separated" in ml.flags
    assert "not_converged" not in ml.flags


def test_a_model_whose_factors_depend_on_each_other_is_not_fitted(tmp_path: Path) -> None:
    results = analysed(tmp_path, b=[2 * value for value in A])
    assert "combination of the columns before it" in texts(results, "multivariable")
    assert not results.select(analysis="multivariable", measure="odds_ratio")


def test_a_model_with_a_factor_that_nobody_has_is_not_fitted(tmp_path: Path) -> None:
    results = analysed(tmp_path, b=[None] * 12)
    assert "The model was not fitted (no value of b" in texts(results, "multivariable")
    assert not results.select(analysis="multivariable", measure="odds_ratio")


def test_a_separated_factor_has_a_penalised_estimate_only(tmp_path: Path) -> None:
    results = analysed(tmp_path, a=POOR)
    ml, firth = (results.get(f"univariable/baseline/a/Yes/{method}/odds_ratio") for method in ("ml", "firth"))
    assert ml.estimate is None
    assert "separated" in ml.flags
    assert firth.estimate == pytest.approx(11 * 15, rel=1e-6)  # (5.5 x 7.5) / (0.5 x 0.5), in closed form
    assert "Factor a separates the outcome" in texts(results, "univariable")


def test_levels_that_no_patient_has_are_left_out_and_the_first_that_occurs_is_the_reference(tmp_path: Path) -> None:
    results = analysed(tmp_path, c=[2, 3] * 6)
    terms = {row.term for row in results.select(analysis="univariable", factor="c", measure="odds_ratio")}
    assert terms == {"high"}
    assert results.get("univariable/baseline/c/low/risk").n == 0


def test_counts_behind_an_odds_ratio_are_there(tmp_path: Path) -> None:
    results = analysed(tmp_path)
    yes = results.get("univariable/baseline/a/Yes/wilson/risk")
    assert (yes.n, yes.events, yes.estimate) == (5, 3, 0.6)
    assert "sparse" in results.get("univariable/baseline/a/Yes/firth/odds_ratio").flags


def test_a_factor_is_described_at_the_landmark_where_it_is_first_known(tmp_path: Path) -> None:
    rows = at_two_landmarks(tmp_path, b=[None, *B[1:]]).select(analysis="table1", measure="missing", group="all")
    assert [(row.landmark, row.factor, row.estimate) for row in rows] == [
        ("baseline", "a", 0),
        ("baseline", "c", 0),
        ("month_3", "b", 1),
    ]


def test_imputation_is_described_where_a_model_needs_it(tmp_path: Path) -> None:
    found = at_two_landmarks(tmp_path, b=[None, *B[1:]]).select(analysis="imputation", measure="missing")
    assert [(row.landmark, row.factor) for row in found] == [("month_3", "b")]
    unused = analysed(tmp_path, c=[None, *C[1:]]).select(analysis="imputation")
    assert not unused
