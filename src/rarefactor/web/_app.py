"""The application: which pages there are, and what stands before them.

Convention: a page is a module with a ``router``; it is listed here and nowhere else. Order is that of the navigation.
"""

from __future__ import annotations

import sys
import traceback
from collections.abc import AsyncGenerator, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path

from fastapi import APIRouter, FastAPI, Request
from fastapi.exceptions import RequestValidationError
from fastapi.responses import Response
from starlette.concurrency import run_in_threadpool
from starlette.exceptions import HTTPException
from starlette.middleware import Middleware
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from rarefactor.errors import Problem, RarefactorError
from rarefactor.web import (
    _analysis,
    _calculator,
    _data,
    _design,
    _factors,
    _file,
    _job,
    _login,
    _patients,
    _readers,
    _report,
    _scans,
    _slides,
    _static,
    _studies,
    _visits,
)
from rarefactor.web._ahead import Ahead, Prepared
from rarefactor.web._desk import Desk
from rarefactor.web._errors import WebError, unknown
from rarefactor.web._events import Hub
from rarefactor.web._job import Announcer
from rarefactor.web._page import show_bug, show_problems
from rarefactor.web._runner import Runner
from rarefactor.web._security import Allowed, Gate, Headed
from rarefactor.web._session import Sessions
from rarefactor.web._signature import look_once
from rarefactor.web._users import Users
from rarefactor.web._workspace import Workspace


@dataclass(frozen=True, slots=True, kw_only=True)
class Page:
    """An entry of a study's navigation: the last part of its address, its title, its router."""

    name: str
    title: str
    router: APIRouter


PAGES: tuple[Page, ...] = (
    Page(name="data", title="Data", router=_data.router),
    Page(name="visits", title="Visits", router=_visits.router),
    Page(name="factors", title="Factors", router=_factors.router),
    Page(name="file", title="Study file", router=_file.router),
    Page(name="analysis", title="Analysis", router=_analysis.router),
    Page(name="patients", title="Patients", router=_patients.router),
    Page(name="scans", title="Scans", router=_scans.router),
    Page(name="slides", title="Slides", router=_slides.router),
    Page(name="readers", title="Readers", router=_readers.router),
    Page(name="calculator", title="Calculator", router=_calculator.router),
    Page(name="design", title="Design", router=_design.router),
    Page(name="report", title="Report", router=_report.router),
)
"""The pages of a study."""

_OTHERS = (_studies.router, _job.router, _static.router, _login.router)


def create_app(
    home: Path, *, allowed: Allowed, sessions: Sessions, users: Users | None = None, ahead: bool = False
) -> FastAPI:
    """Return the application.

    Parameters
    ----------
    home
        A study file, a study folder, or a folder of studies, which may be empty.
    allowed
        The names and origins under which it may be asked.
    sessions
        Who is in, and the start token.
    users
        Who may log in by name; None where the start token is enough.
    ahead
        Make ready what pages will ask for before they do.
    """
    app = FastAPI(
        openapi_url=None,
        docs_url=None,
        redoc_url=None,
        lifespan=_live,
        middleware=[
            Middleware(Headed),
            Middleware(Caught),
            Middleware(Steady),
            Middleware(Gate, allowed=allowed, sessions=sessions),
            Middleware(Prepared),
        ],
    )
    app.add_exception_handler(HTTPException, _http_error)
    app.add_exception_handler(RequestValidationError, _bad_request)
    app.state.workspace, app.state.sessions, app.state.users = Workspace(home=home.resolve()), sessions, users
    app.state.hub, app.state.desk = Hub(), Desk()
    app.state.ahead = Ahead(workspace=app.state.workspace) if ahead else None
    app.state.runner = Runner(told=Announcer(app.state.hub))
    app.state.pages = PAGES
    for router in (*_OTHERS, *(page.router for page in PAGES)):
        app.include_router(router)
    return app


@asynccontextmanager
async def _live(app: FastAPI) -> AsyncGenerator[None]:
    workspace, ahead = app.state.workspace, app.state.ahead
    if ahead and workspace.folder is None:
        ahead.prepare(workspace.places()[0])
    yield
    app.state.hub.close()
    app.state.desk.close()
    await run_in_threadpool(app.state.runner.close)
    if ahead:
        await run_in_threadpool(ahead.close)


class Caught:
    """Turns every error into a page; what a bug says may hold a patient's value and is shown to nobody."""

    def __init__(self, app: ASGIApp) -> None:
        self.app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer, or say why not."""
        begun = False

        async def watched(message: Message) -> None:
            nonlocal begun
            begun = begun or message["type"] == "http.response.start"
            await send(message)

        try:
            await self.app(scope, receive, watched)
        except Exception as error:  # noqa: BLE001 - the user reads a page, never a traceback
            if scope["type"] == "http" and not begun:
                await _answer(Request(scope, receive), error)(scope, receive, send)


class Steady:
    """Lets a request that changes nothing look at each file once."""

    def __init__(self, app: ASGIApp) -> None:
        self.app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer."""
        if scope["type"] == "http" and scope["method"] in {"GET", "HEAD"}:
            with look_once():
                await self.app(scope, receive, send)
        else:
            await self.app(scope, receive, send)


def _answer(request: Request, error: Exception) -> Response:
    if isinstance(error, RarefactorError):
        return show_problems(request, error)
    last = traceback.extract_tb(error.__traceback__)[-1]
    sys.stderr.write(f"A bug in rarefactor: {type(error).__name__} in {Path(last.filename).name}, line {last.lineno}\n")
    return show_bug(request, error)


def _http_error(request: Request, error: Exception) -> Response:
    status = error.status_code if isinstance(error, HTTPException) else 500
    if status == 404:
        return show_problems(request, unknown("page at this address"))
    return show_problems(request, _odd(f"a request that cannot be answered (status {status})"), status=status)


def _bad_request(request: Request, error: Exception) -> Response:
    """Name the fields that do not fit, never what stood in them."""
    found: Mapping[str, str] = {}
    if isinstance(error, RequestValidationError):
        found = {str(each["loc"][-1]): each["type"] for each in error.errors()}
    return show_problems(request, _odd(f"a form whose fields do not fit ({', '.join(found)})"))


def _odd(found: str) -> WebError:
    return WebError(Problem(found=found, expected="a form as this page sends it", next_step="Reload the page."))
