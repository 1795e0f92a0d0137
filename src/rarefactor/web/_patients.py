"""The patients of a study, one by one: where each stands, and all that is known of one over time.

Convention: this page alone shows the users' own ids, beside the study ids that stand for them everywhere else, also in
addresses. What is shown is what factors and outcome are made of.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from urllib.parse import quote

from fastapi import APIRouter, Request
from fastapi.responses import Response
from markupsafe import Markup

from rarefactor import derive, live, report
from rarefactor.derive import PatientEntry, PatientRecord, Patients, Reading
from rarefactor.errors import RarefactorError
from rarefactor.results import Estimate, Results
from rarefactor.spec import Study
from rarefactor.web._desk import find_slides
from rarefactor.web._errors import unknown
from rarefactor.web._page import is_part, read_place, read_workspace, show
from rarefactor.web._paging import LINES, Orders, cut_lines, find_lines, read_asked, sort_lines
from rarefactor.web._results import collect_part, read_results
from rarefactor.web._workspace import Place, Workspace

router = APIRouter(prefix="/studies/{study}/patients")


@dataclass(frozen=True, slots=True, kw_only=True)
class Line:
    """A patient in the list: the user's own id, and where the patient stands; ``said`` is what the line says."""

    own: str
    entry: PatientEntry
    influence: int
    said: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Listed:
    """All lines by the users' ids, and what they were made of."""

    lines: tuple[Line, ...]
    patients: Patients
    results: Results


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


ORDERS: Orders[Line] = Orders(
    keys={
        "id": lambda line: line.own,
        "study_id": lambda line: line.entry.subject,
        "standing": lambda line: (line.entry.excluded, [each.reason for each in line.entry.standings]),
        "outcome": lambda line: [_rank(each.outcome) for each in line.entry.standings],
        "score": lambda line: line.entry.score if line.entry.score is not None else -1.0,
        "missing": lambda line: line.entry.missing if line.entry.missing is not None else -1,
        "influence": lambda line: line.influence,
    }
)
"""What the list can be sorted by."""


def _rank(outcome: bool | None) -> int:  # noqa: FBT001 - the value itself
    return 2 if outcome is None else int(not outcome)


@router.get("")
def show_patients(request: Request, study: str) -> Response:
    """Return a page of the list, sorted by one of its columns, of those lines that hold what is looked for."""
    place = read_place(request, study)
    found = _find(request, place)
    lines, part = list_patients(read_workspace(request), place, found).lines, is_part(request)
    asked = read_asked(request.query_params, ORDERS)
    sought = sort_lines(find_lines(lines, asked, lambda line: line.said), asked, ORDERS)
    return show(
        request,
        "patients.html.j2",
        place=place,
        page="patients",
        block="listed" if part else None,
        part=part,
        study=found.study,
        leaf=cut_lines(sought, asked, of=len(lines)),
        scored=any(line.entry.score is not None for line in lines),
        score=_name_score(found),
    )


@router.get("/{subject}")
def show_patient(request: Request, study: str, subject: str) -> Response:
    """Return the page of one patient."""
    place = read_place(request, study)
    found = _find(request, place)
    listed = list_patients(read_workspace(request), place, found)
    lines = listed.lines
    at = next((number for number, line in enumerate(lines) if line.entry.subject == subject), None)
    if at is None:
        raise unknown("patient of this study id")
    record = _find_record(listed.patients, subject)
    return show(
        request,
        "patient.html.j2",
        place=place,
        page="patients",
        study=found.study,
        line=lines[at],
        before=lines[at - 1] if at > 0 else None,
        after=lines[at + 1] if at + 1 < len(lines) else None,
        among=at // LINES + 1,
        record=record,
        timeline=Markup(report.draw_patient_inline(record)),  # noqa: S704 - drawn by us, its words escaped
        influences=_influences(found.study, listed.results, subject),
        images=_list_images(request, place, found, record),
        score=_name_score(found),
    )


@router.get("/{subject}/timeline.svg")
def show_timeline(request: Request, study: str, subject: str) -> Response:
    """Return the figure of one patient over time, to be kept."""
    place = read_place(request, study)
    patients = _read_patients(read_workspace(request), place, _find(request, place))
    return Response(report.draw_patient(_find_record(patients, subject)), media_type="image/svg+xml")


