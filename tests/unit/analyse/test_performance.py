"""Limits of corrected performance, where resamples allow them."""

from types import SimpleNamespace

import numpy as np
import pytest

from rarefactor.analyse._performance import _is_centred, say_why_no_slope


def found(apparent, training):
    return SimpleNamespace(
        training=SimpleNamespace(auc=np.asarray(training)), measures={"auc": SimpleNamespace(apparent=apparent)}
    )


@pytest.mark.parametrize(
    ("apparent", "centred"),
    [(0.80, True), (0.71, False), (0.89, False), (0.73, True)],
    ids=["in the middle", "below nearly all", "above nearly all", "towards one side"],
)
def test_limits_are_given_where_the_resamples_lie_around_the_patients(apparent, centred):
    training = np.append(np.linspace(0.70, 0.90, 101), np.nan)
    assert _is_centred(found(apparent, training), "auc") is centred


def test_without_a_usable_resample_there_are_no_limits():
    assert not _is_centred(found(0.8, [np.nan, np.nan]), "auc")


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
