"""Scans: all of a study, one with its images and regions, a corrected mask, grades of muscles, and what was before.

Convention: a scan's address is the patient's pseudonym and the visit. A mask that a reader corrects is a new version
with who, when and why; only that patient is measured again, in a process of its own.
"""

from __future__ import annotations

from base64 import b64encode
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Annotated

from fastapi import APIRouter, Form, Request
from fastapi.responses import JSONResponse, RedirectResponse, Response
from starlette.concurrency import run_in_threadpool

from rarefactor import imaging, study
from rarefactor.errors import InputError, Problem
from rarefactor.readings import Draft, Reading, add_reading, add_readings, restore_reading, withdraw_reading
from rarefactor.spec import Grades
from rarefactor.web._errors import stale, unknown
from rarefactor.web._log import read_log
from rarefactor.web._page import (
    is_part,
    name_visits,
    read_hub,
    read_place,
    read_runner,
    read_user,
    read_workspace,
    show,
)
from rarefactor.web._paging import read_asked
from rarefactor.web._report import RUN
from rarefactor.web._scan_desk import Scans, has_scans, read_scans
from rarefactor.web._scan_list import ORDERS, cut_scans

router = APIRouter(prefix="/studies/{study_name}/scans")

KIND = "scan"
Number = Annotated[int, Form()]
_SCAN = "/{patient}/{visit}"
_GZIP = "application/gzip"


@dataclass(frozen=True, slots=True, kw_only=True)
class MuscleRow:
    """A muscle on the page: its numbers in masks and colour, its fat and rate of both legs, the reader's grades."""

    code: str
    name: str
    numbers: Mapping[str, int]
    colour: str
    fat: Mapping[str, imaging.SiteFat | None]
    rate: imaging.SiteRate | None
    grades: Mapping[str, int | None]


@router.get("")
def show_scans(request: Request, study_name: str) -> Response:
    """Return a page of the list of scans, or how a study comes to have some."""
    place = read_place(request, study_name)
    if not has_scans(read_workspace(request).loaded(place)):
        return show(request, "scans_none.html.j2", place=place, page="scans")
    scans = read_scans(request, study_name)
    listed, part = scans.list_all(), is_part(request)
    leaf = cut_scans(listed, read_asked(request.query_params, ORDERS), name_visits(scans.study))
    unmeasured = sum(not each.measured for each in listed)
    return show(
        request, "scans.html.j2", place=scans.place, page="scans", block="listed" if part else None, part=part,
        leaf=leaf, unmeasured=unmeasured, damaged=scans.asked.damaged,
    )  # fmt: skip


@router.get(_SCAN)
def show_scan(request: Request, study_name: str, patient: str, visit: str) -> Response:
    """Return the page of a scan."""
    scans = _find(request, study_name, patient, visit)
    return _show(request, scans, patient, visit)


@router.get(f"{_SCAN}/numbers")
def show_numbers(request: Request, study_name: str, patient: str, visit: str) -> Response:
    """Return what was measured, for the page that is open."""
    return _show(request, _find(request, study_name, patient, visit), patient, visit, block="numbers")


@router.get(f"{_SCAN}/images")
def list_images(request: Request, study_name: str, patient: str, visit: str) -> Response:
    """Return the names of the images of a scan, for the viewer: the page itself does not wait for them."""
    return JSONResponse([*_find(request, study_name, patient, visit).images(patient, visit)])


@router.get(f"{_SCAN}/images/{{name}}.nii.gz")
def read_image(request: Request, study_name: str, patient: str, visit: str, name: str) -> Response:
    """Return an image of the scan by its name."""
    scans = _find(request, study_name, patient, visit)
    measured = scans.fraction(patient, visit) if name == imaging.FRACTION else None
    image = measured or scans.images(patient, visit).get(name)  # a scan can be looked at before it is measured
    if image is None:
        raise unknown("image of this name")
    return Response(image, media_type=_GZIP)


@router.post(f"{_SCAN}/mask/upload")
async def save_mask(
    request: Request, study_name: str, patient: str, visit: str, seen: int, reason: str = ""
) -> Response:
    """Keep a corrected mask (NIfTI in the body) as a new version, and measure the patient again."""
    data = await request.body()
    return await run_in_threadpool(_save_mask, request, (study_name, patient, visit), data, (seen, reason.strip()))


