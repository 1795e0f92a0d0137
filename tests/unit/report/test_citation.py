"""References in three styles, and the study's own citation."""

import json
from datetime import UTC, datetime
from importlib import resources

import pytest
import yaml

from rarefactor.report import describe_software, describe_study, find_entries, write_citation
from rarefactor.report._bibliography import read_bibliography
from rarefactor.report._citation import write_cff
from rarefactor.spec import Author

CREATED = datetime(2026, 3, 4, tzinfo=UTC)


def cited(key, style):
    return write_citation(find_entries([key]), style, "text").decode().strip()


@pytest.mark.parametrize(
    ("key", "style", "start", "end"),
    [
        (
            "riley2020",
            "vancouver",
            "Riley RD, Ensor J, Snell KIE, Harrell FE, Martin GP, Reitsma JB, et al. Calc",
            None,
        ),
        ("riley2020", "ama", "Riley RD, Ensor J, Snell KIE, et al. Calc", "BMJ. 2020;368:m441. doi:10.1136/bmj.m441"),
        ("puhr2017", "vancouver", "Puhr R,", "predictions? Stat Med. 2017;36(14):2302-17. doi: 10.1002/sim.7273"),
        ("mccarty1985", "ama", "McCarty KS Jr, Miller LS, Cox EB, Konrath J, McCarty KS Sr. Estrogen", None),
        ("mccarty1985", "apa", "McCarty, K. S., Jr., Miller, L. S.,", None),
        ("konis2007", "vancouver", "Konis K. Linear", "models [dissertation]. University of Oxford; 2007."),
        ("aggarwal2017", "apa", "Aggarwal, R., Rider, L. G., Ruperto, N., Bayat, N.,", None),
    ],
)
def test_a_reference_keeps_the_rules_of_its_style(key, style, start, end):
    text = cited(key, style)
    assert text.startswith(start)
    assert text.endswith(end or "")


def test_apa_names_nineteen_authors_and_the_last_of_many():
    names = cited("aggarwal2017", "apa").split(" (2017)")[0]
    assert names.count("., ") == 19
    assert names.endswith("L., … Vencovsky, J.")


def test_every_journal_has_its_abbreviation():
    known = json.loads(resources.files("rarefactor.report").joinpath("journals.json").read_text(encoding="utf-8"))
    assert {entry["container-title"] for entry in read_bibliography().values() if "container-title" in entry} <= set(
        known
    )


@pytest.mark.parametrize(
    ("style", "expected"),
    [
        ("apa", "Zhao, Y., & Müller, J.-L. (2026). Titles: one & two [Study report]."),
        ("vancouver", "Zhao Y, Müller JL. Titles: one & two [study report]. 2026."),
        ("ama", "Zhao Y, Müller JL. Titles: one & two. Study report. 2026."),
    ],
)
def test_a_study_is_cited_by_its_authors_and_the_year_of_its_run(study, style, expected):
    assert write_citation([describe_study(invent(study), CREATED)], style, "text").decode() == f"{expected}\n"


def test_a_study_without_authors_or_a_run_invents_neither(study):
    nobody = study.model_copy(update={"authors": (), "title": "Title"})
    texts = [write_citation([describe_study(nobody)], style, "text").decode() for style in ("apa", "vancouver", "ama")]
    assert texts == [
        "Title [Study report]. (n.d.).\n",
        "Title [study report]. [date unknown].\n",
        "Title. Study report.\n",
    ]


def test_reference_managers_get_the_study_and_the_program(study):
    entries = [describe_study(invent(study), CREATED), describe_software()]
    assert "author = {Zhao, Yawen and Müller, Jean-Luc}" in write_citation(entries, "apa", "bibtex").decode()
    assert write_citation(entries, "apa", "ris").decode().count("ER  - ") == 2
    assert [entry["id"] for entry in json.loads(write_citation(entries, "apa", "csl-json"))] == [study.id, "rarefactor"]


def test_the_citation_file_says_who_and_what(study):
    content = yaml.safe_load(write_cff(invent(study)).decode())
    assert content["title"] == "Titles: one & two"
    assert content["authors"][1] == {
        "family-names": "Müller",
        "given-names": "Jean-Luc",
        "orcid": "https://orcid.org/0000-0002-1825-0097",
    }
    assert yaml.safe_load(write_cff(study.model_copy(update={"authors": ()})).decode())["authors"][0]["name"]


def invent(study):
    authors = (
        Author(family="Zhao", given="Yawen"),
        Author(family="Müller", given="Jean-Luc", orcid="0000-0002-1825-0097"),
    )
    return study.model_copy(update={"authors": authors, "title": "Titles: one & two"})
