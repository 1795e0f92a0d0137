"""Stained sections: the slides of a study, one slide with what was measured on it, its threshold, what is left out.

Convention: a slide's address is its picture's name, which holds the patient's pseudonym. A threshold is of a stain, for
every patient; it is changed in the study file. What is left out of a slide is a reading of whoever drew it.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import UTC, datetime
from typing import Annotated, Any, cast

from fastapi import APIRouter, Form, Request
from fastapi.responses import RedirectResponse, Response

from rarefactor import pathology
from rarefactor.errors import InputError, Problem
from rarefactor.readings import Draft, Reading, add_reading, restore_reading
from rarefactor.spec import Put, Staining
from rarefactor.web._desk import Desk, Slides, find_slides, read_desk, read_slides, read_tile_place
from rarefactor.web._errors import ForbiddenError, unknown
from rarefactor.web._log import read_log
from rarefactor.web._page import is_part, read_hub, read_place, read_user, read_workspace, show
from rarefactor.web._paging import read_asked
from rarefactor.web._saving import save_changes
from rarefactor.web._slide_list import ORDERS, STAIN, count_stains, cut_slides, group_slides

router = APIRouter()
_YEAR = {"Cache-Control": "private, max-age=3600"}
_THRESHOLD = "threshold"
Text = Annotated[str, Form()]


@router.get("/studies/{study}/slides")
def show_slides(request: Request, study: str) -> Response:
    """Return a page of the list of slides, or how a study comes to have some."""
    place, desk = read_place(request, study), read_desk(request)
    slides = find_slides(request, place)
    if slides is None:
        return show(request, "slides_none.html.j2", place=place, page="slides")
    leaf, part = cut_slides(desk, slides, read_asked(request.query_params, ORDERS, keep=[STAIN])), is_part(request)
    return show(
        request, "slides.html.j2", place=place, page="slides", block="listed" if part else None, part=part,
        leaf=leaf, groups=list(group_slides(slides, leaf)), stains=count_stains(slides),
    )  # fmt: skip


@router.get("/studies/{study}/slides/{name}")
def show_slide(request: Request, study: str, name: str) -> Response:
    """Return the page of a slide."""
    slides, desk = read_slides(request, study), read_desk(request)
    file = slides.find(name)
    zoom = desk.view(file).zoom
    reading = slides.asked.settings.reading(file.stain)
    names = [each.name for each in slides.by_name.values() if each.stain == file.stain]
    at = names.index(name)
    around = {"before": names[at - 1] if at else None, "after": names[at + 1] if at + 1 < len(names) else None}
    limits = (pathology.LOWEST_THRESHOLD, pathology.HIGHEST_THRESHOLD)
    return show(
        request, "slide.html.j2", place=slides.place, page="slides", file=file, zoom=zoom, reading=reading,
        tile_px=pathology.TILE_PX, around=around, limits=limits, can_change=read_user(request).role == "analyst",
        **_tell_readings(slides, file),
    )  # fmt: skip


@router.get("/studies/{study}/slides/{name}/tiles/{at}.jpg")
def draw_tile(request: Request, study: str, name: str, at: str) -> Response:
    """Return a tile."""
    slides = read_slides(request, study)
    tile = read_desk(request).view(slides.find(name)).draw_tile(read_tile_place(at))
    return Response(tile, media_type="image/jpeg", headers=_YEAR)


@router.get("/studies/{study}/slides/{name}/overlays/{layer}/{threshold}/{at}.png")
def draw_overlay(request: Request, study: str, name: str, layer: str, threshold: float, at: str) -> Response:
    """Return a layer of a tile, positive from a threshold."""
    slides, desk = read_slides(request, study), read_desk(request)
    file = slides.find(name)
    if layer not in ("positive", "tissue", "cells"):
        raise unknown("layer of this name")
    looked = desk.look(slides, file)
    if not isinstance(looked, pathology.Looked):
        raise unknown("measurement of this slide")
    moved = replace(looked, reading=pathology.move_threshold(slides.asked.settings.reading(file.stain), threshold))
    drawn = pathology.draw_overlay(desk.view(file), read_tile_place(at), layer, moved)
    return Response(drawn, media_type="image/png", headers=_YEAR)


@router.get("/studies/{study}/slides/{name}/numbers")
def show_numbers(request: Request, study: str, name: str, threshold: float | None = None) -> Response:
    """Return the numbers of a slide, and of all slides of its stain, as the study has them and at a threshold."""
    return _show_numbers(request, study, name, threshold)


@router.post("/studies/{study}/slides/{name}/numbers")
def show_drawn_numbers(
    request: Request, study: str, name: str, threshold: Annotated[float, Form()], outlines: Text
) -> Response:
    """Return the same with the regions that are drawn on the page left out, saved or not."""
    return _show_numbers(request, study, name, threshold, outlines)


def _show_numbers(
    request: Request, study: str, name: str, threshold: float | None, outlines: str | None = None
) -> Response:
    slides, desk = read_slides(request, study), read_desk(request)
    file = slides.find(name)
    looked = desk.look(slides, file)
    reading = slides.asked.settings.reading(file.stain)
    if not isinstance(looked, pathology.Looked):
        problems = looked.problems if looked else ()
        return show(request, "slide.html.j2", place=slides.place, block="unmeasured", problems=problems)
    moved = pathology.move_threshold(reading, reading.threshold if threshold is None else threshold)
    zoom = desk.view(file).zoom
    kept = None if outlines is None else pathology.check_outlines(_parse(outlines), zoom.width, zoom.height)
    shown = looked if kept is None else desk.preview(slides, looked, kept)
    drawn = shown or looked
    return show(
        request, "slide.html.j2", place=slides.place, block="numbers", file=file, reading=reading, moved=moved,
        now=pathology.compute_moved(looked, reading), then=pathology.compute_moved(drawn, moved),
        regions=list(pathology.compute_regions(drawn, moved)) if len(drawn.parts) > 1 else [], flags=looked.flags,
        unsaved=drawn is not looked, too_large=shown is None, **_tell_spread(desk, slides, drawn, (reading, moved)),
    )  # fmt: skip


def _tell_spread(
    desk: Desk, slides: Slides, drawn: pathology.Looked, readings: tuple[pathology.Reading, pathology.Reading]
) -> Mapping[str, Any]:
    """Return how the slides of a stain lie as the study has them, and at another threshold with a slide as drawn."""
    stored = dict(desk.store_all(slides, drawn.file.stain))
    changed = {**stored, drawn.file.name: pathology.make_stored(drawn)} if drawn.file.name in stored else stored
    now, then = readings
    return {
        "all_now": pathology.compute_spread(each.compute(now.threshold) for each in stored.values()),
        "all_then": pathology.compute_spread(each.compute(then.threshold) for each in changed.values()),
    }


@router.post("/studies/{study}/slides/{name}/regions")
def leave_out(
    request: Request, study: str, name: str, outlines: Text, seen: Annotated[int, Form()], reason: Text = ""
) -> Response:
    """Keep the regions that a reader leaves out of a slide."""
    slides, desk = read_slides(request, study), read_desk(request)
    file = slides.find(name)
    zoom, looked = desk.view(file).zoom, desk.look(slides, file)
    if not isinstance(looked, pathology.Looked):
        raise unknown("measurement of this slide")
    if not reason.strip():
        raise InputError(_no_reason("why these regions are left out, for whoever reads the study later"))
    kept = pathology.check_outlines(_parse(outlines), zoom.width, zoom.height)
    draft = Draft(
        kind=pathology.EXCLUSION,
        reader=read_user(request).name,
        when=datetime.now(UTC),
        subject=file.patient,
        place=file.stain,
        item=pathology.name_item(file),
        content={"sha256": looked.sha256, "outlines": kept},
        reason=reason.strip(),
    )
    add_reading(slides.place.folder, draft, seen=seen)
    return _after_reading(request, study, name)


@router.post("/studies/{study}/slides/{name}/restore")
def restore(
    request: Request, study: str, name: str, version: Annotated[int, Form()], seen: Annotated[int, Form()]
) -> Response:
    """Bring back what was left out in an earlier version."""
    slides = read_slides(request, study)
    earlier = next((each for each in _read_history(slides, slides.find(name)) if each.version == version), None)
    if earlier is None:
        raise unknown("version of this number")
    restore_reading(slides.place.folder, earlier, reader=read_user(request).name, when=datetime.now(UTC), seen=seen)
    return _after_reading(request, study, name)


@router.post("/studies/{study}/slides/{name}/threshold")
def change_threshold(
    request: Request, study: str, name: str, threshold: Annotated[float, Form()], version: Text, reason: Text = ""
) -> Response:
    """Change the threshold of a stain in the study file, for all patients."""
    slides = read_slides(request, study)
    file = slides.find(name)
    if read_user(request).role != "analyst":
        raise ForbiddenError(
            Problem(
                found="a reader who would change the study",
                expected="an analyst",
                next_step="Ask an analyst of the study to change the threshold.",
            )
        )
    if not reason.strip():
        raise InputError(_no_reason("why another threshold is right for every patient, for the readers of the paper"))
    reading = slides.asked.settings.reading(file.stain)
    moved = pathology.move_threshold(reading, threshold)
    ((table, source),) = read_workspace(request).loaded(slides.place).pathology.items()
    staining = source.stains[file.stain].model_copy(update={"threshold": moved.threshold})
    what = f"Threshold of {file.stain} from {reading.threshold:g} to {moved.threshold:g}: {reason.strip()}"
    change = Put(("pathology", table, "stains", file.stain), _write_stain(staining))
    save_changes(request, slides.place, version, [change], what=what)
    _keep_threshold(request, slides, file.stain, (reading.threshold, moved.threshold), reason.strip())
    return RedirectResponse(f"{slides.place.url}/slides/{name}", 303)


def _keep_threshold(request: Request, slides: Slides, stain: str, values: tuple[float, float], reason: str) -> None:
    """Write down who moved the threshold and why; the study file says only what it is."""
    content = {"from": values[0], "to": values[1]}
    draft = Draft(
        kind=_THRESHOLD, reader=read_user(request).name, when=datetime.now(UTC), subject="all", place=stain,
        content=content, reason=reason,
    )  # fmt: skip
    add_reading(slides.place.folder, draft)


def _write_stain(staining: Staining) -> Mapping[str, Any]:
    """Return what of a stain is not as it would be unsaid, its measure always."""
    return {"measure": staining.measure, **staining.model_dump(mode="json", exclude_defaults=True)}


def _tell_readings(slides: Slides, file: pathology.SlideFile) -> Mapping[str, Any]:
    """Return what was left out of a slide, as the page shows it."""
    history = _read_history(slides, file)
    held = file.excluded.outlines if file.excluded else ()
    moved = read_log(slides.place).history((_THRESHOLD, "all", file.stain, "", None))
    return {
        "history": history[::-1],
        "seen": history[-1].version if history else 0,
        "outlines": json.dumps(held),
        "moved_before": moved[::-1],
    }


def _read_history(slides: Slides, file: pathology.SlideFile) -> tuple[Reading, ...]:
    key = (pathology.EXCLUSION, file.patient, file.stain, pathology.name_item(file), None)
    return read_log(slides.place).history(key)


def _after_reading(request: Request, study: str, name: str) -> Response:
    """Return what is left out now; the numbers are fetched by the page."""
    slides = read_slides(request, study)
    read_hub(request).publish(slides.place.name, "readings", name)
    file = slides.find(name)
    if not is_part(request):
        return RedirectResponse(f"{slides.place.url}/slides/{name}", 303)
    answer = show(
        request, "slide.html.j2", place=slides.place, block="regions", file=file, said="Saved.",
        **_tell_readings(slides, file),
    )  # fmt: skip
    answer.headers["HX-Trigger-After-Settle"] = "regions-saved"
    return answer


def _parse(outlines: str) -> Sequence[Sequence[Sequence[float]]]:
    try:
        found = json.loads(outlines)
    except ValueError:
        found = None
    if not isinstance(found, list) or not all(isinstance(each, list) for each in cast("list[Any]", found)):
        raise InputError(
            Problem(
                key="regions",
                found="regions that are no list of corners",
                expected="what this page sends",
                next_step="Reload the page, and draw them again.",
            )
        )
    return cast("list[list[list[float]]]", found)


def _no_reason(expected: str) -> Problem:
    return Problem(key="reason", found="no reason", expected=expected, next_step="Write it in a few words.")
