"""What is validated: a whole procedure, from resamples to predictions for the original patients.

A procedure is anything that takes case weights (B, n), how often each patient was drawn, and returns the predicted log
odds (B, n) of all n patients by the model that it built from the drawn ones alone. Imputation and selection belong
inside.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Protocol

import numpy as np

from rarefactor.stats._arrays import Bools, Floats, Ints
from rarefactor.stats._estimable import fit_estimable
from rarefactor.stats._risk import compute_log_odds
from rarefactor.stats.flic import correct_risks, fit_many_risks
from rarefactor.stats.logistic import fit_many


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
    """Fit the same columns every time; a penalised fit leaves out a column with one value in a resample.

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
        if self.method != "none":
            coef, reason = fit_estimable(self.columns, self.outcome, weights, start=start)
            coef, reason = correct(coef, reason, (self.columns, self.outcome, weights), self.method)
            return Predictions(log_odds=compute_log_odds(coef, self.columns), reason=reason)
        fits = fit_many_risks(self.columns, self.outcome, method=self.method, weights=weights, start=start)
        return Predictions(log_odds=fits.log_odds, reason=fits.reason)


def correct(
    coef: Floats, reason: tuple[str, ...], data: tuple[Floats, Floats, Floats], method: str
) -> tuple[Floats, tuple[str, ...]]:
    """Return Firth coefficients corrected for predicting; ``data`` are columns, outcome and weights."""
    if method == "none":
        return coef, reason
    corrected, later = correct_risks(coef, *data, method=method)
    return corrected, tuple(first or second for first, second in zip(reason, later, strict=True))


def _fit_ml(columns: Floats, outcome: Floats) -> tuple[Floats, tuple[str, ...]]:
    fits = fit_many(columns, outcome, penalty="none")
    return np.where(fits.converged[:, None], fits.coef, np.nan), fits.reason


def _choose_start(method: str) -> str:
    """Start from the penalised fit, which exists where maximum likelihood may not."""
    return "none" if method == "none" else "firth"


class Imputer(Protocol):
    """Completes the drawn patients of R resamples, m times each, knowing no others."""

    def __call__(self, rows: Ints) -> tuple[Floats, tuple[str, ...]]:
        """Return columns (R, m, n, p) of the patients in ``rows`` (R, n), and why a resample could not be completed."""
        ...


@dataclass(frozen=True, slots=True, kw_only=True)
class ImputedProcedure:
    """Impute every resample anew, fit each completion, average the coefficients, and predict for all patients.

    ``completed`` (m, n, p) are the imputations of all patients, in whom predictions are made (their log odds are
    averaged); ``impute`` completes the resamples, ``portion`` at a time; ``method`` as in :func:`fit_many_risks`.

    References
    ----------
    Wahl S, Boulesteix AL, Zierer A, Thorand B, van de Wiel MA. Assessment of predictive performance in incomplete data
    by combining internal validation and multiple imputation. BMC Med Res Methodol 2016;16:144.

    Examples
    --------
    With nothing missing there is nothing to average.

    >>> x = np.array([[1.0], [2.0], [3.0], [4.0], [5.0], [9.0]])
    >>> y = np.array([0.0, 1, 0, 1, 0, 1])
    >>> copy = lambda rows: (x[rows][:, None], ("",) * len(rows))
    >>> procedure = ImputedProcedure(completed=x[None], outcome=y, impute=copy)
    >>> procedure(np.ones((1, 6))).log_odds.round(2).tolist()
    [[-0.59, -0.39, -0.19, 0.01, 0.21, 1.01]]
    """

    completed: Floats
    outcome: Floats
    impute: Imputer
    method: str = "flic"
    portion: int = 100

    def __call__(self, weights: Floats) -> Predictions:
        """Impute, fit and predict from each row of whole case weights (B, n), which must add up to n."""
        n = self.outcome.size
        rows = np.repeat(np.tile(np.arange(n), len(weights)), weights.astype(np.intp).ravel()).reshape(-1, n)
        parts = [self._build(rows[first : first + self.portion]) for first in range(0, len(rows), self.portion)]
        log_odds = compute_log_odds(np.concatenate([coef for coef, _ in parts]), self.completed.mean(axis=0))
        return Predictions(log_odds=log_odds, reason=tuple(each for _, reason in parts for each in reason))

    def _build(self, rows: Ints) -> tuple[Floats, tuple[str, ...]]:
        """Return the averaged coefficients (R, k), and why there are none."""
        columns, missing = self.impute(rows)
        resamples, m = columns.shape[:2]
        flat = columns.reshape(resamples * m, *columns.shape[2:])
        outcome = np.repeat(self.outcome[rows], m, axis=0)
        coef, reason = _fit_ml(flat, outcome) if self.method == "none" else fit_estimable(flat, outcome)
        coef, reason = correct(coef, reason, (flat, outcome, np.ones((1, outcome.shape[1]))), self.method)
        why = [next(filter(None, reason[first : first + m]), "") for first in range(0, len(reason), m)]
        averaged = coef.reshape(resamples, m, -1).mean(axis=1)
        return averaged, tuple(first or second for first, second in zip(missing, why, strict=True))
