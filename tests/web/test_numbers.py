"""Numbers of the report tell where they come from: by mouse, by keyboard, one stop for the Tab key per table."""

from pathlib import Path
from typing import Any

import pytest

OPEN = "document.getElementById('source').matches(':popover-open')"
ROW = "document.activeElement.dataset.row"


@pytest.fixture
def page(browser: Any, small_study: Path) -> Any:
    made, said = browser.new_page(), []
    made.on("pageerror", lambda error: said.append(str(error)))
    made.goto((small_study / "out" / "report.html").as_uri())
    yield made
    made.close()
    assert said == []


def test_a_number_is_asked_by_mouse_and_by_keyboard(page: Any) -> None:
    number = page.locator("table .n").first
    number.click()
    assert page.evaluate(OPEN)
    assert number.get_attribute("data-row") in page.locator("#source .address").inner_text()
    page.keyboard.press("Escape")
    assert not page.evaluate(OPEN)
    assert page.evaluate(ROW) == number.get_attribute("data-row")
    page.keyboard.press("ArrowRight")
    assert page.evaluate(ROW) != number.get_attribute("data-row")
    page.keyboard.press("Enter")
    assert page.evaluate(OPEN)


def test_a_table_is_one_stop_for_the_tab_key(page: Any) -> None:
    tables = page.locator("table:has(.n)")
    stops = tables.evaluate_all("all => all.map(each => each.querySelectorAll('.n[tabindex=\"0\"]').length)")
    assert stops == [1] * tables.count()
