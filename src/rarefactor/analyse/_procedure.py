"""What is validated: everything that is done with the data until risks can be predicted, repeated in every resample.

Missing values are filled in anew, factors selected where the study file asks for it, and the model fitted by Firth's
likelihood, corrected as the study file says so that the predicted risks add up to the events (FLIC or FLAC).
"""

from __future__ import annotations

import numpy as np

from rarefactor.analyse._design import Design, Floats
from rarefactor.analyse._filled import Refill
from rarefactor.analyse._multivariable import Model
from rarefactor.derive import LandmarkTable
from rarefactor.spec import Analysis, Selection
from rarefactor.stats import (
    ImputedProcedure,
    ImputedSelectionProcedure,
    ModelProcedure,
    Procedure,
    SelectionProcedure,
    SelectionRule,
)


def choose_procedure(
    model: Model, table: LandmarkTable, settings: Analysis, rng: np.random.Generator, *, risk: str | None = None
) -> Procedure:
    """Return the procedure that the study file asks for; ``risk`` is another way to predict than its own."""
    risk = risk or settings.risk
    design, rule, terms = model.design, build_rule(model.design, settings.selection), name_places(model.design)
    outcome = design.y
    if model.filled is None:
        if rule is None:
            return ModelProcedure(columns=design.X, outcome=outcome, method=risk)
        return SelectionProcedure(columns=design.X, outcome=outcome, terms=terms, rule=rule, risk=risk)
    refill = Refill(design=design, table=table, settings=settings.missing, completed=model.filled, rng=rng)
    if rule is None:
        return ImputedProcedure(completed=model.filled, outcome=outcome, impute=refill, method=risk)
    return ImputedSelectionProcedure(
        completed=model.filled, outcome=outcome, impute=refill, terms=terms, rule=rule, risk=risk
    )


def build_rule(design: Design, selection: Selection | None) -> SelectionRule | None:
    """Return the rule of selection among the factors of a design."""
    if selection is None:
        return None
    kept = tuple(name for name in selection.keep if name in name_places(design))
    return SelectionRule(method=selection.method, alpha=selection.alpha, tau=selection.tau, keep=kept)


def name_places(design: Design) -> dict[str, list[int]]:
    """Return the places of the columns of each factor."""
    places: dict[str, list[int]] = {}
    for place, (info, _) in enumerate(design.terms):
        places.setdefault(info.name, []).append(place)
    return places


def completed_columns(model: Model) -> Floats:
    """Return the columns as imputations (m, n, p); one where nothing was filled in."""
    return model.design.X[None] if model.filled is None else model.filled
