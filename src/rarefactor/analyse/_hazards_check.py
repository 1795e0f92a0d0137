"""Whether the hazard ratios of a Cox model are constant over time: tests, and their course for a plot.

Rows: ``proportional_hazards`` of a term, of a factor with several (its term is the degrees of freedom) and of all;
``hazard_ratio_over_time`` at times (``group``), a smooth of the scaled Schoenfeld residuals; and
``hazard_ratio_of_events``, their mean over neighbouring events, never fewer than 5, so that no patient's own is shown.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from itertools import pairwise
from statistics import NormalDist

import numpy as np

from rarefactor.analyse._design import Design, Floats
from rarefactor.analyse._odds import column_name
from rarefactor.results import FEWEST_EVENTS_IN_MEAN, Estimate
from rarefactor.stats import (
    ChiSquareTest,
    HazardsSmooth,
    PooledTest,
    compute_hazards_check,
    compute_hazards_smooth,
    fit_cox,
    pool_hazards_check,
)

FEWEST_DEATHS = 10
PER_BEND, MOST_BENDS = 20, 2
MOST_POINTS = 12


@dataclass(frozen=True, slots=True, kw_only=True)
class Fitted:
    """A Cox model ready to be fitted: its patients (their outcome is the event), and their times.

    ``filled`` are the columns filled in (m, n, k), or None for as they are.
    """

    design: Design
    filled: Floats | None
    time: Floats
    level: float


@dataclass(frozen=True, slots=True, kw_only=True)
class _Checked:
    """Tests of columns, of factors with several columns, of all; and what a plot shows, each column in its place."""

    columns: Sequence[ChiSquareTest | PooledTest]
    joint: Sequence[ChiSquareTest | PooledTest]
    whole: ChiSquareTest | PooledTest
    time: Floats
    residuals: Floats
    smooth: HazardsSmooth


def check_rows(base: Estimate, model: Fitted) -> Iterator[Estimate]:
    """Yield the tests of proportional hazards, and the hazard ratios over time where there are events enough."""
    design = model.design
    several = {name: places for name, places in _places(design).items() if len(places) > 1}
    found = _check(model, tuple(several.values()))
    base = replace(base, n=len(design.y), events=int(design.y.sum()))
    row = replace(base, measure="proportional_hazards", method="schoenfeld")
    for (info, term), test in zip(design.terms, found.columns, strict=True):
        yield _tested(replace(row, factor=info.name, term=term), test)
    for (name, places), test in zip(several.items(), found.joint, strict=True):
        yield _tested(replace(row, factor=name, term=f"{len(places)} df"), test)
    yield _tested(replace(row, term=f"{design.X.shape[1]} df"), found.whole)
    if found.time.size >= FEWEST_DEATHS:
        yield from _course(base, model, found)


def _places(design: Design) -> dict[str, tuple[int, ...]]:
    """Return for each factor the places of its columns."""
    ends = np.cumsum([0, *(len(item.terms) for item in design.columns)]).tolist()
    return {item.factor.name: tuple(range(*pair)) for item, pair in zip(design.columns, pairwise(ends), strict=True)}


def _check(model: Fitted, several: Sequence[Sequence[int]]) -> _Checked:
    design = model.design
    bends = min(MOST_BENDS, int(design.y.sum()) // PER_BEND)
    if model.filled is not None:
        many = pool_hazards_check(model.filled, model.time, design.y, terms=several, bends=bends)
        return _Checked(
            columns=many.columns, joint=many.terms, whole=many.whole,
            time=many.time, residuals=many.residuals, smooth=many.smooth,
        )  # fmt: skip
    fit = fit_cox(design.X, model.time, design.y, tests=False, intervals=False)
    one = compute_hazards_check(design.X, model.time, design.y, fit, terms=several)
    tests = (ChiSquareTest(statistic=float(c), df=1, p=float(p)) for c, p in zip(one.chisq, one.p, strict=True))
    return _Checked(
        columns=tuple(tests), joint=one.terms, whole=one.whole,
        time=one.time, residuals=one.residuals, smooth=compute_hazards_smooth(one, bends=bends),
    )  # fmt: skip


def _tested(row: Estimate, test: ChiSquareTest | PooledTest) -> Estimate:
    """Return a test: a chi-square, or F where it was pooled over imputations."""
    if math.isnan(test.statistic):
        return replace(row, estimate=None, flags=("not_converged",))
    return replace(row, estimate=test.statistic, p=test.p)


def _course(base: Estimate, model: Fitted, found: _Checked) -> Iterator[Estimate]:
    """Yield each hazard ratio over time; the smooth without its ends, which are the times of single patients."""
    reach = NormalDist().inv_cdf(0.5 + 0.5 * model.level)
    smooth = found.smooth
    for place, (info, term) in enumerate(model.design.terms):
        row = replace(base, factor=info.name, term=term)
        seen = dict[str, Estimate]()
        for time, middle, se in zip(smooth.time, smooth.estimate[:, place], smooth.se[:, place], strict=True):
            if math.isfinite(middle):
                low, high = _ratio(middle - reach * se), _ratio(middle + reach * se)
                at = replace(row, measure="hazard_ratio_over_time", method="spline", group=f"{time:.4g}")
                seen[at.id] = replace(at, estimate=_ratio(middle), low=low, high=high)
        yield from list(seen.values())[1:-1]
        yield from _points(row, found.time, found.residuals[:, place])


def _points(row: Estimate, time: Floats, residuals: Floats) -> Iterator[Estimate]:
    """Yield the means of neighbouring events."""
    seen = dict[str, Estimate]()
    for members in np.array_split(np.arange(time.size), max(1, min(MOST_POINTS, time.size // FEWEST_EVENTS_IN_MEAN))):
        at = replace(row, measure="hazard_ratio_of_events", method="mean", group=f"{time[members].mean():.4g}")
        middle = float(residuals[members].mean())
        if math.isfinite(middle):
            seen[at.id] = replace(at, estimate=_ratio(middle), n=members.size, events=members.size)
    yield from seen.values()


def _ratio(coefficient: float) -> float:
    """Return a hazard ratio that can be written down."""
    return math.exp(min(max(coefficient, -700.0), 700.0))


def check_sentences(model: Fitted, rows: Sequence[Estimate]) -> Iterator[str]:
    """Say which hazard ratios do not look constant: a factor with several levels by its joint test."""
    tests = [row for row in rows if row.measure == "proportional_hazards" and row.factor and (row.p or 1) < 0.05]
    infos = {item.factor.name: item for item in model.design.columns}
    several = {name for name, item in infos.items() if len(item.terms) > 1}
    bent = [row for row in tests if row.factor not in several or row.term not in infos[row.factor or ""].terms]
    if bent:
        names = ", ".join(
            infos[row.factor or ""].factor.label
            if row.factor in several
            else column_name(infos[row.factor or ""].factor, row.term or "")
            for row in bent
        )
        yield (
            f"The hazard ratio of {names} does not look constant over time (test of Schoenfeld residuals, P < 0.05): "
            "read it as an average over the time that was observed."
        )
