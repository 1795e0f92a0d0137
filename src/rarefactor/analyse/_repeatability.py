"""What the error of measurement does to a rate between two visits.

Convention: the repeatability of the study file is the SD of one measurement repeated, of its logarithm where the rate
is of logarithms; what differs between patients (their interval of time) is told by its median.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from rarefactor.analyse._design import Floats
from rarefactor.analyse._follow_up import told
from rarefactor.derive import LandmarkTable
from rarefactor.errors import InputError
from rarefactor.results import Analysed, Estimate, FactorInfo, Note
from rarefactor.spec import lower_first
from rarefactor.stats import Rates, compute_rates

Bools = NDArray[np.bool_]


def analyse_repeatability(table: LandmarkTable, info: FactorInfo, sd: float, level: float) -> Analysed:
    """Return the standard error of one rate, the smallest rate that is not error, and the reliability."""
    first, second, months = _measurements(table, info)
    try:
        rates = compute_rates(first, second, months, repeatability_sd=sd, level=level)
    except InputError as error:
        text = f"The error of {info.label} was not computed ({told(error)})."
        return Analysed(rows=(), notes=(_note(table, info, text),))
    known = np.isfinite(rates.rate)
    if known.sum() < 2:
        return Analysed(rows=(), notes=(_note(table, info, f"Too few patients have {info.label} for its error."),))
    base = Estimate(
        analysis="longitudinal",
        landmark=table.landmark,
        factor=info.name,
        method="repeatability",
        measure="",
        estimate=None,
        n=int(known.sum()),
    )
    rows = tuple(_rows(base, rates, known))
    return Analysed(rows=rows, notes=(_note(table, info, _sentence(info, rates, known, level)),))


def _measurements(table: LandmarkTable, info: FactorInfo) -> tuple[Floats, Floats, Floats]:
    recipe = table.recipes[info.name]
    first, second, months = (table.measured[name].fill_null(np.nan).to_numpy() for name in recipe.parts)
    if recipe.log:
        first, second = (np.log(np.where(part > 0, part, np.nan)) for part in (first, second))
    return first, second, np.where(months > 0, months, np.nan)


def _rows(base: Estimate, rates: Rates, known: Bools) -> Iterator[Estimate]:
    medians = {"rate_se": rates.se, "minimal_detectable_rate": rates.detectable, "reliability": rates.reliability}
    for measure, values in medians.items():
        yield replace(base, measure=measure, estimate=float(np.median(values[known])))
    yield replace(base, measure="share_changed", estimate=float(rates.changed[known].mean()))
    yield replace(base, measure="sd_true_rate", estimate=rates.sd)


def _sentence(info: FactorInfo, rates: Rates, known: Bools, level: float) -> str:
    se, smallest, reliability = (
        float(np.median(values[known])) for values in (rates.se, rates.detectable, rates.reliability)
    )
    unit = f" {info.unit}" if info.unit else ""
    changed, n = int(rates.changed[known].sum()), int(known.sum())
    return (
        f"The {lower_first(info.label)} of one patient has a standard error of {se:.3g}{unit}: "
        f"with {100 * level:g}% confidence a rate "
        f"below {smallest:.3g}{unit} may be error of measurement alone, which leaves {changed} of {n} patients with a "
        f"change. Its reliability is {reliability:.2f}; associations with it are diluted accordingly."
    )


def _note(table: LandmarkTable, info: FactorInfo, text: str) -> Note:
    return Note(about="longitudinal", landmark=table.landmark, factor=info.name, text=text)
