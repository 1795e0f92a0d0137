"""Chained equations for a batch of chains in step: every imputation of every data set is one chain.

Convention: chains stand first, (B, n, ...). ``values`` are in the units of the data, ``design`` holds the same columns
standardised and categories as indicators, the intercept first and a free column last. What was observed is never
written to.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

import numpy as np

from rarefactor.stats._arrays import Bools, Floats, Ints
from rarefactor.stats._impute_binary import build_binary, compute_binary_probabilities
from rarefactor.stats._impute_categories import (
    build_multinomial,
    build_proportional_odds,
    compute_ordered_probabilities,
    compute_shares,
    draw_categories,
    draw_coefficients,
    start_thresholds,
)
from rarefactor.stats._impute_matching import draw_donors, draw_predictions
from rarefactor.stats._impute_variables import Derived, Variable
from rarefactor.stats._inputs import raise_input

NO_COLUMNS = np.empty(0, dtype=np.intp)


@dataclass(frozen=True, slots=True, kw_only=True)
class Plan:
    """What to do: variables and derived columns, the order of visits, and the settings of the models.

    ``columns`` are the places of each variable (then derived column) in the design, ``predictors`` those from which
    each variable is imputed.
    """

    variables: tuple[Variable, ...]
    derived: tuple[Derived, ...]
    order: tuple[int, ...]
    donors: int
    equal: bool
    columns: tuple[Ints, ...]
    predictors: tuple[Ints, ...]

    @property
    def width(self) -> int:
        """The number of columns of the design, the free one included."""
        return 2 + sum(places.size for places in self.columns)

    def find_part_of(self, place: int) -> list[int]:
        """Return the derived predictors that a variable is a part of."""
        name = self.variables[place].name
        return [number for number, column in enumerate(self.derived) if column.predictor and name in column.parts]

    def compute_derived(self, number: int, values: Floats) -> Floats:
        """Return a derived column (..., n) from values (..., n, p)."""
        names, derived = [variable.name for variable in self.variables], self.derived[number]
        found = np.asarray(derived.compute(*(values[..., names.index(part)] for part in derived.parts)), np.float64)
        if found.shape != values.shape[:-1]:
            expected = "the shape of its parts, element by element"
            raise_input(derived.name, f"a result of shape {found.shape}", expected, "Compute without sums over rows.")
        return found


def build_plan(
    variables: tuple[Variable, ...],
    derived: tuple[Derived, ...],
    order: tuple[int, ...],
    *,
    donors: int,
    equal: bool,
) -> Plan:
    """Lay out the design and find from which columns each variable is imputed."""
    sizes = [max(1, len(variable.levels) - 1) for variable in variables]
    sizes += [int(column.predictor) for column in derived]
    ends = 1 + np.cumsum(sizes)
    columns = tuple(np.arange(end - size, end) for end, size in zip(ends, sizes, strict=True))
    return Plan(
        variables=variables,
        derived=derived,
        order=order,
        donors=donors,
        equal=equal,
        columns=columns,
        predictors=tuple(_find_predictors(variable, variables, derived, columns) for variable in variables),
    )


def _find_predictors(
    target: Variable, variables: Sequence[Variable], derived: Sequence[Derived], columns: Sequence[Ints]
) -> Ints:
    """Return the intercept and the columns of the predictors; never the variable's own, nor what it is a part of."""
    names = [*(variable.name for variable in variables), *(column.name for column in derived)]
    own = {target.name, *(column.name for column in derived if target.name in column.parts)}
    wanted = set(names if target.predictors is None else target.predictors) - own
    return np.concatenate([[0], *(c for name, c in zip(names, columns, strict=True) if name in wanted)]).astype(np.intp)


