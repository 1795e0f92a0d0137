"""The keys of validation and selection in the study file, each rule as a line of it."""

from pathlib import Path

import pytest

from rarefactor import spec
from rarefactor.errors import StudyFileError

STUDY = """
id: keys
title: Keys
cohort:
  records: records.csv
  subject: id
  fields: {{id: {{type: id}}, age: {{type: number}}, male: {{type: yesno}}, poor: {{type: yesno}}}}
  visits: {{baseline: {{month: 0}}, month_12: {{month: 12}}}}
outcome: {{poor: {{label: Poor course, at: month_12, when: poor}}}}
factors: {{age: {{from: age, label: Age}}, male: {{from: male, label: Male sex}}}}
analysis: {{models: {{both: [age, male]}}, {keys}}}
"""


def load(folder: Path, keys: str) -> spec.Study:
    (folder / "study.yaml").write_text(STUDY.format(keys=keys))
    return spec.load(folder / "study.yaml")


def test_without_keys_there_are_1000_resamples_and_no_selection(tmp_path: Path) -> None:
    analysis = load(tmp_path, "seed: 1").analysis
    assert (analysis.resamples, analysis.selection, analysis.missing.resampled) == (1000, None, 5)


def test_selection_has_the_alpha_of_aic_unless_it_is_given(tmp_path: Path) -> None:
    selection = load(tmp_path, "selection: {method: augmented, keep: [age]}").analysis.selection
    assert selection is not None
    assert (selection.alpha, selection.tau, selection.keep) == (0.157, 0.05, ("age",))


@pytest.mark.parametrize(
    ("keys", "said"),
    [
        ("resamples: -1", "resamples"),
        ("selection: {method: stepwise}", "method"),
        ("selection: {method: backward, alpha: 0}", "alpha"),
        ("selection: {alpha: 0.05}", "method"),
        ("selection: {method: backward, keep: [agee]}", "agee, which is not known"),
        ("missing: {resampled: 0}", "resampled"),
    ],
)
def test_a_wrong_key_is_named(tmp_path: Path, keys: str, said: str) -> None:
    with pytest.raises(StudyFileError, match=said):
        load(tmp_path, keys)
