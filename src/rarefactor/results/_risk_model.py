"""A risk model as it travels: everything that is needed to predict the risk of a next patient, and to refuse to.

Convention: numbers are as ``risk_models/<name>.json`` holds them, none of them infinite; coefficients are log odds, the
intercept first wherever all of them stand together. No number belongs to a single patient: a range is that of the
middle 90 % of the patients, a typical value their median or most frequent level, to three digits.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal

from rarefactor.results._model import InputFile, Kind

RISK_SCHEMA = 1
Use = Literal["prediction", "research only"]


@dataclass(frozen=True, slots=True, kw_only=True)
class RiskAlias:
    """The column of the data that a factor is made from: it may be given in place of the factor.

    ``rule`` says how: ``same`` (the factor itself under another name), ``cut`` (the number compared with
    ``threshold``) or ``level`` (yes where the level is one of ``counted``). ``low`` and ``high`` as for a factor.
    """

    name: str
    rule: Literal["same", "cut", "level"]
    comparison: str = ""
    threshold: float = 0.0
    levels: tuple[str, ...] = ()
    counted: tuple[str, ...] = ()
    low: float | None = None
    high: float | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class RiskFactor:
    """A factor that the model asks for.

    ``levels`` has the reference first and is empty for a number; ``rare`` are those that fewer than 5 patients had.
    ``low`` and ``high`` hold the middle 90 % of the patients' numbers in ``unit``. ``step`` and ``transform`` say what
    one coefficient is for: value / step, or log(value) / log(step).
    """

    name: str
    label: str
    kind: Kind
    role: str
    measured_at: str
    definition: str
    unit: str | None = None
    levels: tuple[str, ...] = ()
    rare: tuple[str, ...] = ()
    step: float = 1.0
    transform: str | None = None
    low: float | None = None
    high: float | None = None
    typical: float | str
    alias: RiskAlias | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class RiskTerm:
    """A column of the model: its coefficient as fitted and ``shrunken``, and ``centre``, its mean in the cohort."""

    factor: str
    term: str
    coefficient: float
    shrunken: float
    centre: float


@dataclass(frozen=True, slots=True, kw_only=True)
class RiskOutcome:
    """What the risk is of, from when (``landmark``) until when (``at``), in months since baseline and between them."""

    name: str
    label: str
    event: str
    when: str
    at: str
    landmark: str
    landmark_month: float
    month: float
    horizon_months: float


@dataclass(frozen=True, slots=True, kw_only=True)
class RiskPopulation:
    """Who the model was made from: rules of eligibility in words, patients, events, and who lacked a value."""

    eligibility: tuple[str, ...]
    n: int
    events: int
    incomplete: int
    imputations: int


@dataclass(frozen=True, slots=True, kw_only=True)
class RiskMeasure:
    """How well the model predicts by one measure: in its own patients, and corrected for optimism."""

    measure: str
    apparent: float | None = None
    low: float | None = None
    high: float | None = None
    optimism: float | None = None
    corrected: float | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class RiskSize:
    """What Riley's criteria ask for, ``supposed`` that the model explains ``nagelkerke_r2``."""

    supposed: str
    nagelkerke_r2: float
    n: int
    events: float
    parameters: int
    supported_parameters: int
    expected_shrinkage: float
    overall_risk_margin: float
    enough: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class RiskReason:
    """Why a model is for research only: a name for programs, a sentence for readers."""

    name: str
    text: str


@dataclass(frozen=True, slots=True, kw_only=True)
class RiskProvenance:
    """Where the model comes from: study, seed, versions, and the files by content."""

    study: str
    title: str
    plan_sha256: str
    seed: int
    software: Mapping[str, str]
    inputs: tuple[InputFile, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class RiskModel:
    """A risk model.

    ``use`` is ``research only`` where ``reasons`` say why. ``method`` is how risks come from Firth's regression,
    ``shrinkage`` the uniform factor of the slopes (None: not known, so that ``shrunken`` is as fitted), ``covariance``
    that of the coefficients as fitted, intercept first.
    """

    use: Use
    reasons: tuple[RiskReason, ...]
    synthetic: bool
    name: str
    label: str
    valid_for: str
    outcome: RiskOutcome
    population: RiskPopulation
    method: str
    level: float
    shrinkage: float | None
    intercept: float
    shrunken_intercept: float
    terms: tuple[RiskTerm, ...]
    covariance: tuple[tuple[float, ...], ...]
    factors: tuple[RiskFactor, ...]
    performance: tuple[RiskMeasure, ...]
    size: tuple[RiskSize, ...]
    provenance: RiskProvenance

    @property
    def allowed(self) -> bool:
        """Whether the model may be used for patients."""
        return self.use == "prediction"

    @property
    def mean_risk(self) -> float:
        """The share of the cohort that had the outcome."""
        return self.population.events / self.population.n

    def factor(self, name: str) -> RiskFactor:
        """Return the factor of this name."""
        return next(factor for factor in self.factors if factor.name == name)
