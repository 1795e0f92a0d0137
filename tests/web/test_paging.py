"""Lists in pages: every line on one page, in one order; swapped in place, with the address and the focus kept."""

import pytest

from rarefactor.web._paging import Orders, cut_lines, read_asked

ORDERS = Orders(keys={"size": lambda line: line})


@pytest.mark.parametrize("lines", [0, 1, 50, 51, 100, 544])
def test_each_line_stands_on_one_page_and_every_page_can_be_reached(lines: int) -> None:
    leaf = cut_lines(range(lines), read_asked({}, ORDERS), of=lines)
    pages = [cut_lines(range(lines), leaf.asked.at(number), of=lines) for number in range(1, leaf.pages + 1)]
    assert [line for each in pages for line in each.lines] == list(range(lines))
    assert [(each.first, each.last) for each in pages] == [
        (each.lines[0] + 1, each.lines[-1] + 1) if each.lines else (0, 0) for each in pages
    ]
    for number, each in enumerate(pages, 1):
        offered = set(each.numbers)
        assert {1, number, leaf.pages} <= offered
        assert {max(1, number - 1), min(leaf.pages, number + 1)} <= offered
        assert cut_lines(range(lines), read_asked({"page": str(number)}, ORDERS), of=lines) == each


def test_an_address_says_only_what_is_not_as_usual_and_is_read_as_it_was_written() -> None:
    falling = Orders(keys={**ORDERS.keys, "age": lambda line: line}, falling=True)
    asked = read_asked(
        {"sort": "age", "up": "1", "find": " ä&b ", "page": "3", "stain": "CD 20"}, falling, keep=["stain"]
    )
    assert asked.address == "?sort=age&up=1&find=%C3%A4%26b&stain=CD+20&page=3"
    assert (asked.falling, asked.by("age").falling, asked.by("size").falling) == (False, True, True)
    assert asked.only(stain="").by("size").address == "?find=%C3%A4%26b"
    assert read_asked({"sort": "secret", "page": "9" * 30, "up": "0"}, falling).address == ""


def test_a_list_is_swapped_in_place_and_the_way_back_stays(browser, serve, clinic) -> None:
    clinic.set_column("id", lambda own: f"P-{own}")
    start = serve(clinic.folder)
    page = browser.new_page()
    page.set_default_timeout(20_000)
    page.goto(start)
    page.goto(f"{start.partition('/?')[0]}/studies/clinic/patients")
    page.evaluate("window.same = true")
    page.locator("#page-next").focus()
    page.keyboard.press("Enter")
    page.wait_for_url("**?page=2")
    page.locator("#page-2:focus").wait_for()  # there is no next one
    assert page.inner_text("#found") == "51–60 of 60 patients."
    page.locator("#sort-id").focus()
    page.keyboard.press("Enter")
    page.wait_for_url("**?sort=id&down=1")
    page.locator("#sort-id:focus").wait_for()
    page.locator("#find").press_sequentially("p-05")
    page.locator("#found", has_text="1–10 of 10 that hold “p-05”, of 60").wait_for()
    assert page.locator("tbody th").first.inner_text() == "P-059"  # the order was kept
    assert page.evaluate("document.activeElement.id") == "find"
    assert page.url.endswith("?find=p-05&sort=id&down=1")
    page.go_back()
    page.locator("#found", has_text="51–60 of 60").wait_for()
    assert page.locator("tbody th").first.inner_text() == "P-051"
    assert page.evaluate("window.same")
    page.locator("tbody a").first.click()
    page.wait_for_selector("svg[role=img]")
    page.evaluate("window.same = true")
    page.locator("#next-patient").focus()
    page.keyboard.press("Enter")
    page.locator("h1", has_text="Patient P-052").wait_for()
    page.locator("#next-patient:focus").wait_for()
    assert page.title().startswith("Patient P-052 · ")
    page.go_back()
    page.locator("h1", has_text="Patient P-051").wait_for()
    assert page.evaluate("window.same")
    page.close()
