"""From an address to a running server, and to its clean end.

Convention: standard output gets the address and nothing else; what a server of several users does not protect is said
on standard error before it starts.
"""

from __future__ import annotations

import contextlib
import socket
import sys
import threading
import webbrowser
from collections.abc import Callable
from dataclasses import dataclass
from ipaddress import ip_address
from pathlib import Path
from types import FrameType
from urllib.parse import urlsplit

import uvicorn
from fastapi import FastAPI

from rarefactor.errors import InputError, Problem
from rarefactor.web._app import create_app
from rarefactor.web._events import Hub
from rarefactor.web._security import allow
from rarefactor.web._session import Sessions
from rarefactor.web._users import Users, read_users

LOCAL = "127.0.0.1"

UNPROTECTED = """\
This server can be reached by other machines. It asks for a name and a password, and it does not protect
  - what travels: it speaks HTTP without TLS. Put it behind a proxy with TLS, named by --origin;
  - the study folder itself: whoever may read it on this machine may read all that is in it;
  - users from each other: every user sees every study that is served here.
"""


@dataclass(frozen=True, slots=True, kw_only=True)
class Address:
    """Where a server listens: ``port`` 0 takes a free one; ``origins`` are names under which a proxy shows it."""

    host: str = LOCAL
    port: int = 8765
    origins: tuple[str, ...] = ()


class _Server(uvicorn.Server):
    """A server that ends the streams of open pages before it waits for them, and says where it is."""

    hub: Hub
    opened: Callable[[], None]

    def handle_exit(self, sig: int, frame: FrameType | None) -> None:
        """End on Ctrl-C, or when asked to."""
        self.hub.close()
        super().handle_exit(sig, frame)

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        """Start, then tell."""
        await super().startup(sockets=sockets)
        if self.started:
            self.opened()


def serve(home: Path, address: Address, *, auth: Path | None = None, browse: bool = True) -> None:
    """Serve studies until the process is told to end.

    Parameters
    ----------
    home
        A study file, a study folder, or a folder of studies, which may be empty.
    address
        Where to listen. Every host but this machine itself demands ``auth``.
    auth
        The file of users, see ``rarefactor user``.
    browse
        Open the page in the browser.

    Raises
    ------
    InputError
        There is nothing to serve, the port is taken, or other machines could come in without a password.
    """
    _check_home(home)
    _check_address(address, auth)
    users = Users(file=auth) if auth else None
    if auth:
        read_users(auth)
    if not is_local(address.host):
        sys.stderr.write(UNPROTECTED)
    with _listen(address) as listening:
        port = listening.getsockname()[1]
        sessions = Sessions(port=port, token=None) if auth else Sessions(port=port)
        origins = _list_origins(address, port)
        app = create_app(home, allowed=allow(*origins), sessions=sessions, users=users, ahead=True)
        start = f"{origins[0]}/" + (f"?token={sessions.token}" if sessions.token else "")
        _run(app, listening, lambda: _tell(start, browse=browse))


def is_local(host: str) -> bool:
    """Tell whether only this machine can reach a host.

    Examples
    --------
    >>> is_local("127.0.0.1"), is_local("localhost"), is_local("0.0.0.0"), is_local("clinic.example")
    (True, True, False, False)
    """
    try:
        return host == "localhost" or ip_address(host).is_loopback
    except ValueError:
        return False


def _run(app: FastAPI, listening: socket.socket, opened: Callable[[], None]) -> None:
    config = uvicorn.Config(
        app, log_level="warning", access_log=False, server_header=False, timeout_graceful_shutdown=5, lifespan="on"
    )
    server = _Server(config)
    server.hub, server.opened = app.state.hub, opened
    with contextlib.suppress(KeyboardInterrupt):  # uvicorn raises it again after a clean end
        server.run(sockets=[listening])


def _tell(start: str, *, browse: bool) -> None:
    sys.stdout.write(f"{start}\n")
    sys.stdout.flush()
    sys.stderr.write("Open this address in a browser on this machine. Ctrl-C ends the server.\n")
    if browse:
        threading.Thread(target=webbrowser.open, args=(start,), daemon=True).start()


def _list_origins(address: Address, port: int) -> list[str]:
    host = f"[{address.host}]" if ":" in address.host else address.host
    hosts = [host, LOCAL, "localhost"] if is_local(address.host) else [host]
    return [
        *(each.rstrip("/") for each in address.origins),
        *(f"http://{each}:{port}" for each in dict.fromkeys(hosts)),
    ]


def _listen(address: Address) -> socket.socket:
    try:
        return socket.create_server(
            (address.host, address.port), family=socket.AF_INET6 if ":" in address.host else socket.AF_INET
        )
    except OSError as error:
        raise _refused(
            f"{address.host}:{address.port}, where it cannot listen ({error.strerror or 'no such host'})",
            "a free port of this machine",
            "Choose another one by --port, or end what uses it.",
        ) from None


def _check_home(home: Path) -> None:
    if not home.exists():
        step = f"Check the path, or make the folder first: mkdir {home}."
        raise _refused(f"no {home}", "a study folder, a study file, or a folder for studies", step)


def _check_address(address: Address, auth: Path | None) -> None:
    if not is_local(address.host) and auth is None:
        raise _refused(
            f"--host {address.host}, which other machines can reach, without --auth",
            "a file of users: patients' data are shown to nobody without a password",
            "Add a user (rarefactor user users.txt NAME), then serve with --auth users.txt.",
        )
    for origin in address.origins:
        parts = urlsplit(origin)
        if parts.scheme not in {"http", "https"} or not parts.netloc or parts.path.strip("/") or parts.query:
            raise _refused(f"--origin {origin}", "an origin such as https://study.example", "Leave out what follows.")


def _refused(found: str, expected: str, next_step: str) -> InputError:
    return InputError(Problem(found=found, expected=expected, next_step=next_step))
