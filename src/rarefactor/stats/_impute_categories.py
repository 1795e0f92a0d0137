"""Multinomial and proportional-odds models of a batch of chains, safe where categories are predicted perfectly.

Safety comes from pseudo-patients (White, Daniel & Royston 2010): for each of the q columns two, half a standard
deviation above and below the mean, with a weight of q + 1 for all of them together. Their categories are split in
equal shares as there, or as observed (Clogg et al. 1991), which does not draw a rare category towards one half.
As columns are standardised, the pseudo-patients are the same in every chain and cost next to nothing.

Both models are objectives of the one Newton. Coefficients are drawn from their normal approximation.

References
----------
White IR, Daniel R, Royston P. Avoiding bias due to perfect prediction in multiple imputation of incomplete
categorical variables. Comput Stat Data Anal 2010;54:2267-75.
Clogg CC, Rubin DB, Schenker N, Schultz B, Weidman L. Multiple imputation of industry and occupation codes in census
public-use samples using Bayesian logistic regression. J Am Stat Assoc 1991;86:68-78.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np

from rarefactor.stats._arrays import Bools, Floats, Ints, dot
from rarefactor.stats._newton import Limits, Stop, maximise
from rarefactor.stats._penalty import MaximumLikelihood, Point

LOOSE = Limits(rounds=50, step=1e-2, gain=1e-2)
"""Newton may stop where its next step, which is taken, is a tenth of the spread of the coefficients (its square, the
gain, is in the units of the posterior); what is left is of the order of that step's square."""

BEYOND = 1e3
"""A threshold that nobody reaches, below the first and above the last category."""


def compute_pseudo_rows(columns: int) -> Floats:
    """Return the pseudo-patients (2q, q + 1) of q standardised columns, intercept first."""
    halves = 0.5 * np.eye(columns)
    return np.insert(np.concatenate([halves, -halves]), 0, 1.0, axis=1)


def compute_shares(codes: Ints, observed: Bools, levels: int, *, equal: bool) -> Floats:
    """Return the shares (B, levels) of categories among the pseudo-patients; none is 0."""
    if equal:
        return np.full((len(codes), levels), 1.0 / levels)
    counts = np.stack([((codes == level) & observed).sum(axis=1) for level in range(levels)], axis=1) + 0.5
    return counts / counts.sum(axis=1, keepdims=True)


@dataclass(frozen=True, slots=True, kw_only=True)
class Multinomial:
    """Logits of C categories against the first: coefficients (B, C k), category by category.

    ``design`` (B, n, k), ``marks`` (B, C, n) in {0, 1} and 0 where unknown, ``known`` (B, n); ``pseudo`` (2q, k) with
    ``pairs`` (2q, k k) of their products, and ``shares`` (B, C).
    """

    design: Floats
    marks: Floats
    known: Floats
    pseudo: Floats
    pairs: Floats
    shares: Floats

    @property
    def likelihood(self) -> Multinomial:
        """The model itself: it knows its rows."""
        return self

    def constant(self) -> Floats:
        """Return zero: the columns are not scaled here."""
        return np.zeros(1)

    def take(self, rows: Ints) -> Multinomial:
        """Return the problems at these positions."""
        parts = {name: getattr(self, name)[rows] for name in ("design", "marks", "known", "shares")}
        return replace(self, **parts)

    @property
    def weights(self) -> Floats:
        """The weights (B, n) of the rows: 1 where the category is known."""
        return self.known

    def sum_pairs(self, weights: Floats) -> Floats:
        """Return the information (B, C k, C k) of rows with these weights, all categories being equally likely."""
        count = self.shares.shape[1]
        sizes = weights.shape[1], len(self.pseudo)
        equal, extra = (np.full((len(weights), count, n), 1.0 / (count + 1.0)) for n in sizes)
        return self._sum_blocks(weights[:, None] * equal, equal, extra, extra)

    def compute_reach(self, step: Floats) -> Floats:
        """Return the largest change (B,) of any logit by a step (B, C k)."""
        return np.abs(self._split(step) @ self.design.transpose(0, 2, 1)).max(axis=(1, 2))

    def compute_probabilities(self, beta: Floats) -> Floats:
        """Return the probabilities (B, n, C + 1) of the categories."""
        _, share = _compute_logit_shares(self._split(beta) @ self.design.transpose(0, 2, 1))
        return np.concatenate([1.0 - share.sum(axis=1, keepdims=True), share], axis=1).transpose(0, 2, 1)

    def evaluate(self, beta: Floats) -> Point:
        """Return value, gradient and curvature at ``beta`` (B, C k)."""
        split = self._split(beta)
        logits, extra = split @ self.design.transpose(0, 2, 1), split @ self.pseudo.T
        norm, share = _compute_logit_shares(logits)
        extra_norm, extra_share = _compute_logit_shares(extra)
        weight = self.pseudo.shape[1] / max(1, self.pseudo.shape[0])
        value = (self.marks * logits).sum(axis=(1, 2)) - (self.known * norm).sum(axis=1)
        value += weight * ((self.shares[..., None] * extra).sum(axis=(1, 2)) - extra_norm.sum(axis=1))
        weighted = self.known[:, None] * share
        gradient = (self.marks - weighted) @ self.design + weight * (
            (self.shares[..., None] - extra_share) @ self.pseudo
        )
        matrix = self._sum_blocks(weighted, share, weight * extra_share, extra_share)
        return Point(value=value, gradient=gradient.reshape(beta.shape), curvature=matrix, information=matrix)

    def _split(self, beta: Floats) -> Floats:
        return beta.reshape(len(beta), -1, self.design.shape[2])

    def _sum_blocks(self, weighted: Floats, share: Floats, extra: Floats, extra_share: Floats) -> Floats:
        """Return the information (B, C k, C k), block by block of two categories."""
        problems, _, k = self.design.shape
        count = share.shape[1]
        blocks = np.empty((problems, count, k, count, k))
        for a in range(count):
            for b in range(a + 1):
                row = weighted[:, a] * ((a == b) - share[:, b])
                pseudo = extra[:, a] * ((a == b) - extra_share[:, b])
                block = (self.design * row[..., None]).transpose(0, 2, 1) @ self.design
                block += (pseudo @ self.pairs).reshape(problems, k, k)
                blocks[:, a, :, b] = blocks[:, b, :, a] = block
        return blocks.reshape(problems, count * k, count * k)


