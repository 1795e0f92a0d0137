"""The odds ratios of one analysis in the order of the study file, each with its counts and both estimates."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from rarefactor.report._source import Source
from rarefactor.report._words import Words
from rarefactor.report.format import EMPTY, format_count
from rarefactor.results import Estimate, FactorInfo, ModelInfo

_WORDS = Words("effects")
MARKS = {"separated": "†", "sparse": "‡", "not_converged": "§"}
COUPLED = "¶"
_YES = {"yes", "true", "1", "present"}


@dataclass(frozen=True, slots=True, kw_only=True)
class Effect:
    """One odds ratio: a level against the reference, or a step of a continuous factor.

    ``reference`` is the level compared with, empty for a continuous factor; ``counted`` holds n and events of the level
    (or of all, for a continuous factor). ``coupled``: the factor is made of the same variable as the outcome.
    """

    info: FactorInfo
    term: str
    reference: str
    ml: Estimate | None
    firth: Estimate | None
    logf: Estimate | None
    counted: Estimate | None
    coupled: bool = False

    @property
    def rows(self) -> tuple[Estimate, ...]:
        """The estimates that there are: maximum likelihood, Firth, log-F(2,2)."""
        return tuple(row for row in (self.ml, self.firth, self.logf) if row)

    @property
    def flags(self) -> tuple[str, ...]:
        """The flags of the estimates that have a mark, each once."""
        found = {flag for row in self.rows for flag in row.flags}
        return tuple(flag for flag in MARKS if flag in found)

    @property
    def signs(self) -> str:
        """The marks that stand behind its name, in tables and figures."""
        return "".join(MARKS[flag] for flag in self.flags) + (COUPLED if self.coupled else "")

    @property
    def label(self) -> str:
        """What the odds ratio is for, in one line."""
        if self.info.kind == "continuous":
            return f"{self.info.label}, {step_words(self.info)}"
        if self.info.kind == "binary":
            return stands_alone(self.info, self.term)
        return _WORDS.text("compared", label=self.info.label, term=self.term, reference=self.reference)

    @property
    def counts(self) -> str:
        """Events of patients, such as ``12/40``."""
        if self.counted is None or self.counted.events is None or self.counted.n is None:
            return EMPTY
        return f"{format_count(self.counted.events)}/{format_count(self.counted.n)}"


def stands_alone(info: FactorInfo, level: str) -> str:
    """Return how a level of a binary factor is named where it stands alone.

    Examples
    --------
    >>> sex = FactorInfo(name="sex", label="Sex", kind="binary", role="marker", measured_at="baseline",
    ...                  levels=("female", "male"))
    >>> stands_alone(sex, "male"), stands_alone(sex, "Yes")
    ('Sex: male', 'Sex')
    """
    return info.label if level.casefold() in _YES else f"{info.label}: {level}"


def step_words(info: FactorInfo) -> str:
    """Return what one odds ratio of a continuous factor is for.

    Examples
    --------
    >>> count = FactorInfo(name="x", label="Platelets", kind="continuous", role="marker", measured_at="baseline",
    ...                    unit="10⁹/l", step=50.0)
    >>> step_words(count)
    'per 50 × 10⁹/l'
    >>> cells = FactorInfo(name="x", label="Cells", kind="continuous", role="marker", measured_at="baseline",
    ...                    unit="1/mm²", step=10.0)
    >>> step_words(cells)
    'per 10 per mm²'
    >>> fat = FactorInfo(name="x", label="Fat", kind="continuous", role="marker", measured_at="baseline",
    ...                  unit="%", step=5.0)
    >>> step_words(fat)
    'per 5%'
    """
    if info.transform == "log" and info.step == 2:
        return _WORDS.text("doubling")
    unit = info.unit or ""
    if unit.startswith("1/"):
        return info.term.replace(unit, _WORDS.text("per", unit=unit.removeprefix("1/")))
    if unit == "%":
        return info.term.replace(f" {unit}", unit)
    return info.term.replace(f" {unit}", f" × {unit}") if unit[:1].isdigit() else info.term


def univariable_effects(source: Source, landmark: str) -> tuple[Effect, ...]:
    """Return the odds ratios of all factors that were analysed one by one at a landmark."""
    rows = source.results.select(analysis="univariable", landmark=landmark)
    found = {row.factor for row in rows}
    names = [info.name for info in source.results.factors if info.name in found]
    return tuple(_effects(source, names, "univariable", landmark, None))


def model_effects(source: Source, model: ModelInfo) -> tuple[Effect, ...]:
    """Return the odds ratios of a multivariable model, the markers first."""
    names = sorted(model.factors, key=lambda name: source.factor(name).role != "marker")
    return tuple(_effects(source, names, "multivariable", model.landmark, model.name))


def side(row: Estimate | None) -> int:
    """Return on which side of 1 the whole interval lies: 1, -1, or 0 where it holds 1 or is not known."""
    if row is None or row.low is None or row.high is None:
        return 0
    return (row.low > 1) - (row.high < 1)


def reference_level(source: Source, landmark: str, info: FactorInfo) -> str:
    """Return the level that the others are compared with: the first that some patient has."""
    rows = ((level, risk(source, landmark, info, level)) for level in info.ordered)
    return next((level for level, row in rows if row and row.n), next(iter(info.ordered), ""))


def risk(source: Source, landmark: str, info: FactorInfo, level: str) -> Estimate | None:
    """Return the risk of the outcome among patients with this level of a factor."""
    return source.row("univariable", "risk", landmark=landmark, factor=info.name, group=level)


def _effects(source: Source, names: Sequence[str], analysis: str, landmark: str, model: str | None) -> Iterator[Effect]:
    for name in names:
        info = source.factor(name)
        for term in info.compared or (info.term,):
            ml, firth, logf = (
                source.row(
                    analysis, "odds_ratio", landmark=landmark, model=model, factor=name, term=term, method=method
                )
                for method in ("ml", "firth", "logf22")
            )
            counted = risk(source, landmark, info, term) if info.levels else firth or ml
            if ml or firth:
                reference = reference_level(source, landmark, info)
                yield Effect(
                    info=info,
                    term=term,
                    reference=reference,
                    ml=ml,
                    firth=firth,
                    logf=logf,
                    counted=counted,
                    coupled=bool(source.coupled([name])),
                )
