"""Multiple imputation by chained equations, all imputations of all data sets in step.

Convention: data are numbers (n, p) with NaN where a value is missing; observed values are never changed. The outcome
and auxiliary variables belong among the variables. Derived columns (a cut, a rate) are computed from their completed
parts and stand behind the variables. A single completed data set is not to be analysed as if it were observed.

Continuous variables: predictive mean matching, type 1, 5 donors. Categories: logistic, multinomial or proportional-odds
models with pseudo-patients against perfect prediction and coefficients drawn from their approximate posterior.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike

from rarefactor.stats._arrays import Bools, Floats, Ints
from rarefactor.stats._impute_chains import Chains, Plan, build_plan
from rarefactor.stats._impute_variables import Derived, Variable, check_missing, check_variables, derive_order
from rarefactor.stats._inputs import raise_input, read_array

__all__ = ["Derived", "Imputations", "ManyImputations", "Variable", "impute", "impute_many"]

PORTION = 12_000
"""Rows times chains that advance together: small enough to stay in a processor's cache."""

PSEUDO = ("observed", "equal")


@dataclass(frozen=True, slots=True, kw_only=True)
class Imputations:
    """Completed data sets of one study.

    ``values`` (m, n, p + d): variables, then derived columns, named by ``names``; ``imputed`` (n, p + d) where a value
    was missing (of a derived column: where a part was). ``trace_mean`` and ``trace_sd`` (iterations, m, v) of the
    imputed values of the variables ``traced``, which stand in the order of visits. ``unsettled`` counts by variable the
    models that found no maximum and left the values as they were.
    """

    names: tuple[str, ...]
    values: Floats
    imputed: Bools
    traced: tuple[str, ...]
    trace_mean: Floats
    trace_sd: Floats
    unsettled: dict[str, int]

    @property
    def m(self) -> int:
        """The number of imputations."""
        return len(self.values)

    @property
    def complete(self) -> bool:
        """Whether nothing was missing."""
        return not self.imputed.any()

    def take(self, names: Sequence[str]) -> Floats:
        """Return columns (m, n, k) by their names."""
        return self.values[..., [self.names.index(name) for name in names]]


@dataclass(frozen=True, slots=True, kw_only=True)
class ManyImputations:
    """Completed data sets of R studies or resamples: ``values`` (R, m, n, p + d), named by ``names``.

    ``reason`` says why a data set could not be imputed and is NaN, empty where it could. ``unsettled`` as in
    :class:`Imputations`, over all data sets.
    """

    names: tuple[str, ...]
    values: Floats
    reason: tuple[str, ...]
    unsettled: dict[str, int]

    def take(self, names: Sequence[str]) -> Floats:
        """Return columns (R, m, n, k) by their names."""
        return self.values[..., [self.names.index(name) for name in names]]


