"""The page of the report: a run from the page gives what the command gives, and says whether it still holds."""

import io
import os
import time
import zipfile

from rarefactor import study

PAGE = "/studies/clinic/report"


def make(clinic):
    text = clinic.study.read_text(encoding="utf-8")
    clinic.study.write_text(text + "  resamples: 0\n  missing: {imputations: 0}\n", encoding="utf-8")


def test_a_run_from_the_page_is_told_and_gives_the_files(web, clinic, wait_for):
    make(clinic)
    client = web(clinic.folder)
    assert client.get(f"{PAGE}.zip").status_code == 404
    assert "There is none yet" in client.get(PAGE).text
    part = client.post(f"{PAGE}/run", headers={"hx-request": "true"}).text
    assert 'id="cancel"' in part
    wait_for(lambda: 'data-state="done"' in client.get(PAGE).text, 120)
    assert "Up to date" in client.get(PAGE).text
    report = client.get(f"{PAGE}/files/report.html")
    assert report.headers["content-security-policy"].startswith("sandbox")
    assert client.get(f"{PAGE}/files/report.pdf?take=true").content.startswith(b"%PDF")
    names = zipfile.ZipFile(io.BytesIO(client.get(f"{PAGE}.zip").content)).namelist()
    assert "clinic/results.json" in names
    for name in ("../study.yaml", "..%2fstudy.yaml", "%2e%2e/records.csv", "/etc/passwd"):
        assert client.get(f"{PAGE}/files/{name}").status_code == 404
    later = time.time() + 60
    os.utime(clinic.records, (later, later))
    assert "records.csv" in client.get(PAGE).text


def test_what_the_command_ran_is_offered_too_and_a_run_that_fails_says_why(web, clinic, wait_for):
    make(clinic)
    study.run(clinic.study, clinic.out)
    client = web(clinic.folder)
    assert "Up to date" in client.get(PAGE).text
    clinic.edit("score < 40", "scor < 40")
    client.post(f"{PAGE}/run")
    wait_for(lambda: 'data-state="failed"' in client.get(PAGE).text, 60)
    page = client.get(PAGE).text
    assert "scor" in page
    assert "has changed since" in page
