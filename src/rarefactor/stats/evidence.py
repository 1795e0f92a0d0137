"""What others have published: odds ratios as data, whether they contradict themselves, and E-values.

Convention: odds ratios compare patients with the factor to those without; counts are [[events, others] with the factor,
[events, others] without it]. A published number stands for all numbers that round to it.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike

from rarefactor.stats._arrays import Floats
from rarefactor.stats._inputs import raise_input, read_array
from rarefactor.stats._tails import compute_normal_quantile, compute_normal_tail


@dataclass(frozen=True, slots=True, kw_only=True)
class Published:
    """An odds ratio as printed, with what was printed beside it; None is not given.

    ``p_below`` says that ``p`` was printed as "less than". ``decimals`` and ``p_decimals`` are the digits printed after
    the point. ``counts`` (2, 2) are those of a crude odds ratio; ``events`` and ``total`` the patients of the study.
    """

    odds_ratio: float
    low: float | None = None
    high: float | None = None
    p: float | None = None
    p_below: bool = False
    level: float = 0.95
    decimals: int = 2
    p_decimals: int = 3
    counts: tuple[tuple[int, int], tuple[int, int]] | None = None
    events: int | None = None
    total: int | None = None
    adjusted: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Contradiction:
    """Two published numbers that cannot both be right: ``between`` names them, the ranges say why.

    ``printed`` is what was published of the second (with its rounding), ``implied`` what the first one allows.
    """

    kind: str
    between: tuple[str, str]
    printed: tuple[float, float]
    implied: tuple[float, float]
    sentence: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Attainable:
    """What a crude odds ratio could be in a study of this size.

    ``tables`` (t, 2, 2) are all counts that give the printed odds ratio; ``nearest`` is the nearest possible one; ``p``
    is the smallest P value of Wald's test among these tables (where there are none, among those within a tenth).
    """

    tables: Floats
    nearest: float
    p: float


def compute_log_odds(counts: ArrayLike) -> tuple[float, float, bool]:
    """Return the log odds ratio of a table (2, 2), its standard error, and whether 0.5 had to be added to the cells.

    References
    ----------
    Woolf B. On estimating the relation between blood group and disease. Ann Hum Genet 1955;19:251-3.

    Examples
    --------
    >>> log_or, se, corrected = compute_log_odds([[7, 3], [6, 24]])
    >>> round(log_or, 3), round(se, 3), corrected
    (2.234, 0.827, False)
    """
    table = read_array(counts, "counts")
    if table.shape != (2, 2) or not np.isfinite(table).all() or (table < 0.0).any():
        raise_input(
            "counts", "another shape or negative counts", "a table of 2 rows and 2 columns", "Give four counts."
        )
    corrected = bool((table == 0.0).any())
    cells = table + 0.5 * corrected
    log_or = np.log(cells[0, 0] * cells[1, 1] / (cells[0, 1] * cells[1, 0]))
    return float(log_or), float(np.sqrt((1.0 / cells).sum())), corrected


def derive_published(published: Published) -> tuple[float, float]:
    """Return the log odds ratio and its standard error, from the interval, else the counts, else P; NaN where unknown.

    Examples
    --------
    >>> log_or, se = derive_published(Published(odds_ratio=3.0, low=1.2, high=7.5))
    >>> round(log_or, 3), round(se, 3)
    (1.099, 0.468)
    """
    log_or = float(np.log(published.odds_ratio))
    if published.low and published.high:
        return log_or, float(np.log(published.high / published.low)) / (2.0 * _get_quantile(published))
    if published.counts is not None:
        return log_or, compute_log_odds(np.array(published.counts))[1]
    if published.p and not published.p_below:
        return log_or, abs(log_or) / compute_normal_quantile(1.0 - published.p / 2.0)
    return log_or, np.nan


def _get_quantile(published: Published) -> float:
    return compute_normal_quantile(0.5 + 0.5 * published.level)


def check_published(published: Published) -> tuple[Contradiction, ...]:
    """Return what contradicts what among a published odds ratio, interval, P value, counts and study size.

    Wald's interval and test are assumed; each number stands for all that round to it. Profile and exact intervals are
    not symmetric, so that a contradiction is a reason to ask, not a proof of error.

    References
    ----------
    Altman DG, Bland JM. How to obtain the P value from a confidence interval. BMJ 2011;343:d2304.

    Examples
    --------
    >>> [c.kind for c in check_published(Published(odds_ratio=19.57, low=2.1, high=40.2, p=0.001, p_below=True))]
    ['interval_not_symmetric']
    >>> check_published(Published(odds_ratio=3.0, low=1.2, high=7.5, p=0.019))
    ()
    """
    found = [
        _check_symmetry(published),
        _check_p_and_interval(published),
        _check_p_and_counts(published),
        _check_counts(published),
        _check_size(published),
        _check_size_and_p(published),
    ]
    return tuple(problem for problem in found if problem is not None)


def _spread_rounding(value: float, decimals: int) -> tuple[float, float]:
    half = 0.5 * 10.0**-decimals
    return max(value - half, 1e-12), value + half


def _spread_p(published: Published) -> tuple[float, float]:
    if published.p is None:
        return 0.0, 1.0
    if published.p_below:
        return 0.0, published.p
    low, high = _spread_rounding(published.p, published.p_decimals)
    return low, min(high, 1.0)


def _overlap(first: tuple[float, float], second: tuple[float, float]) -> bool:
    return first[0] <= second[1] and second[0] <= first[1]


def _check_symmetry(published: Published) -> Contradiction | None:
    """Compare the odds ratio with the geometric middle of its limits."""
    if published.low is None or published.high is None:
        return None
    (a, b), (c, d) = (_spread_rounding(x, published.decimals) for x in (published.low, published.high))
    middle = float(np.sqrt(a * c)), float(np.sqrt(b * d))
    printed = _spread_rounding(published.odds_ratio, published.decimals)
    if _overlap(middle, printed):
        return None
    inside = published.low <= published.odds_ratio <= published.high
    return Contradiction(
        kind="interval_not_symmetric" if inside else "outside_interval",
        between=("interval", "odds ratio"),
        printed=printed,
        implied=middle,
        sentence=f"The limits put the odds ratio at {middle[0]:.2f} to {middle[1]:.2f}; "
        f"{published.odds_ratio:g} is printed.",
    )


def _check_p_and_interval(published: Published) -> Contradiction | None:
    """Compare P with what the odds ratio and its limits imply."""
    if published.low is None or published.high is None or published.p is None:
        return None
    (a, b), (c, d) = (_spread_rounding(x, published.decimals) for x in (published.low, published.high))
    quantile = 2.0 * _get_quantile(published)
    widths = np.log(np.array([max(c / b, 1.0 + 1e-12), d / a])) / quantile
    return _compare_p(published, "interval", (float(widths[0]), float(widths[1])))


def _check_p_and_counts(published: Published) -> Contradiction | None:
    """Compare P with Wald's test of the counts."""
    if published.counts is None or published.p is None or published.adjusted:
        return None
    se = compute_log_odds(np.array(published.counts))[1]
    return _compare_p(published, "counts", (se, se))


