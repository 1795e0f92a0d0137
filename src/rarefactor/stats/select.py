"""Selection of factors: backward elimination, augmented backward elimination, and univariable P values first.

Convention: a term is one or more columns that stay or go together. P values are of the (penalised) likelihood ratio; a
test keeps the penalty of the columns of the model it is made in, as logistf, and a model without a term is refitted
with a penalty of its own. Selection makes estimates too large and too certain: see `compute_stability`.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike

from rarefactor.errors import suggest
from rarefactor.stats._arrays import Bools, Floats
from rarefactor.stats._batch import read_batch
from rarefactor.stats._elimination import Choice, Models, derive_start, eliminate, screen
from rarefactor.stats._inputs import raise_input
from rarefactor.stats._likelihood import Logistic
from rarefactor.stats._newton import Stop
from rarefactor.stats._risk import compute_log_odds
from rarefactor.stats.flic import correct_risks
from rarefactor.stats.procedure import Predictions

METHODS = ("backward", "augmented", "univariable")
PENALTIES = ("none", "firth")
ROUND_NUMBERS = 1_000_000
"""Numbers that one round touches, about: small enough to stay near the processor (measured at n = 48, 10 terms)."""


@dataclass(frozen=True, slots=True, kw_only=True)
class SelectionRule:
    """How terms are selected.

    ``method``: "backward" drops the term with the largest P value above ``alpha``, one at a time; "augmented" does so
    only where no other odds ratio per standard deviation changes by the share ``tau`` or more; "univariable" keeps the
    terms whose P value alone is at most ``alpha``. Terms in ``keep`` always stay. The default alpha is that of AIC
    for a single column.

    References
    ----------
    Dunkler D, Plischke M, Leffondre K, Heinze G. Augmented backward elimination: a pragmatic and purposeful way to
    develop statistical models. PLoS One 2014;9:e113677.
    """

    method: str = "backward"
    penalty: str = "firth"
    alpha: float = 0.157
    tau: float = 0.05
    keep: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Selections:
    """B selected models: ``selected`` (B, t) of the terms ``names``, ``coef`` (B, k) with 0 for columns left out.

    NaN coefficients where the last fit failed, and ``reason`` (B,) says why.
    """

    names: tuple[str, ...]
    selected: Bools
    coef: Floats
    reason: tuple[str, ...]


def fit_selection(
    X: ArrayLike,
    y: ArrayLike,
    *,
    terms: Mapping[str, Sequence[int]] | None = None,
    rule: SelectionRule | None = None,
    weights: ArrayLike | None = None,
) -> Selections:
    """Select terms in B data sets at once.

    Parameters
    ----------
    X
        Columns (n, p), or (B, n, p), without an intercept.
    y
        Outcome (n,) or (B, n) in {0, 1}.
    terms
        For each term the places of its columns in X, counted from 0; by default every column is a term x1, x2, ...
    rule
        How to select; by default backward elimination.
    weights
        Case weights (n,) or (B, n), for example how often each patient was drawn.

    Returns
    -------
    Selections
        A column with one value in a resample is not estimated there; a fit that fails is a value with a reason.

    Raises
    ------
    InputError
        Terms that do not cover the columns once, an unknown method or term to keep.

    References
    ----------
    Dunkler D, Plischke M, Leffondre K, Heinze G. Augmented backward elimination. PLoS One 2014;9:e113677.
    Heinze G, Schemper M. A solution to the problem of separation in logistic regression. Stat Med 2002;21:2409-19.

    Examples
    --------
    >>> rng = np.random.default_rng(7)
    >>> x = rng.normal(size=(60, 3))
    >>> y = (1.5 * x[:, 0] + rng.logistic(size=60) > 0.5).astype(float)
    >>> fit_selection(x, y, rule=SelectionRule(alpha=0.05)).selected.tolist()
    [[True, False, False]]
    """
    rule = rule or SelectionRule()
    batch = read_batch(X, y, weights=weights, offset=None, fixed=None, start=None)
    named = name_terms(batch.design.shape[2] - 1, terms)
    members = _mark_members(batch.design.shape[2], named)
    choice = _read_rule(rule, tuple(named))
    likelihood, invalid = batch.build()
    models = _select(likelihood, batch.problems, members, choice, rule.method)
    stop = np.where(invalid, Stop.INVALID, models.stop)
    return Selections(
        names=tuple(named),
        selected=models.active,
        coef=np.where((stop == Stop.CONVERGED)[:, None], models.beta / likelihood.scale, np.nan),
        reason=tuple(Stop(code).reason for code in stop.tolist()),
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class SelectionProcedure:
    """Select terms anew in every resample, fit what was selected, and predict for all patients.

    A :class:`~rarefactor.stats.procedure.Procedure`; ``risk``: how Firth fits are corrected ("flic", "flac", "firth").

    Examples
    --------
    >>> rng = np.random.default_rng(7)
    >>> x = rng.normal(size=(60, 3))
    >>> y = (1.5 * x[:, 0] + rng.logistic(size=60) > 0.5).astype(float)
    >>> procedure = SelectionProcedure(columns=x, outcome=y, terms={"a": [0], "b": [1, 2]}, rule=SelectionRule())
    >>> procedure(np.ones((2, 60))).log_odds.shape
    (2, 60)
    """

    columns: Floats
    outcome: Floats
    terms: Mapping[str, Sequence[int]] | None
    rule: SelectionRule
    risk: str = "flic"

    def __call__(self, weights: Floats) -> Predictions:
        """Select, fit and predict from each row of case weights (B, n)."""
        found = fit_selection(self.columns, self.outcome, terms=self.terms, rule=self.rule, weights=weights)
        coef, reason = found.coef, found.reason
        if self.rule.penalty == "firth":
            coef, later = correct_risks(coef, self.columns, self.outcome, weights, method=self.risk)
            reason = tuple(first or second for first, second in zip(reason, later, strict=True))
        return Predictions(log_odds=compute_log_odds(coef, self.columns), reason=reason)


def name_terms(columns: int, terms: Mapping[str, Sequence[int]] | None) -> dict[str, tuple[int, ...]]:
    """Return the terms and their columns, each column in one term."""
    if terms is None:
        return {f"x{place + 1}": (place,) for place in range(columns)}
    named = {name: tuple(places) for name, places in terms.items()}
    if sorted(place for places in named.values() for place in places) != list(range(columns)):
        raise_input("terms", "columns that are in no term or in two", "each column in one term", "Count from 0.")
    return named


def _mark_members(k: int, terms: Mapping[str, Sequence[int]]) -> Bools:
    """Return which of k coefficients (intercept first) belong to which term (t, k)."""
    members = np.zeros((len(terms), k), dtype=bool)
    for row, places in zip(members, terms.values(), strict=True):
        row[[place + 1 for place in places]] = True
    return members


def _read_rule(rule: SelectionRule, names: tuple[str, ...]) -> Choice:
    for argument, value, known in (("method", rule.method, METHODS), ("penalty", rule.penalty, PENALTIES)):
        if value not in known:
            raise_input(argument, repr(value), f"one of {', '.join(known)}", suggest(value, known))
    for name in rule.keep:
        if name not in names:
            raise_input("keep", repr(name), "names of terms", suggest(name, names))
    if not 0.0 < rule.alpha <= 1.0:
        raise_input("alpha", f"{rule.alpha:g}", "a P value between 0 and 1", "Use 0.157 or 0.05.")
    return Choice(
        penalty=rule.penalty,
        alpha=rule.alpha,
        change=float(np.log1p(rule.tau)) if rule.method == "augmented" else np.inf,
        kept=np.array([name in rule.keep for name in names], dtype=bool),
    )


def _select(likelihood: Logistic, problems: int, members: Bools, choice: Choice, method: str) -> Models:
    """Select in portions of which the models without each term fit into a processor's cache."""
    rows, k = likelihood.design.shape[-2:]
    size = max(16, ROUND_NUMBERS // (8 * rows + 4 * k**3))
    start = derive_start(likelihood, choice.penalty)
    parts: list[Models] = []
    for first in range(0, problems, size):
        own = likelihood.take(np.arange(first, min(first + size, problems)))
        if method == "univariable":
            parts.append(screen(own, members, choice))
        else:
            parts.append(eliminate(own, members, choice, start))
    return Models(
        active=np.concatenate([part.active for part in parts]),
        beta=np.concatenate([part.beta for part in parts]),
        stop=np.concatenate([part.stop for part in parts]),
    )
