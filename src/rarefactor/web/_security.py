"""The gate before every page: host, origin, session, role and size, then the headers of the answer.

Convention: pure ASGI, so that streams pass unread. What is not allowed by name is refused. The gate knows addresses
and headers only; it writes nothing of a request into a log.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from http.cookies import CookieError, SimpleCookie
from urllib.parse import parse_qsl, urlencode

from starlette.datastructures import Headers, MutableHeaders
from starlette.responses import RedirectResponse, Response
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from rarefactor.errors import Problem
from rarefactor.web._errors import ForbiddenError, TooLargeError, WebError
from rarefactor.web._session import Sessions

CSP: Mapping[str, str] = {
    "default-src": "'none'",
    "script-src": "'self'",
    "style-src": "'self'",
    "img-src": "'self' data: blob:",
    "connect-src": "'self'",
    "font-src": "'self'",
    "form-action": "'self'",
    "frame-ancestors": "'none'",
    "base-uri": "'none'",
}
"""What a page may load and do."""

HEADERS: Mapping[str, str] = {
    "Content-Security-Policy": "; ".join(f"{name} {value}" for name, value in CSP.items()),
    "X-Content-Type-Options": "nosniff",
    "Referrer-Policy": "same-origin",  # `no-referrer` would make browsers send `Origin: null` with our own forms
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cross-Origin-Resource-Policy": "same-origin",
    "X-Frame-Options": "DENY",
    "Permissions-Policy": "camera=(), geolocation=(), microphone=()",
}

SMALL, LARGE = 2 * 2**20, 64 * 2**20
"""Most bytes of a form, and of an address that ends in ``/upload``."""

_OPEN = ("/static/", "/login")
_SAFE = {"GET", "HEAD"}
_READERS = {"scans", "slides", "readers"}


@dataclass(frozen=True, slots=True, kw_only=True)
class Allowed:
    """The names under which this server may be asked, and from where its forms come."""

    hosts: frozenset[str]
    origins: frozenset[str]


def allow(*addresses: str) -> Allowed:
    """Return what is allowed for a server at these origins.

    Examples
    --------
    >>> sorted(allow("http://127.0.0.1:8000", "http://localhost:8000").hosts)
    ['127.0.0.1:8000', 'localhost:8000']
    """
    return Allowed(hosts=frozenset(each.split("://", 1)[1] for each in addresses), origins=frozenset(addresses))


class Headed:
    """Gives every answer its headers; one that has set one of them itself keeps it."""

    def __init__(self, app: ASGIApp) -> None:
        self.app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer with headers."""
        if scope["type"] != "http":
            await self.app(scope, receive, send)
            return

        async def headed(message: Message) -> None:
            if message["type"] == "http.response.start":
                headers = MutableHeaders(scope=message)
                for name, value in HEADERS.items():
                    headers.setdefault(name, value)
                headers.setdefault("Cache-Control", "no-store")
            await send(message)

        await self.app(scope, receive, headed)


