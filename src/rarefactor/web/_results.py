"""The results of a study as far as they are known, and how each card of the analysis stands.

Convention: a card's key names what it shows; it changes when one of its analyses becomes known, or asks for something
else. What is drawn is kept under that key. Nothing is computed here: pages ask for it, another process does it.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Literal
from urllib.parse import quote

from rarefactor import live, predict, report
from rarefactor.analyse import Task
from rarefactor.live import Live
from rarefactor.report import Card, Part
from rarefactor.results import Results
from rarefactor.web._known import read_cohort, read_measured
from rarefactor.web._runner import Job
from rarefactor.web._workspace import Place, Workspace
from rarefactor.work import content_key, remember

State = Literal["ready", "partial", "waiting"]

KIND = "analysis"
_WORDS = {"outcome", "cohort", "report", "instruments"}
_NO_FIGURE = b'<svg xmlns="http://www.w3.org/2000/svg" width="1" height="1"/>'


@dataclass(frozen=True, slots=True, kw_only=True)
class CardState:
    """How a card stands: what it shows by its key, how many of its analyses are known, what is being done now."""

    card: Card
    key: str
    state: State
    known: int
    total: int
    now: str = ""

    @property
    def text(self) -> str:
        """How it stands, in words; nothing where it is complete."""
        if self.state == "ready":
            return ""
        counted = f"{self.known} of {self.total} analyses are known" if self.total > 1 else "not known yet"
        return f"Being computed: {self.now} ({counted})." if self.now else f"To be computed ({counted})."


def read_results(workspace: Workspace, place: Place) -> Live:
    """Return the study as it stands.

    Raises
    ------
    RarefactorError
        The study or its data need mending.
    """
    study = workspace.loaded(place)
    measured = read_measured(workspace, place, study)
    sound = workspace.remember(place, "sound results", set[str], signature="")

    def derive() -> Live:
        return live.derive_live(study, read_cohort(workspace, place, study), measured, sound=sound)

    return workspace.remember(place, "live", derive, signature=f"{workspace.signature(place)} {measured is None}")


def list_states(found: Live, job: Job | None) -> tuple[CardState, ...]:
    """Return how the cards of a study stand, in the order of a paper; those that it does not ask for are left out."""
    known, now = found.known, _running(job)
    words = found.study.model_dump_json(include=_WORDS)
    asked = {task.part for task in found.tasks}
    states = (_state(card, found.tasks, known, words) for card in report.list_cards() if card.part in asked)
    return tuple(replace(state, now=_named(state, found.tasks, now)) for state in states)


def _state(card: Card, tasks: Sequence[Task], known: frozenset[str], words: str) -> CardState:
    own = [task for task in tasks if task.part in card.parts]
    there = [task.key for task in own if task.key in known]
    begun = any(task.part == card.part and task.key in known for task in own)  # else there is nothing to draw
    state: State = "ready" if len(there) == len(own) else "partial" if begun else "waiting"
    key = content_key(card.name, words, there)[:24] if begun else ""
    return CardState(card=card, key=key, state=state, known=len(there), total=len(own))


def _running(job: Job | None) -> tuple[str, ...]:
    """Return the names of the steps that go on."""
    return tuple(step.name for step in job.steps if step.seconds is None) if job and job.is_running else ()


def _named(state: CardState, tasks: Sequence[Task], now: Sequence[str]) -> str:
    """Return which analysis of a card goes on; any step before the analyses is said for all cards."""
    labels = {task.label for task in tasks}
    own = {task.label for task in tasks if task.part in state.card.parts}
    return next((name for name in now if name in own), next((name for name in now if name not in labels), ""))


def find_state(found: Live, job: Job | None, name: str) -> CardState | None:
    """Return how one card stands, nothing where the study does not ask for it."""
    return next((state for state in list_states(found, job) if state.card.name == name), None)


def draw_card(workspace: Workspace, place: Place, found: Live, state: CardState) -> Part:
    """Return a card; figures that take time are left to :func:`draw_figure`."""
    name = state.card.name
    return workspace.remember(place, f"card {name}", lambda: _write(place, found, state), signature=state.key)


def draw_figure(workspace: Workspace, place: Place, found: Live, state: CardState, figure: str) -> bytes:
    """Return a figure of a card as SVG; it is drawn once and kept with the results."""
    if figure not in draw_card(workspace, place, found, state).figures:
        return _NO_FIGURE

    def draw() -> bytes:
        return _write(place, found, state, only=figure).figures[figure]

    def read() -> bytes:
        return remember(found.cache, content_key("figure", state.key, figure), draw, write=bytes, read=bytes)[0]

    return workspace.remember(place, f"figure {state.card.name} {figure}", read, signature=state.key)


def _write(place: Place, found: Live, state: CardState, *, only: str = "") -> Part:
    known = replace(found, tasks=tuple(task for task in found.tasks if task.part in state.card.parts))
    results = live.collect_results(known)
    risk = live.build_models(found, results) if state.card.name == "risk-model" else predict.RiskModels()
    shown = {row.model for row in results.rows}
    results = replace(results, models=tuple(model for model in results.models if model.name in shown))
    base = f"{place.url}/analysis/figures/{state.card.name}"
    return report.write_card(
        state.card.name,
        live.with_models(results, risk),
        address=lambda figure: f"{base}/{quote(figure, safe='')}.svg?key={state.key}",
        risk_models=risk.models,
        only=only,
    )


def collect_all(workspace: Workspace, place: Place, found: Live) -> Results:
    """Return all results that are known, with the numbers of the risk models."""
    known = content_key(sorted(found.known))

    def collect() -> Results:
        results = live.collect_results(found)
        return live.with_models(results, live.build_models(found, results))

    return workspace.remember(place, "results", collect, signature=f"{workspace.signature(place)} {known}")


def collect_part(workspace: Workspace, place: Place, found: Live, part: str) -> Results:
    """Return the results of the analyses of one part, such as ``sensitivity``, as far as they are known."""
    needed = replace(found, tasks=tuple(task for task in found.tasks if task.part == part))
    signature = f"{workspace.signature(place)} {content_key(sorted(needed.known))}"
    return workspace.remember(place, f"results of {part}", lambda: live.collect_results(needed), signature=signature)


def read_models(workspace: Workspace, place: Place, found: Live) -> predict.RiskModels:
    """Return the risk models of those models whose performance is known."""
    parts = {"performance", "multivariable"}
    needed = replace(found, tasks=tuple(task for task in found.tasks if task.part in parts))
    known = content_key(sorted(needed.known), found.study.model_dump_json())

    def build() -> predict.RiskModels:
        return live.build_models(found, live.collect_results(needed))

    return workspace.remember(place, "risk models", build, signature=known)