def _save_mask(request: Request, names: tuple[str, str, str], data: bytes, said: tuple[int, str]) -> Response:
    study_name, patient, visit = names
    scans = _find(request, study_name, patient, visit)
    seen, reason = said
    if not reason:
        raise InputError(_no_reason())
    mask = imaging.check_mask(data, scans.images(patient, visit), scans.mask(patient, visit))
    draft, content, ending = imaging.draft_mask(
        mask, patient=patient, visit=visit, reader=read_user(request).name, when=datetime.now(UTC), reason=reason
    )
    add_reading(scans.place.folder, draft, data=content, ending=ending, seen=seen)
    return _after(request, scans, patient, visit)


@router.post(f"{_SCAN}/restore")
def restore(request: Request, study_name: str, patient: str, visit: str, version: Number, seen: Number) -> Response:
    """Bring an earlier mask back; version 0 is the one before any correction."""
    scans = _find(request, study_name, patient, visit)
    history = scans.history(patient, visit)
    who, now = read_user(request).name, datetime.now(UTC)
    if version == 0 and history:
        withdraw_reading(scans.place.folder, history[-1], reader=who, when=now, seen=seen)
    else:
        earlier = next((each for each in history if each.version == version and not each.withdrawn), None)
        if earlier is None:
            raise unknown("version of this number")
        restore_reading(scans.place.folder, earlier, reader=who, when=now, seen=seen)
    return _after(request, scans, patient, visit)


@router.post(f"{_SCAN}/grades")
async def save_grades(request: Request, study_name: str, patient: str, visit: str) -> Response:
    """Keep the grades of a form that differ from those the reader gave before."""
    form = {name: str(value) for name, value in (await request.form()).items()}
    return await run_in_threadpool(_save_grades, request, (study_name, patient, visit), form)


def _save_grades(request: Request, names: tuple[str, str, str], form: Mapping[str, str]) -> Response:
    study_name, patient, visit = names
    scans = _find(request, study_name, patient, visit)
    asked = _find_grades(scans)
    if asked is None:
        raise unknown("scale of grades in the study file")
    reader = read_user(request).name
    given = _list_grades(scans, patient, visit, reader)
    seen = form.get("seen", "")
    if seen.isdecimal() and int(seen) != len(given):
        raise stale("your grades of this scan")
    before = _find_current(given)
    changed = {item: int(text) for item, text in form.items() if item != "seen" and text.isdecimal()}
    drafts = [
        _draft_grade(asked, item, grade, patient=patient, visit=visit, reader=reader)
        for item, grade in changed.items()
        if before.get(item) != grade
    ]
    if drafts:
        add_readings(scans.place.folder, drafts)
        read_hub(request).publish(scans.place.name, "readings", f"{patient}/{visit}")
    if is_part(request):
        return _show(request, scans, patient, visit, block="grades", said="Saved.")
    return RedirectResponse(_address(scans, patient, visit) + "#grades", 303)


def _draft_grade(asked: Grades, item: str, grade: int, *, patient: str, visit: str, reader: str) -> Draft:
    muscle, _, side = item.partition(".")
    return imaging.draft_grade(
        asked, grade, patient=patient, visit=visit, muscle=muscle, side=side, reader=reader, when=datetime.now(UTC)
    )


@router.post(f"{_SCAN}/measure")
def measure(request: Request, study_name: str, patient: str, visit: str) -> Response:
    """Measure the patient of a scan that was not measured yet."""
    scans = _find(request, study_name, patient, visit)
    _start(request, scans, patient)
    return RedirectResponse(_address(scans, patient, visit), 303)


def _after(request: Request, scans: Scans, patient: str, visit: str) -> Response:
    """Measure the patient anew, tell open pages, and go back to the scan."""
    read_hub(request).publish(scans.place.name, "readings", f"{patient}/{visit}")
    job = read_runner(request).find(scans.place.name)
    if not (job and job.is_running and job.kind == RUN):  # hours of a run are not thrown away for one patient
        _start(request, scans, patient)
    return RedirectResponse(_address(scans, patient, visit), 303)


def _start(request: Request, scans: Scans, patient: str) -> None:
    """Measure in place of what is computed for the study as it was; what that has finished is kept."""
    runner, job = read_runner(request), read_runner(request).find(scans.place.name)
    cards = job is not None and job.kind != RUN
    runner.start(scans.place.name, KIND, study.measure_scans, scans.place.file, patient, replacing=cards)


