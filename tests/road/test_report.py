"""The report of a whole run: what it shows is what results.json holds, and nothing that a study cannot know."""

import re
from html import unescape

import pytest

from rarefactor import study
from rarefactor.cli import main
from rarefactor.predict import read_model
from rarefactor.report.format import format_p, format_ratio
from rarefactor.results import read_results

FORBIDDEN = re.compile(r"independent|significan|risk factor", re.IGNORECASE)


@pytest.fixture
def out(clinic):
    study.run(clinic.study, clinic.out)
    return clinic.out


def test_a_report_shows_the_numbers_of_its_run_in_words_that_hold(out, clinic):
    page = (out / "report.html").read_text(encoding="utf-8")
    shown = read_numbers(page)
    ratios = read_results(out / "results.json").select(measure="odds_ratio")
    ratios = [row for row in ratios if row.analysis in {"univariable", "multivariable"}]
    methods = {(row.analysis, row.method) for row in ratios}
    assert methods == {
        *(("univariable", method) for method in ("ml", "firth")),
        *(("multivariable", method) for method in ("ml", "firth", "logf22")),
    }
    for row in ratios:
        assert any(text.startswith(format_ratio(row.estimate)) for text in shown[row.id])
        assert format_p(row.p) in shown[row.id]
    body = page[page.index("<main") : page.index('id="references"')]
    assert not FORBIDDEN.search(re.sub(r"<[^>]+>", " ", body))
    named = [
        path.name for path in out.rglob("*") if path.is_file() and str(clinic.folder).encode() in path.read_bytes()
    ]
    assert named == []
    expect_no_calculator(out, page)


def expect_no_calculator(out, page):
    """60 patients carry no risk model: the report says so, the file is marked, and the command refuses it."""
    assert "These data carry no risk calculator" in page
    model = read_model(out)
    assert (model.use, model.population.n) == ("research only", 60)
    assert model.reasons[0].name == "too_few"
    given = ["predict", str(out), "--set", "male=yes", "--set", "age=50"]
    assert main(given) == 10
    assert main([*given, "--research"]) == 0


def read_numbers(page):
    """The texts of every number of a page by the id of its row."""
    shown = {}
    for row, text in re.findall(r'data-row="([^"]+)">([^<]+)</span>', page):
        shown.setdefault(unescape(row), []).append(unescape(text))
    return shown
