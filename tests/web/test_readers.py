"""Two readers: nothing names the patient, an order of each one's own, nobody sees another's grades too early."""

import csv
import re
from collections.abc import Callable
from pathlib import Path

import pytest

from rarefactor import study as road
from rarefactor.readings import read_readings
from rarefactor.stats import compute_icc, compute_weighted_kappa

URL = "/studies/anm-srp/readers"
STAIN = "BAFF-R"
SCALE = "stains:\n      BAFF-R: area"


@pytest.fixture
def graded(small_study: Path) -> Path:
    """The small study with scales for its scans and for BAFF-R."""
    file = small_study / "study.yaml"
    text = file.read_text(encoding="utf-8")
    text = re.sub(r"(\n +)(BAFF-R): area", r"\1\2: {measure: area, scale: 0-3}", text)
    text = re.sub(r"(\n +)(labels: data/mri/labels.csv)", r"\1\2\1grades: {scale: mercuri}", text)
    file.write_text(text, encoding="utf-8")
    return small_study


def read_all(client, task: str, reader: str, number: int, grade: Callable[[str, int], int]) -> list[str]:
    """Grade every image that a reader is given, and return their codes in order."""
    codes: list[str] = []
    while True:
        page = client.get(f"{URL}/{task}/{reader}/{number}")
        found = re.search(r'action="([^"]+)" id="grades"', page.text)
        if found is None:
            return codes
        names = set(re.findall(r'data-question="(\w+)"', page.text))
        codes.append(found[1].rpartition("/")[2])
        answers = {name: str(grade(name, len(codes))) for name in names}
        assert client.post(found[1], data=answers).status_code == 200


def test_nothing_names_a_patient_or_visit(web, graded: Path) -> None:
    client = web(graded)
    with (graded / "data" / "records.csv").open(encoding="utf-8") as file:
        ids = {row["record_id"] for row in csv.DictReader(file)}
    for task in ("scans", STAIN):
        page = client.get(f"{URL}/{task}/begin", params={"reader": "Ada"})
        action = re.search(r'action="([^"]+)" id="grades"', page.text)[1]
        tile = client.get(f"{action}/tiles/8_0_0.jpg")
        picture = client.get(f"{action}/picture")
        assert picture.status_code == 200
        said = [str(each.url) + str(each.headers) for each in (page, picture, tile)]
        blind = re.sub(r"<nav.*?</nav>", "", page.text, flags=re.DOTALL).replace("anm-srp", "")
        for text in (blind, *said, picture.content.decode("latin-1")):
            assert not re.search(r"S-[0-9a-f]{8}|month_\d|baseline|\bmonth \d", text)
            assert not any(each in text for each in ids)


def test_each_reader_and_round_has_an_order_and_names_of_its_own(web, graded: Path) -> None:
    client = web(graded)
    given = [
        read_all(client, STAIN, reader, number, lambda *_: 1) for reader, number in (("Ada", 1), ("Ada", 2), ("Bea", 1))
    ]
    assert len({len(codes) for codes in given}) == 1
    assert len({code for codes in given for code in codes}) == 3 * len(given[0])
    items = [
        [
            each.subject
            for each in read_readings(graded).entries
            if each.kind == "score" and each.reader == "Ada" and ("#" in each.item) is again
        ]
        for again in (False, True)
    ]
    assert sorted(items[0]) == sorted(items[1])


@pytest.mark.slow
def test_agreement_appears_when_all_have_ended_and_is_what_r_would_say(web, graded: Path) -> None:
    client = web(graded)
    marks = {"Ada": (0, 1, 2, 3), "Bea": (0, 1, 1, 3)}
    for reader, given in marks.items():
        read_all(client, STAIN, reader, 1, lambda _, place, given=given: given[place - 1])
    held = {
        reader: {
            each.subject: each.content["score"]
            for each in read_readings(graded).current("score")
            if each.reader == reader
        }
        for reader in marks
    }
    client.post(f"{URL}/{STAIN}/Ada/1/end")
    early = client.get(f"{URL}/{STAIN}/agreement").text
    assert "Bea, round 1: 4 of 4 graded" in early
    assert "kappa" not in early
    assert client.get(f"{URL}/{STAIN}/figures/between-0.svg").status_code == 404
    client.post(f"{URL}/{STAIN}/Bea/1/end")
    page = client.get(f"{URL}/{STAIN}/agreement").text
    pairs = [(held["Ada"][subject], held["Bea"][subject]) for subject in held["Ada"]]
    kappa = compute_weighted_kappa(*zip(*pairs, strict=True), categories=4, weights="quadratic")
    for value in (kappa.kappa, compute_icc(pairs).agreement.icc):
        assert f">{value:.2f} ".replace("-", "−") in page
    assert client.get(f"{URL}/{STAIN}/figures/between-0.svg").content.startswith(b"<svg")
    code = client.get(f"{URL}/{STAIN}/Ada/1")
    assert "takes no more grades" in code.text
    results = road.run(graded / "study.yaml", graded / "out")
    (row,) = (r for r in results.rows if r.measure == "weighted_kappa" and r.group == "Ada / Bea")
    assert row.estimate == pytest.approx(kappa.kappa)


