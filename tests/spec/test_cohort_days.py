"""How dates become days since baseline, which rows count, and what keeps its name: each rule with a few patients."""

from pathlib import Path
from typing import Any

import pytest

from rarefactor.cohort import Findings, Table, check_data, ingest
from rarefactor.spec import Study
from rarefactor.spec._origin import Origin


@pytest.fixture(autouse=True)
def key(monkeypatch) -> None:
    monkeypatch.setenv("RAREFACTOR_KEY", "a key for tests")


def study_of(folder: Path, text: str, **cohort: Any) -> Study:
    lines = [",".join(line.split()) for line in text.strip().splitlines()]
    (folder / "visits.csv").write_text("\n".join(lines).replace(".", "") + "\n")
    content = {
        "id": "test",
        "title": "Test",
        "cohort": {"records": {"visits": {"file": "visits.csv"}}, "subject": "id"} | cohort,
        "outcome": {"poor": {"label": "Poor", "at": "baseline", "when": "x == 1"}},
        "factors": {"x": {"from": "x", "label": "X"}},
    }
    return Study.model_validate(content).located(Origin(path=folder / "study.yaml"))


def read(folder: Path, text: str, **cohort: Any) -> Table:
    return ingest(study_of(folder, text, **cohort)).tables["visits"]


def check(folder: Path, text: str, **cohort: Any) -> Findings:
    return check_data(study_of(folder, text, **cohort))


DATES = {"seen": {"type": "date"}, "onset": {"type": "date"}}


def test_the_earliest_visit_is_baseline_where_no_event_is_named(tmp_path: Path) -> None:
    table = read(
        tmp_path,
        """
        id seen       onset
        1  2020-03-01 2020-01-01
        1  2020-01-31 2020-01-01
        2  2021-05-05 .
        3  .          2020-01-01
        """,
        visit_date="seen",
        fields=DATES,
    )
    assert table.frame["day"].to_list() == [30, 0, 0, None]
    assert table.frame["seen"].to_list() == [30, 0, 0, None]
    assert table.frame["onset"].to_list() == [-30, -30, None, None]


EVENTS = {"baseline": {"month": 0, "event": "base"}, "month_3": {"month": 3, "event": "m3", "window": [2, 5]}}


def test_the_visit_at_month_0_is_baseline_where_its_event_is_named(tmp_path: Path) -> None:
    text = """
        id ev   seen
        1  base 2020-01-10
        1  m3   2020-04-09
        2  m3   2020-04-09
        3  base 2020-01-10
        3  m3   2020-01-01
        """
    how = {
        "records": {"visits": {"file": "visits.csv", "event": "ev"}},
        "visit_date": "seen",
        "visits": EVENTS,
        "fields": {"seen": {"type": "date"}},
    }
    assert read(tmp_path, text, **how).frame.select("event", "day").rows() == [
        ("base", 0),
        ("m3", 90),
        ("m3", None),  # without a baseline there are no days
        ("base", 0),
        ("m3", None),  # before baseline: a failure
    ]
    findings = check(tmp_path, text, **how)
    assert findings.failures.select("row", "column", "rule").rows() == [(6, "seen", "before_baseline")]
    assert "Patients without a date of baseline, whose dates are unknown: 1." in findings.notes


@pytest.mark.parametrize(("window", "failed"), [([0, 1], [2, 3]), ([-1, 1], [2]), ([-3, 1], [])])
def test_a_visit_may_come_before_baseline_by_what_a_window_allows(tmp_path: Path, window, failed) -> None:
    text = """
        id day x
        1  -40 1
        1  -20 1
        1  0   1
        """
    findings = check(
        tmp_path,
        text,
        records={"visits": {"file": "visits.csv", "day": "day"}},
        visits={"baseline": {"month": 0, "window": window}},
        fields={"day": {"type": "number"}, "x": {"type": "number"}},
    )
    assert findings.failures["row"].to_list() == failed


def test_dates_without_any_baseline_are_dropped_and_said_to_be(tmp_path: Path) -> None:
    study = study_of(
        tmp_path, "id onset x\n1 2020-01-01 1", fields={"onset": {"type": "date"}, "x": {"type": "number"}}
    )
    cohort = ingest(study)
    assert list(cohort.tables["visits"].fields) == ["x"]
    assert any("dates were dropped" in note and "onset" in note for note in cohort.notes)


def test_a_date_that_no_field_describes_still_dates_the_visit(tmp_path: Path) -> None:
    table = read(
        tmp_path, "id seen x\n1 2020-01-01 1\n1 2020-01-05 2", visit_date="seen", fields={"x": {"type": "number"}}
    )
    assert (list(table.fields), table.frame["day"].to_list()) == (["x"], [0, 4])


def test_rows_of_nobody_and_copies_of_rows_are_set_aside(tmp_path: Path) -> None:
    text = """
        id day x
        1  0   5
        .  0   6
        1  0   5
        1  0   7
        """
    how = {
        "records": {"visits": {"file": "visits.csv", "day": "day"}},
        "fields": {"day": {"type": "number"}, "x": {"type": "number"}},
    }
    assert read(tmp_path, text, **how).frame["row"].to_list() == [2, 5]
    assert check(tmp_path, text, **how).failures.select("row", "rule").rows() == [
        (3, "missing_subject"),
        (4, "duplicate_row"),
    ]


def test_a_column_with_a_word_of_the_cohort_for_a_name_is_kept_apart(tmp_path: Path) -> None:
    fields = {"row": {"type": "number"}, "event": {"type": "yesno"}, "day": {"type": "number"}}
    text = """
        id row event day at
        1  17  1     3   0
        """
    records = {"visits": {"file": "visits.csv", "day": "at"}}
    table = read(tmp_path, text, records=records, fields=fields)
    assert list(table.fields) == ["row_field", "event_field", "day_field"]
    assert table.frame.select("row", "row_field", "event_field", "day", "day_field").row(0) == (2, 17, True, 0, 3)
    records = {"visits": {"file": "visits.csv", "day": "day"}}
    assert "day" in read(tmp_path, text, records=records, fields=fields).fields
