"""A newcomer's way: a model is changed, a doubtful scan is found and corrected, and the report holds both."""

import json
import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from axe_playwright_python.sync_playwright import Axe
from pypdf import PdfReader

RATE = "multivariable/month_3/course/fat_rate/per_0.5_pp|month/firth/odds_ratio"
WHY = "leaks into the fat under the skin"
WAIT_MS = 180_000


@pytest.fixture
def page(browser: Any, serve: Callable[..., str], small_study: Path) -> Any:
    """Return a window before the folder of studies; what happens in it may raise no error."""
    made, said = browser.new_page(), []
    made.set_default_timeout(WAIT_MS)
    made.on("pageerror", lambda error: said.append(str(error)))
    made.goto(serve(small_study.parent))
    yield made
    made.close()
    assert said == []


def test_a_model_and_a_mask_are_changed_and_the_report_holds_both(
    page: Any, small_study: Path, watch_grey: Any
) -> None:
    before = read_rate(small_study)
    page.get_by_role("link", name="Factors associated with refractory").click()
    add_a_factor(page, watch_grey)
    page.get_by_role("link", name="Scans", exact=True).click()
    page.get_by_role("row").nth(1).filter(has_text="outlying rate").get_by_role("link").press("Enter")
    correct_the_mask(page)
    page.get_by_role("link", name="Report", exact=True).click()
    assert "Up to date" not in page.inner_text("#runs")
    page.get_by_role("button", name="Run again").click()
    page.get_by_text("Up to date").wait_for()
    with page.expect_download() as taken:
        page.get_by_role("link", name="Download the PDF report").click()
    report = " ".join(" ".join(each.extract_text() for each in PdfReader(taken.value.path()).pages).split())
    after = read_rate(small_study)
    assert f"{after:.2f}" != f"{before:.2f}"
    models = report.split("Multivariable models", 1)[1].split("Performance of the models")[0]
    assert f" {after:.2f} (" in models
    assert "Age, per 10 years" in models
    assert "1 scan measured within a mask that a reader has corrected" in report


def add_a_factor(page: Any, watch_grey: Any) -> None:
    """Add a factor to a model: the card of the models greys and comes back with other numbers, others stay."""
    page.get_by_role("link", name="Analysis", exact=True).click()
    page.wait_for_selector("#computing-text:has-text('up to date')")
    watch_grey(page)
    page.check("#tick-clinical-age")
    page.wait_for_function("() => window.greyed.has('card-multivariable')")
    page.wait_for_selector("#card-multivariable:not(.stale) .n.changed")
    assert page.locator("#card-univariable .n.changed").count() == 0


def correct_the_mask(page: Any) -> None:
    """Take the fat out of the regions of a scan by keyboard, see its rate fall; the page shows no barrier."""
    page.wait_for_selector("#scan[data-ready=yes]")
    before = page.inner_text("#thigh-rate")
    page.press("#editing summary", "Enter")
    assert [(rule["id"], rule["nodes"][0]["target"]) for rule in Axe().run(page).response["violations"]] == []
    page.select_option("#muscle", label="all muscles")
    page.press("#everywhere", "Space")
    page.fill("#limit", "60")
    page.press("[data-do=fatty]", "Enter")
    assert "differ" in page.inner_text("#edited")
    page.press("#undo", "Enter")
    assert "Nothing is changed" in page.inner_text("#edited")
    page.focus("#scan")
    for key in ("PageUp", "ArrowLeft", "ArrowUp", "Delete"):
        page.keyboard.press(key)
    page.press("[data-do=fatty]", "Enter")
    page.fill("#reason", WHY)
    page.press("#reason", "Enter")
    page.get_by_text(WHY).first.wait_for()
    page.wait_for_function(
        "before => (document.getElementById('thigh-rate')?.innerText ?? before) !== before", arg=before
    )
    assert float(page.inner_text("#thigh-rate").split()[0]) < float(before.split()[0]) - 3
    assert re.search(r"corrected by .+, version 1", page.inner_text("#numbers"))


def read_rate(folder: Path) -> float:
    """Return the odds ratio of the rate that scans give, as the last run left it."""
    rows = json.loads((folder / "out" / "results.json").read_text(encoding="utf-8"))["rows"]
    return next(row["estimate"] for row in rows if row["id"] == RATE)
