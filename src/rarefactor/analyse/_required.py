"""How many patients a risk model of this size would need, and how large a model these patients support (Riley).

Convention: ``method`` says which share of the outcome the model is supposed to explain: ``r2_default`` 15 % of the
largest possible Cox-Snell R squared, as is advised where nothing is known; ``r2_corrected`` what goes with the
optimism-corrected AUC of these data.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

from rarefactor.results import DEFAULT_NAGELKERKE, Estimate
from rarefactor.stats import compute_model_size, compute_r2_max, compute_sample_size, derive_r2_of_auc


def required_rows(base: Estimate, parameters: int, auc: float | None) -> Iterator[Estimate]:
    """Return patients and events needed, parameters supported and the shrinkage to expect, for each R squared."""
    n, events = base.n or 0, base.events or 0
    yield replace(base, measure="parameters", estimate=parameters)
    if parameters:
        yield replace(base, measure="events_per_parameter", estimate=min(events, n - events) / parameters)
    if not parameters or not 0 < events < n:
        return
    prevalence = events / n
    supposed = {"r2_default": DEFAULT_NAGELKERKE * compute_r2_max(prevalence)}
    if auc is not None and 0.5 < auc < 1.0:
        supposed["r2_corrected"] = derive_r2_of_auc(auc, prevalence)
    for method, r2 in supposed.items():
        yield from _size_rows(replace(base, method=method), parameters, r2)


def _size_rows(base: Estimate, parameters: int, r2: float) -> Iterator[Estimate]:
    n, events = base.n or 0, base.events or 0
    prevalence = events / n
    needed = compute_sample_size(parameters, prevalence, r2)
    has = compute_model_size(n, prevalence, r2, parameters=parameters)
    few = ("too_few",) if n < needed.n else ()
    values = {
        "nagelkerke_r2": needed.r2_nagelkerke,
        "required_n": needed.n,
        "required_events": needed.events,
        "supported_parameters": has.largest,
        "expected_shrinkage": has.shrinkage,
        "overall_risk_margin": has.intercept_margin,
    }
    for measure, value in values.items():
        yield replace(base, measure=measure, estimate=float(value), flags=few if measure == "required_n" else ())
