"""What pages will ask for is ready before they do."""

import pytest
from starlette.testclient import TestClient

from rarefactor import live
from rarefactor.web import Sessions, allow, create_app
from rarefactor.work import hash_file

ORIGIN = "http://127.0.0.1:8000"


@pytest.fixture
def app(clinic):
    sessions = Sessions(port=8000, token="start")  # noqa: S106 - of this test
    return create_app(clinic.folder, allowed=allow(ORIGIN), sessions=sessions, ahead=True)


@pytest.fixture
def client(app):
    with TestClient(app, base_url=ORIGIN, headers={"origin": ORIGIN}) as client:
        client.get("/?token=start", follow_redirects=False)
        yield client


def finish(app):
    """Wait until what is being made ready is."""
    app.state.ahead.wait(app.state.workspace.place("clinic"))


def test_a_study_is_ready_after_a_change(app, client, clinic, monkeypatch):
    finish(app)
    version = hash_file(clinic.study)
    client.post("/studies/clinic/factors/role", data={"version": version, "name": "age", "role": "adjuster"})
    assert hash_file(clinic.study) != version
    finish(app)

    def derive(*_, **__):
        pytest.fail("what was ready is computed again")

    monkeypatch.setattr(live, "derive_live", derive)
    assert client.get("/studies/clinic/analysis").status_code == 200


def test_what_is_wrong_is_told_by_the_page_that_asks(app, client, clinic):
    finish(app)
    clinic.study.write_text("id: [")
    client.post("/studies/clinic/design")  # makes ready what cannot be
    finish(app)
    assert "valid YAML" in client.get("/studies/clinic/file").text
