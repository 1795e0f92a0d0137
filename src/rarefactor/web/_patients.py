"""The patients of a study, one by one: where each stands, and all that is known of one over time.

Convention: this page alone shows the users' own ids, beside the study ids that stand for them everywhere else, also in
addresses. What is shown is what factors and outcome are made of.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any
from urllib.parse import quote

from fastapi import APIRouter, Request
from fastapi.responses import Response

from rarefactor import derive, imaging, live, pathology, report
from rarefactor.derive import PatientEntry, PatientRecord, Patients
from rarefactor.errors import RarefactorError
from rarefactor.results import Estimate
from rarefactor.spec import Study
from rarefactor.web._desk import find_slides
from rarefactor.web._errors import unknown
from rarefactor.web._page import is_part, read_place, read_runner, read_workspace, show
from rarefactor.web._results import collect_all, read_results
from rarefactor.web._workspace import Place

router = APIRouter(prefix="/studies/{study}/patients")


@dataclass(frozen=True, slots=True, kw_only=True)
class Line:
    """A patient in the list: the user's own id, and where the patient stands."""

    own: str
    entry: PatientEntry
    influence: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Influence:
    """An odds ratio of a model with all patients, and without one."""

    model: str
    factor: str
    whole: Estimate | None
    without: Estimate


@dataclass(frozen=True, slots=True, kw_only=True)
class Image:
    """The page of an image, and what it is called."""

    words: str
    url: str


_SORTS: Mapping[str, Callable[[Line], Any]] = {
    "id": lambda line: line.own,
    "study_id": lambda line: line.entry.subject,
    "standing": lambda line: (line.entry.excluded, [each.reason for each in line.entry.standings]),
    "outcome": lambda line: [_rank(each.outcome) for each in line.entry.standings],
    "score": lambda line: line.entry.score if line.entry.score is not None else -1.0,
    "missing": lambda line: line.entry.missing if line.entry.missing is not None else -1,
    "influence": lambda line: line.influence,
}


def _rank(outcome: bool | None) -> int:  # noqa: FBT001 - the value itself
    return 2 if outcome is None else int(not outcome)


@router.get("")
def show_patients(request: Request, study: str, sort: str = "id", find: str = "", *, down: bool = False) -> Response:
    """Return the list, sorted by one of its columns; with ``find``, those lines that hold it."""
    place = read_place(request, study)
    found = _find(request, place)
    listed = _lines(request, place, found)
    lines = sorted(listed, key=_SORTS.get(sort, _SORTS["id"]), reverse=down)
    return show(
        request,
        "patients.html.j2",
        place=place,
        page="patients",
        block="listed" if is_part(request) else None,
        study=found.study,
        find=find,
        of=len(listed),
        lines=[line for line in lines if find.casefold().strip() in _say(line, found.study)],
        sort=sort if sort in _SORTS else "id",
        down=down,
        scored=any(line.entry.score is not None for line in lines),
        score=_name_score(found),
    )


@router.get("/{subject}")
def show_patient(request: Request, study: str, subject: str) -> Response:
    """Return the page of one patient."""
    place = read_place(request, study)
    found = _find(request, place)
    lines = _lines(request, place, found)
    at = next((number for number, line in enumerate(lines) if line.entry.subject == subject), None)
    if at is None:
        raise unknown("patient of this study id")
    record = _record(request, place, found, subject)
    return show(
        request,
        "patient.html.j2",
        place=place,
        page="patients",
        study=found.study,
        line=lines[at],
        before=lines[at - 1] if at > 0 else None,
        after=lines[at + 1] if at + 1 < len(lines) else None,
        record=record,
        told=report.tell_patient(record),
        influences=_influences(request, place, found, subject),
        images=_list_images(request, place, found, record),
        score=_name_score(found),
    )


@router.get("/{subject}/timeline.svg")
def show_timeline(request: Request, study: str, subject: str, *, dark: bool = False) -> Response:
    """Return the figure of one patient over time."""
    place, workspace = read_place(request, study), read_workspace(request)
    found = _find(request, place)

    def draw() -> bytes:
        return report.draw_patient(_record(request, place, found, subject))

    known = f"{workspace.signature(place)} {found.measured is None}"
    svg = workspace.remember(place, f"timeline {subject}", draw, signature=known)
    return Response(report.darken(svg) if dark else svg, media_type="image/svg+xml")