class Gate:
    """Lets in who may come in, raises a :class:`WebError` for the others."""

    def __init__(self, app: ASGIApp, allowed: Allowed, sessions: Sessions) -> None:
        self.app, self.allowed, self.sessions = app, allowed, sessions

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Check and pass on."""
        if scope["type"] == "lifespan":
            await self.app(scope, receive, send)
            return
        if scope["type"] != "http":
            raise _refused(f"a connection of the kind {scope['type']}", "HTTP")
        headers = Headers(scope=scope)
        self._check_names(scope, headers)
        answer = self._check_session(scope, headers)
        if answer:
            await answer(scope, receive, send)
            return
        await self.app(scope, _limited(scope, headers, receive), send)

    def _check_names(self, scope: Scope, headers: Headers) -> None:
        """Refuse a name that another site has pointed here, and a form that another site has sent."""
        if headers.get("host", "") not in self.allowed.hosts:
            raise _refused("a request under a name that is not this server's", "the address that it printed")
        if scope["method"] not in _SAFE and not self._is_ours(headers):
            raise _refused("a form that comes from another site", "a form of this page")

    def _is_ours(self, headers: Headers) -> bool:
        origin = headers.get("origin")
        if origin is not None:
            return origin in self.allowed.origins
        return headers.get("sec-fetch-site") == "same-origin"

    def _check_session(self, scope: Scope, headers: Headers) -> Response | None:
        entered = self._enter(scope)
        if entered:
            return entered
        name = read_cookie(headers, self.sessions.cookie)
        user = self.sessions.find(name)
        scope.setdefault("state", {})["user"] = user
        scope["state"]["session"] = name
        path: str = scope["path"]
        if path.startswith(_OPEN):
            return None
        if user is None:
            return self._turn_away(scope, headers)
        if user.role == "reader" and scope["method"] not in _SAFE and not _for_readers(path):
            raise _refused("a change to the study by a reader", "a user with the role analyst")
        return None

    def _enter(self, scope: Scope) -> Response | None:
        """Trade the token of the start address for a cookie, and take it out of the address."""
        query = parse_qsl(scope["query_string"].decode("latin-1"))
        token = dict(query).get("token")
        session = self.sessions.enter(token) if token and scope["method"] == "GET" else None
        if session is None:
            return None
        rest = urlencode([(name, value) for name, value in query if name != "token"])
        path = "/" + scope["path"].lstrip("/")  # `//name` would lead to another site
        answer = RedirectResponse(path + (f"?{rest}" if rest else ""), status_code=303)
        set_cookie(answer, self.sessions.cookie, session, secure=scope["scheme"] == "https")
        return answer

    def _turn_away(self, scope: Scope, headers: Headers) -> Response:
        by_name = self.sessions.token is None
        if by_name and scope["method"] == "GET" and "hx-request" not in headers:
            return RedirectResponse("/login", status_code=303)
        expected = "the start address, which holds a secret and changes when the server is started anew"
        step = "Open the address that `rarefactor serve` has printed in the terminal."
        raise ForbiddenError(
            Problem(
                found="no open session",
                expected="a user who has logged in" if by_name else expected,
                next_step="Log in again: reload the page." if by_name else step,
            )
        )


def set_cookie(answer: Response, name: str, session: str, *, secure: bool) -> None:
    """Set the cookie of a session: out of reach of scripts and of other sites."""
    answer.set_cookie(name, session, httponly=True, samesite="strict", secure=secure, path="/")


def read_cookie(headers: Headers, name: str) -> str:
    """Return the value of a cookie, empty where there is none."""
    try:
        cookies = SimpleCookie(headers.get("cookie", ""))
    except CookieError:
        return ""
    return cookies[name].value if name in cookies else ""


def _for_readers(path: str) -> bool:
    """Tell whether readers too may write here: /studies/NAME/scans ..., and leaving."""
    parts = path.split("/")
    return path == "/logout" or (len(parts) > 3 and parts[1] == "studies" and parts[3] in _READERS)


def _limited(scope: Scope, headers: Headers, receive: Receive) -> Receive:
    """Read no more of a request than its address takes."""
    path: str = scope["path"]
    most = LARGE if path.endswith("/upload") else SMALL
    length = headers.get("content-length", "0")
    if not length.isdecimal() or int(length) > most:
        raise _too_large(most)
    read = 0

    async def counted() -> Message:
        nonlocal read
        message = await receive()
        read += len(message.get("body", b""))
        if read > most:
            raise _too_large(most)
        return message

    return counted


def _too_large(most: int) -> WebError:
    step = "Send a smaller file, or put it into the study folder yourself."
    return TooLargeError(Problem(found="more data", expected=f"at most {most // 2**20} MB", next_step=step))


def _refused(found: str, expected: str) -> WebError:
    return ForbiddenError(
        Problem(
            found=found,
            expected=expected,
            next_step="Open the address that `rarefactor serve` has printed, and go on from there.",
        )
    )
