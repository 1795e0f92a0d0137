"""Who gets in, from where, and what a page may do."""

import re

import pytest

from rarefactor.errors import InputError
from rarefactor.web import Address, Sessions, User, Users, add_user, serve
from rarefactor.web._errors import ForbiddenError
from rarefactor.web._session import LIFETIME_S
from rarefactor.web._users import read_users
from rarefactor.web._workspace import Workspace

PASSWORD = "four words that last"  # noqa: S105 - of nobody


@pytest.fixture
def users(tmp_path):
    file = tmp_path / "users.txt"
    add_user(file, User(name="zhao", role="analyst"), PASSWORD)
    add_user(file, User(name="reader one", role="reader"), PASSWORD)
    return Users(file=file)


def log_in(client, name="zhao", password=PASSWORD):
    return client.post("/login", data={"name": name, "password": password}, follow_redirects=False)


# The start token and the cookie


def test_the_token_is_traded_for_a_cookie_that_scripts_and_other_sites_cannot_use(web, clinic):
    answer = web(clinic.folder, log_in=False).get("/?token=start&find=a", follow_redirects=False)
    assert (answer.status_code, answer.headers["location"]) == (303, "/?find=a")
    cookie = answer.headers["set-cookie"]
    assert cookie.startswith("rarefactor-8000=")
    assert "HttpOnly" in cookie
    assert "SameSite=strict" in cookie
    assert "start" not in cookie


@pytest.mark.parametrize("path", ["/", "/studies/clinic/data", "/studies/clinic/data?token=wrong", "/?token="])
def test_without_a_session_nothing_is_shown(web, clinic, path):
    answer = web(clinic.folder, log_in=False).get(path)
    assert answer.status_code == 403
    assert "clinic" not in answer.text.replace("/studies/clinic", "")
    assert "rarefactor serve" in answer.text


def test_a_token_in_an_address_never_leads_to_another_site(web, clinic):
    client = web(clinic.folder, log_in=False)
    answer = client.get("http://127.0.0.1:8000//evil.example/?token=start", follow_redirects=False)
    assert answer.headers["location"].startswith("/evil.example")


def test_a_session_ends():
    now = [0.0]
    sessions = Sessions(port=1, clock=lambda: now[0])
    name = sessions.enter(sessions.token)
    assert sessions.find(name)
    now[0] = LIFETIME_S + 1
    assert sessions.find(name) is None
    assert sessions.enter("") is None


# Other sites


@pytest.mark.parametrize("host", ["evil.example", "127.0.0.1:9", "127.0.0.1", "evil.example:8000", ""])
def test_another_name_for_this_machine_is_refused(web, clinic, host):
    assert web(clinic.folder).get("/", headers={"host": host}).status_code == 403


@pytest.mark.parametrize(
    "headers",
    [
        {"origin": "http://evil.example"},
        {"origin": "null"},
        {"origin": "http://localhost:8000"},
        {"origin": "https://127.0.0.1:8000"},
        {"origin": "", "sec-fetch-site": "same-origin"},
    ],
)
def test_a_form_of_another_site_changes_nothing(web, clinic, headers):
    answer = web(clinic.folder).post("/studies/clinic/report/run", headers=headers)
    assert answer.status_code == 403
    assert not clinic.out.exists()


def test_a_form_without_an_origin_needs_the_browsers_word(web, clinic):
    client = web(clinic.folder)
    del client.headers["origin"]
    assert client.post("/studies/clinic/report/cancel").status_code == 403
    assert client.post("/studies/clinic/report/cancel", headers={"sec-fetch-site": "cross-site"}).status_code == 403
    own = client.post("/studies/clinic/report/cancel", headers={"sec-fetch-site": "same-origin"})
    assert own.status_code == 200


def test_every_address_that_writes_is_a_post(web, clinic):
    for route in all_routes(web(clinic.folder).app):
        assert set(getattr(route, "methods", None) or {"GET"}) <= {"GET", "HEAD", "POST"}, route


def all_routes(app):
    """Return the routes of an application, those of its routers too."""
    found, waiting = [], list(app.routes)
    while waiting:
        route = waiting.pop()
        found.append(route)
        waiting += getattr(getattr(route, "original_router", None), "routes", [])
    return found


# What a page may do


@pytest.mark.parametrize(
    "path", ["/", "/studies/clinic/data", "/studies/clinic/report", "/no/such/page", "/static/app.css"]
)
def test_every_answer_says_what_it_may_do(web, clinic, path):
    headers = web(clinic.folder).get(path).headers
    policy = headers["content-security-policy"]
    assert policy.startswith("default-src 'none'; script-src 'self'; style-src 'self';")
    assert "unsafe" not in policy
    assert headers["x-content-type-options"] == "nosniff"
    assert headers["referrer-policy"] == "same-origin"
    kept = "no-cache" if path.startswith("/static") else "no-store"
    assert headers["cache-control"] == kept


def test_no_page_holds_what_the_policy_forbids(web, clinic):
    client = web(clinic.folder)
    for page in ("/", *(f"/studies/clinic/{page.name}" for page in client.app.state.pages)):
        text = client.get(page).text
        assert not re.search(r"<style|\sstyle=|\son[a-z]+=|javascript:|hx-on", text), page
        assert not re.findall(r"<script(?![^>]*\ssrc=)(?![^>]*type=\"application/json\")", text), page
        assert not re.search(r"(src|href|action)=\"(https?:)?//", text), page


