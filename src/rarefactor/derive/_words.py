"""How a factor was made, as a clause of the methods section."""

from __future__ import annotations

from rarefactor.spec import DataField, Factor, Study, find_code, lower_first


def describe_factor(factor: Factor, field: DataField, study: Study, reference: str) -> str:
    """Return the definition of a factor in words."""
    name = field.label or factor.column
    visits = [study.cohort.visits[visit].label or visit.replace("_", " ") for visit in factor.visits]
    if factor.rate_between or factor.change_between:
        scale = "the natural logarithm of " if factor.transform == "log" else ""
        what = "rate of change per month" if factor.rate_between else "change"
        return f"{what} of {scale}{lower_first(name)} from {visits[0]} to {visits[1]}"
    if factor.equals:
        return f"{name} is {' or '.join(_labels(factor.equals, field))}, at {visits[0]}"
    if factor.cut:
        return f"{name} {factor.cut}{f' {field.unit}' if field.unit else ''}, at {visits[0]} ({factor.reason})"
    if field.type == "choice":
        return f"{name} at {visits[0]}, in {len(field.choices)} levels, reference {reference}"
    return f"{name} at {visits[0]}" + (", analysed on the log scale" if factor.transform == "log" else "")


def _labels(equals: tuple[str, ...], field: DataField) -> list[str]:
    return [field.choices[find_code(field, value)] if field.choices else value for value in equals]