def impute(  # noqa: PLR0913 - each argument is a decision that a paper has to report
    data: ArrayLike,
    variables: Sequence[Variable],
    *,
    m: int = 20,
    iterations: int = 10,
    derived: Sequence[Derived] = (),
    order: Sequence[str] | None = None,
    donors: int = 5,
    pseudo: str = "observed",
    allowed: float = 0.8,
    rng: np.random.Generator,
) -> Imputations:
    """Complete a data set m times by chained equations.

    Parameters
    ----------
    data
        Values (n, p), NaN where missing.
    variables
        The p columns: names, kinds, levels, and from what each is imputed.
    m, iterations
        Numbers of imputations and of sweeps through the variables.
    derived
        Columns computed from others.
    order
        Names of the incomplete variables in the order of visits; by default fewest missing first.
    donors
        From how many nearest donors predictive mean matching takes one.
    pseudo
        How the pseudo-patients are split over the categories: "observed" (as the observed values are) or "equal" (as
        White et al. and mice do, which draws rare categories towards one half in small studies).
    allowed
        The largest share of missing values that a variable may have.
    rng
        The source of chance; the same state gives the same imputations.

    Returns
    -------
    Imputations
        With the trace of means and SDs.

    Raises
    ------
    InputError
        Variables that do not fit the data, values that are no level, nothing observed, more missing than allowed.

    References
    ----------
    van Buuren S, Groothuis-Oudshoorn K. mice: multivariate imputation by chained equations in R. J Stat Softw
    2011;45(3).
    White IR, Royston P, Wood AM. Multiple imputation using chained equations: issues and guidance for practice. Stat
    Med 2011;30:377-99.

    Examples
    --------
    >>> rng = np.random.default_rng(1)
    >>> x = rng.normal(size=50)
    >>> y = (rng.random(50) < 1 / (1 + np.exp(-x))).astype(float)
    >>> x[:10] = np.nan
    >>> variables = [Variable(name="x"), Variable(name="y", kind="binary")]
    >>> high = Derived(name="high", parts=("x",), compute=lambda x: (x > 1.0).astype(float))
    >>> found = impute(np.column_stack([x, y]), variables, m=5, derived=[high], rng=rng)
    >>> found.values.shape, found.names, found.imputed.sum(axis=0).tolist(), found.trace_mean.shape
    ((5, 50, 3), ('x', 'y', 'high'), [10, 0, 10], (10, 5, 1))
    """
    table = _read_data(data, 2)
    named = check_variables(table, variables, derived)
    check_missing(table, named, allowed)
    missing = np.isnan(table)
    plan = _build(named, derived, missing, order, donors, pseudo)
    chains = _Chunks(plan, np.broadcast_to(table, (1, *table.shape)), _check_count("m", m), rng)
    values, trace, unsettled = chains.run(_check_count("iterations", iterations), traced=True)
    return Imputations(
        names=_name(plan),
        values=values[0],
        imputed=np.column_stack([missing, *(_find_derived(plan, column, missing) for column in plan.derived)]),
        traced=tuple(named[place].name for place in plan.order),
        trace_mean=trace[0],
        trace_sd=trace[1],
        unsettled=unsettled,
    )


def impute_many(  # noqa: PLR0913 - each argument is a decision that a paper has to report
    data: ArrayLike,
    variables: Sequence[Variable],
    *,
    rows: ArrayLike | None = None,
    m: int = 20,
    iterations: int = 10,
    derived: Sequence[Derived] = (),
    order: Sequence[str] | None = None,
    donors: int = 5,
    pseudo: str = "observed",
    rng: np.random.Generator,
) -> ManyImputations:
    """Complete R data sets m times each: resamples of one study, or simulated studies.

    Parameters
    ----------
    data
        Values (R, n, p), or (n, p) together with ``rows``.
    variables, m, iterations, derived, order, donors, pseudo, rng
        As in :func:`impute`; levels not given are those observed in any data set.
    rows
        Rows (R, n') of ``data`` that make up each resample; a patient drawn twice is imputed twice.

    Returns
    -------
    ManyImputations
        R m n' (p + d) numbers: hand over portions of the resamples where that is too much. A data set in which a
        variable has no observed value is NaN with a reason.

    Raises
    ------
    InputError
        Variables that do not fit the data, values that are no level.

    References
    ----------
    Wahl S, Boulesteix AL, Zierer A, Thorand B, van de Wiel MA. Assessment of predictive performance in incomplete data
    by combining internal validation and multiple imputation. BMC Med Res Methodol 2016;16:144.

    Examples
    --------
    >>> rng = np.random.default_rng(1)
    >>> data = rng.normal(size=(40, 2))
    >>> data[:6, 0] = np.nan
    >>> resamples = rng.integers(40, size=(3, 40))
    >>> many = impute_many(data, [Variable(name="x"), Variable(name="z")], rows=resamples, m=4, rng=rng)
    >>> many.values.shape, bool(np.isnan(many.values).any())
    ((3, 4, 40, 2), False)
    """
    table = _read_data(data, 2 if rows is not None else 3)
    named = check_variables(table, variables, derived)
    if rows is not None:
        table = table[_read_rows(rows, len(table))]
    missing = np.isnan(table)
    plan = _build(named, derived, missing.reshape(-1, len(named)), order, donors, pseudo)
    empty = np.asarray(missing.all(axis=1))
    usable = np.flatnonzero(~np.asarray(empty.any(axis=1)))
    chains = _Chunks(plan, table[usable], _check_count("m", m), rng)
    found, _, unsettled = chains.run(_check_count("iterations", iterations), traced=False)
    values = np.full((len(table), *found.shape[1:]), np.nan)
    values[usable] = found
    reasons = (", ".join(v.name for v, gone in zip(named, row, strict=True) if gone) for row in empty)
    reason = tuple(f"nothing observed: {names}" if names else "" for names in reasons)
    return ManyImputations(names=_name(plan), values=values, reason=reason, unsettled=unsettled)


