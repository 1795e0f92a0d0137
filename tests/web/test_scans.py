"""Scans on a page: which to look at, a mask that is corrected, and who did what."""

import io
import re
from base64 import b64decode
from pathlib import Path

import nibabel
import numpy as np
import pytest
from numpy.typing import NDArray
from PIL import Image
from starlette.testclient import TestClient

from rarefactor import imaging, study
from rarefactor.readings import read_readings

STUDY = "/studies/anm-srp"


def _find_outlying(client: TestClient) -> str:
    """The address of the scan to be looked at first."""
    row = client.get(f"{STUDY}/scans").text.split("<tr>")[2]
    assert "outlying rate" in row
    return re.findall(r'href="([^"]+)"', row)[0]


def _read_mask(client: TestClient, url: str, folder: Path) -> nibabel.Nifti1Image:
    path = folder / "mask.nii.gz"
    path.write_bytes(b64decode(re.findall(r'data-mask="([^"]+)"', client.get(url).text)[0]))
    return nibabel.load(path)


def _pack(values: NDArray[np.int16], like: nibabel.Nifti1Image) -> bytes:
    return nibabel.Nifti1Image(values.astype(np.int16), like.affine, like.header).to_bytes()


def _take_fat_out(client: TestClient, url: str, folder: Path) -> bytes:
    """The mask of a scan without the voxels that are more than 60 % fat."""
    mask = _read_mask(client, url, folder)
    (folder / "fat.nii.gz").write_bytes(client.get(f"{url}/images/fat fraction.nii.gz").content)
    fat = nibabel.load(folder / "fat.nii.gz").get_fdata()
    return _pack(np.where(fat > 60, 0, np.asarray(mask.dataobj)), mask)


def test_the_list_is_sorted_and_looked_through_by_what_stands_in_it(web, small_study) -> None:
    client = web(small_study)

    def read(address: str) -> list[str]:
        return re.findall(r'<td class="right">([\d.]+)</td>', client.get(f"{STUDY}/scans{address}").text)

    rising = read("?sort=fat&up=1")
    assert len(rising) == 14
    assert [float(each) for each in rising] == sorted(map(float, rising))
    assert [float(each) for each in read("?sort=fat")] == sorted(map(float, rising), reverse=True)
    patient, visit = _find_outlying(client).split("/")[-2:]
    found = client.get(f"{STUDY}/scans?find=Outlying").text
    listed = re.findall(r'<th scope="row"><a href="([^"]+)"', found)
    assert listed[0] == f"{STUDY}/scans/{patient}/{visit}"
    assert len(listed) == found.count("outlying rate</span>") < 14
    assert "1–2 of 2 that hold" in client.get(f"{STUDY}/scans?find={patient}").text  # both visits
    part = client.get(f"{STUDY}/scans?find={patient}&sort=visit", headers={"hx-request": "true"}).text
    assert part.lstrip().startswith('<div id="list">')


def test_a_corrected_mask_changes_the_numbers_of_its_patient_alone(web, small_study, tmp_path, wait_for) -> None:
    client = web(small_study)
    url = _find_outlying(client)
    before = client.get(url).text
    rate = float(re.findall(r'id="thigh-rate">([+-]\d+\.\d+)', before)[0])
    data = _take_fat_out(client, url, tmp_path)
    saved = client.post(f"{url}/mask/upload?seen=0&reason=leaks+into+fat", content=data, follow_redirects=False)
    assert (saved.status_code, saved.headers["location"]) == (303, url)
    checked = study.check(small_study / "study.yaml")
    plan, cache = checked.images.scans, study.open_cache(checked.study)
    assert plan is not None
    assert plan.corrected == 1
    wait_for(lambda: imaging.count_known(plan, cache, code=study.scan_code()) == len(plan.patients), 120)
    after = client.get(url).text
    then = float(re.findall(r'id="thigh-rate">([+-]\d+\.\d+)', after)[0])
    assert then < rate - 3
    assert "leaks into fat" in after
    assert re.search(r"corrected by \w+, version 1", after)
    measured = imaging.measure(checked.study, plan, code=study.scan_code(), cache=cache)  # as a run does
    changes = measured.tables[0].changes
    assert changes is not None
    subject = url.split("/")[-2]
    told = changes.filter((changes["subject"] == subject) & (changes["column"] == "fat_fraction"))["change"].to_list()
    assert told[0] == pytest.approx(then * 2.95, rel=0.1)
    assert any("corrected" in note.text for note in measured.notes)

    old = client.post(f"{url}/mask/upload?seen=0&reason=again", content=data)
    assert old.status_code == 409
    assert "saved meanwhile" in old.text
    taken = client.post(f"{url}/restore", data={"version": "0", "seen": "1"}, follow_redirects=False)
    assert taken.status_code == 303
    assert "taken back" in client.get(url).text
    assert [each.withdrawn for each in read_readings(small_study).entries] == [False, True]


