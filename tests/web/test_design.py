"""What-if simulations: a question that is not one is refused at its field, an answer is kept."""

import pytest


@pytest.fixture
def page(web, clinic):
    client = web(clinic.folder)
    url = f"/studies/{clinic.folder.name}/design"

    class Page:
        def get(self, **query):
            return client.get(url, params=query).text

        def start(self, **fields):
            return client.post(f"{url}/start", data=fields, follow_redirects=False)

        def open(self, address: str):
            return client.get(address)

    return Page()


@pytest.mark.parametrize(
    ("field", "fields"),
    [
        ("n", {"n": "many"}),
        ("n", {"n": "5"}),
        ("data_sets", {"data_sets": "12.5"}),
        ("odds_ratio", {"factor": "male"}),
        ("odds_ratio", {"odds_ratio": "0"}),
        ("factor", {"factor": "height", "odds_ratio": "3"}),
    ],
)
def test_a_question_that_is_none_is_refused_at_its_field(page, field: str, fields: dict[str, str]) -> None:
    answer = page.start(**fields)
    assert answer.status_code == 422
    assert f'id="error-{field}"' in answer.text
    assert answer.text.count("field-error") == 1


@pytest.mark.slow
def test_an_answer_is_shown_with_its_figure_and_kept(page, wait_for) -> None:
    question = {"n": "80", "data_sets": "10", "factor": "male", "odds_ratio": "3"}
    assert "Nothing is simulated yet" in page.get(**question)
    address = page.start(**question).headers["location"]
    wait_for(lambda: "truly 3" in page.open(address).text, 60)
    shown = page.open(address).text
    assert "Drawn with 80 patients" in shown
    figure = shown.split('src="')[-1].split('"')[0]
    assert page.open(figure).headers["content-type"] == "image/svg+xml"
    assert page.start(**question).headers["location"] == address
    assert "Working" not in page.open(address).text
