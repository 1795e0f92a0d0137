"""The univariable screen: every factor alone against the outcome, by maximum likelihood, Firth and, if asked, log-F.

Convention: a factor is one column of numbers, or one column per level but the first (indicators); NaN is missing, and
each factor uses its own complete cases. Factors of one shape are fitted in one batch, those with few values as tables
of counts. A factor that cannot be analysed is a value with a reason; the others go on.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike

from rarefactor.stats._arrays import Bools, Floats
from rarefactor.stats._inputs import check_level, check_outcome, raise_input, read_array
from rarefactor.stats._tails import compute_chi2_tail, compute_normal_quantile, compute_normal_tail
from rarefactor.stats.logistic import ManyFits, TermTest, fit_many

SPARSE_CELL = 5
SPARSE_EVENTS_PER_COLUMN = 10.0

PORTION = 10_000_000
"""Numbers of the factors that are fitted in one call: some hundred megabytes at work."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ScreenedFit:
    """One factor's coefficients by one method, without the intercept.

    ``coef``, ``se``, ``p``, ``lr_chisq``, ``wald_p`` (m,) and ``ci``, ``wald_ci`` (m, 2): log odds ratios per unit.
    ``ci`` and ``p`` are of the (penalised) likelihood ratio; ``term`` tests all columns together.
    """

    coef: Floats
    se: Floats
    ci: Floats
    p: Floats
    lr_chisq: Floats
    wald_ci: Floats
    wald_p: Floats
    term: TermTest
    converged: bool
    reason: str


@dataclass(frozen=True, slots=True, kw_only=True)
class ScreenedFactor:
    """One factor alone against the outcome.

    ``cells`` (levels, 2) counts patients without and with the event at each level (None for a continuous factor);
    ``epv`` is the smaller outcome class per column. ``logf`` is None unless asked for.
    ``flags``: sparse (a cell below 5, or epv below 10), separated.
    ``reason`` says why there are no fits, empty where there are.
    """

    name: str
    n: int
    events: int
    missing: int
    cells: Floats | None
    epv: float
    ml: ScreenedFit
    firth: ScreenedFit
    flags: tuple[str, ...]
    reason: str
    logf: ScreenedFit | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class _Factor:
    """A factor as it was given: ``columns`` (n, m) with NaN, ``complete`` (n,), its table of counts if it has one."""

    name: str
    columns: Floats
    complete: Bools
    cells: Floats | None
    reason: str

    @property
    def table(self) -> Floats | None:
        """The counts (levels, 2) that say all there is to be known, None where the patients are needed."""
        return None if self.reason else self.cells


@dataclass(frozen=True, slots=True, kw_only=True)
class _Group:
    """Factors to be fitted in step: ``columns`` (F, r, m), ``outcome`` (F or 1, r), ``weights`` (F, r).

    The rows are patients, or, where a factor has few values, its values beside both outcomes, weighted by their counts.
    """

    columns: Floats
    outcome: Floats
    weights: Floats


def fit_screen(
    factors: Mapping[str, ArrayLike], y: ArrayLike, *, level: float = 0.95, prior_m: float | None = None
) -> dict[str, ScreenedFactor]:
    """Analyse every factor alone, with complete cases per factor.

    Parameters
    ----------
    factors
        For each name (n,) numbers, or (n, m) indicators of the levels but the first; NaN is missing.
    y
        Outcome (n,) in {0, 1}.
    level
        The confidence level.
    prior_m
        The strength of log-F(m, m) priors, per unit of each column as passed, for a third fit; None for none.

    Returns
    -------
    dict of str to ScreenedFactor
        In the order of ``factors``.

    Raises
    ------
    InputError
        An outcome that is not 0/1 or has one class, or factors of another length than the outcome.

    References
    ----------
    Heinze G, Schemper M. A solution to the problem of separation in logistic regression. Stat Med 2002;21:2409-19.

    Examples
    --------
    >>> screen = fit_screen({"male": np.repeat([0, 1], [30, 25])}, np.repeat([0, 1, 0], [30, 5, 20]))
    >>> screen["male"].cells.tolist(), screen["male"].flags, np.exp(screen["male"].firth.coef).round(2)
    ([[30.0, 0.0], [20.0, 5.0]], ('sparse', 'separated'), array([16.37]))
    """
    outcome = read_array(y, "y")
    check_outcome(outcome)
    check_level(level)
    read = [_read_factor(name, values, outcome) for name, values in factors.items()]
    screened: dict[str, ScreenedFactor] = {}
    for portion in _split(read):
        group = _tabulate(portion) if portion[0].table is not None else _collect(portion, outcome)
        screened.update(_screen_group(portion, group, outcome, level, prior_m))
    return {name: screened[name] for name in factors}


