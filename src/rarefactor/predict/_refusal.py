"""Whether a model may be used for patients: the reasons why not.

Convention: the sample-size criteria are Riley's, and all of them must be met under each supposition on what the model
explains that the results hold: 15 % of the largest R squared, and what goes with the optimism-corrected AUC.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from rarefactor.results import (
    DEFAULT_NAGELKERKE,
    LEAST_SHRINKAGE,
    Estimate,
    ModelInfo,
    Results,
    RiskPopulation,
    RiskReason,
    RiskSize,
)

SUPPOSED = {
    "r2_default": f"{100 * DEFAULT_NAGELKERKE:g}% of the largest R², the default",
    "r2_corrected": "as much as its corrected AUC says",
}


def read_sizes(results: Results, info: ModelInfo) -> tuple[RiskSize, ...]:
    """Return what Riley's criteria ask of a model, for each supposition."""
    return tuple(size for method in SUPPOSED if (size := _size(results, info, method)))


def find_row(results: Results, info: ModelInfo, measure: str, method: str | None = None) -> Estimate | None:
    """Return a row on the performance of a model, None where there is none."""
    named = {"landmark": info.landmark, "model": info.name, "measure": measure, "method": method}
    rows = results.select(analysis="performance", factor=None, term=None, group=None, **named)
    return rows[0] if rows else None


def find_number(results: Results, info: ModelInfo, measure: str, method: str | None = None) -> float | None:
    """Return the estimate of a row on the performance of a model."""
    row = find_row(results, info, measure, method)
    return row.estimate if row else None


def _size(results: Results, info: ModelInfo, method: str) -> RiskSize | None:
    needed = find_row(results, info, "required_n", method)
    if needed is None or needed.estimate is None:
        return None

    def number(measure: str, of: str | None = method) -> float:
        return find_number(results, info, measure, of) or 0.0

    return RiskSize(
        supposed=SUPPOSED[method],
        nagelkerke_r2=number("nagelkerke_r2"),
        n=round(needed.estimate),
        events=number("required_events"),
        parameters=round(number("parameters", None)),
        supported_parameters=round(number("supported_parameters")),
        expected_shrinkage=number("expected_shrinkage"),
        overall_risk_margin=number("overall_risk_margin"),
        enough="too_few" not in needed.flags,
    )


def find_reasons(
    results: Results, info: ModelInfo, population: RiskPopulation, sizes: Sequence[RiskSize]
) -> Iterator[RiskReason]:
    """Yield each reason why a model is for research only; none where it may be used."""
    yield from (_too_few(size, population) for size in sizes if not size.enough)
    slope = find_number(results, info, "calibration_slope", "optimism_corrected")
    if slope is None:
        validated = find_number(results, info, "auc", "optimism_corrected") is not None
        why = "has no calibration slope that is finite" if validated else "was not corrected for optimism"
        text = f"Its performance {why}, so that nobody knows how much to shrink its risks."
        yield RiskReason(name="not_validated", text=text)
    elif slope <= 0.0:
        text = f"Corrected for optimism its calibration slope is {slope:.2f}: in other patients it would tell nothing."
        yield RiskReason(name="no_information", text=text)
    separated = _separated(results, info)
    if separated:
        names = " and ".join(separated)
        verb = "separates" if len(separated) == 1 else "separate"
        text = f"{names} {verb} the outcome in these patients: how large the coefficient is, the penalty decides."
        yield RiskReason(name="separated", text=text)
    if not sizes:
        yield RiskReason(name="no_size", text="How many patients it needs is not known.")


def _too_few(size: RiskSize, population: RiskPopulation) -> RiskReason:
    needed = (
        f"Supposed that the model explains {size.supposed}, {size.parameters} parameters need {size.n} patients with "
        f"{size.events:.0f} events by Riley’s criteria; there are {population.n} with {population.events}."
    )
    parts = [needed]
    if size.expected_shrinkage < LEAST_SHRINKAGE:
        parts.append(
            f"The shrinkage to expect is {size.expected_shrinkage:.2f}, where at least {LEAST_SHRINKAGE:.2f} is asked."
        )
    parts.append(f"These patients support {size.supported_parameters} parameters.")
    return RiskReason(name="too_few", text=" ".join(parts))


def _separated(results: Results, info: ModelInfo) -> tuple[str, ...]:
    rows = results.select(analysis="multivariable", model=info.name, landmark=info.landmark, measure="odds_ratio")
    names = (row.factor for row in rows if "separated" in row.flags and row.factor)
    return tuple(dict.fromkeys(results.factor(name).label for name in names))
