"""From a maximum to what is reported: likelihood-ratio tests and profile intervals, for a batch at once."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from rarefactor.stats._arrays import Bools, Floats, Ints, find_rows, get_namespace, put_rows, send, take_rows
from rarefactor.stats._batch import DEFAULT_PRIOR
from rarefactor.stats._inputs import check_penalty
from rarefactor.stats._likelihood import Logistic
from rarefactor.stats._newton import Maximum, Stop, maximise
from rarefactor.stats._penalty import Firth, Likelihood, LogF, MaximumLikelihood, Objective
from rarefactor.stats._profile import NULL, search_concave, walk_profiles
from rarefactor.stats._tails import compute_normal_quantile

HELD_VALUE = 0.0
"""The value of a coefficient under the hypothesis that it has no effect."""


def choose_objective(likelihood: Logistic, penalty: str, prior: Floats | None = None) -> Objective[Logistic]:
    """Return what is maximised under a penalty; ``prior`` (1 or B, k) is of log-F, by default on all but the first."""
    if check_penalty(penalty) != "logf":
        return {"none": MaximumLikelihood, "firth": Firth}[penalty](likelihood)
    if prior is None:
        prior = np.full((1, likelihood.width), DEFAULT_PRIOR)
        prior[0, 0] = 0.0
    return LogF(likelihood, send(prior, likelihood.scale))


def compute_lr_held(objective: Objective[Likelihood], top: Maximum, held: Bools) -> Floats:
    """Return the likelihood-ratio chi-squares (B, m) of m hypotheses; ``held`` (m, k; NumPy's) names coefficients at 0.

    The constrained fits keep the penalty of the objective, and so of all columns. NaN where a fit failed.
    """
    xp = get_namespace(top.beta)
    problems, hypotheses = top.beta.shape[0], held.shape[0]
    origin = send(np.repeat(np.arange(problems), hypotheses), top.beta)
    fixed = send(np.tile(held, (problems, 1)), top.beta)
    start = _derive_start(top, origin, fixed)
    bottom = maximise(objective.take(origin), start, ~fixed)
    usable = _has_value(bottom.stop) & take_rows(_has_value(top.stop), origin)
    highest = xp.where(usable, take_rows(top.point.value, origin), xp.nan)
    chisq = 2.0 * (highest - xp.where(usable, bottom.point.value, xp.nan))
    return xp.reshape(xp.clip(chisq, 0.0, None), (problems, hypotheses))


def _has_value(stop: Ints) -> Bools:
    """Say where the best value is known: at a maximum, or at the supremum of separated data."""
    return (stop == Stop.CONVERGED.value) | (stop == Stop.SEPARATED.value)


def _derive_start(top: Maximum, origin: Ints, fixed: Bools) -> Floats:
    """Return the maximum with the held coefficients at 0; all at 0 where it is separated."""
    finite = take_rows(top.stop == Stop.CONVERGED.value, origin)[:, None]
    return get_namespace(finite).where(fixed | ~finite, HELD_VALUE, take_rows(top.beta, origin))


@dataclass(frozen=True, slots=True, kw_only=True)
class _Asked:
    """What is asked of the profiles: how far they fall at a bound, of which coefficients, bounds and tests or not."""

    drop: float
    columns: tuple[int, ...]
    bounds: bool
    tests: bool


def compute_profiles(
    objective: Objective[Likelihood],
    top: Maximum,
    *,
    tests: bool,
    level: float | None,
    columns: tuple[int, ...] | None = None,
) -> tuple[Floats, Floats]:
    """Return likelihood-ratio chi-squares (B, k) and profile bounds (B, k, 2); NaN where not asked for.

    ``columns`` are the places of the coefficients asked for, all of them where it is None.
    """
    drop = 0.5 * compute_normal_quantile(0.5 + 0.5 * (level or 0.5)) ** 2
    xp = get_namespace(top.beta)
    found = xp.full((*top.beta.shape, 3), xp.nan, dtype=top.beta.dtype, device=top.beta.device)
    chosen = tuple(range(top.beta.shape[1])) if columns is None else columns
    asked = _Asked(drop=drop, columns=chosen, bounds=level is not None, tests=tests)
    smooth, separated = top.stop == Stop.CONVERGED.value, top.stop == Stop.SEPARATED.value
    for rows, search in ((smooth, _search_smooth), (separated, _search_separated)):
        if (tests or level) and xp.any(rows):
            places = find_rows(rows)
            drawn = search(objective.take(places), top.take(places), asked)
            found = put_rows(found, rows, _spread_columns(drawn, asked.columns, top.beta.shape[1]))
    return found[..., 2], found[..., :2]


def _spread_columns(drawn: Floats, columns: tuple[int, ...], k: int) -> Floats:
    """Return what was found for some coefficients (B, columns, 3) at their places (B, k, 3), NaN elsewhere."""
    if len(columns) == k:
        return drawn
    xp = get_namespace(drawn)
    spread = xp.full((drawn.shape[0], k, 3), xp.nan, dtype=drawn.dtype, device=drawn.device)
    for place, column in enumerate(columns):
        spread[:, column, :] = drawn[:, place, :]
    return spread


def _search_smooth(objective: Objective[Likelihood], top: Maximum, asked: _Asked) -> Floats:
    """Return bounds and chi-squares (B, columns, 3) by walks from the maxima, NaN for what is not wanted."""
    sides = ((-1.0, 1.0) if asked.bounds else ()) + ((NULL,) if asked.tests else ())
    walked = walk_profiles(objective, top, asked.drop, asked.columns, sides)
    nothing = get_namespace(walked).nan * walked[..., :1]
    if asked.bounds and asked.tests:
        return walked
    return get_namespace(walked).concat([walked, nothing] if asked.bounds else [nothing, nothing, walked], axis=2)


def _search_separated(objective: Objective[Likelihood], top: Maximum, asked: _Asked) -> Floats:
    """Return bounds and chi-squares (B, columns, 3) against the supremum, NaN for what is not wanted."""
    xp = get_namespace(top.beta)
    shape = (top.beta.shape[0], len(asked.columns), 3)
    found = xp.full(shape, xp.nan, dtype=top.beta.dtype, device=top.beta.device)
    if asked.bounds:
        found[:, :, :2] = search_concave(objective, top, asked.drop, asked.columns)
    if asked.tests:
        held = np.eye(top.beta.shape[1], dtype=bool)[list(asked.columns)]
        found[:, :, 2] = compute_lr_held(objective, top, held)
    return found


def compute_lr_terms(objective: Objective[Likelihood], top: Maximum, terms: Sequence[Sequence[int]]) -> Floats:
    """Return the likelihood-ratio chi-squares (B, m) of terms given by the places of their coefficients."""
    if not terms:
        return top.beta[:, :0]
    held = np.zeros((len(terms), top.beta.shape[1]), dtype=bool)
    for row, places in zip(held, terms, strict=True):
        row[list(places)] = True
    return compute_lr_held(objective, top, held)
