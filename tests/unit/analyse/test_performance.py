"""Limits of corrected performance, where resamples allow them."""

from types import SimpleNamespace

import numpy as np
import pytest

from rarefactor.analyse._performance import _is_centred


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
