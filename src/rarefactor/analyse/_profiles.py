"""How the likelihood of each odds ratio falls, in the patients for whom every factor of the model is known.

Convention: of each curve as many points are kept as its shape needs. Between two of them the signed root of the fall,
which is straight where a likelihood is normal, is taken to be straight; whoever draws the curve does the same.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from math import exp
from statistics import NormalDist

import numpy as np
from numpy.typing import NDArray

from rarefactor.analyse._design import Design, Floats
from rarefactor.analyse._markers import list_markers, marker_row
from rarefactor.analyse._odds import usable_columns
from rarefactor.results import Estimate
from rarefactor.stats import compute_profiles

POINTS = 25
TOLERANCE = 0.005
"""How far a drawn curve may lie from the computed one: a two hundredth of its height."""

FARTHEST = np.log(1000.0)
PENALTIES = {"ml": "none", "firth": "firth", "logf22": "logf"}


def trace_profiles(everyone: Design, base: Estimate, *, level: float) -> Iterator[Estimate]:
    """Yield the relative profile likelihood of each marker at some odds ratios: 1 at the estimate, falling to 0.

    ``group`` is the odds ratio. One row says how high a curve is where it reaches the limits of the interval.
    """
    design, _ = usable_columns(everyone.complete())
    rows = replace(base, measure="relative_likelihood", n=len(design.y), events=int(design.y.sum()))
    half = NormalDist().inv_cdf(0.5 + 0.5 * level)
    yield replace(rows, measure="likelihood_at_limits", method=None, estimate=exp(-(half**2) / 2.0))
    for method, penalty in PENALTIES.items():
        curves = compute_profiles(design.X, design.y, penalty=penalty, points=POINTS, level=level)
        for marker in list_markers(design):
            values, fall = curves.values[marker.place + 1], curves.fall[marker.place + 1]
            inside = np.isfinite(fall) & (np.abs(values) <= FARTHEST)
            values, fall = values[inside], fall[inside]
            kept = choose_points(values, fall)
            heights = {  # points that are too near to each other to be told apart are one
                f"{np.exp(values[place]):.6g}": float(np.exp(-fall[place] / 2.0)) for place in kept
            }
            yield from (
                marker_row(rows, marker, group=at, estimate=height, method=method) for at, height in heights.items()
            )


def choose_points(values: Floats, fall: Floats) -> NDArray[np.intp]:
    """Return the places of the points that a curve needs: its ends, its top, then always where it is farthest off.

    ``values`` (g,) rise; ``fall`` (g,) is twice the drop of the log-likelihood.

    Examples
    --------
    >>> values = np.linspace(-2.0, 2.0, 9)
    >>> choose_points(values, values**2).tolist()
    [0, 4, 8]
    """
    if values.size < 3:
        return np.arange(values.size)
    top = int(fall.argmin())
    root = np.sqrt(fall) * np.where(np.arange(values.size) < top, -1.0, 1.0)
    kept = np.unique([0, top, values.size - 1])
    while True:
        drawn = np.interp(values, values[kept], root[kept])
        off = np.abs(np.exp(-np.square(drawn) / 2.0) - np.exp(-fall / 2.0))
        if off.max() <= TOLERANCE:
            return kept
        kept = np.union1d(kept, off.argmax())
