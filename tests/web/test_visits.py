"""Visits, windows and rules of eligibility on their page."""

import re

import pytest

from rarefactor import spec
from rarefactor.work import hash_file


@pytest.fixture
def page(web, clinic):
    client = web(clinic.folder)

    class Page:
        url = f"/studies/{clinic.folder.name}/visits"
        study = property(lambda _: spec.load(clinic.study))

        def get(self, path: str = ""):
            return client.get(self.url + path)

        def send(self, path: str = "", **fields):
            body = {"version": hash_file(clinic.study), **fields}
            return client.post(self.url + path, data=body, follow_redirects=False)

    return Page()


def test_a_narrower_window_leaves_patients_outside_and_they_are_counted(page) -> None:
    assert "lie in no window" not in page.get().text
    visit = {"old": "month_12", "month": "12", "low": "11,9", "high": "12.1", "event": "year", "label": ""}
    assert page.send(**visit).status_code == 303
    assert page.study.cohort.visits["month_12"].window == (11.9, 12.1)
    row = re.search(r'<th scope="row">month 12</th>.*?</tr>', page.get().text, re.DOTALL)[0]
    had, every = map(int, re.search(r"(\d+) of (\d+)", row).groups())
    outside = int(re.findall(r'<td class="right">(\d+)</td>', row)[-1])
    assert outside > 0
    assert had + outside == every


def test_a_window_without_its_month_is_refused_with_what_was_typed(page) -> None:
    answer = page.send(old="month_12", month="12", low="13", high="15", event="year", label="A year")
    assert answer.status_code == 422
    assert "a window that holds the nominal month 12" in answer.text
    assert 'value="A year"' in answer.text
    assert page.study.cohort.visits["month_12"].window == (10, 15)


def test_rules_come_change_and_go_and_the_flow_follows(page) -> None:
    assert page.send("/rule", at="0", name="adult", way="keep", when="age >= 50").status_code == 303
    assert page.send("/rule", at="1", name="old", way="drop", when="age > 80").status_code == 303
    flow = page.get("/flow").text
    assert "not adult" in flow
    assert page.send("/rule", at="0", name="adult", way="drop", when="age < 50").status_code == 303
    assert page.study.cohort.eligibility[0].drop == "age < 50"
    assert page.send("/rule/remove", at="0").status_code == 303
    assert [rule.name for rule in page.study.cohort.eligibility] == ["old"]


def test_a_rule_on_a_column_that_is_not_there_is_refused(page) -> None:
    answer = page.send("/rule", at="0", name="adult", way="keep", when="agee >= 18")
    assert answer.status_code == 422
    assert "Did you mean age?" in answer.text
    assert not page.study.cohort.eligibility


def test_a_visit_that_is_named_elsewhere_stays_and_it_is_told_where(page) -> None:
    answer = page.send("/remove", name="month_12")
    assert answer.status_code == 422
    assert "outcome.refractory.at" in answer.text
    assert "month_12" in page.study.cohort.visits


def test_the_outcome_changes_with_a_condition_that_the_data_hold(page) -> None:
    outcome = {"label": "Refractory", "at": "month_12", "event": "", "no_event": "Responder"}
    answer = page.send("/outcome", **outcome, when="scor < 50")
    assert answer.status_code == 422
    assert "Did you mean score?" in answer.text
    assert 'value="scor &lt; 50"' in answer.text
    assert page.send("/outcome", **outcome, when="score < 50").status_code == 303
    found = page.study.the_outcome
    assert (found.label, found.when, found.event, found.no_event) == ("Refractory", "score < 50", None, "Responder")
