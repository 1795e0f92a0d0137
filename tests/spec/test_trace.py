"""Which patients a number names: each rule on a dozen patients."""

from pathlib import Path

import pytest

from rarefactor import analyse, study
from rarefactor.results import Results, find_row, read_results, trace_row, write_results
from rarefactor.work import Cache

STUDY = """
id: dozen
title: A dozen patients
cohort:
  records: records.csv
  subject: id
  visits: {baseline: {month: 0}, month_12: {month: 12}}
  fields:
    id: {type: id}
    poor: {type: yesno}
    a: {type: yesno}
    b: {type: number}
outcome:
  poor: {label: Poor course, at: month_12, when: poor}
factors:
  a: {from: a, label: Factor a}
  b: {from: b, label: Factor b}
analysis:
  models: {both: [a, b]}
  missing: {imputations: 0}
  resamples: 0
  design: {data_sets: 0}
"""
POOR = [1, 1, 1, 1, 0, 1, 0, 0, 0, 0, 0, None]
A = [1, 1, 0, 1, 0, 0, 1, 0, 0, 1, 0, 0]
B = [None, 2.5, 4.0, 3.3, 1.9, 2.2, 1.0, 2.8, 1.7, 2.0, None, 1.2]


def traced(folder: Path, *, more: str = "", study_file: str = STUDY) -> tuple[Results, list[str]]:
    (folder / "study.yaml").write_text(study_file + more)
    rows = zip(range(1, 13), POOR, A, B, strict=True)
    lines = ["id,poor,a,b", *(",".join("" if value is None else str(value) for value in row) for row in rows)]
    (folder / "records.csv").write_text("\n".join(lines) + "\n")
    checked = study.check(folder / "study.yaml")
    results = analyse.run(checked.study, checked.table, cache=Cache(folder / "cache"), code="test")
    found = analyse.trace_results(checked.study, checked.table, results, [])
    return found, checked.table.landmarks["baseline"].frame["subject"].to_list()


@pytest.fixture(scope="module")
def dozen(tmp_path_factory: pytest.TempPathFactory) -> tuple[Results, list[str]]:
    return traced(tmp_path_factory.mktemp("dozen"))


@pytest.mark.parametrize(
    ("address", "who"),
    [
        ("flow/records", range(12)),  # all are eligible
        ("flow/landmark/baseline", range(12)),
        ("flow/outcome/baseline", range(11)),
        ("table1/baseline/b/all/mean", range(1, 10)),
        ("table1/baseline/b/event/mean", (1, 2, 3, 5)),
        ("table1/baseline/a/Yes/no_event/count", (4, 6, 7, 8, 9, 10)),
        ("univariable/baseline/a/Yes/firth/odds_ratio", range(11)),
        ("univariable/baseline/b/per_1_unit/firth/odds_ratio", range(1, 10)),
        ("univariable/baseline/a/Yes/wilson/risk", (0, 1, 3, 6, 9)),
        ("multivariable/baseline/both/a/Yes/firth/odds_ratio", range(1, 10)),
    ],
)
def test_a_number_names_the_patients_it_is_about(dozen: tuple[Results, list[str]], address: str, who: range) -> None:
    results, subjects = dozen
    found = trace_row(results, find_row(results, address))
    assert found.patients is not None
    assert set(found.patients) == {subjects[place] for place in who}


def test_a_kind_of_event_names_the_patients_who_had_it(tmp_path: Path) -> None:
    text = STUDY.replace("when: poor}", 'when: "b > 2.4 or poor"}').replace(
        "{type: yesno}\n    a", "{type: yesno, label: Poor}\n    a"
    )
    results, subjects = traced(tmp_path, study_file=text)
    rows = results.select(analysis="response", measure="events_of_kind")
    assert [(row.term, row.estimate) for row in rows] == [("b at month 12", 4.0), ("poor at month 12", 2.0)]
    named = [{subjects.index(name) for name in results.sets[row.patients or ""]} for row in rows]
    assert named == [{1, 2, 3, 7}, {0, 5}]


def test_equal_groups_are_listed_once_and_come_back_from_the_file(
    dozen: tuple[Results, list[str]], tmp_path: Path
) -> None:
    results, _ = dozen
    assert len(set(results.sets.values())) == len(results.sets)
    assert {row.patients for row in results.rows if row.patients} <= set(results.sets)
    (tmp_path / "results.json").write_bytes(write_results(results))
    assert read_results(tmp_path / "results.json") == results


def test_a_study_may_keep_its_patients_to_itself(tmp_path: Path) -> None:
    results, subjects = traced(tmp_path, more="report: {patients: counted}\n")
    assert not results.sets
    assert not any(row.patients for row in results.rows)
    assert not any(
        subject in write_results(results).decode() for subject in subjects if not _is_named(results, subject)
    )


def _is_named(results: Results, subject: str) -> bool:
    """The most influential patients are named by the analysis itself."""
    return any(subject in row.id for row in results.rows)
