"""How far a conclusion depends on what nobody knows or on what somebody chose: missing outcomes, cut-points, penalties.

Convention: a conclusion is whether the interval of the odds ratio leaves out 1. All fits of a scan are one batch.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike

from rarefactor.stats._arrays import Bools, Floats
from rarefactor.stats._inputs import check_level, check_outcome, raise_input, read_array
from rarefactor.stats.logistic import LogisticFit, ManyFits, fit_many

PERMUTATIONS_AT_ONCE = 500


@dataclass(frozen=True, slots=True, kw_only=True)
class OutcomeScan:
    """The odds ratio of a factor for every assumption about the patients without an outcome.

    ``rates`` (g, 2) are the assumed shares with the event among patients with and without the factor whose outcome is
    unknown (``unknown``, two counts); ``odds_ratio``, ``low``, ``high``, ``p`` (g,) go with them. ``known`` is the same
    from patients with an outcome only: odds ratio, low, high, P. ``changed`` (g,) says where the conclusion differs
    from that; ``tipping`` (t, 2) are the changed assumptions nearest to the rates among known patients.
    """

    unknown: tuple[int, int]
    observed_rates: tuple[float, float]
    known: tuple[float, float, float, float]
    rates: Floats
    odds_ratio: Floats
    low: Floats
    high: Floats
    p: Floats
    changed: Bools
    tipping: Floats


@dataclass(frozen=True, slots=True, kw_only=True)
class CutScan:
    """A continuous factor cut at every admissible place (c,): patients above the cut against those at or below it.

    ``p`` is of each cut as if it had been the only one. ``best`` is the place of the largest score statistic, whose P
    value ``best_p`` is too small; ``best_p_permuted`` (exact but for chance) and ``best_p_corrected`` (Miller and
    Siegmund) account for the search.
    """

    cuts: Floats
    above: Floats
    odds_ratio: Floats
    low: Floats
    high: Floats
    p: Floats
    score: Floats
    best: int
    best_p: float
    best_p_permuted: float
    best_p_corrected: float


@dataclass(frozen=True, slots=True, kw_only=True)
class PenaltyScan:
    """Coefficients of one factor under several penalties (m,): odds ratios with limits, and whether they agree.

    ``agree`` is whether all intervals come to the same conclusion; ``spread`` the largest odds ratio over the smallest.
    """

    methods: tuple[str, ...]
    odds_ratio: Floats
    low: Floats
    high: Floats
    p: Floats
    agree: bool
    spread: float


def scan_missing_outcomes(  # noqa: PLR0913 - data, what is scanned and assumed, method
    X: ArrayLike,
    y: ArrayLike,
    *,
    column: int = 0,
    split: ArrayLike | None = None,
    rates: ArrayLike | None = None,
    penalty: str = "firth",
    level: float = 0.95,
) -> OutcomeScan:
    """Find the response rate among patients without an outcome at which the conclusion about a factor changes.

    Each such patient enters once with and once without the event, weighted by the assumed rate: for rates that are
    whole numbers of patients this is the analysis of the completed counts.

    Parameters
    ----------
    X
        Columns (n, p) without an intercept.
    y
        Outcome (n,) in {0, 1}, NaN where it is unknown.
    column
        The place of the factor in X.
    split
        Who counts as having the factor (n,), 0/1, as for the upper half of a factor that is not 0/1 itself; by default
        the factor.
    rates
        Assumed shares (g, 2) with the event among the unknown with and without the factor; by default every
        combination of whole patients.
    penalty
        As in :func:`~rarefactor.stats.fit_logistic`.
    level
        The confidence level.

    Returns
    -------
    OutcomeScan
        Every assumption with its odds ratio, and where the conclusion tips.

    Raises
    ------
    InputError
        A factor that is not 0/1, no unknown outcome, rates outside 0 to 1.

    References
    ----------
    Yan X, Lee S, Li N. Missing data handling methods in medical device clinical trials. J Biopharm Stat
    2009;19:1085-98 (tipping point analysis).

    Examples
    --------
    >>> x = np.repeat([[0.0], [1.0]], [26, 22], axis=0)
    >>> y = np.concatenate([np.repeat([0, 1, np.nan], [19, 3, 4]), np.repeat([0, 1, np.nan], [8, 10, 4])])
    >>> scan = scan_missing_outcomes(x, y)
    >>> scan.unknown, len(scan.rates), scan.changed.sum(), scan.tipping.tolist()
    ((4, 4), 25, np.int64(6), [[0.0, 0.5], [0.25, 0.75], [0.5, 1.0]])
    """
    columns, outcome = read_array(X, "X"), read_array(y, "y")
    factor = _read_factor(columns, outcome, column, split)
    missing = np.isnan(outcome)
    check_outcome(outcome[~missing])
    unknown = int((missing & (factor == 1.0)).sum()), int((missing & (factor == 0.0)).sum())
    grid = _lay_rates(unknown) if rates is None else read_array(rates, "rates")
    if grid.ndim != 2 or grid.shape[1] != 2 or not ((grid >= 0.0) & (grid <= 1.0)).all():
        raise_input("rates", f"shape {grid.shape} or shares outside 0 to 1", "(g, 2) shares", "Give shares, not %.")
    assumed = np.where(factor[missing] == 1.0, grid[:, :1], grid[:, 1:])
    assumed = np.concatenate([np.zeros((1, assumed.shape[1])), assumed])
    others = np.where(np.arange(len(assumed))[:, None] > 0, 1.0 - assumed, 0.0)
    weights = np.concatenate([np.ones((len(assumed), int((~missing).sum()))), assumed, others], axis=1)
    fits = fit_many(
        np.concatenate([columns[~missing], columns[missing], columns[missing]]),
        np.concatenate([outcome[~missing], np.ones(int(missing.sum())), np.zeros(int(missing.sum()))]),
        penalty=penalty, weights=weights, tests=True, intervals=True, level=level, columns=[column],
    )  # fmt: skip
    observed = tuple(float(outcome[~missing & (factor == value)].mean()) for value in (1.0, 0.0))
    return _describe_outcomes(fits, column + 1, grid, (unknown, (observed[0], observed[1])))


def _read_factor(columns: Floats, outcome: Floats, column: int, split: ArrayLike | None) -> Floats:
    """Return the 0/1 factor that is scanned, or the 0/1 split of one that is not."""
    if columns.ndim != 2 or len(columns) != outcome.size or not 0 <= column < columns.shape[1]:
        raise_input("X, y, column", "shapes or a place that do not fit", "(n, p), (n,) and a place in X", "Check them.")
    factor = columns[:, column] if split is None else read_array(split, "split")
    known = ~np.isnan(outcome)
    if factor.shape != outcome.shape or not np.isin(factor, (0.0, 1.0)).all() or np.ptp(factor[known]) == 0.0:
        raise_input("column", "a factor that is not 0/1 in known patients", "both levels of a 0/1 factor", "Cut it.")
    if known.all():
        raise_input("y", "no unknown outcome", "NaN where the outcome is unknown", "There is nothing to scan.")
    return factor


def _lay_rates(unknown: tuple[int, int]) -> Floats:
    """Return every combination of whole patients with the event among the unknown."""
    shares = [np.arange(count + 1) / max(count, 1) for count in unknown]
    return np.stack(np.meshgrid(*shares, indexing="ij"), axis=-1).reshape(-1, 2)


def _describe_outcomes(
    fits: ManyFits, place: int, grid: Floats, facts: tuple[tuple[int, int], tuple[float, float]]
) -> OutcomeScan:
    odds_ratio, low, high = np.exp(np.column_stack([fits.coef[:, place], fits.ci[:, place]])).T
    p = fits.p[:, place]
    concluded = np.where(low > 1.0, 1, 0) - np.where(high < 1.0, 1, 0)
    changed = (concluded != concluded[0])[1:]
    return OutcomeScan(
        unknown=facts[0],
        observed_rates=facts[1],
        known=(float(odds_ratio[0]), float(low[0]), float(high[0]), float(p[0])),
        rates=grid,
        odds_ratio=odds_ratio[1:],
        low=low[1:],
        high=high[1:],
        p=p[1:],
        changed=changed,
        tipping=_find_nearest(grid[changed], facts[1]),
    )


def _find_nearest(grid: Floats, observed: tuple[float, float]) -> Floats:
    """Return the rates at the smallest distance from the observed ones."""
    if not len(grid):
        return grid
    distance = np.abs(grid - np.array(observed)).sum(axis=1)
    return grid[distance <= distance.min() + 1e-9]


def scan_cuts(  # noqa: PLR0913 - data, what is admissible, method and chance
    x: ArrayLike,
    y: ArrayLike,
    *,
    rng: np.random.Generator,
    smallest_share: float = 0.1,
    permutations: int = 5000,
    penalty: str = "firth",
    level: float = 0.95,
) -> CutScan:
    """Cut a continuous factor at every admissible place, and correct the best P value for the search.

    Parameters
    ----------
    x
        The factor (n,).
    y
        Outcome (n,) in {0, 1}.
    rng
        The source of chance for the permutations.
    smallest_share
        The share of patients that must lie on each side of a cut.
    permutations
        How many.
    penalty
        As in :func:`~rarefactor.stats.fit_logistic`.
    level
        The confidence level.

    Returns
    -------
    CutScan
        Odds ratio, limits and P value of each cut, and the corrected P value of the best.

    Raises
    ------
    InputError
        Missing values, one outcome class, or no admissible cut.

    References
    ----------
    Miller R, Siegmund D. Maximally selected chi square statistics. Biometrics 1982;38:1011-6.
    Altman DG, Lausen B, Sauerbrei W, Schumacher M. Dangers of using optimal cutpoints in the evaluation of prognostic
    factors. J Natl Cancer Inst 1994;86:829-35.

    Examples
    --------
    >>> rng = np.random.default_rng(1)
    >>> x = rng.normal(size=40)
    >>> scan = scan_cuts(x, rng.random(40) < 0.3, rng=rng, permutations=500)
    >>> bool(scan.best_p < scan.best_p_permuted), len(scan.cuts)
    (True, 32)
    """
    values, outcome = read_array(x, "x"), read_array(y, "y")
    if values.ndim != 1 or values.shape != outcome.shape or not np.isfinite(values).all():
        raise_input("x", "missing values or another shape", "one finite value per patient", "Leave the patients out.")
    check_outcome(outcome)
    distinct = np.unique(values)
    cuts = 0.5 * (distinct[1:] + distinct[:-1])
    above = values[None] > cuts[:, None]
    shares = above.mean(axis=1)
    fit_for = np.minimum(shares, 1.0 - shares) >= smallest_share
    cuts, above, shares = cuts[fit_for], above[fit_for].astype(float), shares[fit_for]
    if not cuts.size:
        raise_input("x", "no admissible cut", "values on both sides of a cut", "Lower smallest_share.")
    alone = above[:, :, None]
    level = check_level(level)
    fits = fit_many(alone, outcome, penalty=penalty, tests=True, intervals=True, level=level, columns=[0])
    score = np.abs(_compute_scores(outcome[None], above))[0]
    best = int(score.argmax())
    limits = np.exp(fits.ci[:, 1])
    return CutScan(
        cuts=cuts, above=above.sum(axis=1), odds_ratio=np.exp(fits.coef[:, 1]), low=limits[:, 0], high=limits[:, 1],
        p=fits.p[:, 1], score=score, best=best, best_p=float(fits.p[best, 1]),
        best_p_permuted=_permute(outcome, above, float(score[best]), permutations, rng),
        best_p_corrected=compute_selected_tail(float(score[best]), float(shares.min()), float(shares.max())),
    )  # fmt: skip


def _compute_scores(outcomes: Floats, above: Floats) -> Floats:
    """Return the standardised score (R, c) of every cut for outcomes (R, n); its square is Pearson's chi-square."""
    n = outcomes.shape[1]
    rate, shares = outcomes.mean(axis=1, keepdims=True), above.mean(axis=1)
    centred = above - shares[:, None]
    return (outcomes @ centred.T) / np.sqrt(n * rate * (1.0 - rate) * shares * (1.0 - shares))


