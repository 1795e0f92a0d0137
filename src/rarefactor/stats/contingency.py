"""Tables of counts: Fisher's exact test of any size, chi-square, trend.

Convention: rows are levels of the factor, columns are the outcome (0, then 1), so that the odds ratio of a 2 x 2
table [[a, b], [c, d]] is ad/(bc): the odds of the event in the second row against the first. Tests are two-sided.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike

from rarefactor.stats._arrays import Floats
from rarefactor.stats._exact import compute_odds_ratio, compute_table_p
from rarefactor.stats._inputs import check_level, raise_input, read_array
from rarefactor.stats._tails import compute_chi2_tail
from rarefactor.stats.compare import ChiSquareTest


@dataclass(frozen=True, slots=True, kw_only=True)
class ExactTest:
    """Fisher's exact test; the odds ratio (conditional, with its interval) is NaN unless the table is 2 x 2."""

    p: float
    mid_p: float
    odds_ratio: float
    low: float
    high: float


def compare_exactly(counts: ArrayLike, *, level: float = 0.95) -> ExactTest:
    """Test the independence of rows and columns by Fisher's exact test.

    Parameters
    ----------
    counts
        Table (r, c) of whole numbers. Empty rows and columns count for nothing.
    level
        The confidence level of the odds ratio.

    Returns
    -------
    ExactTest
        ``p`` sums the tables no more likely than this one; ``mid_p`` counts this one's own probability half. The
        conditional maximum-likelihood odds ratio has the central interval of Clopper-Pearson type, which need not
        agree with ``p``; 0 and infinity are meant.

    Raises
    ------
    InputError
        Counts that are not whole numbers, or a table with too many possibilities to enumerate.

    References
    ----------
    Mehta CR, Patel NR. A network algorithm for performing Fisher's exact test in r x c contingency tables. J Am Stat
    Assoc 1983;78:427-34.

    Examples
    --------
    >>> test = compare_exactly([[30, 0], [20, 5]])
    >>> round(test.p, 4), test.odds_ratio, round(test.low, 3)
    (0.0153, inf, 1.207)
    """
    table = read_counts(counts)
    p, own = compute_table_p(table)
    odds = compute_odds_ratio(table, check_level(level)) if table.shape == (2, 2) else (np.nan, np.nan, np.nan)
    return ExactTest(p=p, mid_p=p - 0.5 * own, odds_ratio=odds[0], low=odds[1], high=odds[2])


def compare_shares(counts: ArrayLike, *, yates: bool = False) -> ChiSquareTest:
    """Test independence by Pearson's chi-square, with Yates' correction (2 x 2 only, as in R) where asked for.

    Parameters
    ----------
    counts
        Table (r, c) of whole numbers; empty rows and columns are left out.
    yates
        Whether to correct a 2 x 2 table for continuity.

    Returns
    -------
    ChiSquareTest
        NaN where fewer than two rows or columns are left.

    Examples
    --------
    >>> round(compare_shares([[143, 15], [135, 19]]).p, 4)
    0.4202
    """
    table = _drop_empty(read_counts(counts))
    df = (table.shape[0] - 1) * (table.shape[1] - 1)
    if not df:
        return ChiSquareTest(statistic=np.nan, df=0, p=np.nan)
    expected = compute_expected(table)
    apart = np.abs(table - expected)
    if yates and table.shape == (2, 2):
        apart -= min(0.5, float(apart.min()))
    statistic = float((apart**2 / expected).sum())
    return ChiSquareTest(statistic=statistic, df=df, p=float(compute_chi2_tail(np.array(statistic), float(df))))


def compare_trend(counts: ArrayLike, scores: ArrayLike | None = None) -> ChiSquareTest:
    """Test a trend of the event's share over ordered levels (Cochran-Armitage).

    Parameters
    ----------
    counts
        Table (r, 2): patients without and with the event at each level, in order.
    scores
        A number per level; by default 1, 2, 3, ...

    Returns
    -------
    ChiSquareTest
        With one degree of freedom; NaN where nothing varies.

    References
    ----------
    Armitage P. Tests for linear trends in proportions and frequencies. Biometrics 1955;11:375-86.

    Examples
    --------
    >>> round(compare_trend([[250, 13], [22, 7], [6, 14]], [0, 0.5, 1]).statistic, 3)
    82.969
    """
    table = read_counts(counts)
    if table.shape[1] != 2:
        raise_input("counts", f"{table.shape[1]} columns", "2: without and with the event", "Use compare_shares.")
    score = np.arange(1.0, len(table) + 1) if scores is None else read_array(scores, "scores")
    if score.shape != (len(table),):
        raise_input("scores", "another number of scores", "one per row of the table", "Leave them out for 1, 2, 3.")
    sizes, events = table.sum(axis=1), table[:, 1]
    share = events.sum() / sizes.sum() if sizes.sum() else 0.0
    spread = share * (1.0 - share) * ((sizes * score**2).sum() - (sizes * score).sum() ** 2 / max(1.0, sizes.sum()))
    if spread <= 0.0:
        return ChiSquareTest(statistic=np.nan, df=1, p=np.nan)
    statistic = float((score * (events - sizes * share)).sum() ** 2 / spread)
    return ChiSquareTest(statistic=statistic, df=1, p=float(compute_chi2_tail(np.array(statistic))))


def compute_expected(counts: ArrayLike) -> Floats:
    """Return the counts (r, c) expected under independence.

    Examples
    --------
    >>> compute_expected([[10, 10], [20, 20]]).tolist()
    [[10.0, 10.0], [20.0, 20.0]]
    """
    table = read_counts(counts)
    return np.outer(table.sum(axis=1), table.sum(axis=0)) / max(1.0, table.sum())


def read_counts(counts: ArrayLike) -> Floats:
    """Return a table of whole numbers, or say that it is none."""
    table = read_array(counts, "counts")
    whole = np.isfinite(table).all() and (table >= 0.0).all() and (table == np.round(table)).all()
    if table.ndim != 2 or not table.size or not whole:
        raise_input("counts", "something else", "a table of whole numbers", "Count patients by level and outcome.")
    return table


def _drop_empty(table: Floats) -> Floats:
    return table[table.sum(axis=1) > 0.0][:, table.sum(axis=0) > 0.0]
