"""Five hundred patients: what the server does for a page that was shown before stays far below what a hand notices."""

import time
from pathlib import Path

import pytest

from rarefactor import simulate

EXAMPLE = Path(__file__).parents[2] / "examples" / "anm-srp" / "study.yaml"
LIMIT_MS = 100
PAGES = (
    "data",
    "data?find=ck",
    "visits",
    "factors",
    "factors?edit=severe_weakness",
    "file",
    "analysis",
    "patients",
    "patients?sort=missing&page=7",
    "patients?find=9",
    "readers",
    "calculator",
    "design",
    "report",
)


@pytest.fixture(scope="module")
def large(tmp_path_factory):
    folder = tmp_path_factory.mktemp("large") / "anm-srp"
    simulate.write_study(EXAMPLE, folder, patients=500, imaged=2)
    return folder


def spend(act):
    """Return the milliseconds of the processor that something takes, the least of three times."""
    taken = []
    for _ in range(3):
        began = time.process_time()
        act()
        taken.append(1000 * (time.process_time() - began))
    return min(taken)


def test_pages_of_five_hundred_patients_take_the_server_little(web, large):
    client = web(large)
    assert [page for page in PAGES if client.get(f"/studies/anm-srp/{page}").status_code != 200] == []
    assert "of 542 patients" in client.get("/studies/anm-srp/patients").text
    taken = {page: spend(lambda page=page: client.get(f"/studies/anm-srp/{page}")) for page in PAGES}
    assert {page: ms for page, ms in taken.items() if ms > LIMIT_MS} == {}
