"""The map of missing values: who stands in which column, and what it says to those who cannot see it."""

import dataclasses

from rarefactor.report._missing_map import list_columns, read_gaps, write_missing
from rarefactor.report._source import read_source
from rarefactor.report.tree import Figure, Paragraph, text_of
from rarefactor.results import Estimate

PATTERNS = {  # lacking, outcome: patients
    ("", "no_event"): ("a", "b", "c"),
    ("", "outcome_unknown"): ("d",),
    ("platelets", "event"): ("e", "f"),
    ("albumin+platelets", "no_event"): ("g",),
}


def with_gaps(results, *, listed=True, counts=None, patterns=PATTERNS):
    """The invented results with what is missing among seven patients at baseline."""
    base = Estimate(analysis="missing", measure="", estimate=None, landmark="baseline", n=7)
    rows = []
    for name, count in (counts or {"outcome": 1, "age": 0, "albumin": 1, "platelets": 3}).items():
        where = {"term": name} if name == "outcome" else {"factor": name}
        rows += [
            dataclasses.replace(base, measure="missing", estimate=count, **where),
            dataclasses.replace(base, measure="share_missing", estimate=count / 7, **where),
        ]
    sets = {"".join(patients): patients for patients in patterns.values()}
    for lacked in dict.fromkeys(lacked for lacked, _ in patterns):
        own = {group: patients for (other, group), patients in patterns.items() if other == lacked}
        for group, patients in {"all": [name for each in own.values() for name in each], **own}.items():
            rows.append(
                dataclasses.replace(
                    base,
                    measure="pattern" if lacked else "complete",
                    term=lacked or None,
                    group=group,
                    estimate=len(patients),
                    n=len(patients),
                    patients="".join(patients) if listed else None,
                )
            )
    return dataclasses.replace(results, rows=(*results.rows, *rows), sets=sets if listed else {})


def write(results):
    blocks = tuple(write_missing(read_source(results)))
    sentences = [text_of(block.runs) for block in blocks if isinstance(block, Paragraph)]
    return sentences, [block for block in blocks if isinstance(block, Figure)]


def test_patients_stand_by_pattern_and_outcome_and_those_with_gaps_are_named(results) -> None:
    gaps = read_gaps(read_source(with_gaps(results)), "baseline")
    columns = [(column.name, set(column.lacks), column.outcome) for column in list_columns(gaps)]
    assert columns == [
        *[("", set(), "no_event")] * 3,
        ("", set(), "outcome_unknown"),
        ("e", {"platelets"}, "event"),
        ("f", {"platelets"}, "event"),
        ("g", {"albumin", "platelets"}, "no_event"),
    ]


def test_sentence_and_alternative_text_tell_the_numbers(results) -> None:
    sentences, figures = write(with_gaps(results))
    assert sentences[0].startswith("Of 7 patients at baseline, 4 have every factor; the outcome is not known in 1.")
    assert "Most often missing: platelets, 3 (43%); serum albumin, 1 (14%)" in sentences[0]
    assert "2 patients lack platelets; 1 patient lacks serum albumin and platelets" in figures[0].alt


def test_a_study_that_lists_no_patients_shows_patterns(results) -> None:
    _, figures = write(with_gaps(results, listed=False))
    assert "A column is a pattern" in text_of(figures[0].caption)
    assert list_columns(read_gaps(read_source(with_gaps(results, listed=False)), "baseline")) == ()


def test_where_all_with_gaps_lack_the_same_the_sentence_is_enough(results) -> None:
    same = {key: patients for key, patients in PATTERNS.items() if "+" not in key[0]}
    sentences, figures = write(with_gaps(results, counts={"outcome": 1, "albumin": 0, "platelets": 2}, patterns=same))
    assert "Most often missing: platelets, 2 (29%)" in sentences[0]
    assert not figures


def test_where_every_patient_has_every_factor_there_is_no_map(results) -> None:
    sentences, figures = write(with_gaps(results, counts={"outcome": 1, "age": 0}))
    assert sentences == ["All 7 patients at baseline have every factor; the outcome is not known in 1."]
    assert not figures
