"""Simulated studies: how sure their shares are, and that as many are separated as patients drawn one by one show."""

import math

import numpy as np
import polars as pl
import pytest

from rarefactor.analyse._simulated import Question, analyse_design
from rarefactor.derive import LandmarkTable
from rarefactor.results import FactorInfo, ModelInfo
from rarefactor.stats import detect_separation

DRAWN, AGAIN = 300, 150
N, EVENTS, RARE = 40, 13, 4
INFO = ModelInfo(name="both", label="Both", landmark="baseline", factors=("rare", "common"))
FACTORS = tuple(
    FactorInfo(
        name=name, label=name, kind="binary", role="marker", measured_at="", definition="", levels=("Yes", "No"),
        reference="No",
    )
    for name in ("rare", "common")
)  # fmt: skip


def simulate(odds_ratio):
    columns = {
        "subject": [str(place) for place in range(N)],
        "outcome": [place < EVENTS for place in range(N)],
        "rare": ["Yes" if place < RARE else "No" for place in range(N)],
        "common": ["Yes" if place % 2 else "No" for place in range(N)],
    }
    frame = pl.DataFrame(columns)
    table = LandmarkTable(
        landmark="baseline", frame=frame, factors=INFO.factors, measured=frame, parts=(), recipes={}
    )  # fmt: skip
    question = Question(data_sets=DRAWN, odds_ratios=(odds_ratio,), level=0.95, seed=1, given={"rare": odds_ratio})
    return analyse_design(table, FACTORS, INFO, question).rows


def draw_share(odds_ratio, rng):
    """The share of separated studies, drawn patient by patient and judged by linear programming."""
    low, high, rare = -6.0, 6.0, RARE / N
    for _ in range(40):
        middle = 0.5 * (low + high)
        rate = (1.0 - rare) / (1.0 + math.exp(-middle)) + rare / (1.0 + math.exp(-middle) / odds_ratio)
        low, high = (middle, high) if rate < EVENTS / N else (low, middle)
    separated = []
    while len(separated) < AGAIN:
        x = (rng.random((N, 2)) < (RARE / N, 0.5)).astype(float)
        y = (rng.random(N) < 1.0 / (1.0 + np.exp(-low - x[:, 0] * math.log(odds_ratio)))).astype(float)
        if 0 < y.sum() < N and np.ptp(x, axis=0).all():
            separated.append(detect_separation(x, y, names=("rare", "common")).kind != "none")
    return float(np.mean(separated))


def test_as_many_studies_are_separated_as_when_patients_are_drawn_one_by_one():
    odds_ratio = 8.0
    rows = {(row.measure, row.method): row for row in simulate(odds_ratio)}
    error = rows["monte_carlo_error", None].estimate
    assert error == pytest.approx(math.sqrt(0.25 / DRAWN))
    again = draw_share(odds_ratio, np.random.default_rng(3))
    both = math.hypot(error, math.sqrt(0.25 / AGAIN))
    assert rows["separated", "ml"].estimate == pytest.approx(again, abs=2.0 * both)
