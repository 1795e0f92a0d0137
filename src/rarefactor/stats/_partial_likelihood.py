"""The partial likelihood of Cox's model, and its penalised form, for the one Newton of the package.

Rows are sorted by falling time, so that a risk set is a run of rows and its sums are running sums. Sums over events
of expectations over risk sets are turned around into sums over rows, so that third and fourth moments of risk sets
are never formed: the work per evaluation is that of a logistic regression with a running sum before and after.

Convention: columns are centred and divided by their standard deviation. Each death is an entry with the share of the
tied deaths taken out of its risk set (Efron), or each distinct time is one entry that counts all its deaths (Breslow).
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from rarefactor.stats._arrays import (
    Floats,
    Ints,
    compute_inverse,
    index_pairs,
    index_triples,
    spread_rows,
    sum_rows,
)
from rarefactor.stats._penalty import Point


@dataclass(frozen=True, slots=True, kw_only=True)
class Deaths:
    """Entries of the partial likelihood, e of them in order of rising time.

    ``last`` (e,) is the last row of each risk set; ``count`` and ``share`` (e,) how many deaths it stands for and which
    share of the tied dead is taken out; ``first_dead`` and ``end_dead`` (e,) the rows of these dead; ``until`` (n,) the
    entries up to each row's time, and ``since`` (n,) those before it for the dead (equal to ``until`` for others).
    """

    last: Ints
    count: Floats
    share: Floats
    first_dead: Ints
    end_dead: Ints
    until: Ints
    since: Ints


@dataclass(frozen=True, slots=True, kw_only=True)
class RiskSums:
    """The partial likelihood at one coefficient vector per problem, and what its derivatives need.

    ``risk`` (B, n) relative hazards, ``total`` (B, e) their sums, ``mean`` (B, e, k) and ``spread`` (B, e, k, k) of the
    columns in each risk set.
    """

    loglik: Floats
    score: Floats
    information: Floats
    risk: Floats
    total: Floats
    mean: Floats
    spread: Floats


@dataclass(frozen=True, slots=True, kw_only=True)
class Partial:
    """Data of a Cox model: ``design`` (n, k) and its products, ``event`` (n,), ``deaths``, ``scale`` (1, k)."""

    design: Floats
    pairs: Floats
    triples: Floats
    event: Floats
    deaths: Deaths
    scale: Floats

    @property
    def width(self) -> int:
        """The number of coefficients."""
        return self.design.shape[1]

    @property
    def weights(self) -> Floats:
        """Return a weight of one for every row (1, n): Newton asks what the columns determine at equal risks."""
        return np.ones((1, len(self.design)))

    def compute_reach(self, step: Floats) -> Floats:
        """Return the largest change (B,) of any patient's log hazard by a step (B, k)."""
        return np.abs(spread_rows(step, self.design)).max(axis=1)

    def evaluate(self, beta: Floats) -> RiskSums:
        """Return the sums at ``beta`` (B, k)."""
        k, count = self.width, self.deaths.count
        eta = spread_rows(beta, self.design)
        top = eta.max(axis=1, keepdims=True)
        risk = np.exp(eta - top)
        weighted = risk[:, :, None] * np.concatenate([np.ones((len(self.design), 1)), self.design, self.pairs], axis=1)
        sums = self.gather(weighted)
        total = sums[..., 0]
        with np.errstate(divide="ignore", invalid="ignore"):
            mean, raw = sums[..., 1 : k + 1] / total[..., None], sums[..., k + 1 :] / total[..., None]
            logs = np.log(total) + top
        rows, columns, place = index_pairs(k)
        packed = raw - mean[..., rows] * mean[..., columns]
        return RiskSums(
            loglik=eta @ self.event - logs @ count,
            score=self.event @ self.design - np.einsum("e,bek->bk", count, mean),
            information=np.einsum("e,bep->bp", count, packed)[:, place],
            risk=risk,
            total=total,
            mean=mean,
            spread=packed[..., place],
        )

    def gather(self, values: Floats) -> Floats:
        """Sum rows (B, n, q) over each risk set (B, e, q)."""
        running = np.cumsum(values, axis=1)
        sums = running[:, self.deaths.last]
        if self.deaths.share.any():
            padded = np.concatenate([np.zeros_like(running[:, :1]), running], axis=1)
            dead = padded[:, self.deaths.end_dead] - padded[:, self.deaths.first_dead]
            sums = sums - self.deaths.share[:, None] * dead
        return sums

    def scatter(self, sums: RiskSums, values: Floats) -> Floats:
        """Return for each row (B, n, q) the sum over entries of values (B, e, q) times its probability there."""
        per_unit = values * (self.deaths.count / sums.total)[..., None]
        spread = _run(per_unit)[:, self.deaths.until]
        if self.deaths.share.any():
            taken = _run(per_unit * self.deaths.share[:, None])
            spread = spread - (taken[:, self.deaths.until] - taken[:, self.deaths.since])
        return spread * sums.risk[:, :, None]

    def sum_pairs(self, weights: Floats) -> Floats:
        """Return sum_i weights_i x_i x_i' as (B, k, k)."""
        return sum_rows(weights, self.pairs)[:, index_pairs(self.width)[2]]


