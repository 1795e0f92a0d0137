"""Slides in the browser: tiles, a threshold whose numbers follow, regions that the command line leaves out too."""

import io
import json
import re
from pathlib import Path

import numpy as np
import polars as pl
import pytest
from PIL import Image

from rarefactor import study as road
from rarefactor.readings import read_readings

STAIN, CELLS = "BAFF-R", "CD20"
HALF = [[[0, 0], [400, 0], [400, 4000], [0, 4000]]]


def list_slides(client, stain: str) -> list[str]:
    page = client.get("/studies/anm-srp/slides").text
    return re.findall(rf'href="(/studies/anm-srp/slides/S-\w+_baseline_{stain})"', page)


def read_rows(folder: Path) -> pl.DataFrame:
    return pl.read_csv(folder / "out" / "measurements" / "ihc.csv").sort("patient", "stain")


def test_the_list_shows_what_the_run_measured(web, small_study: Path) -> None:
    page = web(small_study).get("/studies/anm-srp/slides").text
    for row in read_rows(small_study).filter(stain=STAIN).iter_rows(named=True):
        cells = re.search(rf"{row['patient']}_baseline_{STAIN}.*?</tr>", page, re.DOTALL)
        assert cells
        assert f">{100 * row['positive_area']:.1f}<" in cells[0]


def test_slides_are_sorted_within_their_stain_and_one_stain_can_be_shown_alone(web, small_study: Path) -> None:
    client = web(small_study)
    address = "/studies/anm-srp/slides"

    def read(query: str) -> list[str]:
        return re.findall(rf'<a href="{address}/(S-\w+_baseline_[\w-]+)"', client.get(f"{address}?{query}").text)

    rows = read_rows(small_study).sort("positive_area", descending=True)
    areas = [f"{row['patient']}_baseline_{row['stain']}" for row in rows.iter_rows(named=True)]
    expected = [[each for each in areas if each.endswith(stain)] for stain in (STAIN, CELLS)]
    assert sorted(map(len, expected)) == [2, 4]
    assert read("sort=area&down=1") in (expected[0] + expected[1], expected[1] + expected[0])
    alone = client.get(f"{address}?stain={CELLS}&sort=area&down=1").text
    assert read(f"stain={CELLS}&sort=area&down=1") == read(f"find={CELLS}&sort=area&down=1") == expected[1]
    assert f'href="{address}?sort=area&amp;stain={CELLS}"' in alone  # turned round again, of the same stain
    assert "1–3 of 3 slides." in alone  # with the control of their run
    assert sorted(read("stain=nothing")) == sorted(areas)


def test_tiles_fit_the_slide_and_overlays_are_transparent(web, small_study: Path) -> None:
    client = web(small_study)
    url = list_slides(client, STAIN)[1]
    page = client.get(url).text
    width, height, last = (int(re.search(rf'data-{name}="(\d+)"', page)[1]) for name in ("width", "height", "last"))
    across, down = (width - 1) // 512, (height - 1) // 512
    tile = client.get(f"{url}/tiles/{last}_{across}_{down}.jpg")
    assert Image.open(io.BytesIO(tile.content)).size == (width - 512 * across, height - 512 * down)
    overlay = client.get(f"{url}/overlays/positive/0.2/{last}_0_0.png")
    shown = np.asarray(Image.open(io.BytesIO(overlay.content)))
    assert shown.shape[2] == 4
    assert (shown[..., 3] == 0).any()
    assert client.get(f"{url}/tiles/{last}_{across + 1}_0.jpg").status_code == 422
    assert client.get(f"{url}/tiles/..%2F..%2Fstudy.yaml.jpg").status_code == 404
    assert client.get(f"{url}/overlays/secret/0.2/{last}_0_0.png").status_code == 404


