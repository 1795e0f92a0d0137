"""Exact distributions of tables with fixed margins.

Convention: a table's weight is the product of the multinomial coefficients of its rows, on the log scale. Two tables
are equally likely where their probabilities differ by less than one part in ten million, as in R.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from math import comb

import numpy as np

from rarefactor.stats._arrays import Floats, Ints
from rarefactor.stats._inputs import raise_input

TIE = 1e-7
MOST_STATES = 2_000_000
"""Partial tables held at once; more would take memory and minutes."""


def compute_table_p(table: Floats) -> tuple[float, float]:
    """Return Fisher's P value of a table (r, c), and the table's own probability."""
    used = table[table.sum(axis=1) > 0.0][:, table.sum(axis=0) > 0.0]
    if min(used.shape) < 2:
        return 1.0, 1.0
    counts = np.round(used if used.shape[0] >= used.shape[1] else used.T).astype(np.intp)
    counts = counts[np.argsort(-counts.sum(axis=1))]
    logs = _log_factorials(int(counts.sum()))
    all_tables = logs[counts.sum()] - logs[counts.sum(axis=0)].sum()
    own = float((logs[counts.sum(axis=1)] - logs[counts].sum(axis=1)).sum())
    count = _count_two_columns if counts.shape[1] == 2 else _count_many_columns
    limit = own + np.log1p(TIE)
    return min(1.0, float(np.exp(count(counts, logs, limit) - all_tables))), float(np.exp(own - all_tables))


def _log_factorials(largest: int) -> Floats:
    return np.concatenate([[0.0], np.cumsum(np.log(np.arange(1, largest + 1)))])


def _count_two_columns(counts: Ints, logs: Floats, limit: float) -> float:
    """Return the log of the summed weights of tables at most as likely as ``limit``, for two columns.

    Rows are added one by one; what is left to place in the second column is the state. The best and the worst that
    the rows to come can add are known for every state, so that a partial table leaves as soon as all its completions
    count, or none does.
    """
    sizes, total = counts.sum(axis=1), int(counts[:, 1].sum())
    rows = [logs[m] - logs[: m + 1] - logs[m::-1] for m in sizes]
    ahead = list(_look_ahead(rows, sizes, logs, total))[::-1]
    left, weight, multiplicity = np.array([total]), np.zeros(1), np.ones(1)
    counted: list[float] = []
    for row, (best, worst, everything) in zip(rows, ahead, strict=True):
        left, weight, multiplicity = _place_row(left, weight, multiplicity, row)
        possible = np.isfinite(best[left])
        left, weight, multiplicity = left[possible], weight[possible], multiplicity[possible]
        inside = weight + best[left] <= limit
        counted.append(_log_sum(np.log(multiplicity[inside]) + weight[inside] + everything[left[inside]]))
        open_ended = ~inside & (weight + worst[left] <= limit)
        left, weight, multiplicity = left[open_ended], weight[open_ended], multiplicity[open_ended]
    return _log_sum(np.array(counted))


def _look_ahead(rows: list[Floats], sizes: Ints, logs: Floats, total: int) -> Iterator[tuple[Floats, Floats, Floats]]:
    """Yield, from the last row backwards, the best, worst and summed log weight of placing 0..total in later rows."""
    best = np.full(total + 1, -np.inf)
    best[0] = 0.0
    worst = -best
    worst[0] = 0.0
    size = 0
    for row, own in zip(rows[::-1], sizes[::-1], strict=True):
        yield best, worst, _log_choose(size, total, logs)
        best = _convolve(best, row, np.fmax, -np.inf)
        worst = _convolve(worst, row, np.fmin, np.inf)
        size += int(own)


def _log_choose(size: int, total: int, logs: Floats) -> Floats:
    chosen = np.arange(total + 1)
    possible = chosen <= size
    rest = np.where(possible, size - chosen, 0)
    return np.where(possible, logs[size] - logs[chosen] - logs[rest], -np.inf)


def _convolve(old: Floats, row: Floats, keep: np.ufunc, empty: float) -> Floats:
    new = np.full(old.size, empty)
    for placed, weight in enumerate(row[: old.size]):
        new[placed:] = keep(new[placed:], old[: old.size - placed] + weight)
    return new


def _place_row(left: Ints, weight: Floats, multiplicity: Floats, row: Floats) -> tuple[Ints, Floats, Floats]:
    """Place 0..m of the second column in a row, for every state; equal states become one."""
    placed = np.arange(row.size)
    remaining = left[:, None] - placed
    possible = remaining >= 0
    weights = (weight[:, None] + row)[possible]
    return _merge(remaining[possible], weights, np.broadcast_to(multiplicity[:, None], possible.shape)[possible])


def _merge(left: Ints, weight: Floats, multiplicity: Floats) -> tuple[Ints, Floats, Floats]:
    if left.size > MOST_STATES:
        _refuse()
    order = np.lexsort((weight, left))
    left, weight, multiplicity = left[order], weight[order], multiplicity[order]
    fresh = np.ones(left.size, dtype=bool)
    fresh[1:] = (np.diff(left) != 0) | (np.diff(weight) > 1e-11)
    return left[fresh], weight[fresh], np.add.reduceat(multiplicity, np.flatnonzero(fresh))


def _refuse() -> None:
    found, next_step = "a table with too many possibilities", "Join levels, or use compare_shares."
    raise_input("counts", found, "one that can be enumerated", next_step)


def _count_many_columns(counts: Ints, logs: Floats, limit: float) -> float:
    """Return the log of the summed weights of tables at most as likely as ``limit``, for three or more columns."""
    states: dict[tuple[int, ...], Floats] = {tuple(counts.sum(axis=0).tolist()): np.array([[0.0, 1.0]])}
    for size in counts.sum(axis=1).tolist():
        reached: dict[tuple[int, ...], list[Floats]] = {}
        for left, paths in states.items():
            for row in _compose(size, left):
                weight = logs[size] - logs[list(row)].sum()
                remaining = tuple(sorted(a - b for a, b in zip(left, row, strict=True)))
                reached.setdefault(remaining, []).append(paths + np.array([weight, 0.0]))
        states = {left: _merge_paths(np.concatenate(parts)) for left, parts in reached.items()}
        if sum(len(paths) for paths in states.values()) > MOST_STATES:
            _refuse()
    weight, multiplicity = np.concatenate(list(states.values())).T
    inside = weight <= limit
    return _log_sum(weight[inside] + np.log(multiplicity[inside]))


def _merge_paths(paths: Floats) -> Floats:
    order = np.argsort(paths[:, 0])
    weight, multiplicity = paths[order].T
    fresh = np.concatenate([[True], np.diff(weight) > 1e-11])
    return np.column_stack([weight[fresh], np.add.reduceat(multiplicity, np.flatnonzero(fresh))])


def _compose(size: int, left: tuple[int, ...]) -> Iterator[tuple[int, ...]]:
    """Yield the ways to share ``size`` patients over the columns, none above what is left there."""
    if comb(size + len(left) - 1, len(left) - 1) > MOST_STATES:
        _refuse()
    if len(left) == 1:
        if size <= left[0]:
            yield (size,)
        return
    for first in range(max(0, size - sum(left[1:])), min(size, left[0]) + 1):
        for rest in _compose(size - first, left[1:]):
            yield (first, *rest)


def _log_sum(logs: Floats) -> float:
    finite = logs[np.isfinite(logs)]
    return float(finite.max() + np.log(np.exp(finite - finite.max()).sum())) if finite.size else -np.inf


def compute_odds_ratio(table: Floats, level: float) -> tuple[float, float, float]:
    """Return the conditional maximum-likelihood odds ratio of a 2 x 2 table and its central interval."""
    (a, b), (c, d) = np.round(table).astype(int).tolist()
    size1, size2, events = c + d, a + b, b + d
    support = np.arange(max(0, events - size2), min(size1, events) + 1)
    logs = _log_factorials(size1 + size2)
    weights = -(logs[support] + logs[size1 - support] + logs[events - support] + logs[size2 - events + support])
    if support.size == 1:
        return np.nan, 0.0, np.inf

    def share(log_odds: float) -> Floats:
        relative = weights + support * log_odds
        relative = np.exp(relative - relative.max())
        return relative / relative.sum()

    tail = 0.5 * (1.0 - level)
    lowest, highest = d == support[0], d == support[-1]
    estimate = 0.0 if lowest else np.inf if highest else _solve(lambda t: float(share(t) @ support) - d)
    low = 0.0 if lowest else _solve(lambda t: float(share(t)[support >= d].sum()) - tail)
    high = np.inf if highest else _solve(lambda t: tail - float(share(t)[support <= d].sum()))
    return estimate, low, high


def _solve(rising: Callable[[float], float]) -> float:
    """Return exp of the root of a rising function of the log odds ratio, by bisection."""
    low, high = -1.0, 1.0
    while rising(low) > 0.0 and low > -700.0:
        low *= 2.0
    while rising(high) < 0.0 and high < 700.0:
        high *= 2.0
    for _ in range(200):
        middle = 0.5 * (low + high)
        if middle in (low, high):
            break
        low, high = (middle, high) if rising(middle) < 0.0 else (low, middle)
    return float(np.exp(0.5 * (low + high)))
