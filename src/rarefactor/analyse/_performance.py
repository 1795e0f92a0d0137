"""How well the risks of a model do: in the patients it was made from, corrected for that, and in other samples.

Convention: the risks are those of Firth's regression corrected as the study file says (FLIC unless it says otherwise).
``method`` of a row: ``apparent`` in the same patients, ``optimism`` how much of it is lost in new ones,
``optimism_corrected`` and ``plus632`` what is left. ``term`` of a row of a curve is where it is read.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace

import numpy as np

from rarefactor.analyse._curves import curve_rows, instability_rows
from rarefactor.analyse._decision import corrected_benefit_rows
from rarefactor.analyse._design import Floats, build_design
from rarefactor.analyse._multivariable import Model, build_model
from rarefactor.analyse._odds import usable_columns
from rarefactor.analyse._procedure import build_rule, choose_procedure, completed_columns
from rarefactor.analyse._required import required_rows
from rarefactor.analyse._resampled import draw_rng, number, resample_rows
from rarefactor.analyse._risk_methods import compare_risk_methods
from rarefactor.analyse._selection import stability_rows
from rarefactor.derive import LandmarkTable
from rarefactor.errors import InputError
from rarefactor.results import Analysed, Estimate, FactorInfo, ModelInfo, Note
from rarefactor.spec import Analysis
from rarefactor.stats import (
    Auc,
    Optimism,
    Performance,
    compute_auc,
    compute_optimism,
    compute_performance,
    correct_auc,
    draw_resamples,
)

MEASURES = {
    "auc": "auc",
    "brier": "brier",
    "brier_scaled": "brier_scaled",
    "calibration_in_the_large": "in_the_large",
    "calibration_intercept": "intercept",
    "calibration_slope": "slope",
}
"""Our measures, and what ``stats`` calls them."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Validated:
    """A model whose risks were predicted: its outcome and log odds (n,), and the resamples unless none were asked.

    ``counts`` (B, n) is how often each resample held each patient.
    """

    model: Model
    log_odds: Floats
    optimism: Optimism | None
    counts: Floats

    @property
    def risk(self) -> Floats:
        """Predicted risks (n,)."""
        return 1.0 / (1.0 + np.exp(-self.log_odds))


def analyse_performance(
    table: LandmarkTable, factors: Sequence[FactorInfo], info: ModelInfo, settings: Analysis
) -> Analysed:
    """Return how well a model predicts, how stable that is, and how many patients it would need."""
    everyone, _ = usable_columns(build_design(table, factors))
    n, events = len(everyone.y), int(everyone.y.sum())
    base = Estimate(
        analysis="performance", measure="", estimate=None, landmark=info.landmark, model=info.name, n=n, events=events
    )
    try:
        model = build_model(table, everyone, info, settings)
        found = _validate(model, table, settings)
        base = replace(base, n=len(model.design.y), events=int(model.design.y.sum()))
        apparent = compute_performance(found.model.design.y, found.risk, level=settings.level)
        rows = [
            *_apparent_rows(apparent, base),
            *_performance_rows(found, settings, base),
            *compare_risk_methods(model, table, settings, base),
            *_selection_rows(model, settings, base),
        ]
    except InputError as error:
        reason = "; ".join(f"{problem.where} {problem.found}".strip() for problem in error.problems)
        size = tuple(required_rows(base, everyone.X.shape[1], None))
        return Analysed(rows=size, notes=(_note(info, f"The risks of the model were not predicted ({reason})."),))
    notes = (*_failure_notes(info, found.optimism), *_limit_notes(info, found.optimism, apparent.auc))
    slope = (_note(info, text) for text in say_why_no_slope(apparent.calibration.slope, found.optimism))
    return Analysed(rows=tuple(rows), notes=(*notes, *slope))


def _validate(model: Model, table: LandmarkTable, settings: Analysis) -> Validated:
    """Build the model from all patients and from every resample.

    Raises
    ------
    InputError
        The model of all patients does not exist.
    """
    outcome, info = model.design.y, model.info
    procedure = choose_procedure(model, table, settings, draw_rng(settings.seed, info.name, 1))
    if not settings.resamples:
        whole = procedure(np.ones((1, outcome.size)))
        return Validated(model=model, log_odds=whole.log_odds[0], optimism=None, counts=np.empty((0, outcome.size)))
    counts = draw_resamples(outcome.size, settings.resamples, draw_rng(settings.seed, info.name, 2))
    found = compute_optimism(outcome, procedure, counts, level=settings.level)
    return Validated(model=model, log_odds=found.log_odds, optimism=found, counts=counts)