def test_what_is_no_mask_of_this_scan_is_refused_and_nothing_is_kept(web, small_study, tmp_path) -> None:
    client = web(small_study)
    url = _find_outlying(client)
    mask = _read_mask(client, url, tmp_path)
    values = np.asarray(mask.dataobj)
    send = f"{url}/mask/upload?seen=0"
    assert "no reason" in client.post(send, content=_pack(values, mask)).text
    for wrong, found in (
        (_pack(values * 0, mask), "without any muscle"),
        (_pack(values[:-1], mask), "on an image of"),
        (_pack(np.where(values > 0, 77, 0), mask), "labels without a name: 77"),
        (b"hello", "NIfTI"),
    ):
        answer = client.post(f"{send}&reason=trial", content=wrong)
        assert answer.status_code == 422
        assert found in answer.text
    assert client.get(f"{STUDY}/scans/S-nobody/month_3").status_code == 404
    assert not read_readings(small_study).entries


@pytest.mark.parametrize(("page", "key"), [("scans", "imaging"), ("slides", "pathology")])
def test_a_study_without_images_says_how_to_get_some(web, clinic, page, key) -> None:
    answer = web(clinic.folder).get(f"/studies/clinic/{page}")
    assert answer.status_code == 200
    assert f"This study has no {page}" in answer.text
    assert f"<code>{key}:" in answer.text


def test_grades_are_each_readers_own_and_become_a_factor(web, small_study) -> None:
    file = small_study / "study.yaml"
    file.write_text(
        file.read_text().replace("    sequence: dixon\n", "    sequence: dixon\n    grades: {scale: mercuri}\n")
    )
    client = web(small_study)
    url = _find_outlying(client)
    client.post(f"{url}/grades", data={"VL.right": "2", "RF.left": "4", "SA.left": ""})
    client.post(f"{url}/grades", data={"VL.right": "3", "RF.left": "4"})
    page = client.get(url).text
    assert re.search(r'name="VL.right".*?value="3" selected', page, re.DOTALL)
    assert [each.version for each in read_readings(small_study).entries] == [1, 1, 2]
    assert client.post(f"{url}/grades", data={"VL.right": "7"}).status_code == 422
    checked = study.check(file)
    assert checked.images.scans is not None
    measured = imaging.measure(
        checked.study, checked.images.scans, code=study.scan_code(), cache=study.open_cache(checked.study)
    )
    patient, visit = url.split("/")[-2:]
    frame = measured.tables[0].frame
    row = frame.filter((frame["subject"] == patient) & (frame["visit"] == visit))
    assert row["grade"].to_list() == [3.5]


def test_grades_are_saved_within_the_page_and_never_over_later_ones(web, small_study, tmp_path) -> None:
    file = small_study / "study.yaml"
    file.write_text(
        file.read_text().replace("    sequence: dixon\n", "    sequence: dixon\n    grades: {scale: mercuri}\n")
    )
    client, part = web(small_study), {"hx-request": "true"}
    url = _find_outlying(client)

    def save(seen: str, **grades: str) -> tuple[int, str]:
        answer = client.post(f"{url}/grades", data={"seen": seen, **grades}, headers=part, follow_redirects=False)
        return answer.status_code, answer.text

    def find_seen(text: str) -> str:
        return re.findall(r'name="seen" value="(\d+)"', text.partition('id="grades-card"')[2])[0]

    status, first = save(find_seen(client.get(url).text), **{"VL.right": "2"})
    assert (status, "<html" in first, "Saved." in first) == (200, False, True)
    assert re.search(r'name="VL.right".*?value="2" selected', first, re.DOTALL)
    other = find_seen(first)  # another tab of the same reader
    assert save(find_seen(first), **{"VL.right": "2", "RF.left": "4"})[0] == 200  # again from the same page
    status, text = save(other, **{"VL.right": "1"})
    assert (status, "another version" in text) == (409, True)
    assert save(find_seen(client.get(url).text), **{"VL.right": "1", "RF.left": "9"})[0] == 422  # all or none
    assert [each.content["grade"] for each in read_readings(small_study).entries] == [2, 4]
    mask = _read_mask(client, url, tmp_path)  # grades leave the version of the mask alone
    data = _pack(np.where(np.asarray(mask.dataobj) == 1, 0, np.asarray(mask.dataobj)), mask)
    assert client.post(f"{url}/mask/upload?seen=0&reason=a", content=data, follow_redirects=False).status_code == 303


