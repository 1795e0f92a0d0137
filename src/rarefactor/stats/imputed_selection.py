"""Selection of factors where values are missing: impute every resample anew, select in all completions at once.

Convention: the m completions of a data set are stacked, each patient's copy with weight 1/m, so that one set of terms
is selected; with nothing missing this is the selection in the data themselves.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from rarefactor.stats._arrays import Floats, Ints
from rarefactor.stats._risk import compute_log_odds
from rarefactor.stats.flic import correct_risks
from rarefactor.stats.procedure import Imputer, Predictions
from rarefactor.stats.select import SelectionRule, fit_selection


@dataclass(frozen=True, slots=True, kw_only=True)
class ImputedSelectionProcedure:
    """Impute every resample anew, select terms in its stacked completions, fit what was selected, and predict.

    ``completed`` (m, n, p), ``outcome``, ``impute`` and ``portion`` as in
    :class:`~rarefactor.stats.procedure.ImputedProcedure`, ``terms`` and ``rule`` as in
    :class:`~rarefactor.stats.select.SelectionProcedure`, and ``risk`` as there.

    References
    ----------
    Wood AM, White IR, Royston P. How should variable selection be performed with multiply imputed data? Stat Med
    2008;27:3227-46.

    Examples
    --------
    With nothing missing it is the selection in the data.

    >>> rng = np.random.default_rng(7)
    >>> x = rng.normal(size=(60, 3))
    >>> y = (1.5 * x[:, 0] + rng.logistic(size=60) > 0.5).astype(float)
    >>> copies = lambda rows: (np.repeat(x[rows][:, None], 2, axis=1), ("",) * len(rows))
    >>> terms = {"a": [0], "b": [1, 2]}
    >>> procedure = ImputedSelectionProcedure(completed=x[None], outcome=y, impute=copies, terms=terms,
    ...                                       rule=SelectionRule())
    >>> from rarefactor.stats.select import SelectionProcedure
    >>> plain = SelectionProcedure(columns=x, outcome=y, terms=terms, rule=SelectionRule())
    >>> bool(np.allclose(procedure(np.ones((1, 60))).log_odds, plain(np.ones((1, 60))).log_odds))
    True
    """

    completed: Floats
    outcome: Floats
    impute: Imputer
    terms: Mapping[str, Sequence[int]] | None
    rule: SelectionRule
    portion: int = 100
    risk: str = "flic"

    def __call__(self, weights: Floats) -> Predictions:
        """Impute, select, fit and predict from each row of whole case weights (B, n), which must add up to n."""
        n = self.outcome.size
        rows = np.repeat(np.tile(np.arange(n), len(weights)), weights.astype(np.intp).ravel()).reshape(-1, n)
        parts = [self._build(rows[first : first + self.portion]) for first in range(0, len(rows), self.portion)]
        log_odds = compute_log_odds(np.concatenate([coef for coef, _ in parts]), self.completed.mean(axis=0))
        return Predictions(log_odds=log_odds, reason=tuple(each for _, reason in parts for each in reason))

    def _build(self, rows: Ints) -> tuple[Floats, tuple[str, ...]]:
        """Return the coefficients (R, k) of the selected models, and why there are none."""
        columns, missing = self.impute(rows)
        stacked, outcome, weights = stack(columns, self.outcome[rows])
        found = fit_selection(stacked, outcome, terms=self.terms, rule=self.rule, weights=weights)
        coef, later = found.coef, ("",) * len(rows)
        if self.rule.penalty == "firth":
            coef, later = correct_risks(coef, stacked, outcome, weights[None], method=self.risk)
        reasons = zip(missing, found.reason, later, strict=True)
        return coef, tuple(next(filter(None, each), "") for each in reasons)


def stack(columns: Floats, outcome: Floats) -> tuple[Floats, Floats, Floats]:
    """Return m completions (R, m, n, p) as one (R, m n, p), with outcomes (R, m n) and weights (m n,)."""
    resamples, m, n = columns.shape[:3]
    stacked = columns.reshape(resamples, m * n, columns.shape[3])
    return stacked, np.tile(outcome, (1, m)), np.full(m * n, 1.0 / m)
