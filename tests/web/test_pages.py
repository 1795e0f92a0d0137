"""Every page, as a browser shows it: no barrier, nothing cut off, nothing on the console, everything by keyboard."""

import pytest
from axe_playwright_python.sync_playwright import Axe

from rarefactor.web._app import PAGES

PATHS = ("/", *(f"/studies/clinic/{page.name}" for page in PAGES))


@pytest.fixture
def look(serve, browser, clinic):
    """Return a function that opens a page of the clinic's study in a window of some width."""
    start = serve(clinic.folder)
    contexts = []

    def open_page(width, scheme):
        context = browser.new_context(
            reduced_motion="reduce", viewport={"width": width, "height": 900}, color_scheme=scheme
        )
        contexts.append(context)
        page = context.new_page()
        page.said = []
        page.on("console", lambda message: page.said.append(message.text))
        page.on("pageerror", lambda error: page.said.append(str(error)))
        page.goto(start)
        page.base = start.split("/?")[0]
        return page

    yield open_page
    for context in contexts:
        context.close()


def list_barriers(page):
    """Return the rules of accessibility that a page breaks, and where."""
    for rule in Axe().run(page).response["violations"]:
        yield rule["id"], [(node["target"], node["failureSummary"]) for node in rule["nodes"]][:3]


@pytest.mark.parametrize(("width", "scheme"), [(360, "light"), (1920, "dark")])
def test_no_page_has_a_barrier_or_is_cut_off(look, width, scheme):
    page = look(width, scheme)
    found = []
    for path in PATHS:
        page.goto(page.base + path)
        found += [(path, "h1")] if page.locator("h1").count() != 1 else []
        found += [(path, "too wide")] if page.evaluate("document.documentElement.scrollWidth") > width else []
        found += [(path, *each) for each in list_barriers(page)]
    assert found == []
    assert page.said == []


def test_the_way_to_a_page_and_a_run_go_by_keyboard(look):
    page = look(1280, "light")
    page.goto(page.base + "/studies/clinic/data")
    page.keyboard.press("Tab")
    assert page.evaluate("document.activeElement.textContent") == "Skip to the content"
    page.keyboard.press("Enter")
    assert page.evaluate("document.activeElement.id") == "main"
    page.locator("nav a").last.focus()
    page.keyboard.press("Enter")
    page.wait_for_url("**/report")
    page.get_by_role("button", name="Run").focus()
    page.keyboard.press("Enter")
    page.locator("#cancel:focus").wait_for()  # the focus stays where the button was
    page.keyboard.press("Enter")
    page.get_by_text("Cancelled. What was finished is kept").wait_for()
    page.locator("#start:focus").wait_for()