@pytest.mark.slow
def test_a_region_left_out_changes_that_slide_alone_and_the_command_line_follows(web, small_study: Path) -> None:
    client = web(small_study)
    url = list_slides(client, STAIN)[0]
    patient = re.search(r"S-\w+?(?=_)", url)[0]
    form = {"outlines": json.dumps(HALF), "reason": "a fold", "seen": "0"}
    assert client.post(f"{url}/regions", data={**form, "reason": " "}).status_code == 422
    assert client.post(f"{url}/regions", data=form).status_code == 200
    assert client.post(f"{url}/regions", data=form).status_code == 409  # another tab has not seen version 1
    numbers = client.get(f"{url}/numbers").text
    before = read_rows(small_study)
    road.run(small_study / "study.yaml", small_study / "out")
    after = read_rows(small_study)
    changed = after.filter(pl.col.patient == patient, pl.col.stain == STAIN)
    rest = ~((pl.col.patient == patient) & (pl.col.stain == STAIN))
    assert after.filter(rest).equals(before.filter(rest))
    assert f">{100 * changed['positive_area'][0]:.1f}<" in numbers
    assert f">{changed['tissue_mm2'][0]:.3f}<" in numbers
    assert changed["tissue_mm2"][0] < before.filter(~rest)["tissue_mm2"][0]
    assert client.post(f"{url}/restore", data={"version": "1", "seen": "1"}).status_code == 200
    assert [each.restores for each in read_readings(small_study).entries] == [None, 1]


def test_nothing_counts_as_drawn_before_it_is(web, small_study: Path, monkeypatch) -> None:
    monkeypatch.setattr("rarefactor.web._desk._LOOKED", 1)  # as with more slides than are kept in memory
    client = web(small_study)
    url, other = list_slides(client, STAIN)[:2]
    for asked, outlines, words in ((url, "[]", "Here, 0.30"), (other, "[]", "Here"), (url, "[]", "Here, 0.30")):
        form = {"threshold": "0.3", "outlines": outlines}
        assert words in client.post(f"{asked}/numbers", data=form).text
    assert "As drawn" in client.post(f"{url}/numbers", data={"threshold": "0.3", "outlines": json.dumps(HALF)}).text


def test_a_threshold_is_changed_for_the_stain_with_a_reason(web, small_study: Path) -> None:
    client = web(small_study)
    url, other = list_slides(client, STAIN)[:2]
    version = re.search(r'name="version" value="(\w+)"', client.get(url).text)[1]
    form = {"threshold": "0.3", "version": version}
    assert client.post(f"{url}/threshold", data={**form, "reason": ""}).status_code == 422
    assert (
        client.post(f"{url}/threshold", data={**form, "reason": "weak batch"}, follow_redirects=False).status_code
        == 303
    )
    assert "threshold: 0.3" in (small_study / "study.yaml").read_text()
    assert "0.30" in client.get(other).text  # of every patient
    assert client.post(f"{url}/threshold", data={**form, "reason": "again"}).status_code == 409


def test_a_threshold_is_moved_and_a_region_left_out_by_keyboard(browser, serve, small_study: Path, wait_for) -> None:
    page = browser.new_page()
    address = serve(small_study)
    page.goto(address)
    page.goto(f"{address.partition('/?')[0]}/studies/anm-srp/slides")
    page.locator("tbody a").first.click()
    page.wait_for_selector(".slide-numbers")
    area = page.locator("#area-then")
    before = float(area.inner_text())
    page.locator("#threshold").focus()
    for _ in range(8):
        page.keyboard.press("ArrowRight")
    wait_for(lambda: float(area.inner_text()) < before, 30)
    at = f"Here, {float(page.input_value('#threshold')):.2f}"
    wait_for(lambda: at in page.locator(".slide-numbers thead").inner_text(), 30)  # the newest answer stands last
    tissue = page.locator("#tissue-now").inner_text()
    page.locator("#add-box").focus()
    page.keyboard.press("Enter")
    assert page.evaluate("document.activeElement.id") == "region-0-left"
    wait_for(lambda: page.locator("#tissue-then").inner_text() < tissue, 30)  # as drawn, before it is saved
    assert page.locator("#tissue-now").inner_text() == tissue
    page.locator("#region-reason").fill("a vessel")
    page.keyboard.press("Enter")
    wait_for(lambda: page.locator("#tissue-now").inner_text() < tissue, 30)
    assert "1 region was left out" in page.locator(".slide-flags").inner_text()
    page.close()
