"""The truth file: what is true of the patients of a synthetic study, written like a study file.

Convention: numbers are in the unit of the column that they end in (a fat fraction in per cent), shares and
probabilities are 0 to 1, days count from baseline. Odds ratios are conditional on each other and for one step of the
study's factor. Visits, factors, measures and columns have the names that the study file gives them.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date
from pathlib import Path
from typing import Annotated, Any, Literal, Self

from pydantic import BeforeValidator, Field, PrivateAttr, model_validator

from rarefactor.errors import Problem, StudyFileError
from rarefactor.spec import Name, Origin, Part, Texts, broken, load_part

Share = Annotated[float, Field(ge=0, le=1)]
OddsRatio = Annotated[float, Field(gt=0)]
Column = Annotated[str, Field(min_length=1)]


class Draw(Part):
    """How a value is distributed: one of ``share`` (yes), ``shares`` (of each choice or box), ``mean`` or ``median``.

    With ``mean`` and ``sd`` it is normal; with ``median`` and ``ratio`` its logarithm is, and two in three values lie
    between median / ratio and median × ratio. ``low`` and ``high`` cut the distribution off. ``error`` is the standard
    deviation of what is recorded around what is true, a ratio where a median is given.
    """

    share: Share | None = None
    shares: Mapping[str, Share] | None = None
    mean: float | None = None
    sd: float = Field(default=0, ge=0)
    median: float | None = Field(default=None, gt=0)
    ratio: float = Field(default=1, ge=1)
    low: float | None = None
    high: float | None = None
    error: float = Field(default=0, ge=0)

    @model_validator(mode="after")
    def _one_kind(self) -> Self:
        kinds = [name for name in ("share", "shares", "mean", "median") if getattr(self, name) is not None]
        if len(kinds) != 1:
            found = " and ".join(kinds) or "none of share, shares, mean and median"
            raise broken(kinds[-1] if kinds else "share", found, "one of them", "Say in one way what the values are.")
        if self.low is not None and self.high is not None and self.low >= self.high:
            raise broken("low", f"low {self.low:g} and high {self.high:g}", "low below high", "Correct them.")
        return self


class FormField(Part):
    """A variable of the REDCap project as its dictionary describes it, and how its true values are drawn.

    ``draw`` holds at every visit of its form, ``draw_at`` at the visit named. ``step`` is how finely it is recorded;
    values below ``below`` or above ``above`` are recorded as such (``<20``). Core set measures, grades of strength and
    the date of the visit have no draw of their own.
    """

    type: Literal["text", "radio", "dropdown", "yesno", "checkbox"] = "text"
    label: str
    choices: Annotated[Mapping[str, str], Field(min_length=2)] | None = None
    validation: Literal["number", "integer", "date_ymd"] | None = None
    note: str = ""
    min: float | None = None
    max: float | None = None
    step: float = Field(default=1, gt=0)
    below: float | None = None
    above: float | None = None
    draw: Draw | None = None
    draw_at: Mapping[Name, Draw] = {}

    @model_validator(mode="after")
    def _drawn_as_it_is(self) -> Self:
        if (self.choices is not None) != (self.type in {"radio", "dropdown", "checkbox"}):
            found = f"{self.type} {'with' if self.choices else 'without'} choices"
            raise broken("choices", found, "choices of radio, dropdown and checkbox", "Add or remove them.")
        for each in (*([self.draw] if self.draw else []), *self.draw_at.values()):
            _check_draw(self, each)
        return self


def _check_draw(field: FormField, draw: Draw) -> None:
    kind = "share" if draw.share is not None else "shares" if draw.shares is not None else "a number"
    wanted = {"yesno": "share", "text": "a number"}.get(field.type, "shares")
    if kind != wanted and not (field.type == "checkbox" and kind == "shares"):
        raise broken("draw", f"{kind} for {field.type}", wanted, "Draw what the field can hold.")
    if field.type != "checkbox" and draw.shares is not None and abs(sum(draw.shares.values()) - 1) > 1e-6:
        found = f"shares that add up to {sum(draw.shares.values()):g}"
        raise broken("draw", found, "shares that add up to 1", "Correct them.")
    unknown = [code for code in draw.shares or {} if code not in (field.choices or {})]
    if unknown:
        expected = f"codes of {', '.join(field.choices or {})}"
        raise broken("draw", f"a share of {unknown[0]}", expected, "Correct the code.")


def _read_number(value: Any) -> Any:
    """A number stands for itself: drawn without variation."""
    return value if isinstance(value, Mapping) else {"mean": value}


class Row(Part):
    """Rows of a repeating form: a ``share`` of the patients has one, with these codes of choices and these values."""

    share: Share = 1
    codes: Mapping[Name, str] = {}
    values: Mapping[Name, Annotated[Draw, BeforeValidator(_read_number)]] = {}


class Form(Part):
    """A form of the REDCap project: at which visits it is filled, or its repeated rows at the first of them."""

    label: str
    visits: tuple[Name, ...] = Field(default=("baseline",), min_length=1)
    fields: Mapping[Name, FormField] = Field(min_length=1)
    rows: tuple[Row, ...] = ()


class Measure(Part):
    """A core set measure: its distribution at baseline, and where full response brings it.

    ``follows`` is how far it goes the way of the patient's response as a whole (1: all of it), ``error`` how far what
    is recorded lies from what is true, at every visit; a ratio for an enzyme.
    """

    baseline: Draw
    normal: float = Field(ge=0)
    follows: Draw = Draw(mean=1)
    error: float = Field(default=0, ge=0)


class Strength(Part):
    """How weakness spreads over the muscles: ``weights`` relative to each other, ``ratio`` between patients."""

    weights: Mapping[Name, Annotated[float, Field(gt=0)]]
    ratio: float = Field(default=1, ge=1)
    error: float = Field(default=0, ge=0)


class OutcomeTruth(Part):
    """The outcome: its prevalence in all such patients, and the conditional odds ratio of each factor that matters."""

    prevalence: Annotated[float, Field(gt=0, lt=1)]
    odds_ratios: Mapping[Name, OddsRatio] = {}


class Response(Part):
    """The course of response.

    ``cut`` is the Total Improvement Score from which a patient counts as a responder; ``event`` and ``no_event`` are
    the scores at the outcome visit of those with and without the outcome. ``course`` is which part of the response is
    there at an earlier visit. A share ``relapse`` of those with the outcome had responded at the visit before.
    """

    cut: float = Field(default=40, gt=0, lt=100)
    event: Draw
    no_event: Draw
    course: Mapping[Name, Draw]
    relapse: Share = 0
    attainable: float = Field(default=55, ge=0, le=95)


class Loss(Part):
    """Who is lost: a share of the patients, more of some by ``odds_ratios``, and after which visit.

    ``exact`` takes that share of the eligible patients of each cohort, rounded, rather than on average.
    """

    share: Share
    exact: bool = False
    after: Mapping[Name, Share]
    odds_ratios: Mapping[Name, OddsRatio] = {}

    @model_validator(mode="after")
    def _all_after(self) -> Self:
        if abs(sum(self.after.values()) - 1) > 1e-6:
            found = f"shares that add up to {sum(self.after.values()):g}"
            raise broken("after", found, "shares that add up to 1", "Say after which visits patients are lost.")
        return self


class MissingRule(Part):
    """What is missing: fields, whole forms or images, at visits, for a share of the patients, more of some."""

    of: Annotated[Texts, Field(min_length=1)]
    at: tuple[Name, ...] = ()
    share: Share
    odds_ratios: Mapping[Name, OddsRatio] = {}


class Scans(Part):
    """Thigh MRI at ``visits``: fat fraction in per cent at baseline, its rate in percentage points per month."""

    fat_fraction: Draw
    rate: Draw
    visits: tuple[Name, ...] = Field(min_length=1)


class Stained(Part):
    """A stain: positive area in per cent, or positive cells per mm² and the area that they make."""

    positive_area: Draw | None = None
    positive_per_mm2: Draw | None = None

    @model_validator(mode="after")
    def _something(self) -> Self:
        if self.positive_area is None and self.positive_per_mm2 is None:
            raise broken("positive_area", "no quantity", "positive_area or positive_per_mm2", "Name one of them.")
        return self


class Runs(Part):
    """Staining runs: how many slides of a stain are stained together, and by what ratio the strength of DAB differs.

    ``whole`` slides of each stain are whole slides, the others photographed fields.
    """

    slides: int = Field(default=16, ge=1)
    ratio: float = Field(default=1, ge=1, le=2)
    whole: int = Field(default=0, ge=0)


class Readers(Part):
    """Readers who score a stain 0 to 3 by eye: the area (per cent) from which each score is given, their scatter.

    ``ratio`` is how far a reader's impression of an area lies from the truth.
    """

    names: Annotated[Texts, Field(min_length=1)]
    from_area: tuple[float, float, float]
    ratio: float = Field(default=1, ge=1)


class Correlation(Part):
    """Two drawn values that go together: the correlation of their normal scores."""

    of: tuple[Column, Column]
    r: Annotated[float, Field(gt=-1, lt=1)]


class Expect(Part):
    """What the cohort that is wanted looks like; cohorts are drawn until one does, at most ``draws`` times.

    ``outcomes`` and ``events`` count eligible patients with a known outcome, and with the outcome. A factor in
    ``separated`` has a level in which no or all patients have the outcome, one in ``estimable`` has none such.
    ``odds_ratios`` bound the odds ratio of a binary factor alone, as counted in the cohort.
    """

    outcomes: int | None = Field(default=None, ge=1)
    events: int | None = Field(default=None, ge=0)
    separated: tuple[Name, ...] = ()
    estimable: tuple[Name, ...] = ()
    odds_ratios: Mapping[Name, tuple[OddsRatio, OddsRatio]] = {}
    draws: int = Field(default=20_000, ge=1, le=1_000_000)


class Blemish(Part):
    """A fault to be written into the records on purpose: ``text`` in some cells of a field."""

    field: Name
    at: Name = "baseline"
    text: str
    count: int = Field(default=1, ge=1)


class Screened(Part):
    """Further patients in the export who are not eligible: the value of a field that says so."""

    patients: int = Field(default=0, ge=0)
    values: Mapping[Name, str]


class Truth(Part):
    """What is true of a synthetic study.

    Attributes
    ----------
    patients, screened
        Eligible patients, and further ones who are not.
    ids
        How record ids are written; ``{:03d}`` stands for the running number.
    enrolled
        First and last date of a baseline visit.
    visit_sd_days
        How far later visits are from their nominal day.
    seed
        Of a study that is written without another.
    expect
        What the cohort has to look like; without it cohorts are drawn freely.
    outcome, forms, core_set, strength, response, loss, missing, scans, slides, readers, correlations, blemishes
        See their own descriptions.
    """

    patients: int = Field(ge=1, le=1_000_000)
    screened: Screened | None = None
    ids: Annotated[str, Field(min_length=3)] = "P-{:03d}"
    enrolled: tuple[date, date]
    visit_sd_days: float = Field(default=0, ge=0)
    seed: int = Field(default=1, ge=0)
    expect: Expect | None = None
    outcome: OutcomeTruth
    forms: Mapping[Name, Form] = Field(min_length=1)
    core_set: Mapping[Name, Measure]
    strength: Strength | None = None
    response: Response
    loss: Loss | None = None
    missing: tuple[MissingRule, ...] = ()
    scans: Scans | None = None
    slides: Mapping[str, Stained] = {}
    runs: Runs = Runs()
    readers: Mapping[str, Readers] = {}
    correlations: tuple[Correlation, ...] = ()
    blemishes: tuple[Blemish, ...] = ()
    _origin: Origin = PrivateAttr(default_factory=lambda: Origin(path=Path("truth.yaml")))

    @model_validator(mode="after")
    def _writes_ids(self) -> Self:
        if "{" not in self.ids or "}" not in self.ids:
            raise broken("ids", "ids without a number", "a place for the number", "Write it such as SRP-{:03d}.")
        if self.enrolled[0] > self.enrolled[1]:
            raise broken("enrolled", "a last date before the first", "first and last date", "Swap them.")
        return self

    @property
    def file(self) -> str:
        """The truth file as messages name it."""
        return str(self._origin.path)

    def located(self, origin: Origin) -> Self:
        """Return the same truth, which knows where each of its keys stands."""
        truth = self.model_copy()
        truth._origin = origin  # noqa: SLF001 - it is this class
        return truth

    def problem(self, *key: str | int, found: str, expected: str, next_step: str) -> Problem:
        """Return a problem at a key, with its file and line."""
        return self._origin.problem(key, found=found, expected=expected, next_step=next_step)

    def find_field(self, name: str) -> tuple[str, FormField] | None:
        """Return the form of a field and the field, or None."""
        found = ((form, each.fields[name]) for form, each in self.forms.items() if name in each.fields)
        return next(found, None)


def read_truth(path: Path) -> Truth:
    """Read a truth file; whether it fits a study is asked when both are brought together.

    Raises
    ------
    StudyFileError
        Everything that is wrong with the file at once, each with line, key, found, expected and next step.

    Examples
    --------
    >>> read_truth(Path("no/such/truth.yaml"))
    Traceback (most recent call last):
        ...
    rarefactor.errors.StudyFileError: no/such/truth.yaml: found no such file; expected the truth of a synthetic study. \
Write one, or copy that of the template anm-srp.
    """
    path = Path(path)
    if not path.is_file():
        step = "Write one, or copy that of the template anm-srp."
        expected = "the truth of a synthetic study"
        raise StudyFileError(Problem(file=str(path), found="no such file", expected=expected, next_step=step))
    truth, origin = load_part(path, Truth)
    return truth.located(origin)
