"""Factors and variables as the page of factors shows them: a card for each, and a list to choose from.

Convention: what is counted, drawn and written of variables is kept for as long as these are the same.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from rarefactor import derive, report
from rarefactor.derive import Counted, Variable, Variables
from rarefactor.spec import Factor, Study
from rarefactor.web._page import name_visits, read_templates

_TYPES = {"number": "number", "integer": "number", "choice": "choice", "yesno": "yes or no", "date": "date"}
_KEPT = 1000
FIRST = 10
"""So many variables come with the page, about as many as are seen at once; the others come once it is painted."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Spread:
    """How values are spread: bars as SVG, in words, and how many patients are of each level, with their share."""

    figure: str | None = None
    words: str = ""
    levels: tuple[tuple[str, int, float], ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Card:
    """A factor: what it is made of, how it is spread, where it is used, whether others of its role stand around it."""

    name: str
    factor: Factor
    variable: Variable | None
    made: str
    models: tuple[str, ...]
    spread: Spread
    is_first: bool
    is_last: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class Listed:
    """A variable in the list."""

    variable: Variable
    type: str
    known: str
    more: str
    share: float | None


@dataclass(slots=True, kw_only=True)
class Kept:
    """Variables, and what was made of them."""

    variables: Variables
    spreads: dict[Factor, Spread] = field(default_factory=dict[Factor, Spread])
    lists: dict[bool, tuple[str, str]] = field(default_factory=dict[bool, tuple[str, str]])

    def spread(self, study: Study, name: str) -> Spread:
        """Return how a factor is spread."""
        factor = study.factors[name]
        if factor not in self.spreads:
            if len(self.spreads) >= _KEPT:
                self.spreads.clear()
            self.spreads[factor] = _spread_factor(self.variables, study, name)
        return self.spreads[factor]

    @property
    def listed(self) -> tuple[Variable, ...]:
        """The variables that are listed."""
        return tuple(item for item in self.variables.items if item.type != "id")

    def write_list(self, study: Study, *, usable: bool) -> tuple[str, str]:
        """Return the first of the list as HTML and the others; ``usable`` to make factors of."""
        if usable not in self.lists:
            items = [_list(item, self.variables.n, study) for item in self.listed]
            write = read_templates().get_template("_variables.html.j2").render
            first, others = (write(variables=some, usable=usable) for some in (items[:FIRST], items[FIRST:]))
            self.lists[usable] = (first, others)
        return self.lists[usable]


def find_card(kept: Kept, study: Study, name: str) -> Card:
    """Return the card of a factor."""
    factor = study.factors[name]
    around = list_names(study, factor.role)
    return Card(
        name=name,
        factor=factor,
        variable=kept.variables.find(factor.column),
        made=_describe(factor, name_visits(study)),
        models=list_models(study, name),
        spread=kept.spread(study, name),
        is_first=name == around[0],
        is_last=name == around[-1],
    )


def list_names(study: Study, role: str) -> tuple[str, ...]:
    """Return the names of the factors of a role."""
    return tuple(name for name, factor in study.factors.items() if factor.role == role)


def list_models(study: Study, name: str) -> tuple[str, ...]:
    """Return the labels of the models that hold a factor."""
    return tuple(each.label or model for model, each in study.analysis.models.items() if name in each.factors)


def describe_spread(counted: Counted | None, variable: Variable | None, cut: str | None = None) -> Spread:
    """Return how a variable is spread, with a cut such as ``<= 56`` marked."""
    return Spread(figure=_draw(counted, cut), words=_say(counted, variable), levels=_share(counted))


def _spread_factor(variables: Variables, study: Study, name: str) -> Spread:
    """Return how a factor is spread: what a cut was made from, and the two sides of it."""
    factor = study.factors[name]
    variable, counted = variables.find(factor.column), derive.count_factor(variables, study, name)
    drawn = counted
    if factor.cut and variable:
        drawn = derive.count_variable(variables, factor.column, factor.measured_at)
    named = None if factor.rate_between or factor.change_between else variable
    return Spread(figure=_draw(drawn, factor.cut), words=_say(drawn, named), levels=_share(counted))


def _draw(counted: Counted | None, cut: str | None) -> str | None:
    if counted is None or not counted.counts:
        return None
    return report.draw_bars(counted.edges, counted.counts, cut).decode()


def _say(counted: Counted | None, variable: Variable | None) -> str:
    if counted is None:
        return "Counted once the images are measured." if variable and variable.origin == "images" else ""
    known = f"Known in {report.describe_known(counted.n, counted.missing)}"
    if not counted.quartiles:
        return f"{known}."
    return f"{known}: {report.describe_spread(counted.quartiles, variable.unit if variable else None)}."


def _share(counted: Counted | None) -> tuple[tuple[str, int, float], ...]:
    if counted is None or not counted.n:
        return ()
    return tuple((level, n, n / counted.n) for level, n in counted.levels)


def _describe(factor: Factor, visits: Mapping[str, str]) -> str:
    names = [visits.get(visit, visit) for visit in factor.visits]
    if factor.equals:
        return f"{' or '.join(factor.equals)}, at {names[0]}"
    if factor.cut:
        return f"{factor.cut.replace('<=', '≤').replace('>=', '≥')}, at {names[0]}"
    if len(names) == 2:
        return f"{'rate' if factor.rate_between else 'change'} from {names[0]} to {names[1]}"
    return f"at {names[0]}"


def _list(variable: Variable, n: int, study: Study) -> Listed:
    known, visits = variable.known, name_visits(study)
    if known is None:
        told, share = ("not measured yet" if variable.origin == "images" else ""), None
    else:
        first = next(iter(known.values()), 0)
        at = next(iter(known), "")
        told, share = f"{first} of {n}" + (f" at {visits[at]}" if at else ""), first / n if n else 0.0
    more = ", ".join(f"{visits[visit]} {count}" for visit, count in (known or {}).items() if visit)
    return Listed(variable=variable, type=_TYPES.get(variable.type, variable.type), known=told, more=more, share=share)
