"""The analyses over time that a study file asks for: response, images, follow-up, trajectories, the error of rates.

Convention: nothing is computed here; each is named with what it depends on, so that it is known by its content.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from functools import partial

from rarefactor.analyse._course import analyse_course
from rarefactor.analyse._follow_up import analyse_follow_up
from rarefactor.analyse._hazards import Asked, analyse_hazards
from rarefactor.analyse._images import analyse_images
from rarefactor.analyse._repeatability import analyse_repeatability
from rarefactor.analyse._response import analyse_outcome, analyse_response
from rarefactor.derive import AnalysisTable, Kinds
from rarefactor.results import Analysed, FactorInfo
from rarefactor.spec import Study, parse_column

_THIGH, _OF_STAINS = "fat_fraction", (".positive_area", ".positive_per_mm2")


@dataclass(frozen=True, slots=True, kw_only=True)
class Later:
    """One analysis over time: its words, what it depends on, and the function that does it."""

    label: str
    detail: str
    content: tuple[object, ...]
    compute: Callable[[], Analysed]


def plan_later(study: Study, table: AnalysisTable) -> Iterator[Later]:
    """Yield the analyses over time in the order of the report."""
    infos = {info.name: info for info in table.factors}
    yield from _responses(study, table)
    yield from _images(study, table)
    yield from _follow_ups(study, table, infos)
    yield from _trajectories(study, table)
    yield from _rates(study, table, infos)


def _responses(study: Study, table: AnalysisTable) -> Iterator[Later]:
    """Yield the outcome, and the response by each score, shown patient by patient at the outcome's visit."""
    visits, at, level = tuple(study.cohort.visits), study.the_outcome.at, study.analysis.level
    for name, landmark in table.landmarks.items():
        known, kinds = landmark.frame["outcome"].to_list(), _dump_kinds(landmark.kinds)
        yield Later(
            label=f"Outcome at {study.the_outcome.at.replace('_', ' ')} from {name.replace('_', ' ')}",
            detail=f"{len(known)} patients",
            content=(name, known, kinds, level),
            compute=partial(analyse_outcome, landmark, level),
        )
    for response in table.responses:
        yield Later(
            label=f"Response by {response.quantities[response.name].label}",
            detail=f"{response.frame['subject'].n_unique()} patients",
            content=(response.name, response.frame.write_csv(), response.measures.write_csv(), visits, at, level),
            compute=partial(analyse_response, response, visits, at, level),
        )


def _images(study: Study, table: AnalysisTable) -> Iterator[Later]:
    """Yield what the images showed; patients' own values of what a factor names, and of each main measurement."""
    named = {parse_column(factor.column) for factor in study.factors.values()}
    for images in table.images:
        columns = {column.name for column in named if column.table == images.name}
        columns |= {name for name in images.values["column"].unique() if name == _THIGH or name.endswith(_OF_STAINS)}
        shown = sorted(columns)
        yield Later(
            label=f"Images ({images.name})",
            detail=f"{images.values['subject'].n_unique()} patients",
            content=(images.name, images.values.write_csv(), images.rates.write_csv(), shown),
            compute=partial(analyse_images, images, shown),
        )


def _follow_ups(study: Study, table: AnalysisTable, infos: Mapping[str, FactorInfo]) -> Iterator[Later]:
    level = study.analysis.level
    for times in table.times:
        follow_up, visits = study.follow_up[times.name], _visits_after(study, times.landmark)
        settings = follow_up.model_dump(mode="json")
        by = [infos[name] for name in follow_up.by]
        detail = f"{times.landmark.replace('_', ' ')}, {times.frame.height} patients"
        known = (times.frame.write_csv(), _dump_kinds(times.kinds), visits)
        yield Later(
            label=f"Follow-up to {follow_up.label}",
            detail=detail,
            content=(times.name, *known, settings, [dataclasses.asdict(info) for info in by], level),
            compute=partial(analyse_follow_up, times, by, follow_up, level=level, visits=visits),
        )
        for name, factors in follow_up.models.items():
            used = [infos[factor] for factor in factors]
            asked = Asked(name=f"{times.name}.{name}", follow_up=follow_up, settings=study.analysis)
            at, missing = table.landmarks[times.landmark], study.analysis.missing.model_dump()
            described = [dataclasses.asdict(info) for info in used]
            known = (times.frame.write_csv(), at.measured.write_csv())
            yield Later(
                label=f"Cox model {name.replace('_', ' ')} of {follow_up.label}",
                detail=f"{detail}, {len(used)} {'factor' if len(used) == 1 else 'factors'}",
                content=(asked.name, *known, settings, described, level, missing, study.analysis.seed),
                compute=partial(analyse_hazards, times, at, used, asked),
            )


def _visits_after(study: Study, landmark: str) -> tuple[float, ...]:
    """Return the months from a landmark to its visit and the later ones."""
    start = study.cohort.visits[landmark].month
    months = sorted({visit.month for visit in study.cohort.visits.values()})
    return tuple(month - start for month in months if month >= start)


def _dump_kinds(kinds: Kinds | None) -> tuple[object, ...]:
    return (kinds.labels, kinds.frame.write_csv()) if kinds else ()


def _trajectories(study: Study, table: AnalysisTable) -> Iterator[Later]:
    level, listed = study.analysis.level, study.report.patients == "listed"
    for course in table.courses:
        trajectory = study.trajectories[course.name]
        plan, months = trajectory.model_dump(mode="json"), study.visit_months(trajectory.until)
        yield Later(
            label=f"Course of {trajectory.label}",
            detail=f"{course.frame.height} measurements",
            content=(course.name, course.frame.write_csv(), course.groups, plan, months, level, listed),
            compute=partial(analyse_course, course, trajectory, level, months=months, listed=listed),
        )


def _rates(study: Study, table: AnalysisTable, infos: Mapping[str, FactorInfo]) -> Iterator[Later]:
    """Yield the error of each rate whose repeatability is known, at the first landmark that has it."""
    for name, factor in study.factors.items():
        at = next((landmark for landmark in table.landmarks.values() if name in landmark.factors), None)
        sd, level = infos[name].repeatability, study.analysis.level
        if sd is None or at is None:
            continue
        yield Later(
            label=f"Error of {factor.label}",
            detail=at.landmark.replace("_", " "),
            content=(dataclasses.asdict(infos[name]), at.measured.write_csv(), sd, level),
            compute=partial(analyse_repeatability, at, infos[name], sd, level),
        )
