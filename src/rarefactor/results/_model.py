"""Frozen values of ``results.json``."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any, Literal

from rarefactor.errors import InputError, Problem, suggest

SCHEMA = 1
OUTCOME_UNKNOWN = "outcome_unknown"
"""The group, or the flag, of patients whose outcome is not known."""

Kind = Literal["binary", "continuous", "categorical"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Estimate:
    """One number with its interval: a row of ``results.json``.

    ``group`` names the patients that the number describes (``all``, ``event``, ``no_event``) or, for a risk,
    the level of the factor; ``term`` is the level that an odds ratio compares with the reference, or the unit step.
    ``source`` holds ids of :class:`InputFile`, ``patients`` is the name of the patients that it is about in
    :attr:`Results.sets`, or one patient's own id.

    Examples
    --------
    >>> row = Estimate(analysis="univariable", landmark="baseline", factor="age", method="firth",
    ...                measure="odds_ratio", estimate=1.4, low=1.1, high=1.8, p=0.01, n=273, events=102)
    >>> row.id
    'univariable/baseline/age/firth/odds_ratio'
    """

    analysis: str
    measure: str
    estimate: float | None
    landmark: str | None = None
    model: str | None = None
    factor: str | None = None
    term: str | None = None
    group: str | None = None
    method: str | None = None
    low: float | None = None
    high: float | None = None
    p: float | None = None
    n: int | None = None
    events: int | None = None
    imputations: int | None = None
    flags: tuple[str, ...] = ()
    source: tuple[str, ...] = ()
    patients: str | None = None

    @property
    def id(self) -> str:
        """The address of the number: the parts that say which it is, joined by slashes."""
        parts = (
            self.analysis,
            self.landmark,
            self.model,
            self.factor,
            self.term,
            self.group,
            self.method,
            self.measure,
        )
        return "/".join(part.replace("/", "|").replace(" ", "_") for part in parts if part)


@dataclass(frozen=True, slots=True, kw_only=True)
class Exclusion:
    """Patients who left the flow at one step, with the reason."""

    reason: str
    n: int


@dataclass(frozen=True, slots=True, kw_only=True)
class FlowStep:
    """One box of the flow diagram: who is left, and who went before it and why.

    ``landmark`` is None for the steps that all landmarks share. ``events`` is given where the outcome is known,
    ``patients`` as for an :class:`Estimate`.
    """

    id: str
    label: str
    n: int
    landmark: str | None = None
    events: int | None = None
    excluded: tuple[Exclusion, ...] = ()
    patients: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class FactorInfo:
    """How a factor is shown: its words, unit, kind and levels.

    ``levels`` (in the order of the dictionary) is empty for a continuous factor; ``reference`` is the one that the
    others are compared with, the first where none is named. ``step`` is the increment that the odds ratio is for, in
    ``unit`` (a ratio where ``transform`` is log). ``definition`` is a sentence for the methods, ``repeatability`` the
    SD of one of the measurements that a rate is made of, repeated. ``images`` names what of the images it is made from,
    as :attr:`ImageFile.of` does.
    """

    name: str
    label: str
    kind: Kind
    role: str
    measured_at: str
    unit: str | None = None
    levels: tuple[str, ...] = ()
    reference: str | None = None
    step: float = 1.0
    transform: str | None = None
    definition: str = ""
    repeatability: float | None = None
    images: tuple[str, ...] = ()

    @property
    def ordered(self) -> tuple[str, ...]:
        """The levels with the reference first."""
        reference = self.reference or next(iter(self.levels), "")
        return tuple(sorted(self.levels, key=lambda level: level != reference))

    @property
    def compared(self) -> tuple[str, ...]:
        """The levels that are compared with the reference."""
        return self.ordered[1:]

    @property
    def term(self) -> str:
        """What one odds ratio of a continuous factor is for, such as ``per 10 years``."""
        if self.transform == "log":
            return f"per {self.step:g}-fold"
        unit = f" {self.unit}" if self.unit else " unit" if self.step == 1 else ""
        return f"per {self.step:g}{unit}"


@dataclass(frozen=True, slots=True, kw_only=True)
class ModelInfo:
    """A pre-specified multivariable model and the landmark at which its last factor is known."""

    name: str
    label: str
    landmark: str
    factors: tuple[str, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Quantity:
    """A column of measurements in words: its label and unit, and the SD of one measurement repeated."""

    label: str
    unit: str | None = None
    repeatability: float | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class InputFile:
    """A file that the study read, by content."""

    id: str
    path: str
    sha256: str
    bytes: int


@dataclass(frozen=True, slots=True, kw_only=True)
class ImageFile:
    """A file of a scan, or a slide: whose it is, and what was measured in it.

    ``of`` names table, stain and visit, such as ``thigh@baseline`` or ``biopsy.CD20@baseline``;
    ``name`` is that of the file as the tables of measurements give it, ``sha256`` its content.
    """

    of: str
    subject: str
    name: str
    sha256: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Note:
    """A sentence that a reader must see beside the numbers.

    ``about`` is the part it belongs to (``data``, ``visits``, ``outcome``, ``factors``, ``univariable``,
    ``multivariable``, ``coupling`` of a factor with the outcome); ``landmark``, ``model`` and ``factor``
    narrow it down.
    """

    about: str
    text: str
    landmark: str | None = None
    model: str | None = None
    factor: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Analysed:
    """What one analysis gave: its rows and the sentences that belong to them."""

    rows: tuple[Estimate, ...]
    notes: tuple[Note, ...] = ()


@dataclass(frozen=True, kw_only=True)
class Results:
    """Everything that the report, the web page and the next centre may read.

    ``study`` is the study file as checked (JSON-ready), ``software`` the versions that ran, ``quantities`` the words
    for what rows of images and instruments are about, under ``model.term``. ``sets`` holds patients by the names that
    rows give them, ``images`` the files that were measured; both are empty where the study file lists no patients.
    """

    study: Mapping[str, Any]
    flow: tuple[FlowStep, ...]
    rows: tuple[Estimate, ...]
    notes: tuple[Note, ...] = ()
    factors: tuple[FactorInfo, ...] = ()
    models: tuple[ModelInfo, ...] = ()
    inputs: tuple[InputFile, ...] = ()
    software: Mapping[str, str] = field(default_factory=dict[str, str])
    quantities: Mapping[str, Quantity] = field(default_factory=dict[str, Quantity])
    sets: Mapping[str, tuple[str, ...]] = field(default_factory=dict[str, tuple[str, ...]])
    images: tuple[ImageFile, ...] = ()

    def __post_init__(self) -> None:
        seen: set[str] = set()
        for row in self.rows:
            if row.id in seen:
                raise InputError(
                    Problem(
                        found=f"two rows with the id {row.id}",
                        expected="one row per number",
                        next_step="Tell them apart by method, group or measure.",
                    )
                )
            seen.add(row.id)

    @cached_property
    def _by_id(self) -> Mapping[str, Estimate]:
        return {row.id: row for row in self.rows}

    @cached_property
    def _by_analysis(self) -> Mapping[str | None, Sequence[Estimate]]:
        found: defaultdict[str | None, list[Estimate]] = defaultdict(list)
        for row in self.rows:
            found[row.analysis].append(row)
        return dict(found)

    def get(self, row_id: str) -> Estimate:
        """Return the row with this id.

        Raises
        ------
        InputError
            There is no such row; the nearest id is offered.
        """
        try:
            return self._by_id[row_id]
        except KeyError:
            raise InputError(
                Problem(
                    found=f"no row {row_id}",
                    expected="the id of a row of results.json",
                    next_step=suggest(row_id, list(self._by_id)[:500]),
                )
            ) from None

    def select(self, **parts: str | None) -> tuple[Estimate, ...]:
        """Return the rows whose parts equal the ones given, in their order.

        Examples
        --------
        >>> rows = (Estimate(analysis="table1", factor="age", measure="mean", estimate=50.0),)
        >>> results = Results(study={}, flow=(), rows=rows)
        >>> [row.estimate for row in results.select(analysis="table1", measure="mean")]
        [50.0]
        """
        rest = dict(parts)
        rows = self._by_analysis.get(rest.pop("analysis"), ()) if parts.get("analysis") else self.rows
        return tuple(row for row in rows if all(getattr(row, part) == value for part, value in rest.items()))

    def factor(self, name: str) -> FactorInfo:
        """Return how the factor of this name is shown."""
        return next(info for info in self.factors if info.name == name)
