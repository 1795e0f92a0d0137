"""The cards of the analysis, the models beside them, the calculator and the patients, by requests alone."""

import re
import shutil
from collections.abc import Callable
from html import unescape
from pathlib import Path
from typing import Any

import pytest
from starlette.testclient import TestClient

from rarefactor import live, report

QUICK = "analysis:\n  resamples: 8\n  missing: {imputations: 2}\n  design: {data_sets: 4}\n"
ASKED = {"HX-Request": "true"}
URL = "/studies/clinic"


@pytest.fixture(scope="module")
def kept(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("kept") / "results"


@pytest.fixture
def known(clinic: Any, kept: Path, web: Callable[..., TestClient]) -> TestClient:
    """A study whose results are all known; they are computed once."""
    clinic.edit("analysis:\n", QUICK)
    if kept.exists():
        shutil.copytree(kept, clinic.folder / ".rarefactor")
    else:
        live.compute(clinic.study)
        shutil.copytree(clinic.folder / ".rarefactor", kept)
    return web(clinic.folder)


def states(client: TestClient) -> dict[str, str]:
    return {card["name"]: card["state"] for card in client.get(f"{URL}/analysis/state").json()["cards"]}


def version(client: TestClient) -> str:
    return client.get(f"{URL}/analysis/state").json()["version"]


def change(client: TestClient, path: str, **fields: Any) -> Any:
    return client.post(f"{URL}/analysis/{path}", data={"version": version(client), **fields}, headers=ASKED)


def test_a_change_renews_the_cards_that_it_concerns_and_no_others(known: TestClient) -> None:
    assert set(states(known).values()) == {"ready"}
    before = {card["name"]: card["key"] for card in known.get(f"{URL}/analysis/state").json()["cards"]}
    answer = change(known, "models/clinical", factor=["male", "marker"])
    assert 'value="marker" id="tick-clinical-marker" checked' in answer.text
    after = {card["name"]: card["key"] for card in known.get(f"{URL}/analysis/state").json()["cards"]}
    assert states(known)["multivariable"] == states(known)["performance"] == "waiting"
    assert {name for name in before if before[name] == after[name]} >= {"table1", "univariable"}
    assert "imputation" not in before  # nothing that a model needs is missing


def test_a_card_shows_its_section_and_each_number_tells_where_it_comes_from(known: TestClient) -> None:
    card = known.get(f"{URL}/analysis/cards/univariable", headers=ASKED)
    assert card.text.count("<table") == 1
    assert "<html" not in card.text
    assert "style=" not in card.text
    row = "univariable/baseline/age/per_10_years/firth/odds_ratio"
    assert f'data-row="{row}"' in card.text
    origin = known.get(f"{URL}/analysis/origin", params={"row": row}).text
    assert "Firth" in origin
    assert "patients" in origin
    figure = card.text.split('<img class="drawn" src="')[1].split('"')[0]
    assert known.get(figure).text.startswith("<?xml")
    assert known.get(f"{URL}/analysis/cards/nothing").status_code == 404


def test_each_card_shows_what_the_report_shows_from_all_results(known: TestClient, clinic: Any) -> None:
    found = live.read_live(clinic.study)
    results = live.collect_results(found)
    risk = live.build_models(found, results)
    results = live.with_models(results, risk)
    for name in states(known):
        card = known.get(f"{URL}/analysis/cards/{name}", headers=ASKED).text
        whole = report.write_card(name, results, address=str, risk_models=risk.models)
        told = re.sub(r'src="[^"]*"', 'src=""', whole.html).strip()
        assert told in re.sub(r'src="[^"]*"', 'src=""', card), name
        for address in re.findall(r'src="([^"]*/figures/[^"]*)"', card):
            figure = address.split("/")[-1].split(".svg")[0]
            assert known.get(unescape(address)).content == whole.figures[figure], figure


def test_a_card_is_not_drawn_from_what_stands_beside_it_alone(known: TestClient) -> None:
    change(known, "models/clinical", factor=["male", "marker"])
    card = next(each for each in known.get(f"{URL}/analysis/state").json()["cards"] if each["name"] == "multivariable")
    assert (card["state"], card["key"]) == ("waiting", "")


@pytest.mark.parametrize(
    ("path", "fields", "said"),
    [
        ("models/clinical", {}, "a model without a factor"),
        ("models", {"label": "Clinical"}, "two models of this name"),
        ("models", {"label": " "}, "a model without a name"),
        ("settings", {"resamples": "many", "landmark": "baseline"}, "no whole number"),
        ("settings", {"resamples": "9"}, "no landmark"),
        ("roles/age", {"role": "cause"}, "cause"),
    ],
)
def test_a_change_that_cannot_be_is_refused_and_changes_nothing(
    known: TestClient, path: str, fields: dict[str, str], said: str
) -> None:
    before = version(known)
    answer = change(known, path, **fields)
    assert answer.status_code == 422
    assert said in answer.text
    assert version(known) == before


def test_models_and_settings_change_in_the_study_file(known: TestClient, clinic: Any) -> None:
    change(known, "models", label="With marker")
    change(known, "models/with_marker", factor=["male", "marker"])
    change(known, "settings", resamples="12", imputations="2", landmark="baseline")
    change(known, "roles/age", role="marker")
    change(known, "models/clinical/remove")
    text = clinic.study.read_text()
    assert "with_marker: {label: With marker, factors: [male, marker]}" in text
    assert "resamples: 12" in text
    assert "clinical" not in text.split("analysis:")[1]
    assert live.read_live(clinic.study).study.factors["age"].role == "marker"


def test_a_change_made_from_an_earlier_version_is_refused(known: TestClient) -> None:
    seen = version(known)
    change(known, "models/clinical", factor=["male", "marker"])
    late = known.post(f"{URL}/analysis/models/clinical", data={"version": seen, "factor": ["age"]}, headers=ASKED)
    assert late.status_code == 409
    assert "Reload the page" in late.text


def test_a_study_that_needs_mending_says_so_in_place_of_results(known: TestClient, clinic: Any) -> None:
    clinic.edit("from: sex", "from: sexx")
    told = known.get(f"{URL}/analysis/state").json()
    assert told["cards"] == []
    assert "sexx" in told["problems"]
    assert known.get(f"{URL}/analysis").status_code == 200


def test_the_calculator_refuses_a_model_that_is_not_for_patients_unless_for_research(known: TestClient) -> None:
    path, given = f"{URL}/calculator/clinical", {"male": "Yes", "age": "51"}
    refused = known.post(path, data=given, headers=ASKED).text
    assert "risk-number" not in refused
    assert "Tick “For research”" in refused
    answered = known.post(path, data={**given, "research": "yes"}, headers=ASKED).text
    assert "risk-number" in answered
    assert "research only" in answered
    wrong = known.post(path, data={"male": "Yes", "age": "5,1", "research": "yes"}, headers=ASKED).text
    assert 'aria-describedby="h-age e-age" aria-invalid="true"' in wrong
    assert "risk-number" not in wrong
    missing = known.post(path, data={"male": "Yes", "research": "yes"}, headers=ASKED).text
    assert "not given: age" in missing
    assert known.get(f"{path}/nomogram.svg").text.startswith("<?xml")


@pytest.mark.usefixtures("known")
def test_a_factor_is_ticked_and_the_models_renew_in_place(
    clinic: Any, serve: Callable[..., str], browser: Any, watch_grey: Any
) -> None:
    page = browser.new_page()
    page.set_default_timeout(90_000)
    complaints: list[str] = []
    page.on("pageerror", lambda error: complaints.append(str(error)))
    start = serve(clinic.folder)
    page.goto(start)
    page.goto(f"{start.split('/?')[0]}{URL}/analysis")
    page.wait_for_selector("#computing-text:has-text('up to date')")
    number = page.locator("#card-multivariable .n").nth(4)
    number.focus()
    page.keyboard.press("Enter")
    page.wait_for_selector("#origin:popover-open :text('multivariable')")
    page.keyboard.press("Escape")
    assert number.evaluate("each => each === document.activeElement")
    height = page.evaluate("scrollY")
    watch_grey(page)
    page.locator("#tick-clinical-marker").focus()
    page.keyboard.press("Space")
    page.wait_for_function("() => window.greyed.has('card-multivariable')")
    page.wait_for_selector("#card-multivariable:not(.stale) :text('Marker')")
    assert not page.evaluate("window.greyed.has('card-univariable')")
    assert page.locator("#tick-clinical-marker").evaluate("each => each === document.activeElement")
    assert page.evaluate("scrollY") == height
    page.wait_for_selector("#computing-text:has-text('up to date')")
    assert "marker" in clinic.study.read_text().split("clinical:")[1]
    assert not complaints
    page.close()