def _run(values: Floats) -> Floats:
    """Return running sums along the second axis, from zero."""
    return np.concatenate([np.zeros_like(values[:, :1]), np.cumsum(values, axis=1)], axis=1)


@dataclass(frozen=True, slots=True)
class PartialLikelihood:
    """The log partial likelihood itself, as an objective."""

    likelihood: Partial

    def evaluate(self, beta: Floats) -> Point:
        """Return value, gradient, curvature and information at ``beta`` (B, k)."""
        sums = self.likelihood.evaluate(beta)
        return Point(
            value=np.where(np.isfinite(sums.loglik), sums.loglik, -np.inf),
            gradient=sums.score,
            curvature=sums.information,
            information=sums.information,
        )

    def take(self, rows: Ints) -> PartialLikelihood:
        """Return the problems at these positions: all share their data."""
        del rows
        return self

    def constant(self) -> Floats:
        """Return zero: the likelihood does not depend on the units of a column."""
        return np.zeros(1)


@dataclass(frozen=True, slots=True)
class PartialFirth:
    """The log partial likelihood plus half the log-determinant of the information of all columns.

    References
    ----------
    Heinze G, Schemper M. A solution to the problem of monotone likelihood in Cox regression. Biometrics 2001;57:114-9.
    """

    likelihood: Partial

    def evaluate(self, beta: Floats) -> Point:
        """Return value, gradient, curvature and information at ``beta`` (B, k)."""
        sums = self.likelihood.evaluate(beta)
        inverse = compute_inverse(sums.information)
        usable = inverse.positive & np.isfinite(sums.loglik)
        slope, bend = _derive_penalty(self.likelihood, sums, inverse.matrix)
        return Point(
            value=np.where(usable, sums.loglik + 0.5 * inverse.log_determinant, -np.inf),
            gradient=sums.score + np.where(usable[:, None], slope, 0.0),
            curvature=sums.information - np.where(usable[:, None, None], bend, 0.0),
            information=sums.information,
        )

    def take(self, rows: Ints) -> PartialFirth:
        """Return the problems at these positions: all share their data."""
        del rows
        return self

    def constant(self) -> Floats:
        """Return the sum of the log scales: the determinant depends on the units of the columns."""
        return np.log(self.likelihood.scale).sum(axis=1)


def _derive_penalty(data: Partial, sums: RiskSums, inverse: Floats) -> tuple[Floats, Floats]:
    """Return the first (B, k) and second (B, k, k) derivatives of half the log-determinant.

    With K the summed third cumulants of the risk sets (the derivative of the information), the first is
    tr(I^-1 K_r)/2, and the second half the fourth cumulants contracted with I^-1 less tr(I^-1 K_r I^-1 K_s)/2.
    """
    problems, k = sums.score.shape
    expected = data.scatter(sums, np.ones((*sums.total.shape, 1)))[..., 0]
    centres = data.scatter(sums, sums.mean)
    third = _sum_third(data, sums, expected, centres)
    turned = (inverse @ third.reshape(problems, k, k * k)).reshape(problems, k, k, k)
    slope = 0.5 * np.einsum("baar->br", turned)
    left = turned.transpose(0, 2, 1, 3).reshape(problems, k, k * k)
    right = turned.transpose(0, 3, 1, 2).reshape(problems, k * k, k)
    fourth = _sum_fourth(data, sums, inverse, (expected, centres))
    return slope, 0.5 * (fourth - left @ right)