def _say(own: str, entry: PatientEntry, study: Study) -> str:
    """Return what stands in a line of the list, to be looked through."""
    outcome = study.the_outcome
    words = {True: outcome.event or "yes", False: outcome.no_event or "no", None: ""}
    said = [word for each in entry.standings for word in (each.reason, words[each.outcome])]
    excluded = ["excluded", entry.excluded] if entry.excluded else []
    return " ".join([own, entry.subject, *excluded, *said]).casefold()


def _name_score(found: live.Live) -> str:
    """Return what the score of response is called."""
    for response in found.table.responses:
        return response.quantities[response.name].label
    return "Score"


def _find(request: Request, place: Place) -> live.Live:
    return read_results(read_workspace(request), place)


def _read_patients(workspace: Workspace, place: Place, found: live.Live) -> Patients:
    known = f"{workspace.signature(place)} {found.measured is None}"
    return workspace.remember(
        place, "patients", lambda: derive.read_patients(found.study, found.table), signature=known
    )


def list_patients(workspace: Workspace, place: Place, found: live.Live) -> Listed:
    """Return all patients of a study by the users' ids."""
    patients = _read_patients(workspace, place, found)
    results = collect_part(workspace, place, found, "sensitivity")
    known = f"{id(patients)} {id(results)}"  # of what is kept as long as the lines are

    def write() -> Listed:
        lines = sorted(_write_lines(found, patients, results), key=ORDERS.keys["id"])
        return Listed(lines=tuple(lines), patients=patients, results=results)

    return workspace.remember(place, "lines of patients", write, signature=known)


def _write_lines(found: live.Live, patients: Patients, results: Results) -> Iterator[Line]:
    own = {subject: name for name, subject in found.cohort.pseudonyms.items()}
    changed = Counter(row.group for row in _select_without(results) if "changed" in row.flags)
    for entry in patients.entries():
        name = own.get(entry.subject, "")
        said = _say(name, entry, found.study)
        yield Line(own=name, entry=entry, influence=changed[entry.subject], said=said)


def _find_record(patients: Patients, subject: str) -> PatientRecord:
    record = patients.find(subject)
    if record is None:
        raise unknown("patient of this study id")
    return record


def _select_without(results: Results) -> tuple[Estimate, ...]:
    """Return the odds ratios that were computed without one patient, as far as they are known."""
    return results.select(analysis="sensitivity", measure="odds_ratio_without")


def _influences(study: Study, results: Results, subject: str) -> Sequence[Influence]:
    rows = _select_without(results)
    whole = {(row.model, row.factor, row.term): row for row in rows if row.group == "nobody"}
    labels = {name: factor.label for name, factor in study.factors.items()}
    models = {name: model.label or name.replace("_", " ") for name, model in study.analysis.models.items()}
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
    labels = {each.name: each.label for each in record.visits}
    scans = {
        visit: Image(words=f"Scan at {label}", url=f"{place.url}/scans/{record.subject}/{quote(visit, safe='')}")
        for visit, label in labels.items()
    }
    sections = {
        (stain, visit): Image(
            words=f"{stain} slide at {labels.get(visit or '', visit)}", url=f"{place.url}/slides/{quote(name, safe='')}"
        )
        for (stain, visit), name in slides.items()
    }
    return {
        (table, reading.name, visit): image
        for table, reading, visit in _list_values(record, (*found.study.imaging, *found.study.pathology))
        if (image := _find_image(found.study, (table, reading.name, visit), scans, sections)) is not None
    }


def _list_values(record: PatientRecord, tables: Iterable[str]) -> Iterator[tuple[str, Reading, str]]:
    """Yield the values of some tables that are of a visit."""
    for table in tables:
        for reading in record.readings.get(table, ()):
            yield from ((table, reading, visit) for visit in reading.values if visit is not None)


def _find_image(
    study: Study,
    where: tuple[str, str, str],
    scans: Mapping[str, Image],
    sections: Mapping[tuple[str, str | None], Image],
) -> Image | None:
    table, column, visit = where
    if table in study.imaging:
        return scans.get(visit)
    return sections.get((column.partition(".")[0], visit))


def _slides(request: Request, place: Place, subject: str) -> Mapping[tuple[str, str | None], str]:
    """Return the names of a patient's slides by stain and visit, the first of several; none if they cannot be read."""
    try:
        slides = find_slides(request, place)
    except RarefactorError:
        return {}
    own = [each for each in slides.by_name.values() if each.patient == subject] if slides else []
    return {(each.stain, each.visit): each.name for each in reversed(own)}
