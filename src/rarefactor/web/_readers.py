"""Two readers: blind grading of scans and slides in an order of each reader's own, and how far they agree.

Convention: no address, header or page of a blind image names its patient or visit. Grades are kept as they are given;
agreement is shown when every round that was begun is ended, and a round that was ended takes no more grades.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from typing import Annotated
from urllib.parse import quote

from fastapi import APIRouter, Depends, Form, Request
from fastapi.responses import RedirectResponse, Response

from rarefactor.errors import InputError, Problem, RarefactorError
from rarefactor.pathology import TILE_PX
from rarefactor.readings import Coded, Round, add_readings, draft_end, draft_look, draw_bland_altman, read_rounds
from rarefactor.spec import Put
from rarefactor.web._desk import read_tile_place
from rarefactor.web._errors import ForbiddenError, unknown
from rarefactor.web._log import read_log
from rarefactor.web._page import is_part, read_hub, read_place, read_user, read_workspace, show
from rarefactor.web._reading import SCANS, Pairwise, Task, check_reader, find_task, list_tasks
from rarefactor.web._saving import save_changes

router = APIRouter()
Text = Annotated[str, Form()]
_NOT_SEEN = "-"
_MINUTES = {"Cache-Control": "private, max-age=300"}
"""For pictures: a page asks for the next ones while its reader looks at this one."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Seat:
    """A reader at a round of a task: the images in order, which were graded, where its pages are."""

    task: Task
    reader: str
    number: int
    order: tuple[Coded, ...]
    state: Round

    @property
    def url(self) -> str:
        """Where the pages of this round are."""
        return f"{self.task.place.url}/readers/{_quote(self.task.name)}/{_quote(self.reader)}/{self.number}"

    @property
    def graded(self) -> int:
        """How many of the images were graded."""
        return sum(each.key in self.state.seen for each in self.order)

    def follow(self, after: str | None = None) -> str | None:
        """Return the code of the next image that was not graded, from after a code on and then from the start."""
        codes = [each.code for each in self.order]
        start = codes.index(after) + 1 if after else 0
        ahead = (*self.order[start:], *self.order[:start])
        return next((each.code for each in ahead if each.key not in self.state.seen), None)


def read_seat(request: Request, study: str, task: str, reader: str, number: int) -> Seat:
    """Return who reads what, from an address."""
    if not 1 <= number <= 5:
        raise unknown("round of this number")
    name, found = _check_who(request, reader), find_task(request, study, task)
    rounds = read_rounds(read_log(found.place), task)
    state = next((each for each in rounds if (each.reader, each.number) == (name, number)), None)
    return Seat(
        task=found,
        reader=name,
        number=number,
        order=found.order(name, number),
        state=state or Round(task=task, reader=name, number=number),
    )


async def read_answers(request: Request) -> Mapping[str, str]:
    """Return the fields of a form whose names depend on what is graded."""
    form = await request.form()
    return {name: value for name, value in form.items() if isinstance(value, str)}


Answers = Annotated[Mapping[str, str], Depends(read_answers)]


@router.get("/studies/{study}/readers")
def show_readers(request: Request, study: str) -> Response:
    """Return what can be graded, and how far everybody is."""
    place, user = read_place(request, study), read_user(request)
    tasks, unscaled = list_tasks(request, study)
    log = read_log(place)
    listed = [(task, len(list(task.keys())), read_rounds(log, task.name)) for task in tasks]
    return show(
        request, "readers.html.j2", place=place, page="readers", listed=listed, unscaled=unscaled,
        reader=user.name, analyst=user.role == "analyst",
    )  # fmt: skip


@router.post("/studies/{study}/readers/scale")
def set_scale(request: Request, study: str, task: Text, scale: Text, version: Text) -> Response:
    """Write into the study file on which scale something is graded."""
    place = read_place(request, study)
    _ask_analyst(request)
    loaded = read_workspace(request).loaded(place)
    key, value = ("imaging", next(iter(loaded.imaging), ""), "grades"), {"scale": scale}
    if task != SCANS:
        table = next(iter(loaded.pathology), "")
        staining = loaded.pathology[table].stains[task].model_copy(update={"scale": scale})
        key = ("pathology", table, "stains", task)
        value = {"measure": staining.measure, **staining.model_dump(mode="json", exclude_defaults=True)}
    save_changes(request, place, version, [Put(key, value)], what=f"{task} graded on the scale {scale}")
    return RedirectResponse(f"{place.url}/readers", 303)


