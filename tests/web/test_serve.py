"""The command: what it prints, and how it ends."""

import signal
import subprocess
import sys
import threading
import time
import urllib.request
from http.cookiejar import CookieJar

from typer.testing import CliRunner

from rarefactor.cli._app import app
from rarefactor.web._users import read_users


def test_ctrl_c_ends_it_cleanly_though_a_page_listens(clinic):
    command = [sys.executable, "-m", "rarefactor", "serve", str(clinic.folder), "--no-browser", "--port", "0"]
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True) as server:
        start = server.stdout.readline().strip()
        browser = urllib.request.build_opener(urllib.request.HTTPCookieProcessor(CookieJar()))
        assert "A small study" in browser.open(start).read().decode()
        stream = browser.open(start.split("/?")[0] + "/studies/clinic/events")
        assert stream.readline() == b": open\n"
        reader = threading.Thread(target=stream.read)
        reader.start()
        asked = time.monotonic()
        server.send_signal(signal.SIGINT)
        _, told = server.communicate(timeout=30)
        reader.join(10)
        assert time.monotonic() - asked < 10
        assert server.returncode == 0
        assert "Traceback" not in told
        assert "clinic" not in told, "no log of what was asked for"


def test_a_user_is_named_and_the_password_is_asked_for_twice(tmp_path):
    file = tmp_path / "users.txt"
    answer = CliRunner().invoke(app, ["user", str(file), "li", "--role", "reader"], input="four short words\n" * 2)
    assert answer.exit_code == 0
    assert "four" not in answer.output
    assert read_users(file)["li"].user.role == "reader"
