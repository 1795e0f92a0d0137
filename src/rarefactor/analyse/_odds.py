"""From fitted coefficients to rows of odds ratios, with the flags that a reader must see.

Flags: ``separated`` the data separate the outcome along this term, so its maximum-likelihood estimate does not exist;
``sparse`` a cell of the term by outcome holds fewer than 5 patients, or there are fewer than 10 events (or non-events)
per parameter; ``infinite_low`` and ``infinite_high`` a bound does not exist; ``not_converged`` the fit failed, and its
numbers are left out.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace

import numpy as np

from rarefactor.analyse._design import Design, Floats
from rarefactor.errors import InputError, Problem
from rarefactor.results import FEW_EVENTS_PER_PARAMETER, FEW_IN_CELL, Estimate, FactorInfo
from rarefactor.stats import detect_separation


@dataclass(frozen=True, slots=True, kw_only=True)
class Coefficients:
    """What a fit says of the columns of a design, intercept left out: ``coef``, ``low``, ``high``, ``p``, each (p,).

    NaN is not known, infinite runs away (separated).
    """

    method: str
    coef: Floats
    low: Floats
    high: Floats
    p: Floats


def usable_columns(design: Design) -> tuple[Design, tuple[tuple[FactorInfo, str], ...]]:
    """Return the design without what cannot be estimated, and a sentence for each column that was left out."""
    kept, dropped = [], list[tuple[FactorInfo, str]]()
    for columns in design.columns:
        if not columns.terms:
            dropped.append((columns.factor, _left_out(columns.factor, "")))
            continue
        varies = np.array([_varies(values) for values in columns.values.T], dtype=bool)
        absent = [term for term, usable in zip(columns.terms, varies, strict=True) if not usable]
        dropped.extend((columns.factor, _left_out(columns.factor, term)) for term in absent)
        terms = tuple(term for term, usable in zip(columns.terms, varies, strict=True) if usable)
        if terms:
            kept.append(replace(columns, terms=terms, values=columns.values[:, varies]))
    return replace(design, columns=tuple(kept)), tuple(dropped)


def odds_ratios(
    fit: Coefficients, design: Design, flags: Sequence[Sequence[str]], base: Estimate
) -> Iterator[Estimate]:
    """Return one row for each column of the design; ``base`` holds the parts that all rows share."""
    events = int(design.y.sum())
    for position, (info, term) in enumerate(design.terms):
        failed = math.isnan(fit.coef[position]) and "separated" not in flags[position]
        low, high = _ratio(fit.low[position]), _ratio(fit.high[position])
        yield replace(
            base,
            measure="odds_ratio",
            method=fit.method,
            factor=info.name,
            term=term,
            estimate=_estimate(fit, position, flags[position]),
            low=low,
            high=high,
            p=_probability(fit.p[position]),
            n=len(design.y),
            events=events,
            flags=(*flags[position], *_bound_flags(low, high), *_named(not_converged=failed)),
        )


def find_flags(design: Design) -> tuple[tuple[str, ...], ...]:
    """Return the flags that the data earn, for each column: ``separated`` and ``sparse``.

    Raises
    ------
    InputError
        The patients cannot carry the model: one outcome class, too few rows, or columns that depend on each other.
    """
    if not design.columns:
        expected = "patients who have every factor, and factors that vary among them"
        raise InputError(Problem(found="no usable column", expected=expected, next_step="Leave out a factor."))
    separation = detect_separation(design.X, design.y, names=column_names(design))
    directions = separation.direction[1:]
    few = is_sparse(design)
    return tuple(
        _named(separated=direction != 0, sparse=few or is_sparse_column(column, design.y))
        for direction, column in zip(directions, design.X.T, strict=True)
    )


def column_names(design: Design) -> tuple[str, ...]:
    """Return a name for each column of a design."""
    return tuple(column_name(info, term) for info, term in design.terms)


def column_name(info: FactorInfo, term: str) -> str:
    """Return the words for a term: the factor, and its level where it has several."""
    return info.label if info.kind != "categorical" else f"{info.label} {term}"


def separation_note(terms: Sequence[str]) -> str:
    """Return the sentence on terms that separate the outcome."""
    first, last = ", ".join(terms[:-1]), terms[-1]
    names = f"{first} and {last}" if first else last
    if first:
        return (
            f"{names} separate the outcome in these patients: their maximum-likelihood odds ratios do not exist; "
            "read the penalised ones, with their intervals."
        )
    return (
        f"{names} separates the outcome in these patients: its maximum-likelihood odds ratio does not exist; "
        "read the penalised one, with its interval."
    )


def is_sparse(design: Design) -> bool:
    """Say whether there are fewer than 10 events, or non-events, per parameter."""
    return events_per_parameter(design.y, design.X.shape[1]) < FEW_EVENTS_PER_PARAMETER


def is_sparse_column(column: Floats, y: Floats) -> bool:
    """Say whether a column of 0 and 1 has fewer than 5 patients in a cell with the outcome."""
    if not np.isin(column, (0.0, 1.0)).all():
        return False
    counts = [np.sum((column == value) & (y == outcome)) for value in (0.0, 1.0) for outcome in (0.0, 1.0)]
    return min(counts) < FEW_IN_CELL


def events_per_parameter(y: Floats, parameters: int) -> float:
    """Return the smaller of events and non-events, per parameter."""
    return float(min(y.sum(), (1 - y).sum()) / max(parameters, 1))


def _named(**flags: bool) -> tuple[str, ...]:
    return tuple(name for name, raised in flags.items() if raised)


def _varies(values: Floats) -> bool:
    known = values[~np.isnan(values)]
    return known.size > 0 and bool(np.ptp(known) > 0)


def _left_out(info: FactorInfo, term: str) -> str:
    level = f" ({term})" if term and info.kind == "categorical" else ""
    return f"{info.label}{level} has one value, or none, among these patients and cannot be analysed."


def _estimate(fit: Coefficients, position: int, flags: Sequence[str]) -> float | None:
    """Return the odds ratio, or nothing where maximum likelihood has none (or none that is the only one)."""
    unknown = not math.isfinite(fit.coef[position]) or (fit.method == "ml" and "separated" in flags)
    return None if unknown else _ratio(fit.coef[position])


def _ratio(coefficient: float) -> float | None:
    if math.isnan(coefficient):
        return None
    return math.inf if coefficient > 700 else math.exp(coefficient)


def _probability(value: float) -> float | None:
    return None if math.isnan(value) else float(value)


def _bound_flags(low: float | None, high: float | None) -> Iterator[str]:
    if low == 0:
        yield "infinite_low"
    if high == math.inf:
        yield "infinite_high"