def _compare_p(published: Published, source: str, se: tuple[float, float]) -> Contradiction | None:
    logs = np.log(np.array(_spread_rounding(published.odds_ratio, published.decimals)))
    nearest = 0.0 if logs[0] * logs[1] <= 0.0 else float(np.abs(logs).min())
    tails = compute_normal_tail(np.array([np.abs(logs).max() / se[0], nearest / se[1]]))
    implied, printed = (float(tails[0]), float(tails[1])), _spread_p(published)
    if _overlap(implied, printed):
        return None
    sign = "< " if published.p_below else ""
    return Contradiction(
        kind=f"p_against_{source}",
        between=(source, "P value"),
        printed=printed,
        implied=implied,
        sentence=f"The {source} implies P of {implied[0]:.2g} to {implied[1]:.2g}; {sign}{published.p:g} is printed.",
    )


def _check_counts(published: Published) -> Contradiction | None:
    """Compare a crude odds ratio with its counts."""
    if published.counts is None or published.adjusted:
        return None
    table = np.array(published.counts, dtype=float)
    with np.errstate(divide="ignore", invalid="ignore"):
        crude = float(table[0, 0] * table[1, 1] / (table[0, 1] * table[1, 0]))
    printed = _spread_rounding(published.odds_ratio, published.decimals)
    upside_down = _spread_rounding(1.0 / published.odds_ratio, published.decimals)
    if not np.isfinite(crude) or _overlap((crude, crude), printed):
        return None
    turned = " (the reciprocal: the groups are exchanged)" if _overlap((crude, crude), upside_down) else ""
    return Contradiction(
        kind="odds_ratio_against_counts",
        between=("counts", "odds ratio"),
        printed=printed,
        implied=(crude, crude),
        sentence=f"The counts give an odds ratio of {crude:.2f}{turned}; {published.odds_ratio:g} is printed.",
    )


def _check_size(published: Published) -> Contradiction | None:
    """Ask whether any table of the study's patients gives a crude odds ratio."""
    if published.events is None or published.total is None or published.adjusted:
        return None
    attainable = compute_attainable(published)
    if len(attainable.tables):
        return None
    return Contradiction(
        kind="odds_ratio_not_attainable",
        between=("study size", "odds ratio"),
        printed=_spread_rounding(published.odds_ratio, published.decimals),
        implied=(attainable.nearest, attainable.nearest),
        sentence=f"No table of {published.events} events in {published.total} patients gives a crude odds ratio of "
        f"{published.odds_ratio:g}; the nearest is {attainable.nearest:.2f}. It is adjusted, or of other patients.",
    )


def _check_size_and_p(published: Published) -> Contradiction | None:
    """Compare P with the smallest that a crude odds ratio of this size can have."""
    if published.events is None or published.total is None or published.adjusted or published.p is None:
        return None
    smallest, printed = compute_attainable(published).p, _spread_p(published)
    if not smallest > printed[1]:
        return None
    return Contradiction(
        kind="p_not_attainable",
        between=("study size", "P value"),
        printed=printed,
        implied=(smallest, 1.0),
        sentence=f"With {published.events} events in {published.total} patients a crude odds ratio near "
        f"{published.odds_ratio:g} has P of {smallest:.2g} at least (Wald); {printed[1]:g} or less is printed.",
    )


