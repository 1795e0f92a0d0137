"""A linear mixed model for repeated measurements: a line per patient, by restricted maximum likelihood.

Convention: X has no intercept; it is added first. Patients differ by a random intercept and, where asked for, a
random slope of one column (time), correlated with it. Fixed effects are tested with Satterthwaite's degrees of freedom.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike

from rarefactor.stats._arrays import Floats, Ints
from rarefactor.stats._inputs import check_columns, check_level, name_columns, raise_input, read_array
from rarefactor.stats._newton import Limits, Maximum, Stop, maximise
from rarefactor.stats._reml import Blocks, Restricted, Solved, build_blocks, compute_df, solve_blocks
from rarefactor.stats._tails import compute_t_quantile, compute_t_tail

CAREFUL = Limits(rounds=200, largest=1.0, step=1e-9, gain=1e-14)
STARTS = (1.0, 0.3, 3.0)
"""Relative standard deviations of the random effects from which the maximum is looked for."""
NUDGES = (0.1, 0.5)
"""Steps away from the best point, from which the search goes on: who rests on a saddle is pushed off."""
SAME = 1e-9
"""Log-likelihoods this near are the same maximum."""
FLAT = 1e-4
"""A relative standard deviation of a random effect below this is on the boundary."""


@dataclass(frozen=True, slots=True, kw_only=True)
class MixedFit:
    """One fitted mixed model: p fixed effects (intercept first), q random effects (intercept, slope), m patients.

    ``coef``, ``se``, ``df``, ``t``, ``p`` (p,); ``ci`` (p, 2); ``covariance`` (p, p). ``random_covariance`` (q, q) and
    ``residual_variance`` are the variance components.

    Per patient, in the order of ``patients``: ``visits`` (m,) are counts; ``effects`` (m, q) the best linear unbiased
    predictions, with ``effects_sd`` (conditional on the fitted model, as lme4 prints it) and ``effects_se`` (of
    prediction, with the uncertainty of the fixed effects); ``lines`` (m, q) each patient's own intercept and slope
    where all other columns are 0, with ``lines_se``.

    ``flags``: singular (a random effect without variance), not_converged.
    """

    names: tuple[str, ...]
    random_names: tuple[str, ...]
    patients: tuple[object, ...]
    visits: Ints
    level: float
    n: int
    coef: Floats
    covariance: Floats
    se: Floats
    df: Floats
    t: Floats
    p: Floats
    ci: Floats
    random_covariance: Floats
    residual_variance: float
    effects: Floats
    effects_sd: Floats
    effects_se: Floats
    lines: Floats
    lines_se: Floats
    loglik: float
    iterations: int
    converged: bool
    reason: str
    flags: tuple[str, ...]


def fit_mixed(
    X: ArrayLike,
    y: ArrayLike,
    patient: ArrayLike,
    *,
    slope: int | None = None,
    names: Sequence[str] | None = None,
    level: float = 0.95,
) -> MixedFit:
    """Fit a random intercept, and a random slope of one column, by restricted maximum likelihood.

    Parameters
    ----------
    X
        Columns (n, p - 1), one row per measurement, without an intercept.
    y
        Measurements (n,).
    patient
        Whose each measurement is (n,), of any type that can be sorted.
    slope
        The place in X of the column (time) whose slope differs between patients; None for an intercept only.
    names
        Names of the columns, for errors and tables.
    level
        The confidence level.

    Returns
    -------
    MixedFit
        With ``converged`` and ``reason``.

    Raises
    ------
    InputError
        Missing values, constant or dependent columns, or fewer measurements than the model has to explain.

    References
    ----------
    Laird NM, Ware JH. Random-effects models for longitudinal data. Biometrics 1982;38:963-74.
    Satterthwaite FE. An approximate distribution of estimates of variance components. Biometrics 1946;2:110-4.
    Bates D, et al. Fitting linear mixed-effects models using lme4. J Stat Softw 2015;67(1).

    Examples
    --------
    Three patients whose strength falls at different rates:

    >>> month = np.tile([0.0, 3, 6, 12], 3)
    >>> strength = [60, 58, 57, 52, 70, 70, 68, 67, 55, 51, 47, 40]
    >>> fit = fit_mixed(month[:, None], strength, np.repeat(["a", "b", "c"], 4), slope=0, names=["month"])
    >>> fit.coef.round(2), fit.df.round(1), fit.lines[:, 1].round(2)
    (array([61.73, -0.73]), array([2., 2.]), array([-0.69, -0.26, -1.23]))
    """
    columns, named, measured, labels, member = _read_visits(X, y, patient, names)
    if slope is not None and not 0 <= slope < columns.shape[1]:
        raise_input(
            "slope", f"place {slope}", f"the place of a column of X, 0 to {columns.shape[1] - 1}", "Count from 0."
        )
    places = (0,) if slope is None else (0, slope + 1)
    design = np.column_stack([np.ones(measured.size), columns])
    units = np.sqrt(np.square(design).mean(axis=0))
    scaled = design / units
    spread = float(measured.std()) or 1.0
    blocks = build_blocks(scaled, scaled[:, list(places)], measured / spread, member)
    _check_replication(blocks)
    top = _climb(Restricted(blocks), len(places))
    facts = _Facts(("(Intercept)", *named), places, labels, np.bincount(member), check_level(level), units, spread)
    return _describe(blocks, top, facts)


def _climb(objective: Restricted, q: int) -> Maximum:
    """Return the highest of the maxima found from several starts.

    A factor without variance is a point where the likelihood is level even if it rises beyond, because it is the same
    for a standard deviation and its negative; a search from one start may rest there.
    """
    unit = np.eye(q)[np.triu_indices(q)]
    start = np.array(STARTS)[:, None] * unit
    first = _pick(maximise(objective, start, np.ones_like(start, dtype=bool), CAREFUL))
    nudged = first.beta + np.array(NUDGES)[:, None] * unit
    return _pick(first, maximise(objective, nudged, np.ones_like(nudged, dtype=bool), CAREFUL))


def _pick(*found: Maximum) -> Maximum:
    """Return the highest maximum, the first of equals; one that converged goes before one that did not."""
    each = [top.take(np.array([row])) for top in found for row in range(len(top.stop))]
    ranks = [(top.stop[0] == Stop.CONVERGED, float(np.nan_to_num(top.point.value[0], nan=-np.inf))) for top in each]
    best = max(ranks)
    return next(top for top, rank in zip(each, ranks, strict=True) if rank[0] == best[0] and rank[1] >= best[1] - SAME)


@dataclass(frozen=True, slots=True)
class _Facts:
    """What the fit was asked for, and the units in which it was made."""

    names: tuple[str, ...]
    places: tuple[int, ...]
    patients: tuple[object, ...]
    visits: Ints
    level: float
    units: Floats
    spread: float


def _read_visits(
    X: ArrayLike, y: ArrayLike, patient: ArrayLike, names: Sequence[str] | None
) -> tuple[Floats, tuple[str, ...], Floats, tuple[object, ...], Ints]:
    columns, measured = read_array(X, "X"), read_array(y, "y")
    if columns.ndim != 2 or measured.ndim != 1 or len(columns) != measured.size:
        raise_input("X, y", f"shapes {columns.shape} and {measured.shape}", "(n, p) and (n,)", "Give a row per visit.")
    named = name_columns(columns.shape[1], names)
    if not np.isfinite(measured).all():
        raise_input("y", "missing or infinite values", "a measurement in every row", "Leave the rows out.")
    check_columns(columns, named)
    labels, member = np.unique(np.asarray(patient), return_inverse=True)
    if member.shape != measured.shape:
        raise_input("patient", f"shape {member.shape}", f"shape {measured.shape} like y", "Give one label per row.")
    return columns, named, measured, tuple(labels.tolist()), member


def _check_replication(blocks: Blocks) -> None:
    patients, q = blocks.zy.shape
    if blocks.rows <= patients * q or patients <= q:
        found = f"{blocks.rows} measurements of {patients} patients"
        raise_input("patient", found, f"more than {q} measurements per patient on average", "Use fewer random effects.")


def _describe(blocks: Blocks, top: Maximum, facts: _Facts) -> MixedFit:
    """Return to the units of the columns and of y."""
    now = solve_blocks(blocks, top.beta)
    stop = Stop(int(top.stop[0]))
    converged = stop is Stop.CONVERGED
    blank = 1.0 if converged else np.nan
    variance = float(now.rss[0]) / blocks.df
    lift, random_units = facts.spread / facts.units, facts.units[list(facts.places)]
    covariance = now.cov[0] * variance * np.outer(lift, lift) * blank
    coef, se = now.beta[0] * lift * blank, np.sqrt(np.diagonal(covariance))
    df = compute_df(blocks, top.beta, np.eye(coef.size)) * blank
    t = coef / se
    half = np.array([compute_t_quantile(0.5 + 0.5 * facts.level, float(d)) for d in df]) * se
    random_lift = facts.spread / random_units
    effects, sd, prediction, line = _predict(now, facts.places, variance)
    singular = bool(np.linalg.eigvalsh(now.psi[0])[0] < FLAT**2)
    return MixedFit(
        names=facts.names, random_names=tuple(facts.names[place] for place in facts.places),
        patients=facts.patients, visits=facts.visits, level=facts.level, n=blocks.rows,
        coef=coef, covariance=covariance, se=se, df=df, t=t,
        p=np.array([compute_t_tail(float(a), float(b)) for a, b in zip(t, df, strict=True)]),
        ci=np.column_stack([coef - half, coef + half]),
        random_covariance=now.psi[0] * variance * np.outer(random_lift, random_lift) * blank,
        residual_variance=variance * facts.spread**2 * blank,
        effects=effects * random_lift * blank, effects_sd=sd * random_lift * blank,
        effects_se=prediction * random_lift * blank,
        lines=effects * random_lift * blank + coef[list(facts.places)], lines_se=line * random_lift * blank,
        loglik=(float(top.point.value[0] + Restricted(blocks).constant()[0]) - blocks.df * float(np.log(facts.spread))
                - float(np.log(facts.units).sum())) * blank,
        iterations=int(top.rounds[0]), converged=converged,
        reason="" if converged else "not converged: the restricted likelihood has no maximum that could be found",
        flags=(("singular",) if singular else ()) + (() if converged else ("not_converged",)),
    )  # fmt: skip


def _predict(now: Solved, places: tuple[int, ...], variance: float) -> tuple[Floats, Floats, Floats, Floats]:
    """Return the patients' effects (m, q), and their conditional SD, standard error of prediction and that of lines."""
    psi, cov = now.psi[0], now.cov[0]
    effects = now.pull[0] @ psi
    shrunk = psi @ now.across[0]
    conditional = psi - psi @ now.middle[0] @ psi
    prediction = conditional + shrunk @ cov @ shrunk.transpose(0, 2, 1)
    shared = np.diagonal((shrunk @ cov)[:, :, list(places)], axis1=1, axis2=2)
    fixed = np.diagonal(cov)[list(places)]
    own, full = (np.diagonal(matrix, axis1=1, axis2=2) for matrix in (conditional, prediction))
    parts = (own, full, full + fixed - 2.0 * shared)
    sd, se, line = (np.sqrt(np.maximum(part, 0.0) * variance) for part in parts)
    return effects, sd, se, line
