"""What a model asks for: each of its factors with words, unit, levels, the range seen and a typical value.

Convention: nothing here belongs to a single patient. A range is that of the middle 90 % of the patients whose outcome
is known, a typical value their median or most frequent level; numbers are rounded to three digits.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence

import polars as pl

from rarefactor.derive import LandmarkTable, Recipe
from rarefactor.results import FactorInfo, RiskAlias, RiskFactor
from rarefactor.spec import Study, parse_column

FEW = 5
TAIL = 0.05


def define_factors(
    study: Study, table: LandmarkTable, terms: Iterable[tuple[FactorInfo, str]]
) -> tuple[RiskFactor, ...]:
    """Return the factors of a model from the terms that it holds, in their order."""
    held: dict[str, tuple[FactorInfo, list[str]]] = {}
    for info, term in terms:
        held.setdefault(info.name, (info, []))[1].append(term)
    known = table.frame["outcome"].is_not_null()
    frame, measured = table.frame.filter(known), table.measured.filter(known)
    return tuple(
        _define(info, frame[info.name], own, _alias(study, table, info, measured, set(held)))
        for info, own in held.values()
    )


def _define(info: FactorInfo, series: pl.Series, terms: Sequence[str], alias: RiskAlias | None) -> RiskFactor:
    seen = series.drop_nulls()
    if info.levels:
        levels = (*(level for level in info.ordered if level not in terms and (seen == level).any()), *terms)
        counts = {level: int((seen == level).sum()) for level in levels}
        low, high, typical = None, None, max(levels, key=lambda level: counts[level])
        rare = tuple(level for level, count in counts.items() if count < FEW)
    else:
        levels, rare = (), ()
        low, high = _middle(seen)
        typical = _rounded(seen.median())
    return RiskFactor(
        name=info.name,
        label=info.label,
        kind=info.kind,
        role=info.role,
        measured_at=info.measured_at,
        definition=info.definition,
        unit=info.unit,
        levels=levels,
        rare=rare,
        step=info.step,
        transform=info.transform,
        low=low,
        high=high,
        typical=typical,
        alias=alias,
    )


def _alias(
    study: Study, table: LandmarkTable, info: FactorInfo, measured: pl.DataFrame, taken: set[str]
) -> RiskAlias | None:
    """Return the column that may be given instead; none for a change, or where the name could mean something else."""
    recipe, factor = table.recipes[info.name], study.factors[info.name]
    name = parse_column(factor.column).name
    if recipe.rule == "change" or name in taken - {info.name} or _is_ambiguous(study, table, info.name, taken):
        return None
    part = next(part for part in table.parts if part.name == recipe.parts[0])
    if recipe.rule == "cut":
        low, high = _middle(measured[part.name].drop_nulls())
        return RiskAlias(
            name=name, rule="cut", comparison=recipe.comparison, threshold=recipe.threshold, low=low, high=high
        )
    if factor.equals and part.levels and name != info.name:
        return RiskAlias(name=name, rule="level", levels=part.levels, counted=tuple(_counted(recipe, part.levels)))
    return RiskAlias(name=name, rule="same") if name != info.name and not factor.equals else None


def _is_ambiguous(study: Study, table: LandmarkTable, factor: str, taken: set[str]) -> bool:
    """Whether another factor of the model is made from a column of that name in another table or at another visit."""
    name = parse_column(study.factors[factor].column).name
    others = [other for other in taken if parse_column(study.factors[other].column).name == name]
    return any(table.recipes[other].parts[0] != table.recipes[factor].parts[0] for other in others)


def _counted(recipe: Recipe, levels: Sequence[str]) -> Iterator[str]:
    return (level for level, held in zip(levels, recipe.lookup, strict=True) if held)


def _middle(seen: pl.Series) -> tuple[float, float]:
    low, high = (seen.quantile(share, interpolation="linear") for share in (TAIL, 1.0 - TAIL))
    return _rounded(low), _rounded(high)


def _rounded(value: object) -> float:
    return float(f"{value:.3g}")