def _permute(outcome: Floats, above: Floats, largest: float, permutations: int, rng: np.random.Generator) -> float:
    """Return the share of permutations (and the data themselves) whose best cut is at least as good."""
    hits, left = 1, permutations
    while left:
        batch = min(left, PERMUTATIONS_AT_ONCE)
        shuffled = rng.permuted(np.broadcast_to(outcome, (batch, outcome.size)), axis=1)
        hits += int((np.abs(_compute_scores(shuffled, above)).max(axis=1) >= largest - 1e-9).sum())
        left -= batch
    return hits / (permutations + 1.0)


def compute_selected_tail(z: float, smallest: float, largest: float) -> float:
    """Return the P value of the best of all cuts between two quantiles, by Miller and Siegmund's approximation.

    References
    ----------
    Miller R, Siegmund D. Maximally selected chi square statistics. Biometrics 1982;38:1011-6.

    Examples
    --------
    With the best cut among the middle 80 %, P = 0.05 means 0.49:

    >>> round(compute_selected_tail(1.96, 0.1, 0.9), 2)
    0.49
    """
    density = float(np.exp(-0.5 * z * z) / np.sqrt(2.0 * np.pi))
    span = float(np.log(largest * (1.0 - smallest) / ((1.0 - largest) * smallest)))
    if z <= 1.0:
        return 1.0
    return min(1.0, 4.0 * density / z + density * (z - 1.0 / z) * span)


