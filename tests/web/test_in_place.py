"""Pages of a study that take each other's place in one document: as if each had been opened by itself."""

import pytest

from rarefactor.web._app import PAGES

STILL = [page.title for page in PAGES if page.title not in {"Analysis", "Report"}]
"""What these show does not change while it is looked at."""


@pytest.fixture
def page(serve, browser, clinic):
    """Return a page of the clinic's study, as a browser shows it; ``page.start`` is the server's address."""
    clinic.set_column("id", lambda own: f"P-{own}")
    start = serve(clinic.folder)
    page = browser.new_page(viewport={"width": 1280, "height": 900}, reduced_motion="reduce")
    page.set_default_timeout(20_000)
    page.start, page.said, page.asked = start, [], []
    page.on("console", lambda message: page.said.append(message.text))
    page.on("pageerror", lambda error: page.said.append(str(error)))
    page.on("request", lambda request: page.asked.append(f"{request.method} {request.url.split('/studies')[-1]}"))
    page.goto(start)
    page.goto(f"{start.partition('/?')[0]}/studies/clinic/data")
    page.evaluate("window.same = true")
    yield page
    page.close()


def follow(page, name):
    """Go to a page of the study by the navigation."""
    page.locator("nav.pages").get_by_role("link", name=name, exact=True).click()
    page.locator(".pages [aria-current]", has_text=name).wait_for()
    page.wait_for_function("!document.body.classList.contains('going')")


def picture(page):
    page.mouse.move(0, 0)
    page.evaluate("document.activeElement.blur()")
    page.wait_for_timeout(600)  # what a page asks for once it stands
    return page.locator("#main").screenshot()


def test_each_page_looks_as_if_it_had_been_opened_by_itself(page):
    seen = {}
    for name in STILL:
        follow(page, name)
    for name in reversed(STILL):
        follow(page, name)
        seen[name] = page.url, page.title(), picture(page)
    assert page.evaluate("window.same")
    for name, (address, title, shown) in seen.items():
        page.goto(address)
        assert (name, page.title()) == (name, title)
        assert picture(page) == shown, name
    assert page.said == []


def test_back_and_forward_give_the_page_and_where_it_was_scrolled_to(page):
    follow(page, "Patients")
    page.evaluate("window.scrollTo(0, 700)")
    page.locator("tbody a").last.evaluate("each => each.click()")
    page.locator("h1", has_text="Patient P-").wait_for()
    assert page.evaluate("[window.scrollY, document.activeElement.id]") == [0, "main"]
    page.go_back()
    page.locator("h1", has_text="Patients").wait_for()
    assert (page.evaluate("window.scrollY"), page.url.endswith("/patients")) == (700, True)
    page.go_forward()
    page.locator("#next-patient, #previous-patient").first.wait_for()
    page.reload()
    assert page.locator("h1").inner_text().startswith("Patient P-")
    page.go_back()
    page.go_back()
    page.locator("h1", has_text="Data").wait_for()


def test_what_a_page_listens_to_ends_with_it(page):
    ended = []
    page.asked.clear()
    page.on("requestfailed", lambda request: ended.append(request.url) if request.url.endswith("/events") else None)
    for name in ("Factors", "Analysis", "Factors", "Study file", "Factors"):
        follow(page, name)
        page.wait_for_timeout(300)
    assert len(ended) == sum("/events" in each for each in page.asked) - 1  # the one of the page that stands
    page.asked.clear()
    page.locator("#edit-age").click()
    page.locator("#factor-form").wait_for()
    assert len([each for each in page.asked if "edit=age" in each]) == 1


def test_what_is_no_page_of_the_frame_is_opened_by_itself(page):
    page.context.clear_cookies()
    page.locator("nav.pages").get_by_role("link", name="Factors", exact=True).click()
    page.get_by_text("no open session").wait_for()
    assert page.evaluate("window.same") is None


def test_a_server_that_is_away_takes_nothing_from_the_page(page, serve):
    follow(page, "Design")
    page.locator("main input").first.fill("7")
    serve.kill(page.start)
    page.locator("nav.pages").get_by_role("link", name="Data", exact=True).click()
    page.get_by_text("The server does not answer").wait_for()
    assert page.locator("main input").first.input_value() == "7"
    assert page.url.endswith("/design")