def _performance_rows(found: Validated, settings: Analysis, base: Estimate) -> Iterator[Estimate]:
    outcome, optimism, name = found.model.design.y, found.optimism, found.model.info.name
    rng = draw_rng(settings.seed, name, 3) if settings.resamples else None
    yield from curve_rows(outcome, found.risk, rng, settings, base)
    if optimism is not None:
        auc = compute_auc(outcome, found.risk, level=settings.level)
        yield from _corrected_rows(optimism, auc, settings.level, base)
        yield from corrected_benefit_rows(outcome, optimism, found.counts, settings.level, base)
        yield from resample_rows(optimism.resamples, optimism.failed, optimism.reasons, base)
        yield from instability_rows(optimism, settings.level, base)
    auc = None if optimism is None else optimism.measures["auc"].corrected
    yield from required_rows(base, found.model.design.X.shape[1], auc)


def _selection_rows(model: Model, settings: Analysis, base: Estimate) -> Iterator[Estimate]:
    rule = build_rule(model.design, settings.selection)
    if rule is not None and settings.resamples:
        rng = draw_rng(settings.seed, model.info.name, 2)  # the resamples of the validation
        row = replace(base, group=rule.method)
        yield from stability_rows(completed_columns(model), model.design, rule, settings, (rng, row))


def _apparent_rows(found: Performance, base: Estimate) -> Iterator[Estimate]:
    line = found.calibration
    values = {
        "auc": (found.auc.estimate, found.auc.low, found.auc.high),
        "brier": (found.brier, np.nan, np.nan),
        "brier_scaled": (found.brier_scaled, np.nan, np.nan),
        "calibration_in_the_large": (line.in_the_large, *line.in_the_large_ci),
        "calibration_intercept": (line.intercept, *line.intercept_ci),
        "calibration_slope": (line.slope, *line.slope_ci),
    }
    for measure, (estimate, low, high) in values.items():
        row = replace(base, measure=measure, method="apparent")
        yield replace(row, estimate=number(estimate), low=number(low), high=number(high))


def _corrected_rows(found: Optimism, apparent: Auc, level: float, base: Estimate) -> Iterator[Estimate]:
    """Yield optimism and what is left; only the AUC has an interval that holds the truth as often as it says."""
    moved = correct_auc(apparent, found.measures["auc"].optimism, level=level)
    for measure, name in MEASURES.items():
        row, one = replace(base, measure=measure), found.measures[name]
        yield replace(row, method="optimism", estimate=number(one.optimism))
        low, high = (moved.low, moved.high) if measure == "auc" else (np.nan, np.nan)
        corrected = replace(row, method="optimism_corrected", estimate=number(one.corrected))
        yield replace(corrected, low=number(low), high=number(high))
        if name in found.plus632:
            yield replace(row, method="plus632", estimate=number(found.plus632[name].estimate))


def _limit_notes(info: ModelInfo, found: Optimism | None, apparent: Auc) -> Iterator[Note]:
    """Say why the corrected AUC has no interval."""
    if found is not None and correct_auc(apparent, found.measures["auc"].optimism).reason:
        text = (
            "The corrected AUC has no interval: the risks part patients with and without the outcome completely, so "
            "that nothing says how sure the AUC is."
        )
        yield _note(info, text)


def say_why_no_slope(apparent: float, found: Optimism | None) -> Iterator[str]:
    """Yield why there is no calibration slope, or how many resamples its correction had to leave out."""
    parted = "part patients with and without the outcome completely, so that no finite slope exists"
    if not np.isfinite(apparent):
        yield f"There is no calibration slope, and no intercept beside it: the risks {parted}."
    if found is None or not np.isfinite(apparent):
        return
    used, models = found.measures["slope"].used, found.resamples - found.failed
    if not used:
        yield f"The calibration slope cannot be corrected: in every resample the risks of its own model {parted}."
    elif used < models:
        yield (
            f"The correction of the calibration slope rests on {used} of {models} resamples: in the others the risks "
            f"of the resample's own model {parted}."
        )


def _failure_notes(info: ModelInfo, found: Optimism | None) -> Iterator[Note]:
    if found is not None and found.failed:
        reasons = "; ".join(f"{reason} ({count})" for reason, count in found.reasons.items())
        text = f"{found.failed} of {found.resamples} resamples gave no model and are left out: {reasons}."
        yield _note(info, text)


def _note(info: ModelInfo, text: str) -> Note:
    return Note(about="performance", landmark=info.landmark, model=info.name, text=text)
