"""The truth file: each mistake is told with its line, what was found, what was expected, and what to do."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from rarefactor.errors import StudyFileError
from rarefactor.simulate import read_truth, simulate_cohort
from rarefactor.spec import load

EXAMPLE = Path(__file__).parents[3] / "examples" / "anm-srp"

MISTAKES = {
    "unknown key": ("patients: 48 ", "patient: 48 ", "key patient: found an unknown key"),
    "a word for a number": ("prevalence: 0.325", "prevalence: a third", 'found "a third"; expected a number'),
    "a share above one": ("share: 0.41", "share: 41", "expected a number, at most 1"),
    "two distributions": ("draw: {share: 0.41}", "draw: {share: 0.41, mean: 3}", "found share and mean"),
    "shares that do not add up": ('{"1": 0.39, "2": 0.61}', '{"1": 0.39, "2": 0.51}', "shares that add up to 0.9"),
    "a code of no choice": ('{"1": 0.39, "2": 0.61}', '{"1": 0.39, "3": 0.61}', "found a share of 3"),
    "a factor that the study lacks": ("male: 19.57", "mael: 19.57", "Did you mean male?"),
    "a visit that the study lacks": (
        "month_3: {mean: 0.36",
        "month_4: {mean: 0.36",
        "found month_4, which is not known here",
    ),
    "a measure without its baseline": ("  haq: {baseline", "  hag: {baseline", "found nothing about haq"),
    "a muscle without weight": ("mmt_ankle: 0.5", "mmt_foot: 0.5", "found no weight of mmt_ankle"),
    "a field that nothing is drawn for": (
        "label: Dysphagia, draw: {share: 0.41}",
        "label: Dysphagia",
        "key forms.enrolment.fields.dysphagia: found no draw",
    ),
    "correlations that cannot be": ("r: 0.55", "r: -0.95", "found correlations that cannot all hold"),
    "a factor with several levels": ("mhc1: 3.0", "mhc1: 3.0\n    tis3: 2", "found tis3, which is not known here"),
}


@pytest.mark.parametrize(("right", "wrong", "said"), MISTAKES.values(), ids=MISTAKES)
def test_mistakes_are_told(tmp_path: Path, right: str, wrong: str, said: str) -> None:
    text = (EXAMPLE / "truth.yaml").read_text(encoding="utf-8")
    assert right in text
    path = tmp_path / "truth.yaml"
    path.write_text(text.replace(right, wrong, 1), encoding="utf-8")
    with pytest.raises(StudyFileError) as found:
        simulate_cohort(load(EXAMPLE / "study.yaml"), read_truth(path), np.random.default_rng(1), intercept=0.0)
    message = str(found.value)
    assert said in message
    assert f"{path}, line " in message


def test_a_study_without_a_score_is_refused() -> None:
    with pytest.raises(StudyFileError, match="found no Total Improvement Score"):
        simulate_cohort(
            load(EXAMPLE.parent / "pbc48" / "study.yaml"), read_truth(EXAMPLE / "truth.yaml"), np.random.default_rng(1)
        )
