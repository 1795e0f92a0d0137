"""Leaving out one patient after the other, among them the only one with a level."""

import dataclasses

import numpy as np
import polars as pl
import pytest

from rarefactor.analyse._design import Columns, Design
from rarefactor.analyse._influence import leave_one_out, refit
from rarefactor.analyse._multivariable import Model
from rarefactor.analyse._sensitivity import find_e_values
from rarefactor.results import Estimate, FactorInfo, ModelInfo
from rarefactor.stats import fit_logistic

AGE = FactorInfo(name="age", label="Age", kind="continuous", role="marker", measured_at="", definition="", unit="years")
RARE = FactorInfo(name="rare", label="Rare", kind="binary", role="marker", measured_at="", definition="")
INFO = ModelInfo(name="both", label="Both", landmark="baseline", factors=("age", "rare"))
BASE = Estimate(analysis="sensitivity", measure="odds_ratio", estimate=None, landmark="baseline", model="both")
RNG = np.random.default_rng(8)
Y = np.tile([1.0, 0.0, 0.0], 8)
SOLE = np.arange(24) == 5


def build(filled=None):
    age = Columns(factor=AGE, terms=("per 1 years",), values=RNG.normal(size=(24, 1)) + 0.4 * Y[:, None])
    rare = Columns(factor=RARE, terms=("Yes",), values=SOLE.astype(float)[:, None])
    frame = pl.DataFrame({"subject": [f"S-{place}" for place in range(24)]})
    design = Design(frame=frame, y=Y, columns=(age, rare))
    return Model(info=INFO, design=design, filled=None if filled is None else np.stack([design.X] * filled), level=0.95)


@pytest.mark.parametrize("filled", [None, 3], ids=["complete", "filled in"])
def test_without_the_only_patient_with_a_level_the_others_are_of_the_model_without_it(filled):
    model = build(filled)
    found = refit(model, 1.0 - np.eye(24))
    alone = fit_logistic(model.design.X[~SOLE, :1], Y[~SOLE])
    assert found.coef[5, :2] == pytest.approx(alone.coef, abs=1e-6)
    assert np.isnan(found.coef[5, 2])
    assert np.isfinite(np.delete(found.coef, 5, axis=0)).all()


def test_who_alone_has_a_level_is_named_and_missing_from_no_range_in_silence():
    rows = list(leave_one_out(build(), BASE))
    named = [(row.factor, row.group) for row in rows if row.measure == "no_odds_ratio_without"]
    assert named == [("rare", "S-5")]
    flags = {row.factor: row.flags for row in rows if row.group == "leave_one_out_lowest"}
    assert flags == {"age": (), "rare": ("only_patient",)}


def test_limits_on_imputed_values_are_those_of_profiles_as_for_all_patients():
    complete = build()
    imputed = dataclasses.replace(complete, filled=np.stack([complete.design.X] * 3))
    expected, found = (
        {(row.measure, row.factor, row.group): row for row in leave_one_out(model, BASE)}
        for model in (complete, imputed)
    )
    assert found.keys() == expected.keys()
    bounded = [key for key, row in found.items() if row.low is not None]
    assert bounded
    for key in bounded:
        limits, exact = ((row.estimate, row.low, row.high) for row in (found[key], expected[key]))
        assert limits == pytest.approx(exact, rel=1e-4), key


def test_a_marker_made_of_the_same_variable_as_the_outcome_has_no_e_value():
    model = build()
    assert {row.factor for row in find_e_values(model, BASE)} == {"age", "rare"}
    assert {row.factor for row in find_e_values(model, BASE, ("age",))} == {"rare"}