# Paths and sizes


@pytest.mark.parametrize(
    "path",
    [
        "/static/../_security.py",
        "/static/%2e%2e/_security.py",
        "/static/..%2f_security.py",
        "/studies/..%2f..%2fetc/data",
        "/studies/%2e%2e/data",
        "/studies/nobody/data",
        "/studies/clinic%00/data",
    ],
)
def test_no_address_leads_out_of_the_study(web, clinic, path):
    assert web(clinic.folder).get(path).status_code in {403, 404}


def test_a_path_within_a_study_stays_within(clinic, tmp_path):
    (tmp_path / "secret.csv").write_text("x")
    (clinic.folder / "link.csv").symlink_to(tmp_path / "secret.csv")
    workspace = Workspace(home=clinic.folder)
    (place,) = workspace.places()
    assert workspace.within(place, "records.csv") == clinic.records
    for parts in (("..", "secret.csv"), ("/etc/passwd",), ("link.csv",), ("a\0b",)):
        with pytest.raises(ForbiddenError):
            workspace.within(place, *parts)


def test_a_body_that_is_too_large_is_not_read(web, clinic):
    client = web(clinic.folder)
    assert client.post("/studies/clinic/report/run", content=b"x" * (2 * 2**20 + 1)).status_code == 413

    def in_pieces():
        for _ in range(3):
            yield b"x" * 2**20

    streamed = client.post(
        "/new/example", content=in_pieces(), headers={"content-type": "application/x-www-form-urlencoded"}
    )
    assert streamed.status_code in {400, 413}
    assert not clinic.out.exists()


# Errors and logs


def test_a_bug_shows_no_traceback_and_no_value(web, clinic, monkeypatch, capfd):
    def stumble(*_):
        raise ValueError("patient 17")

    monkeypatch.setattr(Workspace, "loaded", stumble)
    answer = web(clinic.folder).get("/studies/clinic/data")
    assert answer.status_code == 500
    assert "ValueError" in answer.text
    told = answer.text + "".join(capfd.readouterr())
    assert "patient 17" not in told
    assert "Traceback" not in told


def test_a_form_that_does_not_fit_is_told_without_what_was_in_it(web, clinic):
    answer = web(clinic.folder.parent).post("/new/upload", data={"records": "patient 17"})
    assert answer.status_code == 422
    assert "records" in answer.text
    assert "patient 17" not in answer.text


# Named users


def test_a_user_logs_in_with_a_password_and_the_start_token_opens_nothing(web, clinic, users):
    client = web(clinic.folder, users)
    assert client.get("/", follow_redirects=False).headers["location"] == "/login"
    assert client.get("/?token=start", follow_redirects=False).headers["location"] == "/login"
    assert log_in(client, "zhao", "wrong but long enough").status_code == 401
    assert log_in(client, name="nobody").status_code == 401
    assert log_in(client).status_code == 303
    assert "zhao, analyst" in client.get("/").text
    client.post("/logout")
    assert client.get("/", follow_redirects=False).status_code == 303
    part = client.get("/", headers={"hx-request": "true"}, follow_redirects=False)
    assert (part.status_code, part.headers["hx-retarget"]) == (403, "#messages"), "no form of login within a page"


def test_passwords_are_not_tried_for_long(web, clinic, users):
    now = [0.0]
    users.clock = lambda: now[0]
    client = web(clinic.folder, users)
    for _ in range(5):
        assert log_in(client, "zhao", "wrong").status_code == 401
    assert log_in(client).status_code == 429
    now[0] = 301
    assert log_in(client).status_code == 303


def test_a_reader_sees_and_changes_no_study_and_gets_no_values(web, clinic, users):
    client = web(clinic.folder, users)
    log_in(client, "reader one")
    assert client.get("/studies/clinic/data").status_code == 200
    assert client.get("/studies/clinic/data/failures.csv").status_code == 403
    for path in ("/studies/clinic/report/run", "/new/example", "/studies/clinic/factors", "/studies/scans/report/run"):
        assert client.post(path).status_code == 403, path
    assert client.post("/studies/clinic/scans/no/such").status_code in {404, 405}, "the gate lets a reader pass here"


def test_the_file_of_users_holds_no_password_and_is_its_owners(users):
    text = users.file.read_text(encoding="utf-8")
    assert PASSWORD not in text
    assert users.file.stat().st_mode & 0o077 == 0
    add_user(users.file, User(name="zhao", role="reader"), PASSWORD)
    assert read_users(users.file)["zhao"].user.role == "reader"
    for name, password in (("a:b", PASSWORD), ("", PASSWORD), ("zhao", "short")):
        with pytest.raises(InputError):
            add_user(users.file, User(name=name), password)
    users.file.write_text("zhao:admin:00:00\n", encoding="utf-8")
    with pytest.raises(InputError, match="line 1"):
        read_users(users.file)


def test_other_machines_are_not_let_in_without_users(clinic):
    for host in ("0.0.0.0", "192.0.2.1", "::", "clinic.example"):  # noqa: S104 - refused
        with pytest.raises(InputError, match="--auth"):
            serve(clinic.folder, Address(host=host, port=0), browse=False)
    with pytest.raises(InputError, match="--origin"):
        serve(clinic.folder, Address(port=0, origins=("study.example",)), browse=False)
