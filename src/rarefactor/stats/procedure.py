"""What is validated: a whole procedure, from resamples to predictions for the original patients.

A procedure is anything that takes case weights (B, n), how often each patient was drawn, and returns the predicted log
odds (B, n) of all n patients by the model that it built from the drawn ones alone. Imputation and selection belong
inside.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Protocol

import numpy as np

from rarefactor.stats._arrays import Bools, Floats
from rarefactor.stats.flic import fit_many_risks


@dataclass(frozen=True, slots=True, kw_only=True)
class Predictions:
    """Predicted log odds (B, n) of the original patients; a row of NaN where the procedure failed and why it did."""

    log_odds: Floats
    reason: tuple[str, ...]

    @property
    def failed(self) -> Bools:
        """Whether each resample gave no model (B,)."""
        return np.asarray(np.isnan(self.log_odds).any(axis=1))


class Procedure(Protocol):
    """Everything that is done with the data until there is a model, for B resamples at once."""

    def __call__(self, weights: Floats) -> Predictions:
        """Build a model from each row of case weights (B, n) and predict for all n patients."""
        ...


@dataclass(frozen=True, slots=True, kw_only=True)
class ModelProcedure:
    """Fit the same columns every time.

    ``columns`` (n, p) without an intercept, ``outcome`` (n,), ``method`` as in :func:`fit_many_risks`.

    Examples
    --------
    >>> x = np.array([[1.0], [2.0], [3.0], [4.0], [5.0], [9.0]])
    >>> procedure = ModelProcedure(columns=x, outcome=np.array([0.0, 1, 0, 1, 0, 1]))
    >>> procedure(np.ones((1, 6))).log_odds.round(2).tolist()
    [[-0.59, -0.39, -0.19, 0.01, 0.21, 1.01]]
    """

    columns: Floats
    outcome: Floats
    method: str = "flic"

    def __call__(self, weights: Floats) -> Predictions:
        """Fit B weighted regressions, starting from the one of all patients."""
        start = fit_many_risks(self.columns, self.outcome, method=_choose_start(self.method)).coef[0]
        start = np.where(np.isfinite(start), start, 0.0)
        fits = fit_many_risks(self.columns, self.outcome, method=self.method, weights=weights, start=start)
        return Predictions(log_odds=fits.log_odds, reason=fits.reason)


def _choose_start(method: str) -> str:
    """Start from the penalised fit, which exists where maximum likelihood may not."""
    return "none" if method == "none" else "firth"
