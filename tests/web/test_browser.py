"""The pages in a real browser."""


def test_a_page_opens_without_a_message_of_the_browser(serve, browser, clinic):
    messages = []
    page = browser.new_page()
    page.on("console", lambda message: messages.append(message.text))
    page.on("pageerror", lambda error: messages.append(str(error)))
    page.goto(serve(clinic.folder))
    page.get_by_role("link", name="A small study of invented patients").click()
    assert page.get_by_role("heading", level=1).inner_text() == "Data"
    assert "token" not in page.url
    assert messages == []
    page.close()
