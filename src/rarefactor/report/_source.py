"""What the content of the report is made from: results by the parts that name them, and the study in words.

Convention: a row that is not there is None, and is shown as a dash; nothing is computed.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Any

from rarefactor.errors import InputError, Problem
from rarefactor.report._style import STYLES, Style
from rarefactor.report._words import Words
from rarefactor.report.format import format_percent
from rarefactor.results import Estimate, FactorInfo, FlowStep, Note, Picture, Results, RiskModel
from rarefactor.spec import Outcome, Study

_WORDS = Words("source")
_PARTS = ("analysis", "measure", "landmark", "model", "factor", "term", "group", "method")


@dataclass(frozen=True, slots=True, kw_only=True)
class Source:
    """The results, the study that they answer, an index of the rows, risk models, and patients' pictures.

    ``only`` names the one figure to draw, as SVG, for whoever shows the words first; empty: none, None: all.
    """

    results: Results
    study: Study
    index: Mapping[tuple[str | None, ...], Estimate]
    risk_models: tuple[RiskModel, ...] = ()
    pictures: tuple[Picture, ...] = ()
    only: str | None = None

    def row(self, analysis: str, measure: str, **parts: str | None) -> Estimate | None:
        """Return the row with these parts, or None; a part that is not given is None, a method any."""
        named: dict[str, Any] = {"analysis": analysis, "measure": measure} | parts
        return self.index.get(_key(named.get))

    @property
    def outcome(self) -> Outcome:
        """The outcome as the study file describes it."""
        return self.study.the_outcome

    @property
    def event(self) -> str:
        """What patients with the event are called."""
        return self.outcome.event or self.outcome.label

    @property
    def no_event(self) -> str:
        """What patients without the event are called."""
        return self.outcome.no_event or _WORDS.text("others")

    @property
    def landmarks(self) -> tuple[str, ...]:
        """The landmarks of the analysis, in the order of the study file."""
        return self.study.analysis.landmarks

    @property
    def interval(self) -> str:
        """What intervals are called, such as ``95% CI``."""
        return _WORDS.text("interval", level=self.level)

    @property
    def level(self) -> str:
        """The level of intervals in percent, such as ``95``."""
        return f"{100 * self.study.analysis.level:g}"

    @property
    def style(self) -> Style:
        """The manners of the journal that the study file names."""
        return STYLES[self.study.report.style]

    def visit(self, name: str) -> str:
        """Return the words for a visit, such as ``month 6``."""
        visit = self.study.cohort.visits.get(name)
        return visit.label if visit and visit.label else name.replace("_", " ")

    def factor(self, name: str) -> FactorInfo:
        """Return how a factor is shown."""
        return self.results.factor(name)

    def steps(self, landmark: str | None) -> tuple[FlowStep, ...]:
        """Return the steps of the flow that belong to a landmark, or to all (None)."""
        return tuple(step for step in self.results.flow if step.landmark == landmark)

    def analysed(self, landmark: str) -> FlowStep | None:
        """Return the last step of a landmark: the patients whose outcome is known."""
        steps = self.steps(landmark)
        return steps[-1] if steps else None

    def percent(self, row: Estimate, value: float | None, landmark: str) -> str:
        """Return a share of a row as a percentage, with the decimals that the patients of the landmark allow."""
        step = self.analysed(landmark)
        return format_percent(value, step.n if step else row.n)

    @property
    def modelled(self) -> frozenset[str]:
        """The names of the factors that some model holds, of the outcome or of a follow-up."""
        models = [model.factors for model in self.results.models]
        followed = [names for spec in self.study.follow_up.values() for names in spec.models.values()]
        return frozenset(name for names in (*models, *followed) for name in names)

    def coupled(self, names: Iterable[str]) -> tuple[Note, ...]:
        """Return the notes on those of some factors that are made of the same variable as the outcome."""
        asked = set(names)
        return tuple(note for note in self.results.notes if note.about == "coupling" and note.factor in asked)

    def notes(self, *about: str, landmark: str | None = None, model: str | None = None) -> tuple[Note, ...]:
        """Return the notes on some parts that belong to this landmark and model, or to none."""
        return tuple(
            note
            for note in self.results.notes
            if note.about in about and note.landmark in {None, landmark} and note.model in {None, model}
        )


def read_source(results: Results, risk_models: Sequence[RiskModel] = (), pictures: Sequence[Picture] = ()) -> Source:
    """Return the results with their study, index and risk models.

    Raises
    ------
    InputError
        The results do not hold the study file that they answer.
    """
    try:
        study = Study.model_validate(results.study["file"])
    except (KeyError, ValueError) as error:
        raise InputError(
            Problem(
                found=f"results whose study cannot be read ({type(error).__name__})",
                expected="the study file, as checked, under study.file",
                next_step="Run the study again with this version of rarefactor.",
            )
        ) from error
    return Source(
        results=results,
        study=study,
        index=_index(results.rows),
        risk_models=tuple(risk_models),
        pictures=tuple(pictures),
    )


def _index(rows: Iterable[Estimate]) -> Mapping[tuple[str | None, ...], Estimate]:
    index: dict[tuple[str | None, ...], Estimate] = {}
    for row in rows:
        key = _key(partial(getattr, row))
        index[key] = row
        index.setdefault((*key[:-1], None), row)
    return index


def _key(get: Callable[[str], Any]) -> tuple[str | None, ...]:
    return tuple(get(part) for part in _PARTS)