def compute_attainable(published: Published) -> Attainable:
    """Find all tables of a study with these events and patients that give the printed odds ratio.

    Parameters
    ----------
    published
        With ``events`` and ``total``.

    Returns
    -------
    Attainable
        All tables, the nearest odds ratio of any table without an empty cell, and the smallest Wald P value.

    Examples
    --------
    >>> found = compute_attainable(Published(odds_ratio=19.57, events=13, total=40))
    >>> len(found.tables), round(found.nearest, 2)
    (0, 19.25)
    """
    events, total = published.events, published.total
    if events is None or total is None or not 0 < events < total:
        raise_input("published", "no events or no patients", "the events and patients of the study", "Give both.")
    with_factor, others = np.meshgrid(np.arange(1, events), np.arange(1, total - events), indexing="ij")
    cells = np.stack([with_factor, others, events - with_factor, total - events - others], axis=-1).reshape(-1, 4)
    if not len(cells):
        return Attainable(tables=np.empty((0, 2, 2)), nearest=np.nan, p=np.nan)
    logs = np.log(cells[:, 0] * cells[:, 3] / (cells[:, 1] * cells[:, 2]))
    p = compute_normal_tail(logs / np.sqrt((1.0 / cells).sum(axis=1)))
    target, (low, high) = np.log(published.odds_ratio), _spread_rounding(published.odds_ratio, published.decimals)
    hit = (logs >= np.log(low)) & (logs <= np.log(high))
    near = np.abs(logs - target) <= np.log(1.1)
    return Attainable(
        tables=cells[hit].reshape(-1, 2, 2).astype(float),
        nearest=float(np.exp(logs[np.abs(logs - target).argmin()])),
        p=float(p[hit if hit.any() else near].min()) if near.any() else np.nan,
    )


def check_percent(percent: float, total: int, *, decimals: int = 1) -> str:
    """Return what a printed percentage says of the number of patients behind it; empty where it agrees.

    A share of ``total`` patients is a whole number of them over ``total``: a percentage that no whole number gives is
    of fewer patients than are said, or is wrong (the GRIM test).

    References
    ----------
    Brown NJL, Heathers JAJ. The GRIM test: a simple technique detects numerous anomalies in the reporting of results in
    psychology. Soc Psychol Personal Sci 2017;8:363-9.

    Examples
    --------
    >>> print(check_percent(32.5, 48))
    32.5% is no whole number of 48 patients; the most patients up to 48 of whom it is one are 40 (13 of them).
    >>> check_percent(32.5, 40)
    ''
    """
    totals = np.arange(1, total + 1)
    nearest = np.rint(percent / 100.0 * totals)
    low, high = _spread_rounding(percent, decimals)
    fits = (100.0 * nearest / totals >= low - 1e-9) & (100.0 * nearest / totals <= high + 1e-9)
    if fits[-1]:
        return ""
    told = f"{percent:.{decimals}f}% is no whole number of {total} patients; "
    if not fits.any():
        return f"{told}nor of fewer."
    most = int(totals[fits][-1])
    count = int(nearest[fits][-1])
    return f"{told}the most patients up to {total} of whom it is one are {most} ({count} of them)."


def compute_e_value(odds_ratio: float, low: float, high: float, *, rare: bool = False) -> tuple[float, float]:
    """Return how strong an unmeasured confounder would have to be to explain away the estimate, and the nearer limit.

    Parameters
    ----------
    odds_ratio, low, high
        The estimate with its limits.
    rare
        Whether the outcome is rare (below 15 %); otherwise the risk ratio is taken as the root of the odds ratio.

    Returns
    -------
    tuple of float
        The risk ratios with factor and outcome that are needed for the estimate, and for the limit (1 where the
        interval holds 1).

    References
    ----------
    VanderWeele TJ, Ding P. Sensitivity analysis in observational research: introducing the E-value. Ann Intern Med
    2017;167:268-74.

    Examples
    --------
    >>> e_value, limit = compute_e_value(3.9, 1.8, 8.7, rare=True)
    >>> round(e_value, 2), round(limit, 2)
    (7.26, 3.0)
    """
    if not 0.0 < low <= odds_ratio <= high:
        raise_input("odds_ratio, low, high", "limits out of order", "0 < low <= odds ratio <= high", "Check the order.")
    limit = 1.0 if low <= 1.0 <= high else low if odds_ratio > 1.0 else high
    return _compute_e(odds_ratio, rare=rare), _compute_e(limit, rare=rare)


def _compute_e(odds_ratio: float, *, rare: bool) -> float:
    ratio = odds_ratio if rare else float(np.sqrt(odds_ratio))
    ratio = max(ratio, 1.0 / ratio)
    return ratio + float(np.sqrt(ratio * (ratio - 1.0))) if np.isfinite(ratio) else np.inf