def _say(line: Line, study: Study) -> str:
    """Return what stands in a line of the list, to be looked through."""
    outcome = study.the_outcome
    words = {True: outcome.event or "yes", False: outcome.no_event or "no", None: ""}
    said = [word for each in line.entry.standings for word in (each.reason, words[each.outcome])]
    excluded = ["excluded", line.entry.excluded] if line.entry.excluded else []
    return " ".join([line.own, line.entry.subject, *excluded, *said]).casefold()


def _name_score(found: live.Live) -> str:
    """Return what the score of response is called."""
    for response in found.table.responses:
        return response.quantities[response.name].label
    return "Score"


def _find(request: Request, place: Place) -> live.Live:
    return read_results(read_workspace(request), read_runner(request), place)


def _patients(request: Request, place: Place, found: live.Live) -> Patients:
    workspace = read_workspace(request)
    measured = found.measured
    known = f"{workspace.signature(place)} {measured is None}"

    def read() -> Patients:
        described = (imaging.describe(found.study), pathology.describe(found.study))
        return derive.read_patients(found.study, found.cohort, found.table, described if measured is None else measured)

    return workspace.remember(place, "patients", read, signature=known)


def _lines(request: Request, place: Place, found: live.Live) -> Sequence[Line]:
    own = {subject: name for name, subject in found.cohort.pseudonyms.items()}
    changed = [row.group for row in _without(request, place, found) if "changed" in row.flags]
    entries = _patients(request, place, found).entries()
    lines = (
        Line(own=own.get(entry.subject, ""), entry=entry, influence=changed.count(entry.subject)) for entry in entries
    )
    return sorted(lines, key=_SORTS["id"])


def _record(request: Request, place: Place, found: live.Live, subject: str) -> PatientRecord:
    record = _patients(request, place, found).find(subject)
    if record is None:
        raise unknown("patient of this study id")
    return record


def _without(request: Request, place: Place, found: live.Live) -> tuple[Estimate, ...]:
    """Return the odds ratios that were computed without one patient, as far as they are known."""
    results = collect_all(read_workspace(request), place, found)
    return results.select(analysis="sensitivity", measure="odds_ratio_without")


def _influences(request: Request, place: Place, found: live.Live, subject: str) -> Sequence[Influence]:
    rows = _without(request, place, found)
    whole = {(row.model, row.factor, row.term): row for row in rows if row.group == "nobody"}
    labels = {name: factor.label for name, factor in found.study.factors.items()}
    models = {name: model.label or name.replace("_", " ") for name, model in found.study.analysis.models.items()}
    return [
        Influence(
            model=models.get(row.model or "", row.model or ""),
            factor=labels.get(row.factor or "", row.factor or ""),
            whole=whole.get((row.model, row.factor, row.term)),
            without=row,
        )
        for row in rows
        if row.group == subject
    ]


def _list_images(
    request: Request, place: Place, found: live.Live, record: PatientRecord
) -> Mapping[tuple[str, str, str | None], Image]:
    """Return the image behind each value of a patient, by table, column and visit."""
    slides = _slides(request, place, record.subject)
    return {
        (table, reading.name, visit): image
        for table, readings in record.readings.items()
        for reading in readings
        for visit in reading.values
        if (image := _image(place, found, record, (table, reading.name, visit), slides)) is not None
    }


def _image(
    place: Place,
    found: live.Live,
    record: PatientRecord,
    where: tuple[str, str, str | None],
    slides: Mapping[tuple[str, str | None], str],
) -> Image | None:
    table, column, visit = where
    labels = {each.name: each.label for each in record.visits}
    if visit is None:
        return None
    at = labels.get(visit, visit)
    if table in found.study.imaging:
        return Image(words=f"Scan at {at}", url=f"{place.url}/scans/{record.subject}/{quote(visit, safe='')}")
    stain = column.partition(".")[0]
    if table in found.study.pathology and (stain, visit) in slides:
        name = quote(slides[stain, visit], safe="")
        return Image(words=f"{stain} slide at {at}", url=f"{place.url}/slides/{name}")
    return None


def _slides(request: Request, place: Place, subject: str) -> Mapping[tuple[str, str | None], str]:
    """Return the names of a patient's slides by stain and visit, the first of several; none if they cannot be read."""
    try:
        slides = find_slides(request, place)
    except RarefactorError:
        return {}
    own = [each for each in slides.by_name.values() if each.patient == subject] if slides else []
    return {(each.stain, each.visit): each.name for each in reversed(own)}
