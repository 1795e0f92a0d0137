"""What the next page will ask for is made ready while nobody waits: at the start, and once the study file has changed.

Convention: nothing is computed here that a page would not compute; it is only asked for earlier. What goes wrong is
told by the page that asks for it. What readers do is not followed: one image after the other leads to no such page.
"""

from __future__ import annotations

import contextlib
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass, field
from threading import Event

from starlette.types import ASGIApp, Receive, Scope, Send

from rarefactor.web._errors import UnknownError
from rarefactor.web._known import check_study, read_variables
from rarefactor.web._patients import list_patients
from rarefactor.web._results import list_states, read_results
from rarefactor.web._scan_desk import collect_scans
from rarefactor.web._signature import look_once
from rarefactor.web._visits import draw_flow
from rarefactor.web._workspace import Place, Workspace, sign_study


@dataclass(slots=True, kw_only=True)
class Ahead:
    """Makes studies ready, one after the other."""

    workspace: Workspace
    _pool: ThreadPoolExecutor = field(default_factory=lambda: ThreadPoolExecutor(1, thread_name_prefix="ahead"))
    _over: Event = field(default_factory=Event)
    _begun: dict[str, tuple[str, Future[None]]] = field(default_factory=dict[str, tuple[str, Future[None]]])

    def prepare(self, place: Place) -> None:
        """Make a study ready as it will be when its turn comes, unless that was done for its file as it is."""
        signature = sign_study(place)
        before, waiting = self._begun.get(place.name, ("", None))
        if signature == before:
            return
        if waiting:
            waiting.cancel()  # where it has not begun
        self._begun[place.name] = signature, self._pool.submit(_prepare, self.workspace, place, self._over)

    def wait(self, place: Place) -> None:
        """Wait until what was begun for a study is done."""
        _, begun = self._begun[place.name]
        begun.result()

    def close(self) -> None:
        """Finish the step that is being done, and begin nothing more."""
        self._over.set()
        self._pool.shutdown(cancel_futures=True)


class Prepared:
    """Makes a study ready after each request that has changed its file."""

    def __init__(self, app: ASGIApp) -> None:
        self.app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer, then prepare."""
        await self.app(scope, receive, send)
        ahead: Ahead | None = scope["app"].state.ahead if scope["type"] == "http" else None
        parts = scope.get("path", "").split("/")
        if ahead and scope["method"] == "POST" and parts[1:2] == ["studies"]:
            with contextlib.suppress(UnknownError):
                ahead.prepare(ahead.workspace.place(parts[2]))


def _prepare(workspace: Workspace, place: Place, over: Event) -> None:
    """Ask for what pages show first; what one step lacks stops neither the others nor the page that will say so."""
    with look_once():
        for step in (_derive, _list_variables, draw_flow, _show_scans):
            if not over.is_set():
                with contextlib.suppress(Exception):
                    step(workspace, place)


def _derive(workspace: Workspace, place: Place) -> None:
    check_study(workspace, place, workspace.loaded(place))
    found = read_results(workspace, place)
    list_patients(workspace, place, found)
    list_states(found, None)


def _list_variables(workspace: Workspace, place: Place) -> None:
    read_variables(workspace, place, workspace.loaded(place))


def _show_scans(workspace: Workspace, place: Place) -> None:
    """List the scans and read the first, of which the libraries take longest to load."""
    scans = collect_scans(workspace, place)
    first = scans.list_all()[0]
    scans.images(first.patient, first.visit)