@dataclass(frozen=True, slots=True)
class _Chunks:
    """Data sets (R, n, p) whose m R chains are run portion by portion."""

    plan: Plan
    data: Floats
    m: int
    rng: np.random.Generator

    def run(self, iterations: int, *, traced: bool) -> tuple[Floats, Floats, dict[str, int]]:
        """Return values (R, m, n, p + d), the trace (2, iterations, R m, v) and how many models had no maximum."""
        count, n, _ = self.data.shape
        width = len(_name(self.plan))
        values = np.empty((count * self.m, n, width))
        trace = np.empty((2, iterations if traced else 0, count * self.m, len(self.plan.order)))
        unsettled = np.zeros(len(self.plan.variables), dtype=np.intp)
        size = max(16, PORTION // max(1, n))
        for first in range(0, count * self.m, size):
            rows = np.arange(first, min(first + size, count * self.m))
            chains = self.start(rows)
            for iteration in range(iterations if self.plan.order else 0):
                chains.sweep()
                if traced:
                    trace[:, iteration, rows] = chains.trace()
            values[rows] = chains.finish()
            unsettled += chains.unsettled
        named = {self.plan.variables[place].name: int(unsettled[place]) for place in np.flatnonzero(unsettled)}
        return values.reshape(count, self.m, n, width), trace, named

    def start(self, rows: Ints) -> Chains:
        """Return the chains of these places, with what is missing filled in at random."""
        data = self.data[rows // self.m]
        return Chains(plan=self.plan, values=data, observed=~np.isnan(data), rng=self.rng)


def _build(
    variables: tuple[Variable, ...],
    derived: Sequence[Derived],
    missing: Bools,
    order: Sequence[str] | None,
    donors: int,
    pseudo: str,
) -> Plan:
    if pseudo not in PSEUDO:
        raise_input("pseudo", repr(pseudo), " or ".join(PSEUDO), "Use the default.")
    names = [variable.name for variable in variables]
    visits = derive_order(missing.sum(axis=0).tolist(), names, order)
    return build_plan(variables, tuple(derived), visits, donors=_check_count("donors", donors), equal=pseudo == "equal")


def _name(plan: Plan) -> tuple[str, ...]:
    return (*(variable.name for variable in plan.variables), *(column.name for column in plan.derived))


def _find_derived(plan: Plan, column: Derived, missing: Bools) -> Bools:
    """Say where a part of a derived column was missing."""
    return np.asarray(missing[:, [variable.name in column.parts for variable in plan.variables]].any(axis=1))


def _read_data(data: ArrayLike, dimensions: int) -> Floats:
    table = read_array(data, "data")
    if table.ndim != dimensions or not table.size:
        expected = "(n, p)" if dimensions == 2 else "(R, n, p), or (n, p) with rows"
        raise_input("data", f"shape {table.shape}", expected, "Give one row per patient, one column per variable.")
    return table


def _read_rows(rows: ArrayLike, n: int) -> Ints:
    places = np.asarray(rows)
    if places.ndim != 2 or places.dtype.kind not in "iu" or places.min() < 0 or places.max() >= n:
        raise_input("rows", f"shape {places.shape}", f"whole numbers (R, n') from 0 to {n - 1}", "Draw them again.")
    return places.astype(np.intp)


def _check_count(name: str, count: int) -> int:
    if count < 1:
        raise_input(name, str(count), "a whole number from 1", "Use the default.")
    return count
