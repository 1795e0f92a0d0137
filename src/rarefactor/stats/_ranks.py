"""The area under the ROC curve from sorted scores: many score vectors and weights at once, ties counted half."""

from __future__ import annotations

import numpy as np

from rarefactor.stats._arrays import Floats


def compute_areas(scores: Floats, positive: Floats, negative: Floats) -> Floats:
    """Return the AUC (B,) of scores (B, n); NaN where a class has no weight.

    ``positive`` and ``negative`` (1 or B, n) are the weights of each patient as an event and as a non-event.
    """
    order = np.argsort(scores, axis=1)
    scores = np.take_along_axis(scores, order, axis=1)
    negative = np.take_along_axis(np.broadcast_to(negative, order.shape), order, axis=1)
    positive = np.take_along_axis(np.broadcast_to(positive, order.shape), order, axis=1)
    concordant = (positive * _sum_below(scores, negative)).sum(axis=1)
    pairs = positive.sum(axis=1) * negative.sum(axis=1)
    return np.divide(concordant, pairs, out=np.full(len(scores), np.nan), where=pairs > 0.0)


def _sum_below(scores: Floats, weights: Floats) -> Floats:
    """Return for sorted scores (B, n) the weight of lower scores plus half that of equal ones."""
    through = np.cumsum(weights, axis=1)
    rises = scores[:, 1:] > scores[:, :-1]
    if rises.all():
        return through - 0.5 * weights
    size = scores.shape[1]
    place = np.arange(size)
    first = np.zeros(scores.shape, dtype=np.intp)
    first[:, 1:] = np.maximum.accumulate(np.where(rises, place[1:], 0), axis=1)
    last = np.full(scores.shape, size - 1, dtype=np.intp)
    last[:, :-1] = np.minimum.accumulate(np.where(rises, place[:-1], size - 1)[:, ::-1], axis=1)[:, ::-1]
    below = np.take_along_axis(through - weights, first, axis=1)
    return 0.5 * (below + np.take_along_axis(through, last, axis=1))


def compute_placements(scores: Floats, outcome: Floats) -> tuple[Floats, Floats]:
    """Return what DeLong's variance needs of scores (S, n).

    For each event the share of non-events that it outranks (S, events), and for each non-event the share of events
    that outrank it (S, non-events), ties counted half.
    """
    order = np.argsort(scores, axis=1)
    ranked = np.take_along_axis(scores, order, axis=1)
    placed = []
    for cases in (1.0 - outcome, outcome):
        below = _sum_below(ranked, cases[order])
        share = np.empty_like(below)
        np.put_along_axis(share, order, below, axis=1)
        placed.append(share / cases.sum())
    event = outcome == 1.0
    return placed[0][:, event], 1.0 - placed[1][:, ~event]