def _read_factor(name: str, values: ArrayLike, outcome: Floats) -> _Factor:
    array = read_array(values, name)
    array = array[:, None] if array.ndim == 1 else array
    if array.ndim != 2 or len(array) != outcome.size or not array.shape[1]:
        raise_input(name, "another shape", f"{outcome.size} rows like the outcome", "Give one row per patient.")
    complete = np.asarray(np.isfinite(array).all(axis=1))
    cells = count_cells(array[complete], outcome[complete])
    reason = _find_reason(array, complete, outcome)
    return _Factor(name=name, columns=array, complete=complete, cells=cells, reason=reason)


def _split(factors: Sequence[_Factor]) -> Iterator[list[_Factor]]:
    """Yield factors that can be fitted in step: of one shape, and not more than memory holds."""
    shapes = [(factor.columns.shape[1], None if factor.table is None else len(factor.table)) for factor in factors]
    for shape in dict.fromkeys(shapes):
        alike = [factor for factor, own in zip(factors, shapes, strict=True) if own == shape]
        size = max(1, PORTION // alike[0].columns.size)
        yield from (alike[first : first + size] for first in range(0, len(alike), size))


def _collect(factors: Sequence[_Factor], outcome: Floats) -> _Group:
    weights = np.stack([factor.complete & (not factor.reason) for factor in factors])
    columns = np.stack([factor.columns for factor in factors])
    return _Group(columns=columns, outcome=outcome[None], weights=weights.astype(np.float64))


def _tabulate(factors: Sequence[_Factor]) -> _Group:
    """Let two rows, without and with the event, stand for all patients at a level: the same likelihood."""
    columns = np.stack([_list_levels(factor) for factor in factors])
    cells = np.stack([factor.table for factor in factors if factor.table is not None])
    outcome = np.tile([0.0, 1.0], cells.shape[1])[None]
    return _Group(columns=np.repeat(columns, 2, axis=1), outcome=outcome, weights=cells.reshape(len(cells), -1))


def _list_levels(factor: _Factor) -> Floats:
    """Return the values (levels, m) of a factor in the order of its table."""
    if factor.columns.shape[1] == 1:
        return np.unique(factor.columns[factor.complete])[:, None]
    return np.eye(factor.columns.shape[1] + 1)[:, 1:]


def _screen_group(
    factors: Sequence[_Factor], group: _Group, outcome: Floats, level: float, prior_m: float | None
) -> dict[str, ScreenedFactor]:
    penalties = ("none", "firth") if prior_m is None else ("none", "firth", "logf")
    fits = [_fit_method(group, (penalty, prior_m or 0.0), level) for penalty in penalties]
    return {factor.name: _describe_factor(factor, outcome, own) for factor, *own in zip(factors, *fits, strict=True)}


def _find_reason(columns: Floats, complete: Bools, outcome: Floats) -> str:
    """Say why a factor cannot be analysed, empty where it can."""
    if not complete.any():
        return "no patient has a value"
    if np.ptp(outcome[complete]) == 0.0:
        return "one outcome class only among patients with a value"
    if (np.ptp(columns[complete], axis=0) == 0.0).any():
        return "one value only"
    return ""


def _fit_method(group: _Group, penalty: tuple[str, float], level: float) -> list[ScreenedFit]:
    """Fit all factors of a group by one method: a penalty and, for log-F, its strength."""
    width = group.columns.shape[2]
    many = fit_many(
        group.columns,
        group.outcome,
        weights=group.weights,
        penalty=penalty[0],
        prior_m=penalty[1],
        tests=True,
        intervals=True,
        level=level,
        columns=range(width),
        terms=() if width == 1 else (range(width),),
    )
    chisq = many.lr_chisq[:, 1] if width == 1 else many.term_chisq[:, 0]
    return _describe_fits(many, chisq, level)


def _describe_fits(many: ManyFits, chisq: Floats, level: float) -> list[ScreenedFit]:
    """Describe all factors at once, ``chisq`` (F,) testing all columns of each together."""
    coef, se, lr_chisq = many.coef[:, 1:], many.se[:, 1:], many.lr_chisq[:, 1:]
    finite = np.isfinite(coef) & np.isfinite(se)
    known, width = np.where(finite, coef, np.nan), np.where(finite, se, 1.0)
    half = compute_normal_quantile(0.5 + 0.5 * level) * np.where(finite, se, np.nan)
    wald_ci, wald_p = np.stack([coef - half, coef + half], axis=2), compute_normal_tail(known / width)
    p, df = compute_chi2_tail(lr_chisq), coef.shape[1]
    whole = compute_chi2_tail(chisq, float(df))
    settled = zip(many.converged.tolist(), many.reason, strict=True)
    return [
        ScreenedFit(
            coef=coef[i],
            se=se[i],
            ci=many.ci[i, 1:],
            p=p[i],
            lr_chisq=lr_chisq[i],
            wald_ci=wald_ci[i],
            wald_p=wald_p[i],
            term=TermTest(chisq=float(chisq[i]), df=df, p=float(whole[i])),
            converged=converged,
            reason=reason,
        )
        for i, (converged, reason) in enumerate(settled)
    ]


def _describe_factor(factor: _Factor, outcome: Floats, fits: Sequence[ScreenedFit]) -> ScreenedFactor:
    events = outcome[factor.complete]
    cells = factor.cells
    smaller = float(min(events.sum(), (1.0 - events).sum()))
    epv = smaller / factor.columns.shape[1]
    sparse = epv < SPARSE_EVENTS_PER_COLUMN or (cells is not None and bool((cells < SPARSE_CELL).any()))
    flags = (("sparse",) if sparse else ()) + (("separated",) if fits[0].reason.startswith("separated") else ())
    return ScreenedFactor(
        name=factor.name, n=events.size, events=int(events.sum()), missing=outcome.size - events.size, cells=cells,
        epv=epv, ml=fits[0], firth=fits[1], flags=flags, reason=factor.reason,
        logf=fits[2] if len(fits) > 2 else None,
    )  # fmt: skip


def count_cells(columns: Floats, outcome: Floats) -> Floats | None:
    """Return patients without and with the event per level (levels, 2), or None for a continuous factor.

    Examples
    --------
    >>> count_cells(np.array([[0.0], [1.0], [1.0]]), np.array([0.0, 1.0, 0.0])).tolist()
    [[1.0, 0.0], [1.0, 1.0]]
    """
    if columns.shape[1] == 1:
        levels = np.unique(columns)
        if levels.size != 2:
            return None
        level = np.searchsorted(levels, columns[:, 0])
    elif np.isin(columns, (0.0, 1.0)).all() and (columns.sum(axis=1) <= 1.0).all():
        level = np.where(columns.any(axis=1), columns.argmax(axis=1) + 1, 0)
    else:
        return None
    size = max(2, columns.shape[1] + 1)
    return np.bincount(2 * level + outcome.astype(np.intp), minlength=2 * size).reshape(-1, 2).astype(np.float64)
