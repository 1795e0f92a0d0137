"""Three ways from Firth's regression to predicted risks, side by side in the patients from whom the model was made.

Convention: ``method`` of a row is ``firth`` (as it is), ``flic`` (intercept corrected) or ``flac`` (augmented data);
the one that the study file chose has the flag ``used``. Firth's penalty draws risks towards one half, so that their
mean misses the share of events; the corrections are there to meet it.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

import numpy as np

from rarefactor.analyse._multivariable import Model
from rarefactor.analyse._procedure import choose_procedure
from rarefactor.analyse._resampled import draw_rng, number
from rarefactor.derive import LandmarkTable
from rarefactor.results import Estimate
from rarefactor.spec import Analysis
from rarefactor.stats import compute_calibration

METHODS = ("firth", "flic", "flac")


def compare_risk_methods(model: Model, table: LandmarkTable, settings: Analysis, base: Estimate) -> Iterator[Estimate]:
    """Yield the mean risk and the calibration in the large by each method; nothing of one that gave no model."""
    outcome = model.design.y
    for method in METHODS:
        procedure = choose_procedure(model, table, settings, draw_rng(settings.seed, model.info.name, 4), risk=method)
        risk = 1.0 / (1.0 + np.exp(-procedure(np.ones((1, outcome.size))).log_odds[0]))
        if not ((risk > 0.0) & (risk < 1.0)).all():
            continue
        line = compute_calibration(outcome, risk, level=settings.level)
        row = replace(base, method=method, flags=("used",) if method == settings.risk else ())
        yield replace(row, measure="mean_risk", estimate=float(risk.mean()))
        low, high = line.in_the_large_ci
        limits = {"low": number(low), "high": number(high)}
        yield replace(row, measure="calibration_in_the_large", estimate=number(line.in_the_large), **limits)
