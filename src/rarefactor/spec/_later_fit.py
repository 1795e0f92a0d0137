"""Whether follow-up and trajectories agree with the rest of the study, and fit the data as described."""

from __future__ import annotations

from collections.abc import Iterator

from rarefactor.errors import Problem, suggest
from rarefactor.spec._later import OUTCOME, FollowUp
from rarefactor.spec._model import Study
from rarefactor.spec._origin import Key
from rarefactor.spec._parse import parse_column
from rarefactor.spec._scope import Scope
from rarefactor.spec._tokens import ExpressionError

NUMBERS = frozenset({"number", "integer"})


def check_later(study: Study) -> Iterator[Problem]:
    """Yield what contradicts the factors, visits and landmarks of the study."""
    for name, follow_up in study.follow_up.items() if study.analysis.landmarks else ():
        key: Key = ("follow_up", name)
        late = list(_landmark(study, (*key, "landmark"), follow_up.landmark))
        yield from late
        landmark = study.analysis.landmarks[0] if late else study.landmark_of_follow_up(follow_up)
        for place, factor in _named(follow_up):
            yield from _factor(study, (*key, *place), factor, landmark)
    for name, trajectory in study.trajectories.items():
        if trajectory.by not in {None, OUTCOME, *study.factors}:
            yield _unknown(study, ("trajectories", name, "by"), str(trajectory.by), (OUTCOME, *study.factors))
    for name, factor in study.factors.items():
        if factor.repeatability is not None and not factor.rate_between:
            yield study.problem(
                "factors",
                name,
                "repeatability",
                found=f"a repeatability of {name}, which is no rate",
                expected="rate_between beside it",
                next_step="Remove repeatability: the error of a rate is what it is for.",
            )


def check_later_fit(study: Study, scope: Scope) -> Iterator[Problem]:
    """Yield what does not fit the columns: curves of a factor without levels, the course of what is no number."""
    for name, follow_up in study.follow_up.items():
        for place, factor in enumerate(follow_up.by):
            yield from _levels(study, scope, ("follow_up", name, "by", place), factor)
    for name, trajectory in study.trajectories.items():
        key: Key = ("trajectories", name)
        if trajectory.by in study.factors:
            yield from _levels(study, scope, (*key, "by"), str(trajectory.by))
        try:
            field = scope.find(parse_column(trajectory.column))[1]
        except ExpressionError as error:
            for problem in error.problems:
                yield study.problem(
                    *key, "from", found=problem.found, expected=problem.expected, next_step=problem.next_step
                )
            continue
        if field.type not in NUMBERS:
            found = f"{trajectory.column}, a column of type {field.type}"
            yield study.problem(*key, "from", found=found, expected="a number", next_step="Name a column of numbers.")


def _named(follow_up: FollowUp) -> Iterator[tuple[Key, str]]:
    for place, factor in enumerate(follow_up.by):
        yield ("by", place), factor
    for model, factors in follow_up.models.items():
        for place, factor in enumerate(factors):
            yield ("models", model, place), factor


def _landmark(study: Study, key: Key, landmark: str | None) -> Iterator[Problem]:
    if landmark is not None and landmark not in study.analysis.landmarks:
        yield _unknown(study, key, landmark, study.analysis.landmarks)


def _factor(study: Study, key: Key, factor: str, landmark: str) -> Iterator[Problem]:
    if factor not in study.factors:
        yield _unknown(study, key, factor, tuple(study.factors))
    elif landmark in study.cohort.visits and factor not in study.factors_at(landmark):
        yield study.problem(
            *key,
            found=f"{factor}, which is not known at the landmark {landmark}",
            expected="factors that are known when the clock starts",
            next_step=f"Write landmark: {study.factors[factor].known_at}, or remove {factor}.",
        )


def _unknown(study: Study, key: Key, name: str, known: tuple[str, ...]) -> Problem:
    return study.problem(
        *key, found=f"{name}, which is not known", expected=f"one of {', '.join(known)}", next_step=suggest(name, known)
    )


def _levels(study: Study, scope: Scope, key: Key, name: str) -> Iterator[Problem]:
    factor = study.factors[name]
    try:
        continuous = scope.find(parse_column(factor.column))[1].type not in {"choice", "yesno"}
    except ExpressionError:
        return  # told at the factor
    if continuous and not factor.cut:
        yield study.problem(
            *key,
            found=f"{name}, a factor without levels",
            expected="a factor with levels, whose groups are shown apart",
            next_step=f"Remove {name} from by, or add a factor with a cut; a Cox model takes it as it is.",
        )
