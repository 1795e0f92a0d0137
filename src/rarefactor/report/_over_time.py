"""What the methods say about follow-up and courses over time, where the study file asks for them."""

from __future__ import annotations

from collections.abc import Iterator

from rarefactor.report._bibliography import cite
from rarefactor.report._cells import joined, linked
from rarefactor.report._cox import list_cox_models
from rarefactor.report._source import Source
from rarefactor.report._words import Words
from rarefactor.report.tree import Runs, Text
from rarefactor.spec import OUTCOME, FollowUp, Trajectory, lower_first, upper_first

_WORDS = Words("over_time")


def describe_over_time(source: Source) -> Iterator[Runs]:
    """Yield one paragraph on each follow-up, on Cox models, and on trajectories."""
    for spec in source.study.follow_up.values():
        yield linked(_follow_up(source, spec))
    if any(spec.models for spec in source.study.follow_up.values()):
        yield linked([*_cox_models(source), *_cox(source)])
    for spec in source.study.trajectories.values():
        yield linked(_trajectory(source, spec))


def _follow_up(source: Source, spec: FollowUp) -> Iterator[Runs]:
    rule = Text(spec.first or spec.when or "", "code")
    visit = source.visit(source.study.landmark_of_follow_up(spec))
    yield _WORDS.runs("begins" if spec.first else "begins_censored", label=spec.label, rule=rule, visit=visit)
    if spec.first:
        yield _WORDS.runs("first_visit")
    if spec.competing:
        event, rule = upper_first(spec.competing.name), Text(spec.competing.when, "code")
        yield _WORDS.runs("competing", event=event, rule=rule, aalen=cite("aalen1978"))
    else:
        yield _WORDS.runs("curves", kaplan=cite("kaplan1958"), brookmeyer=cite("brookmeyer1982"))
    yield _WORDS.runs("compared", mantel=cite("mantel1966"), schemper=cite("schemper1996"))


def _cox_models(source: Source) -> Iterator[Runs]:
    """Name the Cox models with their factors."""
    for spec, models in list_cox_models(source):
        told = [
            _WORDS.runs("cox_model", model=model.words, factors=joined([[_inside(source, each)] for each in factors]))
            for model in models
            if (factors := spec.models[model.name])
        ]
        if told:
            yield _WORDS.runs("cox_models", label=spec.label, models=linked(told, "; "))


def _inside(source: Source, name: str) -> str:
    return lower_first(source.factor(name).label)


def _cox(source: Source) -> Iterator[Runs]:
    cited = {"cox": cite("cox1972"), "efron": cite("efron1977"), "heinze": cite("heinze2001")}
    if source.study.analysis.missing.imputations:
        yield _WORDS.runs("cox_imputed", white=cite("white2009"), **cited)
        yield _WORDS.runs("constant_imputed", grambsch=cite("grambsch1994"), li=cite("li1991"))
    else:
        yield _WORDS.runs("cox_complete", **cited)
        yield _WORDS.runs("constant", grambsch=cite("grambsch1994"))


def _trajectory(source: Source, spec: Trajectory) -> Iterator[Runs]:
    yield _WORDS.runs(
        "trajectory",
        measure=_WORDS.text("log", label=lower_first(spec.label)) if spec.transform == "log" else spec.label,
        until=f"{spec.until:g}",
        fixed=_fixed(source, spec),
        laird=cite("laird1982"),
        satterthwaite=cite("satterthwaite1946", "kuznetsova2017"),
    )
    if spec.by == OUTCOME:
        yield _WORDS.runs("later_outcome")


def _fixed(source: Source, spec: Trajectory) -> str:
    """Say the fixed effects."""
    if spec.by is None:
        return _WORDS.text("fixed_time")
    by_outcome = spec.by == OUTCOME
    group = _WORDS.text("group_outcome", outcome=source.outcome.label) if by_outcome else source.factor(spec.by).label
    return _WORDS.text("fixed_groups", group=group)
