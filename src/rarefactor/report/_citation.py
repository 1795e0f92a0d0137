"""How others cite a study: as text in three styles, and as files for other programs.

Convention: entries are CSL-JSON. The study is a report by its authors; its year is that of the run, and is left out
where no run is known.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any

from rarefactor import __version__
from rarefactor.report._bibliography import format_bibtex, format_ris, read_bibliography, sort_entries
from rarefactor.report._styles import Style, format_reference
from rarefactor.report._words import Words
from rarefactor.report.tree import text_of
from rarefactor.spec import Author, Study

Entry = Mapping[str, Any]
CITATION = "CITATION.cff"
_WORDS = Words("citation")


def describe_study(study: Study, created: datetime | None = None) -> Entry:
    """Return a study as an entry; ``created`` is the time of its run.

    Examples
    --------
    >>> study = Study.model_validate({
    ...     "id": "pbc", "title": "Progression", "cohort": {"records": "pbc.csv", "subject": "id"},
    ...     "authors": [{"family": "Doe", "given": "Jane"}],
    ...     "outcome": {"progression": {"label": "Progression", "at": "month_12", "when": "bili > 2"}},
    ...     "factors": {"age": {"from": "age", "label": "Age"}},
    ... })
    >>> print(write_citation([describe_study(study)], "apa", "text").decode(), end="")
    Doe, J. (n.d.). Progression [Study report].
    """
    return {
        "id": study.id,
        "type": "report",
        **({"author": [_author(author) for author in study.authors]} if study.authors else {}),
        **({"issued": {"date-parts": [[created.year, created.month, created.day]]}} if created else {}),
        "title": title_study(study),
        "genre": _WORDS.text("genre"),
    }


def describe_software() -> Entry:
    """Return this program as an entry."""
    return {
        "id": "rarefactor",
        "type": "software",
        "author": [{"literal": _WORDS.text("software_authors")}],
        "title": _WORDS.text("software"),
        "version": __version__,
    }


def find_entries(keys: Sequence[str]) -> list[Entry]:
    """Return the entries of some methods in the order of APA style; a key that is not known is left out."""
    known = read_bibliography()
    return sort_entries([known[key] for key in dict.fromkeys(keys) if key in known])


def write_citation(entries: Sequence[Entry], style: Style, form: str) -> bytes:
    """Return entries as ``text`` in a style, or as ``bibtex``, ``ris`` or ``csl-json``, which have none."""
    if form == "csl-json":
        return (json.dumps(list(entries), ensure_ascii=False, indent=2) + "\n").encode()
    if form == "bibtex":
        return "\n".join(format_bibtex(entry) for entry in entries).encode()
    if form == "ris":
        return "\r\n".join(format_ris(entry) for entry in entries).encode()
    numbered = len(entries) > 1 and style != "apa"
    lines = (
        (f"{number}. " if numbered else "") + text_of(format_reference(entry, style))
        for number, entry in enumerate(entries, start=1)
    )
    return ("\n".join(lines) + "\n").encode()


def write_cff(study: Study) -> bytes:
    """Return ``CITATION.cff`` for a study: YAML whose texts are written as in JSON."""
    authors = [_cff_author(author) for author in study.authors]
    nobody = [f"name: {_quoted(_WORDS.text('authors', study=study.id))}"]
    lines = [
        "cff-version: 1.2.0",
        f"message: {_WORDS.text('please_cite')}",
        "type: dataset",
        f"title: {_quoted(title_study(study))}",
        *([f"abstract: {_quoted(study.description)}"] if study.description else []),
        "authors:",
        *(line for author in authors or [nobody] for line in _item(author)),
        "keywords:",
        f"  - {_WORDS.text('keyword')}",
        *([f"  - {_WORDS.text('synthetic_keyword')}"] if study.synthetic else []),
    ]
    return ("\n".join(lines) + "\n").encode()


def title_study(study: Study) -> str:
    """Return the title of a study, which says so where its patients were made."""
    return _WORDS.text("synthetic_title", title=study.title) if study.synthetic else study.title


def _author(author: Author) -> Entry:
    return {"family": author.family, "given": author.given}


def _cff_author(author: Author) -> list[str]:
    lines = [f"family-names: {_quoted(author.family)}", f"given-names: {_quoted(author.given)}"]
    return lines + ([f"orcid: {_quoted(f'https://orcid.org/{author.orcid}')}"] if author.orcid else [])


def _item(lines: Sequence[str]) -> list[str]:
    return [f"  {'- ' if place == 0 else '  '}{line}" for place, line in enumerate(lines)]


def _quoted(text: str) -> str:
    return json.dumps(text, ensure_ascii=False)