@router.get("/studies/{study}/readers/{task}/begin")
def begin(request: Request, study: str, task: str, reader: str = "", number: int = 1) -> Response:
    """Go to a reader's next image."""
    seat = read_seat(request, study, task, reader, number)
    return RedirectResponse(_address(seat, None if seat.state.is_over else seat.follow()), 303)


@router.get("/studies/{study}/readers/{task}/agreement")
def show_agreement(request: Request, study: str, task: str) -> Response:
    """Return how far readers agree, once every round that was begun is ended."""
    found = find_task(request, study, task)
    log = read_log(found.place)
    rounds = read_rounds(log, task)
    between, within = _agree(found, rounds)
    return show(
        request, "agreement.html.j2", place=found.place, page="readers", task=found, rounds=rounds,
        open_rounds=[each for each in rounds if not each.is_over], between=between, within=within,
        images=len(list(found.keys())), analyst=read_user(request).role == "analyst",
    )  # fmt: skip


@router.get("/studies/{study}/readers/{task}/figures/{which}-{place}.svg")
def draw_figure(request: Request, study: str, task: str, which: str, place: int) -> Response:
    """Return the differences of two readers as a figure."""
    found = find_task(request, study, task)
    both = _agree(found, read_rounds(read_log(found.place), task))
    held = both[which == "within"]
    if which not in {"between", "within"} or not 0 <= place < len(held) or held[place].limits is None:
        raise unknown("figure at this address")
    each = held[place]
    figure = draw_pair(each, found.unit)
    return Response(figure, media_type="image/svg+xml")


@router.get("/studies/{study}/readers/{task}/{reader}/{number}")
def go_on(request: Request, seat: Annotated[Seat, Depends(read_seat)]) -> Response:
    """Go to the next image, or say that all are graded."""
    code = seat.follow()
    if code and not seat.state.is_over:
        return RedirectResponse(_address(seat, code), 303)
    return _show(request, seat, None)


@router.post("/studies/{study}/readers/{task}/{reader}/{number}/end")
def end_round(request: Request, study: str, task: str, reader: str, number: int) -> Response:
    """End a round: one's own, or as an analyst that of a reader who does not come back."""
    user = read_user(request)
    if request.app.state.sessions.token is None and user.name != reader:
        _ask_analyst(request)
    found, name = find_task(request, study, task), check_reader(reader)
    now, by = datetime.now(UTC), user.name if request.app.state.sessions.token is None else name
    add_readings(found.place.folder, [draft_end(task, reader=name, number=number, when=now, by=by)])
    read_hub(request).publish(found.place.name, "readings", task)
    return RedirectResponse(f"{found.place.url}/readers/{_quote(task)}/agreement", 303)


@router.get("/studies/{study}/readers/{task}/{reader}/{number}/{code}")
def show_image(request: Request, seat: Annotated[Seat, Depends(read_seat)], code: str) -> Response:
    """Return an image and what is to be graded of it."""
    return _show(request, seat, code)


@router.get("/studies/{study}/readers/{task}/{reader}/{number}/{code}/picture")
def draw_picture(seat: Annotated[Seat, Depends(read_seat)], code: str) -> Response:
    """Return an image's picture."""
    data, kind = seat.task.picture(_find(seat, code))
    return Response(data, media_type=kind, headers=_MINUTES)


@router.get("/studies/{study}/readers/{task}/{reader}/{number}/{code}/tiles/{tile}.jpg")
def draw_tile(seat: Annotated[Seat, Depends(read_seat)], code: str, tile: str) -> Response:
    """Return a tile of an image that can be looked at closely."""
    view = seat.task.view(_find(seat, code))
    if view is None:
        raise unknown("tile at this address")
    return Response(view.draw_tile(read_tile_place(tile)), media_type="image/jpeg", headers=_MINUTES)