def _compute_logit_shares(logits: Floats) -> tuple[Floats, Floats]:
    """Return log(1 + sum exp) (B, n) and the shares (B, C, n) of logits (B, C, n)."""
    top = np.maximum(logits.max(axis=1), 0.0)
    parts = np.exp(logits - top[:, None])
    total = np.exp(-top) + parts.sum(axis=1)
    return top + np.log(total), parts / total[:, None]


def build_multinomial(design: Floats, codes: Ints, observed: Bools, shares: Floats) -> Multinomial:
    """Return the model of codes (B, n) in 0, 1, ..., C on the design (B, n, k), intercept first."""
    pseudo = compute_pseudo_rows(design.shape[2] - 1)
    levels = np.arange(1, shares.shape[1])
    return Multinomial(
        design=design,
        marks=((codes[:, None] == levels[:, None]) & observed[:, None]).astype(np.float64),
        known=observed.astype(np.float64),
        pseudo=pseudo,
        pairs=(pseudo[:, :, None] * pseudo[:, None]).reshape(len(pseudo), pseudo.shape[1] ** 2),
        shares=shares[:, 1:],
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class ProportionalOdds:
    """Cumulative logits with C thresholds and common slopes: coefficients (B, C + q), thresholds first.

    ``upper`` and ``lower`` (B, N, C + q) give a row's logits of staying at or below its category and below it, less
    their offsets ``above`` and ``below`` (B, N); ``weights`` (B, N); ``thresholds`` is C. Rows include pseudo-patients.
    """

    upper: Floats
    lower: Floats
    above: Floats
    below: Floats
    weights: Floats
    thresholds: int

    @property
    def likelihood(self) -> ProportionalOdds:
        """The model itself: it knows its rows."""
        return self

    def constant(self) -> Floats:
        """Return zero: the columns are not scaled here."""
        return np.zeros(1)

    def take(self, rows: Ints) -> ProportionalOdds:
        """Return the problems at these positions."""
        names = ("upper", "lower", "above", "below", "weights")
        return replace(self, **{name: getattr(self, name)[rows] for name in names})

    def sum_pairs(self, weights: Floats) -> Floats:
        """Return sums (B, C + q, C + q) of the products of the rows' columns, which say what these determine."""
        upper, lower = (_cross(rows, weights[..., None] * rows) for rows in (self.upper, self.lower))
        return upper + lower

    def compute_reach(self, step: Floats) -> Floats:
        """Return the largest change (B,) of any logit by a step (B, C + q)."""
        return np.abs(np.concatenate([self.upper @ step[..., None], self.lower @ step[..., None]], axis=1)).max((1, 2))

    def evaluate(self, beta: Floats) -> Point:
        """Return value, gradient and curvature at ``beta`` (B, C + q); -inf where thresholds are out of order."""
        above, below = (
            _compute_risk((rows @ beta[..., None])[..., 0] + offset)
            for rows, offset in ((self.upper, self.above), (self.lower, self.below))
        )
        share = above - below
        legal = np.asarray(((share > 0.0) | (self.weights == 0.0)).all(axis=1))
        share = np.where(share > 0.0, share, 1.0)
        slope_up, slope_down = above * (1.0 - above) / share, -below * (1.0 - below) / share
        bend_up = slope_up * (1.0 - 2.0 * above) - np.square(slope_up)
        bend_down = slope_down * (1.0 - 2.0 * below) - np.square(slope_down)
        gradient = _sum(self.weights * slope_up, self.upper) + _sum(self.weights * slope_down, self.lower)
        cross = -slope_up * slope_down
        matrix = _cross(self.upper, self._weigh(bend_up, self.upper) + self._weigh(cross, self.lower))
        matrix += _cross(self.lower, self._weigh(cross, self.upper) + self._weigh(bend_down, self.lower))
        value = np.where(legal, (self.weights * np.log(share)).sum(axis=1), -np.inf)
        return Point(value=value, gradient=gradient, curvature=-matrix, information=-matrix)

    def _weigh(self, values: Floats, rows: Floats) -> Floats:
        return (self.weights * values)[..., None] * rows


def _sum(weights: Floats, rows: Floats) -> Floats:
    return (weights[:, None] @ rows)[:, 0]


def _cross(left: Floats, right: Floats) -> Floats:
    return left.transpose(0, 2, 1) @ right


def _compute_risk(logits: Floats) -> Floats:
    small = np.exp(-np.abs(logits))
    return np.where(logits >= 0.0, 1.0, small) / (1.0 + small)


def build_proportional_odds(design: Floats, codes: Ints, observed: Bools, shares: Floats) -> ProportionalOdds:
    """Return the model of codes (B, n) in 0, 1, ..., C on the design (B, n, k), whose intercept is not used."""
    problems, levels = shares.shape
    columns = design.shape[2] - 1
    pseudo = np.repeat(compute_pseudo_rows(columns)[:, 1:], levels, axis=0)
    rows = np.concatenate([design[..., 1:], np.broadcast_to(pseudo, (problems, *pseudo.shape))], axis=1)
    extra = np.broadcast_to(np.tile(np.arange(levels), 2 * columns), (problems, len(pseudo)))
    category = np.concatenate([np.where(observed, codes, 0), extra], axis=1)
    weight = (columns + 1.0) / max(1.0, 2.0 * columns)
    thresholds = np.eye(levels + 1)[:, 1:levels]
    return ProportionalOdds(
        upper=np.concatenate([thresholds[category + 1], -rows], axis=2),
        lower=np.concatenate([thresholds[category], -rows], axis=2),
        above=np.where(category == levels - 1, BEYOND, 0.0),
        below=np.where(category == 0, -BEYOND, 0.0),
        weights=np.concatenate([observed.astype(np.float64), np.tile(weight * shares, (1, 2 * columns))], axis=1),
        thresholds=levels - 1,
    )


def compute_ordered_probabilities(design: Floats, beta: Floats, thresholds: int) -> Floats:
    """Return the probabilities (B, n, C + 1); thresholds that a draw has put out of order are sorted."""
    cuts = np.sort(beta[:, :thresholds], axis=1)
    score = design[..., 1:] @ beta[:, thresholds:, None]
    below = _compute_risk(cuts[:, None] - score)
    edges = np.zeros((*below.shape[:2], 1))
    return np.diff(np.concatenate([edges, below, edges + 1.0], axis=2), axis=2)


def start_thresholds(shares: Floats) -> Floats:
    """Return thresholds (B, C) at which the categories have these shares (B, C + 1)."""
    below = shares.cumsum(axis=1)[:, :-1]
    return np.log(below / (1.0 - below))


def draw_coefficients(
    model: Multinomial | ProportionalOdds | MaximumLikelihood, start: Floats, rng: np.random.Generator
) -> tuple[Floats, Floats, Bools]:
    """Return estimates, coefficients drawn about them (B, k) and which models have settled (B,)."""
    there = maximise(model, start, np.ones(start.shape, dtype=bool), LOOSE)
    beta = np.where((there.stop == Stop.CONVERGED)[:, None], there.beta, there.beta + there.step)
    near = (there.stop == Stop.SEPARATED) & (dot(there.step, there.point.gradient) < LOOSE.gain)
    settled = (there.stop == Stop.CONVERGED) | near
    matrix = np.where(settled[:, None, None], there.point.curvature, np.eye(start.shape[1]))
    factor = np.linalg.cholesky(matrix)
    noise = rng.standard_normal((*start.shape, 1))
    error = np.asarray(np.linalg.solve(factor.transpose(0, 2, 1), noise), dtype=np.float64)[..., 0]
    estimate = np.where(settled[:, None], beta, start)
    return estimate, estimate + error, settled


def draw_categories(probabilities: Floats, rng: np.random.Generator) -> Ints:
    """Return a category for every row of probabilities (N, C + 1)."""
    below = probabilities.cumsum(axis=1)[:, :-1]
    return (rng.random((len(probabilities), 1)) > below).sum(axis=1)