def _find(request: Request, study_name: str, patient: str, visit: str) -> Scans:
    scans = read_scans(request, study_name)
    if not any(each.patient == patient and visit in {v.visit for v in each.visits} for each in scans.asked.patients):
        raise unknown("scan of this patient and visit")
    return scans


def _address(scans: Scans, patient: str, visit: str) -> str:
    return f"{scans.place.url}/scans/{patient}/{visit}"


def _show(
    request: Request, scans: Scans, patient: str, visit: str, *, block: str | None = None, said: str = ""
) -> Response:
    gist, history = scans.gist(patient), scans.history(patient, visit)
    asked, reader = _find_grades(scans), read_user(request).name
    given = _list_grades(scans, patient, visit, reader)
    grades = _find_current(given)
    listed = {(each.patient, each.visit): each for each in scans.list_all()}
    others = [*listed]
    at = others.index((patient, visit))
    job = read_runner(request).find(scans.place.name)
    return show(
        request,
        "scan.html.j2",
        place=scans.place,
        page="scans",
        block=block,
        patient=patient,
        visit=visit,
        visits=name_visits(scans.study),
        url=_address(scans, patient, visit),
        scan=listed[patient, visit],
        found=gist.visits.get(visit) if gist else None,
        rate=gist.find_rate(visit) if gist else None,
        muscles=list(_list_muscles(gist, visit, grades)),
        history=history[::-1],
        seen=history[-1].version if history else 0,
        drawn=None if block else scans.drawn(patient, visit),
        encode=_encode,
        shown_first=imaging.FRACTION,
        colours={number: each.colour for number, each in imaging.REGIONS.items()},
        opacity=round(100 * imaging.OPACITY),
        scale=imaging.describe_scale(asked) if asked else None,
        reader=reader,
        graded=len(given),
        said=said,
        around=(others[at - 1] if at else None, others[at + 1] if at + 1 < len(others) else None),
        job=job if job and job.kind == KIND else None,
        run_goes_on=bool(job and job.is_running and job.kind == RUN),
    )


def _encode(data: bytes) -> str:
    """Bytes within a page: what a scan shows first is there as soon as the page is."""
    return b64encode(data).decode()


def _list_muscles(gist: imaging.Gist | None, visit: str, grades: Mapping[str, int | None]) -> Iterator[MuscleRow]:
    """Yield the muscles; where no muscles are told apart, the compartments or the thigh."""
    found = gist.visits.get(visit) if gist else None
    sites = {each.site for each in found.sites} if found else set[str]()
    told = not sites or bool(sites & set(imaging.MUSCLES))
    for code, name in imaging.list_regions():
        if (code in imaging.MUSCLES) == told and (told or code in sites):
            yield MuscleRow(
                code=code,
                name=name,
                numbers=(numbers := imaging.number_sides(code)),
                colour=imaging.REGIONS[numbers["right"]].colour,
                fat={side: found.find(code, side) if found else None for side in ("right", "left", "both")},
                rate=gist.find_rate(visit, code) if gist else None,
                grades={side: grades.get(f"{code}.{side}") for side in ("right", "left")},
            )


def _find_grades(scans: Scans) -> Grades | None:
    return next((each.grades for each in scans.study.imaging.values() if each.grades), None)


def _list_grades(scans: Scans, patient: str, visit: str, reader: str) -> tuple[Reading, ...]:
    """All grades that a reader gave to the muscles of a scan, each side by itself, the oldest first."""
    of_scan = (imaging.GRADE, patient, visit, reader)
    given = (each for each in read_log(scans.place).entries if "." in each.item)
    return tuple(each for each in given if (each.kind, each.subject, each.place, each.reader) == of_scan)


def _find_current(given: Iterable[Reading]) -> dict[str, int | None]:
    """The grade of each side of a muscle that counts: the last, none where that was withdrawn."""
    return {each.item: None if each.withdrawn else each.content["grade"] for each in given}


def _no_reason() -> Problem:
    return Problem(
        key="reason",
        found="no reason",
        expected="why the mask is corrected, for whoever reads the study later",
        next_step="Write it in a few words.",
    )