@pytest.mark.slow
def test_grades_of_scans_count_in_the_study_and_own_ones_can_be_changed(web, graded: Path) -> None:
    client = web(graded)
    for reader, more in (("Ada", 0), ("Bea", 1)):
        codes = read_all(client, "scans", reader, 1, lambda _, place, more=more: min(4, place % 4 + more))
        first = f"{URL}/scans/{reader}/1/{codes[0]}"
        page = client.get(first).text
        names = set(re.findall(r'data-question="(\w+)"', page))
        assert page.count(" checked") == len(names)
        assert client.post(first, data=dict.fromkeys(names, "9")).status_code == 422
        assert client.post(first, data=dict.fromkeys(names, "4")).status_code == 200
        client.post(f"{URL}/scans/{reader}/1/end")
        assert client.post(first, data=dict.fromkeys(names, "0")).status_code == 422
    page = client.get(f"{URL}/scans/agreement").text
    results = road.run(graded / "study.yaml", graded / "out")
    rows = {r.measure: r for r in results.rows if r.analysis == "imaging" and r.group == "Ada / Bea"}
    assert f">{rows['weighted_kappa'].estimate:.2f} ".replace("-", "−") in page
    assert rows["bias"].estimate < 0
    assert f"{rows['bias'].estimate:.2f}".replace("-", "−") in page
    assert rows["icc_agreement"].n == len(codes)


def test_a_stain_without_a_scale_gets_one_in_the_study_file(web, graded: Path) -> None:
    client = web(graded)
    page = client.get(URL).text
    version = re.search(r'name="version" value="(\w+)"', page)[1]
    assert client.post(f"{URL}/scale", data={"task": "CD20", "scale": "percent", "version": version}).status_code == 200
    assert "measure: cells, scale: percent" in (graded / "study.yaml").read_text(encoding="utf-8")
    answer = client.get(f"{URL}/CD20/begin", params={"reader": "Ada"}).text
    assert 'max="100' in answer


def test_the_next_image_takes_the_page_and_looking_ahead_writes_nothing(web, graded: Path) -> None:
    client, part = web(graded), {"hx-request": "true"}
    page = client.get(f"{URL}/{STAIN}/begin", params={"reader": "Ada"})
    ahead = re.search(r'data-ahead="([^"]+)"', page.text)[1]
    looked = client.get(ahead)
    client.get(f"{ahead}/picture")
    assert not re.search(r"S-[0-9a-f]{8}|month_\d|baseline", re.sub(r"<nav.*?</nav>", "", looked.text, flags=re.DOTALL))
    assert not read_readings(graded).entries
    action = re.search(r'action="([^"]+)" id="grades"', page.text)[1]
    nothing = client.post(action, data={}, headers=part, follow_redirects=False)
    assert (nothing.status_code, "something that was not graded" in nothing.text) == (422, True)
    saved = client.post(action, data={"score": "2"}, headers=part, follow_redirects=False)
    assert (saved.status_code, saved.headers["hx-push-url"]) == (200, ahead)
    assert re.search(r'action="([^"]+)" id="grades"', saved.text)[1] == ahead
    assert "1 of 4 graded" in saved.text
    for _ in range(3):
        saved = client.post(saved.headers["hx-push-url"], data={"score": "1"}, headers=part, follow_redirects=False)
    assert "All 4 images are graded" in saved.text
    client.post(f"{URL}/{STAIN}/Ada/1/end")
    late = client.post(action, data={"score": "0"}, headers=part)
    assert (late.status_code, late.headers["hx-retarget"], late.headers["hx-reselect"]) == (422, "#messages", "unset")
    assert late.headers["hx-push-url"] == "false"


def test_two_readers_grade_by_keyboard(browser, serve, graded: Path) -> None:
    page = browser.new_page()
    address = serve(graded)
    page.goto(address)
    base = f"{address.partition('/?')[0]}{URL}"
    for reader in ("Ada", "Bea"):
        page.goto(f"{base}/{STAIN}/begin?reader={reader}")
        for place in range(4):
            at = page.url
            page.locator(".question.current").wait_for()
            page.keyboard.press(str(min(place, 3)))
            page.keyboard.press("Enter")
            page.wait_for_url(lambda url, at=at: url != at)
        page.locator("#end").focus()
        page.keyboard.press("Enter")
        page.wait_for_url("**/agreement")
    assert "Ada and Bea" in page.locator("table").inner_text()
    assert page.locator("figure img").evaluate("image => image.decode().then(() => image.naturalWidth)") > 0
    page.close()
