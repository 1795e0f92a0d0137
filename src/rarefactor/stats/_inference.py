"""From a maximum to what is reported: likelihood-ratio tests and profile intervals, for a batch at once."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from rarefactor.stats._arrays import Bools, Floats, Ints
from rarefactor.stats._batch import DEFAULT_PRIOR
from rarefactor.stats._inputs import check_penalty
from rarefactor.stats._likelihood import Logistic
from rarefactor.stats._newton import Maximum, Stop, maximise
from rarefactor.stats._penalty import Firth, LogF, MaximumLikelihood, Objective
from rarefactor.stats._profile import NULL, search_concave, walk_profiles
from rarefactor.stats._tails import compute_normal_quantile

HELD_VALUE = 0.0
"""The value of a coefficient under the hypothesis that it has no effect."""


def choose_objective(likelihood: Logistic, penalty: str, prior: Floats | None = None) -> Objective:
    """Return what is maximised under a penalty; ``prior`` (1 or B, k) is of log-F, by default on all but the first."""
    if check_penalty(penalty) != "logf":
        return {"none": MaximumLikelihood, "firth": Firth}[penalty](likelihood)
    if prior is None:
        prior = np.full((1, likelihood.width), DEFAULT_PRIOR)
        prior[0, 0] = 0.0
    return LogF(likelihood, prior)


def compute_lr_held(objective: Objective, top: Maximum, held: Bools) -> Floats:
    """Return the likelihood-ratio chi-squares (B, m) of m hypotheses, ``held`` (m, k) naming the coefficients at 0.

    The constrained fits keep the penalty of the objective, and so of all columns. NaN where a fit failed.
    """
    problems, hypotheses = top.beta.shape[0], held.shape[0]
    origin = np.repeat(np.arange(problems), hypotheses)
    fixed = np.tile(held, (problems, 1))
    start = _derive_start(top, origin, fixed)
    bottom = maximise(objective.take(origin), start, ~fixed)
    usable = _has_value(bottom.stop) & _has_value(top.stop)[origin]
    highest, lower = np.where(usable, top.point.value[origin], np.nan), np.where(usable, bottom.point.value, np.nan)
    chisq = 2.0 * (highest - lower)
    return np.maximum(chisq, 0.0).reshape(problems, hypotheses)


def _has_value(stop: Ints) -> Bools:
    """Say where the best value is known: at a maximum, or at the supremum of separated data."""
    return (stop == Stop.CONVERGED) | (stop == Stop.SEPARATED)


def _derive_start(top: Maximum, origin: Ints, fixed: Bools) -> Floats:
    """Return the maximum with the held coefficients at 0; all at 0 where it is separated."""
    finite = (top.stop == Stop.CONVERGED)[origin][:, None]
    return np.where(fixed | ~finite, HELD_VALUE, top.beta[origin])


def compute_profiles(objective: Objective, top: Maximum, *, tests: bool, level: float | None) -> tuple[Floats, Floats]:
    """Return likelihood-ratio chi-squares (B, k) and profile bounds (B, k, 2); NaN where not asked for."""
    drop = 0.5 * compute_normal_quantile(0.5 + 0.5 * (level or 0.5)) ** 2
    sides = ((-1.0, 1.0) if level else ()) + ((NULL,) if tests else ())
    found = np.full((*top.beta.shape, 3), np.nan)
    asked = [{-1.0: 0, 1.0: 1, NULL: 2}[side] for side in sides]
    smooth, separated = np.flatnonzero(top.stop == Stop.CONVERGED), np.flatnonzero(top.stop == Stop.SEPARATED)
    if smooth.size and sides:
        walked = walk_profiles(objective.take(smooth), top.take(smooth), drop, sides)
        for place, values in zip(asked, np.moveaxis(walked, 2, 0), strict=True):
            found[smooth, :, place] = values
    if separated.size:
        _fill_separated(found, separated, (objective.take(separated), top.take(separated)), drop, sides)
    return found[..., 2], found[..., :2]


def _fill_separated(
    found: Floats, rows: Ints, problem: tuple[Objective, Maximum], drop: float, sides: tuple[float, ...]
) -> None:
    """Fill in tests and bounds against the supremum."""
    objective, top = problem
    if NULL in sides:
        found[rows, :, 2] = compute_lr_held(objective, top, np.eye(top.beta.shape[1], dtype=bool))
    if 1.0 in sides:
        found[rows, :, :2] = search_concave(objective, top, drop)


def compute_lr_terms(objective: Objective, top: Maximum, terms: Sequence[Sequence[int]]) -> Floats:
    """Return the likelihood-ratio chi-squares (B, m) of terms given by the places of their coefficients."""
    if not terms:
        return np.empty((len(top.beta), 0))
    held = np.zeros((len(terms), top.beta.shape[1]), dtype=bool)
    for row, places in zip(held, terms, strict=True):
        row[list(places)] = True
    return compute_lr_held(objective, top, held)