@pytest.fixture
def scan_page(browser, serve, small_study):
    """Return the page of the second scan, opened from the list."""
    page = browser.new_page()
    address = serve(small_study)
    page.goto(address)
    page.goto(f"{address.partition('/?')[0]}{STUDY}/scans")
    page.locator("tbody a[href*='/scans/S-']").nth(1).click()
    page.wait_for_selector("#scan[data-ready=yes]")
    yield page
    page.close()


def test_the_picture_that_stands_first_is_what_the_viewer_then_shows(scan_page, wait_for) -> None:
    page = scan_page

    def photograph() -> NDArray[np.int16]:
        data = page.locator(".stage").screenshot()
        return np.asarray(Image.open(io.BytesIO(data)).convert("RGB"), np.int16)

    viewed = photograph()
    shown = (viewed > 40).any(axis=2)  # the legs
    page.select_option("#image", "water")
    wait_for(lambda: np.median(np.abs(photograph() - viewed).max(axis=2)[shown]) > 50)
    page.select_option("#image", "fat fraction")
    wait_for(lambda: np.array_equal(photograph(), viewed))
    page.evaluate("document.getElementById('scan').dataset.ready = 'no'")
    first = photograph()
    apart = np.abs(viewed - first).max(axis=2)
    assert 0.05 < shown.mean() < 0.9
    assert np.quantile(apart[shown], 0.9) < 22  # but for the cursor's lines and the edges of voxels
    assert np.median(apart[shown]) < 5
    assert np.median(np.abs(first[:, ::-1] - viewed).max(axis=2)[shown]) > 10  # not so if it were turned


@pytest.mark.slow
def test_the_next_scan_takes_the_same_viewer_and_nothing_drawn_is_lost(scan_page, wait_for) -> None:
    page = scan_page

    def read_shown() -> tuple[str, str]:
        page.wait_for_selector("#scan[data-ready=yes]")
        return page.inner_text("h1"), page.evaluate("document.getElementById('scan').dataset.mark ?? ''")

    first, _ = read_shown()
    page.evaluate("document.getElementById('scan').dataset.mark = 'the same'")
    asked: list[str] = []
    page.on("dialog", lambda dialog: (asked.append(dialog.message), dialog.dismiss()))
    way = "#next-scan" if page.locator("#next-scan").count() else "#previous-scan"
    page.locator(way).focus()
    page.keyboard.press("Enter")
    wait_for(lambda: page.inner_text("h1") != first)
    second, mark = read_shown()
    assert (second != first, mark) == (True, "the same")
    page.go_back()
    wait_for(lambda: page.inner_text("h1") == first)
    assert read_shown() == (first, "the same")
    page.locator("#editing summary").click()
    page.select_option("#muscle", "1")
    page.locator("[data-do=grow]").click()
    assert "differ" in page.inner_text("#edited")
    page.locator(way).click()
    page.go_forward()
    wait_for(lambda: page.inner_text("h1") == first and len(asked) == 2)
    assert "differ" in page.inner_text("#edited")


@pytest.mark.slow
def test_what_is_saved_late_does_not_bring_back_the_page_that_was_left(scan_page) -> None:
    page = scan_page
    held, said = [], []
    page.route("**/mask/upload*", lambda route: held.append(route))  # noqa: PLW0108 - playwright marks its handlers
    page.on("pageerror", lambda error: said.append(str(error)))
    page.on("dialog", lambda dialog: dialog.accept())
    page.locator("#editing summary").click()
    page.select_option("#muscle", "1")
    page.locator("[data-do=grow]").click()
    page.fill("#reason", "a leak")
    with page.expect_request("**/mask/upload*"):
        page.locator("#keep").click()
    page.locator("nav.pages").get_by_role("link", name="Readers", exact=True).click()
    page.locator("h1", has_text="Readers").wait_for()
    with page.expect_response("**/mask/upload*"):
        held[0].fulfill(status=422, body="<p>refused</p>")
    page.wait_for_timeout(500)
    assert (page.inner_text("h1"), page.inner_text("#messages"), said) == ("Readers", "", [])
