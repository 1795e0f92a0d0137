"""The study file as frozen values.

Convention: every key of the study file is a field here and nothing else is accepted. Months are nominal months since
baseline, days are days since baseline. Expressions stay as text in the model; they are parsed by
:mod:`rarefactor.spec._expression`.
"""

from __future__ import annotations

from collections.abc import Mapping
from functools import cached_property
from pathlib import Path
from typing import Annotated, Any, Literal, Self

from pydantic import BeforeValidator, ConfigDict, Field, PrivateAttr, model_validator

from rarefactor.errors import Problem
from rarefactor.spec._about import About
from rarefactor.spec._evidence import DesignPlan, Evidence
from rarefactor.spec._imaging import Thigh
from rarefactor.spec._instruments import Instrument
from rarefactor.spec._later import FollowUp, Trajectory
from rarefactor.spec._origin import Origin
from rarefactor.spec._part import Name, Part, Texts, broken, read_keys_as_text
from rarefactor.spec._pathology import Biopsy
from rarefactor.spec._report import Report
from rarefactor.spec._selection import Selection

FieldType = Literal["id", "number", "integer", "text", "choice", "yesno", "date", "datetime"]
DAYS_PER_MONTH = 365.25 / 12


class DataField(Part):
    """One variable of the data, as a dictionary describes it.

    ``choices`` maps the code in the file to its label. ``missing`` lists codes that mean "not known" for this variable.
    """

    type: FieldType
    label: str = ""
    unit: str | None = None
    choices: Annotated[Mapping[str, str], BeforeValidator(read_keys_as_text)] = {}
    min: float | None = None
    max: float | None = None
    missing: Texts = ()
    identifier: bool = False


class Source(Part):
    """A file of records: one table of the cohort.

    ``day`` names a column of days since baseline, ``date`` one of calendar dates; ``event`` the column that names the
    visit. ``header`` is the row (from 1) that holds the column names.
    """

    file: str
    sheet: str | None = None
    header: int = Field(default=1, ge=1)
    encoding: str | None = None
    delimiter: Annotated[str, Field(min_length=1, max_length=1)] | None = None
    decimal: Literal[".", ","] = "."
    day: str | None = None
    date: str | None = None
    event: str | None = None


class Visit(Part):
    """A visit of the protocol: its nominal month and the window (months) that still counts."""

    month: float = Field(ge=0)
    window: tuple[float, float] | None = None
    event: str | None = None
    label: str | None = None

    @model_validator(mode="after")
    def _window_holds_month(self) -> Self:
        if self.window and not self.window[0] <= self.month <= self.window[1]:
            raise broken(
                "window",
                f"a window from {self.window[0]:g} to {self.window[1]:g}",
                f"a window that holds the nominal month {self.month:g}",
                "Give the first and the last month that still count, such as [10, 15].",
            )
        return self


class Eligibility(Part):
    """A rule that a patient must meet (``keep``), or must not meet (``drop``)."""

    name: str
    keep: str | None = None
    drop: str | None = None

    @model_validator(mode="after")
    def _one_rule(self) -> Self:
        if (self.keep is None) == (self.drop is None):
            found = "neither keep nor drop" if self.keep is None else "both keep and drop"
            raise broken(
                "name" if self.keep is None else "drop", found, "one of them", "Write two rules, or leave one key out."
            )
        return self


def _as_sources(value: Any) -> Any:
    """``records: data.csv`` is short for one table named ``records``."""
    if isinstance(value, str) or (isinstance(value, Mapping) and isinstance(value.get("file"), str)):
        value = {"records": value}
    if not isinstance(value, Mapping):
        return value
    return {name: {"file": item} if isinstance(item, str) else item for name, item in value.items()}


class Cohort(Part):
    """Where the patients come from and who they are."""

    records: Annotated[Mapping[Name, Source], BeforeValidator(_as_sources), Field(min_length=1)]
    subject: str
    dictionary: str | None = None
    fields: Mapping[str, DataField] = {}
    visits: Annotated[Mapping[Name, Visit], Field(min_length=1)] = {"baseline": Visit(month=0)}
    visit_date: str | None = None
    visit_day: str | None = None
    missing_codes: Texts = ()
    identifiers: Texts = ()
    eligibility: tuple[Eligibility, ...] = ()


class TerminalEvent(Part):
    """Something that can happen before the outcome visit and decides the outcome, such as death.

    ``day`` names the column of its day since baseline; it is looked at where ``when`` holds and the day comes before
    the patient's outcome visit, or before the end of its window where the visit is missing.
    """

    name: str
    when: str
    day: str
    counts_as: Literal["event", "no_event", "unknown"] = "event"