def compare_penalties(fits: Sequence[LogisticFit], name: str, *, labels: Sequence[str] | None = None) -> PenaltyScan:
    """Put one factor's odds ratio under several penalties side by side.

    Parameters
    ----------
    fits
        Fits of the same model, for example maximum likelihood, Firth and log-F of several strengths.
    name
        The column to compare.
    labels
        What to call the fits; by default their penalties.

    Returns
    -------
    PenaltyScan
        In the order of the fits.

    Examples
    --------
    >>> from rarefactor.stats import fit_logistic
    >>> x, y = np.repeat([[0.0], [1.0]], [30, 25], axis=0), np.repeat([0, 1, 0], [30, 5, 20])
    >>> scan = compare_penalties([fit_logistic(x, y, penalty=p, names=["ild"]) for p in ("none", "firth")], "ild")
    >>> scan.odds_ratio.round(2).tolist(), scan.low.round(2).tolist(), scan.agree
    ([inf, 16.37], [3.0, 1.71], True)
    """
    if not fits or any(name not in fit.names for fit in fits):
        raise_input("name", "a column that is not in every fit", "a column of every fit", "Check the names.")
    places = [fit.names.index(name) for fit in fits]
    rows = np.array([[fit.coef[j], *fit.ci[j], fit.p[j]] for fit, j in zip(fits, places, strict=True)])
    odds_ratio, low, high = np.exp(rows[:, :3]).T
    concluded = np.where(low > 1.0, 1, 0) - np.where(high < 1.0, 1, 0)
    return PenaltyScan(
        methods=tuple(labels or [fit.penalty for fit in fits]),
        odds_ratio=odds_ratio,
        low=low,
        high=high,
        p=rows[:, 3],
        agree=bool((concluded == concluded[0]).all()),
        spread=float(odds_ratio.max() / odds_ratio.min()),
    )
