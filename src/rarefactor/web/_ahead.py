"""What the next page will ask for is made ready while nobody waits: at the start, and once the study file has changed.

Convention: nothing is computed here that a page would not compute; it is only asked for earlier. What goes wrong is
told by the page that asks for it. What readers do is not followed: one image after the other leads to no such page.
"""

from __future__ import annotations

import contextlib
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass, field

from starlette.types import ASGIApp, Receive, Scope, Send

from rarefactor.web._errors import UnknownError
from rarefactor.web._known import check_study, read_variables
from rarefactor.web._patients import list_patients
from rarefactor.web._results import read_results
from rarefactor.web._signature import look_once
from rarefactor.web._workspace import Place, Workspace, sign_study


@dataclass(slots=True, kw_only=True)
class Ahead:
    """Makes studies ready, one after the other."""

    workspace: Workspace
    _pool: ThreadPoolExecutor = field(default_factory=lambda: ThreadPoolExecutor(1, thread_name_prefix="ahead"))
    _begun: dict[str, tuple[str, Future[None]]] = field(default_factory=dict[str, tuple[str, Future[None]]])

    def prepare(self, place: Place) -> None:
        """Make a study ready as it will be when its turn comes, unless that was done for its file as it is."""
        signature = sign_study(place)
        before, waiting = self._begun.get(place.name, ("", None))
        if signature == before:
            return
        if waiting:
            waiting.cancel()  # where it has not begun
        self._begun[place.name] = signature, self._pool.submit(_prepare, self.workspace, place)

    def wait(self, place: Place) -> None:
        """Wait until what was begun for a study is done."""
        _, begun = self._begun[place.name]
        begun.result()

    def close(self) -> None:
        """Finish what is being done, and begin nothing more."""
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


def _prepare(workspace: Workspace, place: Place) -> None:
    with contextlib.suppress(Exception), look_once():
        study = workspace.loaded(place)
        for make in (check_study, read_variables):
            with contextlib.suppress(Exception):
                make(workspace, place, study)
        list_patients(workspace, place, read_results(workspace, place))
