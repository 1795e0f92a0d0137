"""How the imputation went, for whoever has to judge it: traces of the chains, and imputed beside observed values.

Rows: ``trace_mean`` and ``trace_sd`` of the imputed values of a part after each iteration (``term``), for the first
few imputations (``group``), on the scale on which the part was imputed; ``density`` of ``observed`` and ``imputed``
values of a number at places (``term``); ``proportion`` of each level (``term``) for the others; ``missing``, how many.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import replace

import numpy as np

from rarefactor.analyse._design import Floats
from rarefactor.analyse._filled import Filled, fill_missing
from rarefactor.derive import LandmarkTable, Part
from rarefactor.results import Analysed, Estimate, FactorInfo, ModelInfo, Note
from rarefactor.spec import Missing

CHAINS = 5
PLACES = 40


def describe_imputation(
    table: LandmarkTable, factors: Sequence[FactorInfo], settings: Missing, *, seed: int
) -> Analysed:
    """Return traces and distributions of what was imputed at a landmark; nothing where nothing is missing."""
    missing = _missing(table)
    if not settings.imputations or not missing:
        return Analysed(rows=())
    filled = fill_missing(table, settings, seed=seed)
    rows: list[Estimate] = []
    for part in table.parts:
        if part.name in filled.imputations.traced and part.name in missing:
            base = Estimate(
                analysis="imputation",
                measure="",
                estimate=None,
                landmark=table.landmark,
                factor=_factor_of(part, table, factors),
                n=table.frame["outcome"].drop_nulls().len(),
                imputations=settings.imputations,
            )
            shown = (*_traces(part, filled, base), *_distribution(part, filled, base))
            rows.extend((replace(base, measure="missing", estimate=missing[part.name]), *shown))
    return Analysed(rows=tuple(_once(rows)), notes=tuple(_unsettled(filled, table.landmark)))


def needs_imputation(table: LandmarkTable, models: Iterable[ModelInfo]) -> bool:
    """Whether some model at a landmark has a factor with missing values."""
    parts = {part for model in models for name in model.factors for part in table.recipes[name].parts}
    return bool(parts & _missing(table).keys())


def _unsettled(filled: Filled, landmark: str) -> Iterator[Note]:
    """Say where an imputation model found no maximum and left values as they were."""
    for name, count in filled.imputations.unsettled.items():
        if count:
            text = f"Imputing {name}: {count} models found no maximum and left the values of the step before."
            yield Note(about="multivariable", landmark=landmark, text=text)


def _missing(table: LandmarkTable) -> dict[str, int]:
    known = table.measured.filter(table.frame["outcome"].is_not_null())
    counts = {part.name: known[part.name].null_count() for part in table.parts if part.kind != "fixed"}
    return {name: count for name, count in counts.items() if count}


def _factor_of(part: Part, table: LandmarkTable, factors: Sequence[FactorInfo]) -> str:
    """Return the factor that a part is shown under: the first that is made of it."""
    return next(info.name for info in factors if part.name in table.recipes[info.name].parts)


def _once(rows: Sequence[Estimate]) -> Iterator[Estimate]:
    """A factor of two incomplete parts shows the first."""
    seen: set[str] = set()
    for row in rows:
        if row.id not in seen:
            seen.add(row.id)
            yield row


def _traces(part: Part, filled: Filled, base: Estimate) -> Iterator[Estimate]:
    found = filled.imputations
    place = found.traced.index(part.name)
    for measure, trace in (("trace_mean", found.trace_mean), ("trace_sd", found.trace_sd)):
        for chain in range(min(CHAINS, trace.shape[1])):
            for iteration, value in enumerate(trace[:, chain, place], start=1):
                row = replace(base, measure=measure, group=f"imputation {chain + 1}", term=f"iteration {iteration}")
                yield replace(row, estimate=None if np.isnan(value) else float(value))


def _distribution(part: Part, filled: Filled, base: Estimate) -> Iterator[Estimate]:
    found = filled.imputations
    place = found.names.index(part.name)
    imputed = found.imputed[:, place]
    groups = {"observed": found.values[0, ~imputed, place], "imputed": found.values[:, imputed, place].ravel()}
    if part.kind == "continuous":
        yield from _densities(groups, base)
        return
    for group, values in groups.items():
        for level, label in enumerate(part.levels):
            share = float(np.mean(values == level))
            yield replace(base, measure="proportion", group=group, term=label, estimate=share)


def _densities(groups: dict[str, Floats], base: Estimate) -> Iterator[Estimate]:
    observed = groups["observed"]
    width = _bandwidth(observed)
    places = np.linspace(observed.min() - 2 * width, observed.max() + 2 * width, PLACES)
    for group, values in groups.items():
        for at, density in zip(places, compute_density(values, places, width), strict=True):
            yield replace(base, measure="density", group=group, term=f"at {at:.5g}", estimate=float(density))


def compute_density(values: Floats, places: Floats, width: float) -> Floats:
    """Return a Gaussian kernel density of values (n,) at places (q,).

    Examples
    --------
    >>> places = np.linspace(-4, 4, 81)
    >>> float(compute_density(np.array([0.0, 1.0]), places, 0.5).sum().round(3)) * 0.1
    1.0
    """
    z = (places[:, None] - values[None, :]) / width
    return np.exp(-0.5 * np.square(z)).mean(axis=1) / (width * np.sqrt(2 * np.pi))


def _bandwidth(values: Floats) -> float:
    """Silverman's rule of thumb."""
    q1, q3 = np.quantile(values, [0.25, 0.75])
    spread = min(values.std(ddof=1), (q3 - q1) / 1.34) or values.std(ddof=1)
    return float(0.9 * spread * len(values) ** -0.2)