def _sum_third(data: Partial, sums: RiskSums, expected: Floats, centres: Floats) -> Floats:
    """Return the third cumulants (B, k, k, k) summed over entries: E xxx - 3 sym(m E xx) + 2 mmm."""
    raw = sum_rows(expected, data.triples)[:, index_triples(data.width)[2]]
    cross = (centres.transpose(0, 2, 1) @ data.pairs)[:, :, index_pairs(data.width)[2]]
    outer = sums.mean[..., :, None] * sums.mean[..., None, :]
    weighted = (data.deaths.count[:, None] * sums.mean).transpose(0, 2, 1)
    cubes = (weighted @ outer.reshape(*outer.shape[:2], -1)).reshape(raw.shape)
    turned = cross.transpose(0, 2, 1, 3) + cross.transpose(0, 2, 3, 1)
    return raw - cross - turned + 2.0 * cubes


def _sum_fourth(data: Partial, sums: RiskSums, inverse: Floats, spread: tuple[Floats, Floats]) -> Floats:
    """Return the fourth cumulants contracted with the inverse A, summed over entries (B, k, k).

    Per entry, with c = x - m and q = c'Ac: E[q cc'] - tr(AV) V - 2 V A V. The expectation is opened into raw
    moments, which are sums over rows, and moments up to the second, which each entry has at hand.
    """
    expected, centres = spread
    mean, cov, count = sums.mean, sums.spread, data.deaths.count[:, None]
    aimed = mean @ inverse
    length = (aimed * mean).sum(axis=2)
    second = cov + mean[..., :, None] * mean[..., None, :]
    form = np.einsum("nk,bkl,nl->bn", data.design, inverse, data.design, optimize=True)
    lengths = data.scatter(sums, length[..., None])[..., 0]
    across = (centres @ inverse * data.design).sum(axis=2)
    rows = data.sum_pairs(expected * form - 2.0 * across + lengths)
    square = np.einsum("bn,bnk,nl->bkl", form, centres, data.design, optimize=True)
    turned = np.einsum("bekl,bel->bek", second, aimed)
    slant = square + np.einsum("bek,bel->bkl", count * (length[..., None] * mean - 2.0 * turned), mean)
    trace = np.einsum("bekl,blk->be", cov, inverse)
    middle = (mean * (count * trace[..., None])).transpose(0, 2, 1) @ mean
    level = np.einsum("be,bekl->bkl", count[:, 0] * trace, cov)
    twisted = np.einsum("bekl,blm,bemo->bko", cov * count[:, :, None], inverse, cov, optimize=True)
    return rows - slant - slant.transpose(0, 2, 1) + middle - level - 2.0 * twisted


def build_partial(columns: Floats, times: Floats, events: Floats, ties: str) -> tuple[Partial, Ints]:
    """Sort, centre and scale the columns (n, k) and lay out the risk sets; also return the order of the rows."""
    order = np.lexsort((-events, -times))
    centred = columns - columns.mean(axis=0)
    scale = columns.std(axis=0)
    scale = np.where(scale > 0.0, scale, 1.0)
    design = (centred / scale)[order]
    rows, others, _ = index_pairs(columns.shape[1])
    pairs = design[:, rows] * design[:, others]
    first, second, _ = index_triples(columns.shape[1])
    partial = Partial(
        design=design,
        pairs=pairs,
        triples=design[:, first] * pairs[:, second],
        event=events[order],
        deaths=_lay_deaths(times[order], events[order], ties),
        scale=scale[None],
    )
    return partial, order


def _lay_deaths(times: Floats, events: Floats, ties: str) -> Deaths:
    """Lay out the entries from rows in order of falling time, the dead before the censored at each time."""
    distinct = np.unique(times[events > 0.0])
    falling = -times
    start, end = (np.searchsorted(falling, -distinct, side=side) for side in ("left", "right"))
    dead = np.array([events[a:b].sum() for a, b in zip(start, end, strict=True)], dtype=np.intp)
    repeat = dead if ties == "efron" else np.ones_like(dead)
    owner = np.repeat(np.arange(distinct.size), repeat)
    closed = np.cumsum(repeat)
    rank = np.arange(owner.size) - (closed - repeat)[owner]
    past = np.append(0, closed)
    until = past[np.searchsorted(distinct, times, side="right")]
    since = np.where(events > 0.0, past[np.searchsorted(distinct, times, side="left")], until)
    return Deaths(
        last=end[owner] - 1,
        count=np.ones(owner.size) if ties == "efron" else dead[owner].astype(float),
        share=rank / dead[owner],
        first_dead=start[owner],
        end_dead=(start + dead)[owner],
        until=until,
        since=since,
    )
