"""The report: run the study, see how far it is, and take what came of it.

Convention: what is shown of the last run is read from its folder; whether it still holds is told by the files' times.
A report is shown as the file that it is, walled off from these pages.
"""

from __future__ import annotations

import os
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import IO, Any

from fastapi import APIRouter, Request
from fastapi.responses import FileResponse, RedirectResponse, Response, StreamingResponse
from starlette.background import BackgroundTask

from rarefactor import __version__
from rarefactor.outputs import Output, list_changed, open_zip, read_output, write_output
from rarefactor.web._errors import unknown
from rarefactor.web._page import is_part, read_place, read_runner, show
from rarefactor.web._runner import Job
from rarefactor.web._workspace import Place

router = APIRouter()

RUN = "run"
_WALL = (
    "sandbox allow-scripts allow-popups allow-downloads; default-src 'none'; script-src 'unsafe-inline'; "
    "style-src 'unsafe-inline'; img-src data:; font-src data:"
)
_SHOWN = 6
_CHUNK = 1 << 18
_MAIN: Mapping[str, tuple[str, str]] = {
    "report.html": ("Web page", "with the source of each number"),
    "report.docx": ("Word", "to write the paper in"),
    "report.pdf": ("PDF", "to send and to print"),
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Offered:
    """A file that can be taken."""

    name: str
    title: str
    use: str
    size: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Last:
    """The last run: when it started (by this machine's clock), what has changed since, and what it left."""

    started: str
    changed: tuple[str, ...]
    more: int
    newer: str | None
    offered: tuple[Offered, ...]
    count: int
    size: str


@router.get("/studies/{study}/report")
def show_report(request: Request, study: str) -> Response:
    """Return the page; of htmx, what is known of the runs."""
    place = read_place(request, study)
    return _show(request, place)


@router.post("/studies/{study}/report/run")
def start_run(request: Request, study: str) -> Response:
    """Start a run; other work on the study makes way, since what it finished is kept."""
    place, runner = read_place(request, study), read_runner(request)
    known = runner.find(place.name)
    other = known is not None and known.kind != RUN
    runner.start(place.name, RUN, write_output, place.file, place.out, os.cpu_count() or 1, replacing=other)
    return _go_back(request, place)


@router.post("/studies/{study}/report/cancel")
def cancel_run(request: Request, study: str) -> Response:
    """End the run; what it has finished is kept."""
    place = read_place(request, study)
    read_runner(request).cancel(place.name)
    return _go_back(request, place)


@router.get("/studies/{study}/report/files/{name:path}")
def load_file(request: Request, study: str, name: str, *, take: bool = False) -> Response:
    """Return a file of the last run, to be shown or taken."""
    place = read_place(request, study)
    output = read_output(place.out)
    if output is None or name not in output.files:
        raise unknown("file of this name in the output")
    shown = FileResponse(
        output.folder / name,
        filename=f"{place.name}-{name.rsplit('/', 1)[-1]}",
        content_disposition_type="attachment" if take else "inline",
    )
    shown.headers["Content-Security-Policy"] = _WALL
    return shown


@router.get("/studies/{study}/report.zip")
def load_all(request: Request, study: str) -> Response:
    """Return the whole output as one archive."""
    place = read_place(request, study)
    output = read_output(place.out)
    if output is None:
        raise unknown("output of a run")
    made = open_zip(output)
    headers = {"Content-Disposition": f"attachment; filename*=UTF-8''{place.url.rsplit('/', 1)[-1]}-output.zip"}
    return StreamingResponse(
        _read(made), media_type="application/zip", headers=headers, background=BackgroundTask(made.close)
    )


def _read(made: IO[bytes]) -> Iterator[bytes]:
    while chunk := made.read(_CHUNK):
        yield chunk


def _show(request: Request, place: Place) -> Response:
    known = read_runner(request).find(place.name)
    job = known if known and known.kind == RUN else None
    block = "runs" if is_part(request) else None
    return show(request, "report.html.j2", place=place, page="report", block=block, **_say(place, job))


def _say(place: Place, job: Job | None) -> Mapping[str, Any]:
    output = read_output(place.out)
    return {"job": job, "last": _tell(place, output) if output else None}


def _go_back(request: Request, place: Place) -> Response:
    return _show(request, place) if is_part(request) else RedirectResponse(f"{place.url}/report", status_code=303)


def _tell(place: Place, output: Output) -> Last:
    changed = list_changed(place.file, output)
    return Last(
        started=_say_time(output.started),
        changed=changed[:_SHOWN],
        more=max(0, len(changed) - _SHOWN),
        newer=output.version if output.version not in {None, __version__} else None,
        offered=tuple(
            Offered(name=name, title=title, use=use, size=_say_size(output.files[name]))
            for name, (title, use) in _MAIN.items()
            if name in output.files
        ),
        count=len(output.files),
        size=_say_size(sum(output.files.values())),
    )


def _say_time(started: datetime | None) -> str:
    return f"{started.astimezone():%d %B %Y, %H:%M}" if started else "at a time that its log does not say"


def _say_size(size: int) -> str:
    """Return a size in words.

    Examples
    --------
    >>> _say_size(900), _say_size(73_000), _say_size(4_200_000)
    ('1 kB', '73 kB', '4.2 MB')
    """
    return f"{size / 1e6:.1f} MB" if size >= 1e6 else f"{max(1, round(size / 1e3))} kB"
