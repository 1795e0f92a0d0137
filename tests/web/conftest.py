"""A server in this process for the rules, and one in its own with a browser before it."""

import os
import shutil
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from pathlib import Path

import pytest
from starlette.testclient import TestClient

from rarefactor.web import Sessions, Users, allow, create_app

ORIGIN = "http://127.0.0.1:8000"
NO_BROWSER = "no Chromium was found (CHROMIUM names one): the tests that need a browser are left out"
START_S = 60


def find_chromium() -> str | None:
    """Return the browser's program: $CHROMIUM, or one of the usual names."""
    names = (os.environ.get("CHROMIUM", ""), "chromium", "chromium-browser", "google-chrome", "chrome")
    return next((found for name in names if name and (found := shutil.which(name))), None)


@pytest.fixture
def web() -> Iterator[Callable[..., TestClient]]:
    """Return a client for a folder, logged in, whose forms come from the right origin."""
    with ExitStack() as open_clients:

        def enter(home: Path, users: Users | None = None, *, log_in: bool = True) -> TestClient:
            sessions = Sessions(port=8000, token=None if users else "start")
            app = create_app(home, allowed=allow(ORIGIN), sessions=sessions, users=users)
            client = open_clients.enter_context(TestClient(app, base_url=ORIGIN, headers={"origin": ORIGIN}))
            if log_in and not users:
                client.get("/?token=start", follow_redirects=False)
            return client

        yield enter


@pytest.fixture(scope="session")
def browser():
    """Return a headless Chromium."""
    program = find_chromium()
    if program is None:
        if os.environ.get("CI") == "true":
            pytest.fail(NO_BROWSER)
        pytest.skip(NO_BROWSER)
    from playwright.sync_api import sync_playwright

    with sync_playwright() as playwright:
        chromium = playwright.chromium.launch(
            executable_path=program, args=["--no-sandbox", "--disable-gpu", "--enable-unsafe-swiftshader"]
        )
        yield chromium
        chromium.close()


@pytest.fixture
def watch_grey():
    """Return a function after which a page notes its cards that turn grey: it may be for a few frames only."""
    return lambda page: page.evaluate(_GREY)


_GREY = """() => {
  window.greyed = new Set();
  const note = (all) => all.forEach(({ target }) => target.classList.contains("stale") && window.greyed.add(target.id));
  new MutationObserver(note).observe(document, { subtree: true, attributes: true, attributeFilter: ["class"] });
}"""


@pytest.fixture
def serve():
    """Return the start address of a server of its own for a folder; ``serve.stop(address)`` kills it."""
    with ExitStack() as running:
        yield Servers(running)


class Servers:
    """Servers that end with the test."""

    def __init__(self, running: ExitStack) -> None:
        self._running = running
        self._of: dict[str, subprocess.Popen[str]] = {}

    def __call__(self, home: Path, *options: str, port: int = 0) -> str:
        command = [
            sys.executable,
            "-m",
            "rarefactor",
            "serve",
            str(home),
            "--no-browser",
            "--port",
            str(port),
            *options,
        ]
        server = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True)
        self._running.callback(_end, server)
        address = server.stdout.readline().strip() if server.stdout else ""
        assert address.startswith("http"), "the server did not start"
        self._of[address] = server
        return address

    def kill(self, address: str) -> None:
        """End a server at once, as when the machine goes down."""
        self._of[address].kill()
        self._of[address].wait(10)


def _end(server: subprocess.Popen[str]) -> None:
    if server.poll() is None:
        server.terminate()
        try:
            server.wait(10)
        except subprocess.TimeoutExpired:
            server.kill()
            server.wait(10)
    if server.stdout:
        server.stdout.close()


@pytest.fixture
def wait_for() -> Callable[..., None]:
    """Return a function that waits until something holds."""

    def wait(condition: Callable[[], bool], seconds: float = 10) -> None:
        end = time.monotonic() + seconds
        while not condition():
            assert time.monotonic() < end, "it did not come true"
            time.sleep(0.05)

    return wait
