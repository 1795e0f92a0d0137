"""From values to a page: templates, the addresses of static files, and what each page knows.

Convention: a page module picks values and names a template; templates show and compute nothing. A request of htmx may
ask for one block of a page, which is rendered from the same template.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterator, Mapping
from functools import cache
from pathlib import Path
from typing import Any, cast

from fastapi import Request
from fastapi.responses import HTMLResponse
from jinja2 import Environment, FileSystemLoader, StrictUndefined
from starlette.datastructures import URL

from rarefactor import __version__, report
from rarefactor.errors import Problem, RarefactorError, StaleError
from rarefactor.spec import Study
from rarefactor.web._errors import WebError
from rarefactor.web._events import Hub
from rarefactor.web._runner import Runner
from rarefactor.web._session import User
from rarefactor.web._workspace import Place, Workspace

STATIC = Path(__file__).parent / "static"
FONTS = Path(report.__file__).parent / "fonts"
SHARED = Path(report.__file__).parent / "shared"
"""Scripts that the report and the pages share."""


def read_workspace(request: Request) -> Workspace:
    """Return the studies that this server serves."""
    return request.app.state.workspace


def read_runner(request: Request) -> Runner:
    """Return what does long work in processes of its own."""
    return request.app.state.runner


def read_hub(request: Request) -> Hub:
    """Return where news for open pages are published."""
    return request.app.state.hub


def read_user(request: Request) -> User:
    """Return who asks."""
    return getattr(request.state, "user", None) or User(name="nobody", role="reader")


def read_place(request: Request, study: str) -> Place:
    """Return the study of an address.

    Raises
    ------
    UnknownError
        There is none of this name.
    """
    return read_workspace(request).place(study)


def name_visits(study: Study) -> Mapping[str, str]:
    """Return what visits are called on pages."""
    return {name: visit.label or name.replace("_", " ") for name, visit in study.cohort.visits.items()}


def is_part(request: Request) -> bool:
    """Tell whether htmx asks for a part of a page."""
    return request.headers.get("hx-request") == "true" and request.headers.get("hx-history-restore-request") != "true"


def show(
    request: Request,
    template: str,
    *,
    place: Place | None = None,
    page: str = "",
    block: str | None = None,
    status: int = 200,
    **values: Any,
) -> HTMLResponse:
    """Return a page, or one block of it.

    Parameters
    ----------
    request, template
        The request, and a file of ``templates``.
    place
        The study it is about; its pages stand in the navigation.
    page
        Which entry of the navigation it is: the last part of its address.
    block
        The one ``{% block %}`` to render; the whole page without it.
    status
        Of the answer.
    values
        What the template shows.
    """
    context = {**_around(request, place, page), **values}
    found = read_templates().get_template(template)
    text = "".join(found.blocks[block](found.new_context(context))) if block else found.render(context)
    return HTMLResponse(text, status_code=status)


def _around(request: Request, place: Place | None, page: str) -> Mapping[str, Any]:
    state = request.app.state
    return {
        "request": request,
        "place": place,
        "page": page,
        "pages": state.pages,
        "user": read_user(request),
        "named_users": state.sessions.token is None,
        "several": state.workspace.folder is not None,
        "version": __version__,
    }


def show_problems(request: Request, error: RarefactorError, *, status: int | None = None) -> HTMLResponse:
    """Return what is wrong: a page, or for htmx the notice at the top of the page that asked."""
    code = status or (error.status if isinstance(error, WebError) else _status(error))
    if is_part(request):
        answer = show(request, "problems.html.j2", block="problems", problems=error.problems, status=code)
        answer.headers["HX-Retarget"], answer.headers["HX-Reswap"] = "#messages", "innerHTML"
        answer.headers["HX-Reselect"], answer.headers["HX-Push-Url"] = "unset", "false"  # whatever the page wanted
        return answer
    return show(request, "problems.html.j2", problems=error.problems, status=code)


def _status(error: RarefactorError) -> int:
    """409 where somebody else has changed the same thing meanwhile."""
    return 409 if isinstance(error, StaleError) else 422


def show_bug(request: Request, error: Exception) -> HTMLResponse:
    """Return a page for a mistake of the program; what the error itself says may hold a patient's value."""
    problem = Problem(
        found=f"a mistake in rarefactor ({type(error).__name__})",
        expected="an answer",
        next_step="Your study and what is finished are safe. Go back and try again; if it stays, please report it.",
    )
    return show_problems(request, RarefactorError(problem), status=500)


@cache
def read_templates() -> Environment:
    """Return the templates; an unknown name in one is an error."""
    environment = Environment(
        loader=FileSystemLoader(Path(__file__).parent / "templates"),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    cast("dict[str, Any]", environment.globals)["static"] = address_static
    return environment


def address_static(name: str) -> str:
    """Return the address of a static file, which changes with its content.

    Examples
    --------
    >>> address_static("app.css").split("?")[0]
    '/static/app.css'
    """
    return str(URL(f"/static/{name}").include_query_params(v=_digest(name)))


@cache
def _digest(name: str) -> str:
    file = SHARED.parent / name if name.startswith("shared/") else STATIC / name
    return hashlib.sha256(file.read_bytes()).hexdigest()[:12]


def list_static() -> Iterator[str]:
    """Yield the names of all static files."""
    yield from (path.relative_to(STATIC).as_posix() for path in sorted(STATIC.rglob("*")) if path.is_file())
