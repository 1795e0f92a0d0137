"""The pages of factors and of the study file as a person uses them, by keyboard and by hand."""

import time

import pytest

from rarefactor import spec


@pytest.fixture
def open_page(serve, browser, clinic):
    """Return a function that opens a page of the clinic's study in a tab of its own."""
    start = serve(clinic.folder)
    context = browser.new_context(viewport={"width": 1280, "height": 900})
    context.new_page().goto(start)

    def open_tab(path):
        tab = context.new_page()
        tab.set_default_timeout(60_000)
        tab.add_init_script("addEventListener('htmx:sseOpen', () => { window.listening = true; })")
        tab.goto(start.split("/?")[0] + "/studies/clinic" + path)
        return tab

    yield open_tab
    context.close()


def test_a_factor_is_made_by_keyboard_refused_without_a_reason_and_taken_back(open_page, clinic) -> None:
    before = clinic.study.read_text()
    page = open_page("/factors")
    page.locator("#find").fill("score")
    assert page.locator("#found").inner_text() == "1 of 6 variables"
    page.get_by_role("link", name="Use score").press("Enter")
    page.locator("#f-label:focus").wait_for()
    page.locator("#f-kind").select_option("cut")
    page.locator("#f-threshold").fill("50")
    page.locator("#f-at").select_option("baseline")
    page.locator("#save-factor").press("Enter")
    page.locator("#f-reason:focus").wait_for()
    assert "a cut without a reason" in page.locator("#error-reason").inner_text()
    page.locator("#f-reason").fill("half of the scale")
    page.locator("#save-factor").press("Enter")
    page.locator("#edit-score:focus").wait_for()
    assert 'cut: "<= 50"' in page.locator(".beside .new").inner_text()
    assert spec.load(clinic.study).factors["score"].reason == "half of the scale"
    page.locator("#undo").press("Enter")
    page.get_by_text("Taken back to").wait_for()
    assert clinic.study.read_text() == before


def test_one_change_after_another_from_the_same_page(open_page, clinic) -> None:
    page = open_page("/factors")
    page.evaluate("window.stays = true")
    page.get_by_role("link", name="Edit Marker").press("Enter")
    page.locator("#f-label:focus").wait_for()
    page.locator("#f-label").fill("Of blood")
    page.get_by_role("link", name="Edit Age").press("Enter")
    page.locator("#factor-age #f-label:focus").wait_for()
    assert page.locator("#label-marker").inner_text() == "Marker"
    page.locator("#f-label").fill("Years")
    page.locator("#save-factor").press("Enter")
    page.locator("#edit-age:focus").wait_for()
    assert "label: Years" in page.locator(".beside .new").inner_text()
    page.locator("#up-marker").press("Enter")
    page.locator("#edit-marker:focus").wait_for()
    page.evaluate("for (const id of ['role-marker', 'role-age']) document.getElementById(id).click()")
    page.locator("#markers #factor-age").wait_for()
    page.locator("#adjusters #factor-marker").wait_for()
    assert page.locator("#messages .notice").count() == 0
    assert page.evaluate("window.stays")
    factors = spec.load(clinic.study).factors
    assert {name: each.role for name, each in factors.items()} == {
        "marker": "adjuster",
        "male": "marker",
        "age": "marker",
    }
    assert factors["age"].label == "Years"


def test_variables_and_factors_are_dragged_to_a_role_and_another_tab_hears_of_it(open_page, clinic) -> None:
    other, page = open_page("/factors"), open_page("/factors")
    deadline = time.monotonic() + 60
    while not other.evaluate("window.listening") and time.monotonic() < deadline:
        other.wait_for_timeout(50)
    page.locator('.variable[data-text="score"]').drag_to(page.locator("#zone-adjuster"))
    page.locator("#save-factor").wait_for()
    assert page.locator("#f-role").input_value() == "adjuster"
    page.locator("#cancel-factor").click()
    page.locator("#save-factor").wait_for(state="detached")
    page.locator("#factor-male").drag_to(page.locator("#zone-adjuster"))
    page.locator('[data-role="adjuster"] #factor-male').wait_for()
    assert spec.load(clinic.study).factors["male"].role == "adjuster"
    other.locator("#elsewhere:visible").wait_for()
    other.locator("#remove-marker").click()
    other.locator("#messages .notice").wait_for()
    assert "Reload the page" in other.locator("#messages").inner_text()
    assert "marker" in spec.load(clinic.study).factors


def test_a_mistake_is_told_at_its_line_while_one_types_and_outlives_the_page(open_page, clinic) -> None:
    page = open_page("/file")
    text = page.locator("#text")
    text.fill(text.input_value().replace("role: adjuster", "role: adjustor"))
    link = page.locator("#found .to-line")
    link.wait_for()
    line = int(link.inner_text().split()[-1])
    assert page.locator("#gutter .wrong").inner_text() == str(line)
    link.press("Enter")
    assert page.evaluate("document.activeElement.id") == "text"
    page.reload()
    assert "adjustor" in page.locator("#text").input_value()
    page.locator("#text").fill(page.locator("#text").input_value().replace("adjustor", "marker"))
    page.locator("#found .good").wait_for()
    page.locator("#save-file").click()
    page.get_by_text("Edited the study file").first.wait_for()
    assert spec.load(clinic.study).factors["age"].role == "marker"