@router.post("/studies/{study}/readers/{task}/{reader}/{number}/{code}")
def grade(request: Request, seat: Annotated[Seat, Depends(read_seat)], code: str, answers: Answers) -> Response:
    """Keep what a reader grades of an image, and go to the next, which takes the place of the page that asks."""
    key = _find(seat, code)
    if seat.state.is_over:
        raise InputError(_over())
    given = {name: answers.get(name, "").strip() for name in (each.name for each in seat.task.questions(key))}
    now = datetime.now(UTC)
    try:
        values = {name: _read(value) for name, value in given.items() if value != _NOT_SEEN}
        drafts = seat.task.drafts(key, values, seat.reader, seat.number, now)
    except RarefactorError as error:
        return _show(request, seat, code, given=given, problems=error.problems, status=422)
    look = draft_look(seat.task.name, key, reader=seat.reader, number=seat.number, when=now)
    add_readings(seat.task.place.folder, [*drafts, look])
    now_seen = replace(seat, state=replace(seat.state, seen=seat.state.seen | {key}))
    follow = now_seen.follow(code)
    if not is_part(request):
        return RedirectResponse(_address(seat, follow), 303)
    answer = _show(request, now_seen, follow)
    answer.headers["HX-Push-Url"] = _address(seat, follow)
    return answer


def _show(
    request: Request,
    seat: Seat,
    code: str | None,
    *,
    given: Mapping[str, str] | None = None,
    problems: Sequence[Problem] = (),
    status: int = 200,
) -> Response:
    if code is None:
        return show(request, "reading.html.j2", place=seat.task.place, page="readers", seat=seat, code=None)
    key = _find(seat, code)
    codes, ahead = [each.code for each in seat.order], seat.follow(code)
    at = codes.index(code)
    kept = seat.task.answers(read_log(seat.task.place), key, seat.reader, seat.number)
    questions = seat.task.questions(key)
    shown = {name: f"{value:g}" for name, value in kept.items()}
    if key in seat.state.seen:
        shown = {each.name: shown.get(each.name, _NOT_SEEN) for each in questions}
    return show(
        request, "reading.html.j2", place=seat.task.place, page="readers", seat=seat, code=code, at=at + 1,
        questions=questions, shown=given or shown, problems=problems, status=status,
        before=codes[at - 1] if at else None, after=codes[at + 1] if at + 1 < len(codes) else None,
        view=seat.task.view(key), tile_px=TILE_PX, part=is_part(request),
        ahead=None if ahead in {None, code} else _address(seat, ahead),
    )  # fmt: skip


def _address(seat: Seat, code: str | None) -> str:
    """Return where an image is, or the end of the round where there is none."""
    return f"{seat.url}/{code}" if code else seat.url


def _find(seat: Seat, code: str) -> str:
    for each in seat.order:
        if each.code == code:
            return each.key
    raise unknown("image of this name")


def _agree(task: Task, rounds: Sequence[Round]) -> tuple[Sequence[Pairwise], Sequence[Pairwise]]:
    """Return agreement, nothing while a round is open."""
    if not rounds or not all(each.is_over for each in rounds):
        return (), ()
    return task.agreement(read_log(task.place))


def draw_pair(found: Pairwise, unit: str) -> bytes:
    """Return the differences of two readers as a figure, SVG."""
    if found.limits is None:
        raise unknown("figure at this address")
    readers = (found.readers[0], found.readers[1])
    return draw_bland_altman(found.pairs, found.limits, readers=readers, unit=unit)


def _check_who(request: Request, reader: str) -> str:
    """Return the reader's name: where users log in, their own and no other."""
    name = check_reader(reader)
    if request.app.state.sessions.token is None and name != read_user(request).name:
        raise ForbiddenError(
            Problem(
                found="the page of another reader",
                expected="your own",
                next_step="Go to Readers, and begin or go on there.",
            )
        )
    return name


def _ask_analyst(request: Request) -> None:
    if read_user(request).role != "analyst":
        raise ForbiddenError(
            Problem(
                found="a reader who would change the study",
                expected="an analyst",
                next_step="Ask an analyst of the study to do it.",
            )
        )


def _read(value: str) -> float:
    try:
        return float(value)
    except ValueError:
        raise InputError(
            Problem(
                key="grade",
                found="something that was not graded",
                expected="a grade, or that it cannot be seen",
                next_step="Choose one for each.",
            )
        ) from None


def _over() -> Problem:
    return Problem(
        found="a round that was ended",
        expected="a round that is open",
        next_step="Begin another round: it says how far you agree with yourself.",
    )


def _quote(text: str) -> str:
    return quote(text, safe="")