@dataclass(slots=True, kw_only=True)
class Chains:
    """Chains on their way. ``observed`` (B, n, p); ``codes`` and ``tables`` (B, levels, levels - 1) of the categories.

    ``kept`` are the coefficients from which the next round of a category's model starts; ``unsettled`` (p,) counts the
    models that found no maximum and left the values as they were.
    """

    plan: Plan
    values: Floats
    observed: Bools
    rng: np.random.Generator
    design: Floats = field(init=False)
    codes: dict[int, Ints] = field(init=False, default_factory=dict[int, Ints])
    tables: dict[int, Floats] = field(init=False, default_factory=dict[int, Floats])
    shares: dict[int, Floats] = field(init=False, default_factory=dict[int, Floats])
    kept: dict[int, Floats] = field(init=False, default_factory=dict[int, Floats])
    scales: dict[int, tuple[Floats, Floats]] = field(init=False, default_factory=dict[int, tuple[Floats, Floats]])
    unsettled: Ints = field(init=False)

    def __post_init__(self) -> None:
        problems, n, count = self.values.shape
        self.unsettled = np.zeros(count, dtype=np.intp)
        self.design = np.zeros((problems, n, self.plan.width))
        self.design[..., 0] = 1.0
        for place in self.plan.order:
            self.fill(place)
        for place in range(count):
            self.encode(place)
        for number, column in enumerate(self.plan.derived):
            if column.predictor:
                self.derive(number)

    def fill(self, place: int) -> None:
        """Give every missing value one of the observed, at random."""
        given = self.observed[..., place]
        chain, row = np.nonzero(~given)
        first = np.argsort(~given, axis=1, kind="stable")
        pick = (self.rng.random(row.size) * given.sum(axis=1)[chain]).astype(np.intp)
        self.values[chain, row, place] = self.values[chain, first[chain, pick], place]

    def encode(self, place: int) -> None:
        """Write a variable into the design: standardised by the mean and SD of its observed values."""
        variable, given = self.plan.variables[place], self.observed[..., place]
        if variable.kind == "continuous":
            column = self.values[..., place]
            centre, scale = _standardise(column[..., None], given)
            self.design[..., self.plan.columns[place]] = (column[..., None] - centre) / scale
            return
        codes = np.searchsorted(np.sort(variable.levels), self.values[..., place])
        codes = np.argsort(variable.levels)[codes]
        levels = np.arange(len(variable.levels))
        compare = np.greater_equal if variable.kind == "ordered" else np.equal
        table = compare.outer(levels, levels[1:]).astype(np.float64)
        centre, scale = _standardise(table[codes], given)
        self.codes[place], self.tables[place] = codes, (table - centre) / scale
        self.shares[place] = compute_shares(codes, given, levels.size, equal=self.plan.equal)
        self.design[..., self.plan.columns[place]] = self.tables[place][np.arange(len(codes))[:, None], codes]

    def derive(self, number: int) -> None:
        """Compute a derived predictor from its parts; standardised as it was first, and 0 where it has no value."""
        column = self.plan.compute_derived(number, self.values)[..., None]
        if number not in self.scales:
            self.scales[number] = _standardise(np.nan_to_num(column), np.isfinite(column[..., 0]))
        centre, scale = self.scales[number]
        place = self.plan.columns[len(self.plan.variables) + number]
        self.design[..., place] = np.where(np.isfinite(column), (column - centre) / scale, 0.0)

    def sweep(self) -> None:
        """Impute every incomplete variable once, and what is derived from it."""
        for place in self.plan.order:
            if self.plan.variables[place].kind == "continuous":
                self.match(place)
            else:
                self.classify(place)
            for number in self.plan.find_part_of(place):
                self.derive(number)

    def match(self, place: int) -> None:
        """Impute a continuous variable by predictive mean matching."""
        given, own = self.observed[..., place], int(self.plan.columns[place][0])
        predicted = draw_predictions(self.design, given, self.plan.predictors[place], own, self.rng)
        chain, row, donor = draw_donors(predicted, given, self.plan.donors, self.rng)
        self.design[chain, row, own] = self.design[chain, donor, own]
        self.values[chain, row, place] = self.values[chain, donor, place]

    def classify(self, place: int) -> None:
        """Impute a category from its model with coefficients drawn anew."""
        given = self.observed[..., place]
        probabilities, settled = self.predict(place)
        chain, row = np.nonzero(~given & settled[:, None])
        self.unsettled[place] += np.count_nonzero(~settled)
        codes = draw_categories(probabilities[chain, row], self.rng)
        self.codes[place][chain, row] = codes
        self.values[chain, row, place] = np.asarray(self.plan.variables[place].levels)[codes]
        self.design[chain[:, None], row[:, None], self.plan.columns[place]] = self.tables[place][chain, codes]

    def predict(self, place: int) -> tuple[Floats, Bools]:
        """Return probabilities (B, n, levels) with coefficients drawn anew, and which models have settled (B,)."""
        design = self.design[..., self.plan.predictors[place]]
        data = (design, self.codes[place], self.observed[..., place], self.shares[place])
        if self.shares[place].shape[1] == 2:
            start = self.kept.get(place, np.zeros(design.shape[::2]))
            self.kept[place], drawn, settled = draw_coefficients(build_binary(*data), start, self.rng)
            return compute_binary_probabilities(design, drawn), settled
        if self.plan.variables[place].kind == "ordered":
            model = build_proportional_odds(*data)
            start = self.kept.get(place, _pad(start_thresholds(self.shares[place]), design.shape[2] - 1))
            self.kept[place], drawn, settled = draw_coefficients(model, start, self.rng)
            return compute_ordered_probabilities(design, drawn, model.thresholds), settled
        model = build_multinomial(*data)
        start = self.kept.get(place, np.zeros((len(design), model.shares.shape[1] * design.shape[2])))
        self.kept[place], drawn, settled = draw_coefficients(model, start, self.rng)
        return model.compute_probabilities(drawn), settled

    def trace(self) -> Floats:
        """Return mean and SD (2, B, incomplete variables) of the imputed values."""
        return np.stack([self.trace_one(place) for place in self.plan.order], axis=2)

    def trace_one(self, place: int) -> Floats:
        """Return mean and SD (2, B) of the imputed values of one variable."""
        gone, values = ~self.observed[..., place], self.values[..., place]
        count = gone.sum(axis=1)
        mean = (values * gone).sum(axis=1) / count
        squares = (np.square(values - mean[:, None]) * gone).sum(axis=1)
        return np.stack([mean, np.sqrt(squares / np.maximum(count - 1, 1))])

    def finish(self) -> Floats:
        """Return the values with the derived columns behind them (B, n, p + d)."""
        derived = [self.plan.compute_derived(number, self.values) for number in range(len(self.plan.derived))]
        return np.concatenate([self.values, *(column[..., None] for column in derived)], axis=2)


def _pad(values: Floats, count: int) -> Floats:
    return np.concatenate([values, np.zeros((len(values), count))], axis=1)


def _standardise(columns: Floats, given: Bools) -> tuple[Floats, Floats]:
    """Return mean and SD (B, 1, c) of the observed rows of columns (B, n, c); the SD of a constant is taken as 1."""
    count = given.sum(axis=1)[:, None, None]
    centre = (columns * given[..., None]).sum(axis=1, keepdims=True) / count
    scale = np.sqrt((np.square(columns - centre) * given[..., None]).sum(axis=1, keepdims=True) / count)
    return centre, np.where(scale > 1e-12 * (1.0 + np.abs(centre)), scale, 1.0)
