"""Limits of corrected performance, where they hold the truth, and why there are none elsewhere."""

from types import SimpleNamespace

import numpy as np
import pytest

from rarefactor.analyse._performance import MEASURES, _corrected_rows, _limit_notes, say_why_no_slope
from rarefactor.results import Estimate, ModelInfo
from rarefactor.stats import compute_auc


def corrected(scores, optimism):
    outcome = np.repeat([1.0, 0.0], 6)
    measures = {name: SimpleNamespace(optimism=0.0, corrected=0.5) for name in MEASURES.values()}
    measures["auc"] = SimpleNamespace(optimism=optimism, corrected=compute_auc(outcome, scores).estimate - optimism)
    base = Estimate(analysis="performance", measure="", estimate=None)
    auc = compute_auc(outcome, scores)
    rows = _corrected_rows(SimpleNamespace(measures=measures, plus632={}), auc, 0.95, base)
    return auc, {row.measure: row for row in rows if row.method == "optimism_corrected"}


def test_a_corrected_auc_is_no_surer_than_the_apparent_one():
    apparent, rows = corrected(np.array([3, 5, 8, 9, 10, 12, 1, 2, 4, 6, 7, 11]) / 13, 0.08)
    row = rows["auc"]
    assert 0 < row.low < row.estimate < row.high < 1
    assert row.high - row.low > apparent.high - apparent.low
    assert row.high < apparent.high


def test_no_other_corrected_measure_has_an_interval():
    _, rows = corrected(np.array([3, 5, 8, 9, 10, 12, 1, 2, 4, 6, 7, 11]) / 13, 0.08)
    assert {measure for measure, row in rows.items() if row.low is not None} == {"auc"}


def test_risks_that_part_the_patients_give_no_interval_and_it_is_said_why():
    apparent, rows = corrected(np.arange(12, 0, -1) / 13, 0.1)
    assert (rows["auc"].low, rows["auc"].high) == (None, None)
    info = ModelInfo(name="both", label="Both", landmark="baseline", factors=())
    optimism = SimpleNamespace(measures={"auc": SimpleNamespace(optimism=0.1)})
    assert ["part patients" in note.text for note in _limit_notes(info, optimism, apparent)] == [True]


@pytest.mark.parametrize(
    ("apparent", "used", "told"),
    [
        (np.nan, 90, ["There is no calibration slope"]),
        (1.6, 0, ["The calibration slope cannot be corrected: in every resample"]),
        (1.6, 40, ["The correction of the calibration slope rests on 40 of 90 resamples"]),
        (1.6, 90, []),
    ],
    ids=["all patients parted", "every resample parted", "some resamples parted", "none parted"],
)
def test_where_there_is_no_calibration_slope_the_reason_is_told(apparent, used, told):
    optimism = SimpleNamespace(measures={"slope": SimpleNamespace(used=used)}, resamples=100, failed=10)
    said = list(say_why_no_slope(apparent, optimism))
    assert len(said) == len(told)
    assert all(text.startswith(start) for text, start in zip(said, told, strict=True))
    assert list(say_why_no_slope(1.2, None)) == []