class Outcome(Part):
    """The binary outcome: an expression at a visit, and what decides it before that visit."""

    label: str
    at: Name
    when: str
    before: tuple[TerminalEvent, ...] = ()
    event: str | None = None
    no_event: str | None = None


MADE_BY = ("equals", "cut", "rate_between", "change_between")


class Factor(Part):
    """A candidate prognostic factor.

    ``from`` names the column. At most one of ``equals`` (binary: is one of these codes or labels), ``cut`` (binary: a
    comparison such as ``<= 56``, which needs a ``reason``), ``change_between`` and ``rate_between`` (two visits).
    ``per`` is the step that one odds ratio is for; with ``transform: log`` it is the ratio (2 = per doubling).
    ``repeatability`` of a rate is the SD of one measurement repeated (of its logarithm with ``transform: log``).
    """

    model_config = ConfigDict(populate_by_name=True)

    column: str = Field(alias="from")
    label: str
    unit: str | None = None
    measured_at: Name = "baseline"
    role: Literal["marker", "adjuster"] = "marker"
    per: float | None = Field(default=None, gt=0)
    transform: Literal["log"] | None = None
    equals: Texts = ()
    cut: Annotated[str, Field(pattern=r"^(<|<=|>|>=)\s*-?\d+(\.\d+)?$")] | None = None
    reason: str | None = None
    reference: str | None = None
    rate_between: tuple[Name, Name] | None = None
    change_between: tuple[Name, Name] | None = None
    repeatability: float | None = Field(default=None, gt=0)

    @model_validator(mode="after")
    def _consistent(self) -> Self:
        made = [name for name in MADE_BY if getattr(self, name)]
        if self.cut and not self.reason:
            raise broken(
                "cut",
                "a cut without a reason",
                "a reason beside every cut",
                "Add reason: and say where the cut-point comes from, or drop the cut and analyse the value itself.",
            )
        if len(made) > 1:
            raise broken(made[1], " and ".join(made), "at most one of them", "Make one factor for each.")
        if self.per == 1 and self.transform == "log":
            raise broken("per", "a ratio of 1, which is no step", "a ratio such as 2", "Write per: 2 for a doubling.")
        return self

    @property
    def is_made(self) -> bool:
        """Whether the factor is made of values of its column (a level, a cut, a rate, a change), not one of them."""
        return any(getattr(self, name) for name in MADE_BY)

    @property
    def visits(self) -> tuple[str, ...]:
        """The visits that the factor is made from, in order."""
        return self.rate_between or self.change_between or (self.measured_at,)

    @property
    def known_at(self) -> str:
        """The visit at which the factor is known."""
        return self.visits[-1]


def _as_models(value: Any) -> Any:
    if not isinstance(value, Mapping):
        return value
    return {name: {"factors": item} if isinstance(item, list) else item for name, item in value.items()}


class Model(Part):
    """A multivariable model that was specified beforehand.

    ``landmark`` defaults to the visit at which the last of its factors is known.
    """

    factors: tuple[Name, ...] = Field(min_length=1)
    label: str | None = None
    landmark: Name | None = None


class Missing(Part):
    """How missing factor values are handled: filled in ``imputations`` times by chained equations, or (0) not at all.

    Without imputations the models use complete cases. Inside each resample values are filled in ``resampled`` times.
    """

    imputations: int = Field(default=20, ge=0, le=1000)
    resampled: int = Field(default=5, ge=1, le=1000)
    iterations: int = Field(default=10, ge=1, le=200)

    @model_validator(mode="after")
    def _never_once(self) -> Self:
        if self.imputations == 1:
            raise broken(
                "imputations",
                "1 imputation, which would be analysed as if it were observed",
                "0 (complete cases) or several",
                "Write 20.",
            )
        return self


class Analysis(Part):
    """What is analysed.

    ``resamples`` is how often the models are built anew to see how optimistic and unstable they are; 0: not at all.
    ``risk`` is how Firth's regression predicts risks: ``flic`` (intercept corrected), ``flac`` (augmented data) or
    ``firth`` (not corrected, drawn towards one half). ``at_risk`` says, by later landmark, who still counts there.
    """

    landmarks: tuple[Name, ...] = ("baseline",)
    at_risk: Mapping[Name, tuple[Eligibility, ...]] = {}
    models: Annotated[Mapping[Name, Model], BeforeValidator(_as_models)] = {}
    missing: Missing = Missing()
    resamples: int = Field(default=1000, ge=0, le=100_000)
    risk: Literal["flic", "flac", "firth"] = "flic"
    selection: Selection | None = None
    design: DesignPlan = DesignPlan()
    level: float = Field(default=0.95, gt=0.5, lt=1)
    seed: int = Field(default=1, ge=0)


