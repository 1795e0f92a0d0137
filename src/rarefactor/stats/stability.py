"""Stability of a selection: what would have been selected, had other patients been in the study.

Convention: the selection is repeated in every resample and compared with the full model of all patients. The estimate
of a column that was not selected is 0. Resamples whose last fit failed are left out and counted.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import partial

import numpy as np
from numpy.typing import ArrayLike

from rarefactor.stats._arrays import Bools, Floats
from rarefactor.stats._inputs import read_array
from rarefactor.stats.imputed_selection import stack
from rarefactor.stats.logistic import ManyFits, fit_many
from rarefactor.stats.select import SelectionRule, Selections, fit_selection

MODELS = 20


@dataclass(frozen=True, slots=True, kw_only=True)
class ModelFrequency:
    """A set of terms and the share of resamples that selected exactly these."""

    terms: tuple[str, ...]
    share: float


@dataclass(frozen=True, slots=True, kw_only=True)
class ColumnStability:
    """What selection does to the coefficients of the p columns (log odds ratios, without the intercept), each (p,).

    ``full`` and ``full_se`` are of the full model of all patients, ``selected`` of the selected one (0 where left out).
    Over the resamples: ``median``, ``low``, ``high`` (percentiles); ``rmsd_ratio``, the root mean squared difference
    from the full model over ``full_se`` (above 1: selection adds to the uncertainty); ``conditional_bias``, the mean
    estimate where selected over the full one, less 1 (0.5: 50 % too far from zero).
    """

    full: Floats
    full_se: Floats
    selected: Floats
    median: Floats
    low: Floats
    high: Floats
    rmsd_ratio: Floats
    conditional_bias: Floats


@dataclass(frozen=True, slots=True, kw_only=True)
class Stability:
    """How stable a selection is.

    ``inclusion`` (t,) and ``joint`` (t, t) are shares of resamples that selected a term, or both of two; ``models`` are
    the most frequent sets, ``selected`` the set found with all patients and ``selected_share`` how often it came
    out again.
    """

    names: tuple[str, ...]
    rule: SelectionRule
    selected: tuple[str, ...]
    selected_share: float
    inclusion: Floats
    joint: Floats
    models: tuple[ModelFrequency, ...]
    columns: ColumnStability
    resamples: int
    failed: int
    reasons: dict[str, int]


def compute_stability(
    X: ArrayLike,
    y: ArrayLike,
    weights: ArrayLike,
    *,
    terms: Mapping[str, Sequence[int]] | None = None,
    rule: SelectionRule | None = None,
    level: float = 0.95,
) -> Stability:
    """Repeat a selection in resamples.

    Parameters
    ----------
    X
        Columns (n, p) without an intercept, or imputations (m, n, p): resample b is taken from imputation b modulo m,
        and all patients are the m imputations stacked, each with weight 1/m.
    y
        Outcome (n,) in {0, 1}.
    weights
        How often each patient stands in each resample (B, n); see :func:`draw_resamples`.
    terms, rule
        As for :func:`fit_selection`.
    level
        The share of resampled estimates between ``low`` and ``high``.

    Returns
    -------
    Stability
        Inclusion frequencies, joint and model frequencies, and what selection does to the coefficients.

    Raises
    ------
    InputError
        As for :func:`fit_selection`.

    References
    ----------
    Heinze G, Wallisch C, Dunkler D. Variable selection - a review and recommendations for the practicing statistician.
    Biom J 2018;60:431-49.
    Heymans MW, van Buuren S, Knol DL, van Mechelen W, de Vet HCW. Variable selection under multiple imputation using
    the bootstrap in a prognostic study. BMC Med Res Methodol 2007;7:33.

    Examples
    --------
    >>> from rarefactor.stats.resampling import draw_resamples
    >>> rng = np.random.default_rng(7)
    >>> x = rng.normal(size=(60, 3))
    >>> y = (1.5 * x[:, 0] + rng.logistic(size=60) > 0.5).astype(float)
    >>> found = compute_stability(x, y, draw_resamples(60, 100, rng))
    >>> bool(found.inclusion[0] > found.inclusion[1]), found.failed
    (True, 0)
    """
    rule = rule or SelectionRule()
    columns, counts = read_array(X, "X"), read_array(weights, "weights")
    completed = columns if columns.ndim == 3 else columns[None]
    stacked, outcome, shares = stack(completed[None], read_array(y, "y")[None])
    whole = fit_selection(stacked[0], outcome[0], terms=terms, rule=rule, weights=shares)
    drawn = _select_in_turn(completed, read_array(y, "y"), counts, partial(fit_selection, terms=terms, rule=rule))
    full = fit_many(stacked[0], outcome[0], penalty=rule.penalty, weights=shares)
    usable = np.array([not reason for reason in drawn.reason], dtype=bool)
    chosen, share = drawn.selected[usable], 1.0 / max(1, int(usable.sum()))
    counted = chosen.astype(np.float64)
    return Stability(
        names=whole.names,
        rule=rule,
        selected=_name(whole.selected[0], whole.names),
        selected_share=float(np.asarray(chosen == whole.selected[0]).all(axis=1).sum() * share),
        inclusion=counted.sum(axis=0) * share,
        joint=counted.T @ counted * share,
        models=_count_models(chosen, whole.names),
        columns=_compute_columns(full, whole, drawn.coef[usable, 1:], level),
        resamples=len(usable),
        failed=int((~usable).sum()),
        reasons=dict(Counter(reason for reason in drawn.reason if reason)),
    )


def _select_in_turn(
    completed: Floats, outcome: Floats, counts: Floats, select: Callable[..., Selections]
) -> Selections:
    """Select in each resample (B, n), taking the imputations (m, n, p) in turn; those of one imputation share it."""
    m, order = len(completed), np.argsort(np.arange(len(counts)) % len(completed), kind="stable")
    found = [select(completed[i], outcome, weights=counts[i::m]) for i in range(min(m, len(counts)))]
    back = np.argsort(order)
    reasons = [reason for each in found for reason in each.reason]
    return Selections(
        names=found[0].names,
        selected=np.concatenate([each.selected for each in found])[back],
        coef=np.concatenate([each.coef for each in found])[back],
        reason=tuple(reasons[place] for place in back),
    )


def _name(selected: Bools, names: tuple[str, ...]) -> tuple[str, ...]:
    return tuple(name for name, taken in zip(names, selected, strict=True) if taken)


def _count_models(selected: Bools, names: tuple[str, ...]) -> tuple[ModelFrequency, ...]:
    """Return the most frequent sets of terms (B, t), the most frequent first."""
    if not len(selected):
        return ()
    sets, counts = np.unique(selected, axis=0, return_counts=True)
    order = np.argsort(-counts, kind="stable")[:MODELS]
    return tuple(ModelFrequency(terms=_name(sets[i], names), share=float(counts[i] / len(selected))) for i in order)


def _compute_columns(full: ManyFits, whole: Selections, drawn: Floats, level: float) -> ColumnStability:
    """Compare the estimates (B, p) of the resamples with the full model."""
    coef, se = full.coef[0, 1:], full.se[0, 1:]
    nothing = np.full(coef.shape, np.nan)
    if not len(drawn):
        median, low, high, rmsd, conditional = (nothing,) * 5
    else:
        tail = 0.5 - 0.5 * level
        median, low, high = np.quantile(drawn, [0.5, tail, 1.0 - tail], axis=0)
        rmsd = np.sqrt(np.square(drawn - coef).mean(axis=0))
        taken = np.asarray(drawn != 0.0).sum(axis=0)
        conditional = np.divide(drawn.sum(axis=0), taken, out=nothing.copy(), where=taken > 0)
    return ColumnStability(
        full=coef,
        full_se=se,
        selected=whole.coef[0, 1:],
        median=median,
        low=low,
        high=high,
        rmsd_ratio=rmsd / se,
        conditional_bias=conditional / coef - 1.0,
    )
