"""The equation behind the risks of a model: the fit of its performance, from all patients, with its covariance."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from rarefactor.analyse._design import build_design
from rarefactor.analyse._multivariable import build_model
from rarefactor.analyse._odds import usable_columns
from rarefactor.analyse._procedure import build_rule, name_places
from rarefactor.derive import LandmarkTable
from rarefactor.errors import InputError, Problem
from rarefactor.results import FactorInfo, ModelInfo
from rarefactor.spec import Analysis
from rarefactor.stats import Equation, fit_equation


@dataclass(frozen=True, slots=True, kw_only=True)
class FittedRisk:
    """The equation of a model; ``terms`` are the factor and term of each of its p columns.

    ``n`` patients with ``events``, of whom ``incomplete`` lacked a value that was filled in ``imputations`` times.
    """

    equation: Equation
    terms: tuple[tuple[FactorInfo, str], ...]
    n: int
    events: int
    incomplete: int
    imputations: int


def fit_risk_model(
    table: LandmarkTable,
    factors: Sequence[FactorInfo],
    info: ModelInfo,
    settings: Analysis,
    *,
    shrinkage: float = 1.0,
) -> FittedRisk:
    """Return the equation of a model as the study file asks for it: imputed, selected, corrected.

    Raises
    ------
    InputError
        The patients cannot carry the model.
    """
    everyone, _ = usable_columns(build_design(table, factors))
    if not everyone.columns:
        raise InputError(Problem(found="no usable column", expected="factors that vary", next_step="Add a factor."))
    model = build_model(table, everyone, info, settings)
    design = model.design
    equation = fit_equation(
        design.X if model.filled is None else model.filled,
        design.y,
        method=settings.risk,
        shrinkage=shrinkage,
        terms=name_places(design),
        rule=build_rule(design, settings.selection),
    )
    if equation.reason:
        found = Problem(found=equation.reason, expected="a fit with a maximum", next_step="Leave out a factor.")
        raise InputError(found)
    return FittedRisk(
        equation=equation,
        terms=design.terms,
        n=len(design.y),
        events=int(design.y.sum()),
        incomplete=int(np.isnan(design.X).any(axis=1).sum()),
        imputations=0 if model.filled is None else len(model.filled),
    )
