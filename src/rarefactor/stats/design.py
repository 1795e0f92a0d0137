"""What a design can and cannot find: the same small study drawn many times with a known truth.

Convention: factors are binary and independent, and the outcome is logistic in them; the intercept is set so that the
stated share of patients has the event. Patients with the same factors and outcome are one weighted row, so that all
data sets share one small design and differ by their counts only.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike

from rarefactor.stats._arrays import Bools, Floats
from rarefactor.stats._inputs import check_level, check_penalty, raise_input, read_array
from rarefactor.stats._tails import compute_normal_quantile
from rarefactor.stats.logistic import ManyFits, fit_many

PENALTY_OF = {"ml": "none", "firth": "firth", "logf22": "logf"}
MANY_FACTORS = 12


@dataclass(frozen=True, slots=True, kw_only=True)
class MethodDesign:
    """What one method would report, by factor (p,); shares are of the data sets that have both outcomes.

    ``median`` is the median odds ratio and ``bias`` that of its logarithm against the truth; ``doubled`` the share that
    reports at least twice the truth (or half, where the truth is below 1). ``coverage`` and ``width`` (the median ratio
    of the limits) are of the profile intervals (in separated data the width is Wald's, or infinite); ``power`` the
    share whose interval leaves out 1. Among these, ``exaggeration`` is the median ratio of the log odds ratio to the
    truth (type M) and ``wrong_sign`` the share on the other side of 1 (type S). NaN where the truth is 1.
    ``separated`` and ``failed`` are shares of data sets.
    """

    method: str
    median: Floats
    bias: Floats
    doubled: Floats
    coverage: Floats
    width: Floats
    power: Floats
    exaggeration: Floats
    wrong_sign: Floats
    separated: float
    failed: float


@dataclass(frozen=True, slots=True, kw_only=True)
class Design:
    """A simulated design: its truth, and what each method would report.

    ``usable`` is the share of data sets with both outcomes; ``constant`` (p,) that in which a factor has one value.
    """

    n: int
    events: float
    odds_ratios: Floats
    intercept: float
    data_sets: int
    usable: float
    constant: Floats
    methods: tuple[MethodDesign, ...]


def simulate_design(  # noqa: PLR0913 - a design has these parts
    n: int,
    prevalences: ArrayLike,
    event_rate: float,
    odds_ratios: ArrayLike,
    *,
    rng: np.random.Generator,
    data_sets: int = 2000,
    methods: Sequence[str] = ("ml", "firth"),
    level: float = 0.95,
) -> Design:
    """Draw many studies of one design and analyse each by every method.

    Parameters
    ----------
    n
        Patients per study.
    prevalences
        Share of patients with each factor (p,).
    event_rate
        Share of patients with the event.
    odds_ratios
        The true conditional odds ratios (p,).
    rng
        The source of chance.
    data_sets
        How many studies to draw.
    methods
        Among "ml", "firth" and "logf22".
    level
        The level of the intervals.

    Returns
    -------
    Design
        Bias, coverage, power, exaggeration and separation, by method and factor.

    Raises
    ------
    InputError
        Shares outside 0 to 1, odds ratios that are not positive, an unknown method.

    References
    ----------
    Gelman A, Carlin J. Beyond power calculations: assessing type S (sign) and type M (magnitude) errors. Perspect
    Psychol Sci 2014;9:641-51.
    Greenland S, Mansournia MA, Altman DG. Sparse data bias: a problem hiding in plain sight. BMJ 2016;352:i1981.

    Examples
    --------
    >>> design = simulate_design(40, [0.5, 0.4, 0.3], 0.325, [8, 1, 1], rng=np.random.default_rng(1), data_sets=200)
    >>> ml, firth = design.methods
    >>> bool(ml.median[0] > firth.median[0]), bool(ml.separated > 0.02)
    (True, True)
    """
    shares, truth = read_array(prevalences, "prevalences"), read_array(odds_ratios, "odds_ratios")
    _check_design(shares, truth, event_rate)
    known = [PENALTY_OF.get(method) for method in methods]
    if None in known:
        raise_input("methods", "an unknown method", f"methods among {', '.join(PENALTY_OF)}", "Check the names.")
    patterns, chance = _list_patterns(shares)
    intercept = _find_intercept(patterns @ np.log(truth), chance, event_rate)
    risk = 1.0 / (1.0 + np.exp(-intercept - patterns @ np.log(truth)))
    counts = rng.multinomial(n, np.concatenate([chance * (1.0 - risk), chance * risk]), size=data_sets).astype(float)
    half = len(chance)
    mixed = (counts[:, :half].sum(axis=1) > 0.0) & (counts[:, half:].sum(axis=1) > 0.0)
    present = (counts[:, :half] + counts[:, half:]) @ patterns
    fitted = tuple(
        _fit_method(method, patterns, counts[mixed], np.log(truth), check_level(level)) for method in methods
    )
    return Design(
        n=n, events=n * event_rate, odds_ratios=truth, intercept=intercept, data_sets=data_sets,
        usable=float(mixed.mean()), constant=((present == 0.0) | (present == n)).mean(axis=0), methods=fitted,
    )  # fmt: skip


def _check_design(shares: Floats, truth: Floats, event_rate: float) -> None:
    if shares.ndim != 1 or shares.shape != truth.shape or not 0 < shares.size <= MANY_FACTORS:
        found = f"shapes {shares.shape} and {truth.shape}"
        raise_input("prevalences, odds_ratios", found, f"one of each for 1 to {MANY_FACTORS} factors", "Check lengths.")
    if not (((shares > 0.0) & (shares < 1.0)).all() and 0.0 < event_rate < 1.0):
        raise_input("prevalences, event_rate", "shares outside 0 to 1", "shares between 0 and 1", "Give shares, not %.")
    if not (np.isfinite(truth).all() and (truth > 0.0).all()):
        raise_input("odds_ratios", "values that are not positive", "odds ratios above 0", "Use 1 for no effect.")


def _list_patterns(shares: Floats) -> tuple[Floats, Floats]:
    """Return all combinations of the factors (2^p, p) and how likely each is (2^p,)."""
    patterns = np.indices((2,) * shares.size).reshape(shares.size, -1).T.astype(float)
    return patterns, np.where(patterns > 0.0, shares, 1.0 - shares).prod(axis=1)


def _find_intercept(effect: Floats, chance: Floats, event_rate: float) -> float:
    """Return the intercept at which the stated share has the event, by bisection."""
    low, high = -40.0 - float(np.abs(effect).max()), 40.0 + float(np.abs(effect).max())
    for _ in range(100):
        middle = 0.5 * (low + high)
        rate = float(chance @ (1.0 / (1.0 + np.exp(-middle - effect))))
        low, high = (middle, high) if rate < event_rate else (low, middle)
    return 0.5 * (low + high)


def _fit_method(method: str, patterns: Floats, counts: Floats, truth: Floats, level: float) -> MethodDesign:
    """Fit all data sets by one method and sum up what they would report."""
    rows, outcome = np.concatenate([patterns, patterns]), np.repeat([0.0, 1.0], len(patterns))
    penalty = check_penalty(PENALTY_OF[method])
    first = fit_many(rows, outcome, penalty=penalty, weights=counts)
    runs = first.separated
    factors = range(rows.shape[1])
    regular = fit_many(
        rows, outcome, penalty=penalty, weights=counts[~runs], intervals=True, level=level, columns=factors
    )
    reports = [_read_intervals(regular, truth)]
    if runs.any():
        reports.append(_test_separated(rows, outcome, counts[runs], truth, level))
    return _sum_up(method, reports, truth, (float(runs.mean()), float((~first.converged & ~runs).mean())))


@dataclass(frozen=True, slots=True, kw_only=True)
class _Reported:
    """What data sets would report of the factors (B, p): estimates, and what their intervals hold."""

    coef: Floats
    covers: Bools
    found: Bools
    width: Floats


def _read_intervals(fits: ManyFits, truth: Floats) -> _Reported:
    done = fits.converged
    coef, ci = fits.coef[done, 1:], fits.ci[done, 1:]
    low, high = (np.where(np.isnan(bound), sign * np.inf, bound) for bound, sign in ((ci[..., 0], -1), (ci[..., 1], 1)))
    return _Reported(
        coef=coef,
        covers=(low <= truth) & (truth <= high),
        found=(low > 0.0) | (high < 0.0),
        width=high - low,
    )


def _test_separated(rows: Floats, outcome: Floats, counts: Floats, truth: Floats, level: float) -> _Reported:
    """Say what the profile intervals of separated data hold without finding their limits, by tests at 0 and the truth.

    The interval of a coefficient that runs away has no end; that of one beside it is as wide as Wald's.
    """
    fits = fit_many(rows, outcome, penalty="none", weights=counts)
    quantile = compute_normal_quantile(0.5 + 0.5 * level)
    falls = np.empty((2, len(counts), len(truth)))
    for place, value in enumerate(truth, start=1):
        for which, held in enumerate((0.0, value) if value else (0.0,)):
            fixed = np.where(np.arange(len(truth) + 1) == place, held, np.nan)
            there = fit_many(rows, outcome, penalty="none", weights=counts, fixed=fixed)
            falls[which:, :, place - 1] = 2.0 * (fits.loglik - there.loglik)
    coef = fits.coef[:, 1:]
    width = np.where(np.isinf(coef), np.inf, 2.0 * quantile * fits.se[:, 1:])
    return _Reported(coef=coef, covers=~(falls[1] > quantile**2), found=falls[0] > quantile**2, width=width)


def _sum_up(method: str, reports: Sequence[_Reported], truth: Floats, shares: tuple[float, float]) -> MethodDesign:
    """Sum up over data sets; ``shares`` are of those separated and those that failed."""
    coef, covers, found, width = (
        np.concatenate([getattr(part, name) for part in reports]) for name in ("coef", "covers", "found", "width")
    )
    effect = np.where(truth == 0.0, np.nan, truth)
    with np.errstate(invalid="ignore"):
        ratio = coef / effect
        beyond = np.abs(coef) >= np.abs(truth) + np.log(2.0)
    with np.errstate(over="ignore"):  # beyond all numbers is infinite
        median, span = np.exp(_median(coef)), np.exp(_median(width))
    null = np.isnan(effect)
    return MethodDesign(
        method=method,
        median=median,
        bias=_median(coef) - truth,
        doubled=np.where(null, np.nan, (beyond & (ratio > 0.0)).mean(axis=0)),
        coverage=covers.mean(axis=0),
        width=span,
        power=found.mean(axis=0),
        exaggeration=_median_where(np.abs(ratio), found),
        wrong_sign=np.where(null, np.nan, _share_where(ratio < 0.0, found)),
        separated=shares[0],
        failed=shares[1],
    )


def _median(values: Floats) -> Floats:
    """Return the lower median of each column, which is a number even where half of them are infinite."""
    return np.sort(values, axis=0)[(len(values) - 1) // 2] if len(values) else np.full(values.shape[1], np.nan)


def _median_where(values: Floats, chosen: Bools) -> Floats:
    columns = zip(values.T, chosen.T, strict=True)
    return np.array([float(_median(column[rows][:, None])[0]) for column, rows in columns])


def _share_where(hits: Bools, chosen: Bools) -> Floats:
    total = chosen.sum(axis=0)
    return np.where(total > 0, (hits & chosen).sum(axis=0) / np.maximum(total, 1), np.nan)
