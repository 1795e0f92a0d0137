"""Logging in and out, where users have names."""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, Form, Request
from fastapi.responses import RedirectResponse, Response

from rarefactor.web._errors import unknown
from rarefactor.web._page import show
from rarefactor.web._security import set_cookie
from rarefactor.web._session import Sessions
from rarefactor.web._users import Users

router = APIRouter()

WRONG = "This name and password do not belong together. Check both and try again."
WAIT = "Too many attempts. Wait five minutes and try again."


@router.get("/login")
def show_login(request: Request) -> Response:
    """Return the form."""
    _read_users(request)
    return show(request, "login.html.j2", name="", problem="")


@router.post("/login")
def log_in(request: Request, name: Annotated[str, Form()] = "", password: Annotated[str, Form()] = "") -> Response:
    """Open a session, or say that it is not opened; never which of name and password is wrong."""
    users, sessions = _read_users(request), _read_sessions(request)
    keys = (f"name {name}", f"address {request.client.host if request.client else ''}")
    if users.must_wait(*keys):
        return show(request, "login.html.j2", name=name, problem=WAIT, status=429)
    user = users.check(name, password, *keys)
    if user is None:
        return show(request, "login.html.j2", name=name, problem=WRONG, status=401)
    answer = RedirectResponse("/", status_code=303)
    set_cookie(answer, sessions.cookie, sessions.open(user), secure=request.url.scheme == "https")
    return answer


@router.post("/logout")
def log_out(request: Request) -> Response:
    """End the session."""
    sessions = _read_sessions(request)
    sessions.close(request.state.session)
    answer = RedirectResponse("/login" if sessions.token is None else "/", status_code=303)
    answer.delete_cookie(sessions.cookie, path="/")
    return answer


def _read_sessions(request: Request) -> Sessions:
    return request.app.state.sessions


def _read_users(request: Request) -> Users:
    users = request.app.state.users
    if users is None:
        raise unknown("page at this address")
    return users
