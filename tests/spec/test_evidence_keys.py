"""Published evidence in the study file: what is accepted, and what the reader is told."""

from pathlib import Path

import pytest

from rarefactor.errors import StudyFileError
from rarefactor.spec import load

STUDY = """\
id: small
title: A small study
cohort:
  records: p.csv
  subject: id
  fields: {sex: {type: text}, age: {type: number}, tis: {type: number}}
  visits: {baseline: {month: 0}, month_12: {month: 12}}
outcome: {refractory: {label: Refractory, at: month_12, when: "tis < 40"}}
factors:
  male: {from: sex, equals: male, label: Male sex}
  age: {from: age, label: Age, per: 10}
evidence:
  - {factor: male, source: Zhao 2020, doi: 10.1186/s13023-020-01431-7, odds_ratio: 19.57, p: "<0.001",
     n: 40, events: 13}
"""
MORE = "  - {factor: male, source: B 2021, odds_ratio: 3"


def told(folder: Path, text: str) -> tuple[str | None, str, str]:
    path = folder / "study.yaml"
    path.write_text(text, encoding="utf-8")
    with pytest.raises(StudyFileError) as caught:
        load(path)
    assert len(caught.value.problems) == 1
    problem = caught.value.problems[0]
    return problem.key, problem.found, problem.next_step


def test_numbers_are_kept_as_printed(tmp_path: Path) -> None:
    path = tmp_path / "study.yaml"
    path.write_text(STUDY + MORE + ', low: "1.20", high: 7.5, counts: [[7, 3], [6, 24]]}\n', encoding="utf-8")
    first, second = load(path).evidence
    assert (first.odds_ratio, first.p, first.n, first.events, first.comparable) == ("19.57", "<0.001", 40, 13, False)
    assert (second.low, second.high, second.counts) == ("1.20", "7.5", ((7, 3), (6, 24)))


@pytest.mark.parametrize(
    ("right", "wrong", "key", "found", "step"),
    [
        ("factor: male", "factor: mael", "factor", "the factor mael, which is not known", "Did you mean male?"),
        ("odds_ratio: 19.57", "odds_ratio: -2", "odds_ratio", '"-2"', "Write it as in the paper"),
        ('"<0.001"', '"p<0.001"', "p", '"p<0.001"', "Write it as in the paper"),
        ("doi: 10.1186/", "doi: doi.org/10.1186/", "doi", '"doi.org/10.1186/s13023-020-01431-7"', "Write it without"),
        ("events: 13", "events: 44", "events", "44 events in 40 patients", "Correct one of them."),
    ],
)
def test_what_cannot_be_printed_is_refused(
    tmp_path: Path, right: str, wrong: str, key: str, found: str, step: str
) -> None:
    where, what, next_step = told(tmp_path, STUDY.replace(right, wrong))
    assert (where, what) == (f"evidence[1].{key}", found)
    assert next_step.startswith(step)


def test_a_p_value_alone_and_a_share_of_the_patients_are_findings_too(tmp_path: Path) -> None:
    path = tmp_path / "study.yaml"
    more = '  - {factor: age, source: C, p: "0.022"}\n  - {source: C, percent: "32.5", n: 48}\n'
    path.write_text(STUDY + more, encoding="utf-8")
    _, alone, share = load(path).evidence
    assert (alone.odds_ratio, alone.p) == (None, "0.022")
    assert (share.factor, share.percent, share.n) == (None, "32.5", 48)


@pytest.mark.parametrize(
    ("line", "key", "found"),
    [
        ("  - {factor: age, source: C}", "evidence[2].factor", "no odds ratio"),
        ("  - {factor: age, source: C, p: 0.02, low: 1, high: 2}", "evidence[2].low", "no odds ratio"),
        ("  - {factor: age, source: C, p: 0.02, percent: 30}", "evidence[2].percent", "percent beside a factor"),
        ("  - {source: C, p: 0.02}", "evidence[2].source", "neither a factor nor a percentage of n"),
        ("  - {source: C, percent: 30}", "evidence[2].percent", "neither a factor nor a percentage of n"),
        ("  - {source: C, percent: 30, n: 9, odds_ratio: 2}", "evidence[2].odds_ratio", "odds_ratio without a factor"),
        (MORE + ", low: 2}", "evidence[2].low", "one limit of an interval"),
        (MORE + ", low: 4, high: 2}", "evidence[2].low", "an interval from 4 to 2"),
        ("  - {factor: male, source: zhao 2020, odds_ratio: 3}", "evidence[2].source", "zhao 2020 twice for male"),
        (
            "  - {factor: age, source: C, odds_ratio: 1.1, per: 1, comparable: yes}",
            "evidence[2].per",
            "an odds ratio per 1, said to be comparable with ours per 10",
        ),
    ],
)
def test_what_contradicts_itself_or_the_study_is_refused(tmp_path: Path, line: str, key: str, found: str) -> None:
    assert told(tmp_path, STUDY + line + "\n")[:2] == (key, found)