class Author(Part):
    """An author of the study, for its citation."""

    family: str
    given: str
    orcid: Annotated[str, Field(pattern=r"^\d{4}-\d{4}-\d{4}-\d{3}[\dX]$")] | None = None


class Study(Part):
    """A study as its file describes it.

    ``synthetic`` says that its patients were made, not observed; the report then says so on every page. ``about`` holds
    what only the authors know.

    Examples
    --------
    >>> study = Study.model_validate({
    ...     "id": "pbc", "title": "Progression", "cohort": {"records": "pbc.csv", "subject": "id"},
    ...     "outcome": {"progression": {"label": "Progression", "at": "month_12", "when": "bili > 2"}},
    ...     "factors": {"age": {"from": "age", "label": "Age"}},
    ... })
    >>> study.outcome_name
    'progression'
    """

    id: Annotated[str, Field(pattern=r"^[a-z0-9][a-z0-9-]*$")]
    title: str
    description: str | None = None
    authors: tuple[Author, ...] = ()
    synthetic: bool = False
    about: About = About()
    cohort: Cohort
    imaging: Annotated[Mapping[Name, Thigh], Field(max_length=1)] = {}
    pathology: Annotated[Mapping[Name, Biopsy], Field(max_length=1)] = {}
    instruments: Mapping[Name, Instrument] = {}
    outcome: Annotated[Mapping[Name, Outcome], Field(min_length=1, max_length=1)]
    factors: Annotated[Mapping[Name, Factor], Field(min_length=1)]
    analysis: Analysis = Analysis()
    evidence: tuple[Evidence, ...] = ()
    follow_up: Mapping[Name, FollowUp] = {}
    trajectories: Mapping[Name, Trajectory] = {}
    report: Report = Report()
    _origin: Origin = PrivateAttr(default_factory=Origin)

    @property
    def file(self) -> str:
        """The study file as messages name it."""
        return str(self._origin.path)

    @property
    def folder(self) -> Path:
        """The folder of the study file: what the paths in it start from."""
        return self._origin.path.absolute().parent

    def located(self, origin: Origin) -> Self:
        """Return the same study, which knows where each of its keys stands."""
        study = self.model_copy()
        study._origin = origin  # noqa: SLF001 - it is this class
        return study

    def written(self, *key: str | int) -> tuple[str | int, ...]:
        """Return a key as it stands in the file, without the levels that a short form leaves out."""
        return self._origin.locate(key)

    def problem(self, *key: str | int, found: str, expected: str, next_step: str) -> Problem:
        """Return a problem at a key, such as ``"factors", "age", "cut"``, with its file and line."""
        return self._origin.problem(key, found=found, expected=expected, next_step=next_step)

    @cached_property
    def outcome_name(self) -> str:
        """The name of the outcome."""
        return next(iter(self.outcome))

    @property
    def the_outcome(self) -> Outcome:
        """The outcome."""
        return self.outcome[self.outcome_name]

    def landmark_of(self, model: Model) -> str:
        """Return the landmark at which a model is fitted: the one given, or that of its last known factor."""
        known = {self.factors[name].known_at for name in model.factors}
        return model.landmark or max(known, key=lambda visit: self.cohort.visits[visit].month)

    def landmark_of_follow_up(self, follow_up: FollowUp) -> str:
        """Return the landmark at which the clock of a follow-up starts: the one given, or the first."""
        return follow_up.landmark or self.analysis.landmarks[0]

    def visit_months(self, until: float) -> tuple[float, ...]:
        """Return the months of the visits, from baseline to month ``until``; past the last, on in its own step."""
        months = sorted({visit.month for visit in self.cohort.visits.values() if visit.month >= 0})
        step = months[-1] - months[-2] if len(months) > 1 else 0.0
        while step and months[-1] + step <= until:
            months.append(months[-1] + step)
        return tuple(month for month in months if month <= until)

    def factors_at(self, landmark: str) -> tuple[str, ...]:
        """Return the names of the factors that are known at a landmark, in the order of the file."""
        month = self.cohort.visits[landmark].month
        visits = self.cohort.visits
        return tuple(name for name, factor in self.factors.items() if visits[factor.known_at].month <= month)
