"""The papers behind the methods: citations in the text, the reference list in APA style, and files for other programs.

Convention: the entries are CSL-JSON (``references.json`` of this package); a citation names their ``id``.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping, Sequence
from functools import cache
from importlib import resources
from typing import Any

from rarefactor.report._words import Words
from rarefactor.report.tree import Citation, Reference, Runs, Text
from rarefactor.spec import upper_first

Entry = Mapping[str, Any]
_WORDS = Words("bibliography")
_RIS_TYPES = {"article-journal": "JOUR", "thesis": "THES", "report": "RPRT", "software": "COMP"}
_BIBTEX_TYPES = {"article-journal": "article", "thesis": "phdthesis", "report": "misc", "software": "software"}
_MOST_NAMED = 20  # of more authors APA style names the first 19 and the last


@cache
def read_bibliography() -> Mapping[str, Entry]:
    """Return the entries of the package by id."""
    text = resources.files("rarefactor.report").joinpath("references.json").read_text(encoding="utf-8")
    return {entry["id"]: entry for entry in json.loads(text)}


def cite(*keys: str) -> Citation:
    """Return a citation in APA style.

    Examples
    --------
    >>> cite("firth1993", "heinze2002").text
    '(Firth, 1993; Heinze & Schemper, 2002)'
    """
    entries = sorted((read_bibliography()[key] for key in keys), key=_sort_key)
    text = "; ".join(f"{_names_in_text(entry)}, {read_year(entry)}" for entry in entries)
    return Citation(f"({text})", tuple(entry["id"] for entry in entries))


def tabulate_references(keys: Sequence[str]) -> tuple[Reference, ...]:
    """Return the reference list for some ids, in the order of APA style."""
    entries = sorted((read_bibliography()[key] for key in keys), key=_sort_key)
    return tuple(Reference(key=entry["id"], runs=format_apa(entry), url=_url(entry)) for entry in entries)


def format_apa(entry: Entry) -> Runs:
    """Return an entry in APA style (7th edition), its link apart.

    Examples
    --------
    >>> "".join(run.text for run in format_apa(read_bibliography()["firth1993"]))
    'Firth, D. (1993). Bias reduction of maximum likelihood estimates. Biometrika, 80(1), 27–38.'
    """
    year = read_year(entry) or _WORDS.text("no_date")
    if entry["type"] in {"report", "software"}:
        return _apa_report(entry, year)
    lead = f"{_authors(entry)} ({year}). "
    if entry["type"] == "thesis":
        return (Text(lead), Text(entry["title"], "emphasis"), Text(f" [{entry['genre']}]. {entry['publisher']}."))
    issue = f"({entry['issue']})" if "issue" in entry else ""
    pages = f", {_article_or_pages(entry['page'])}" if "page" in entry else ""
    return (
        Text(f"{lead}{entry['title']}. "),
        Text(f"{entry['container-title']}, {entry['volume']}", "emphasis"),
        Text(f"{issue}{pages}."),
    )


def _apa_report(entry: Entry, year: str) -> Runs:
    """A work that stands for itself; without an author its title comes first."""
    genre = _WORDS.text("software") if entry["type"] == "software" else upper_first(entry["genre"])
    version = f" {_WORDS.text('version', version=entry['version'])}" if "version" in entry else ""
    title = Text(entry["title"], "emphasis")
    if not entry.get("author"):
        return (title, Text(f"{version} [{genre}]. ({year})."))
    return (Text(f"{_ended(_authors(entry))} ({year}). "), title, Text(f"{version} [{genre}]."))


def write_csl(keys: Sequence[str]) -> bytes:
    """Return the entries as CSL-JSON."""
    entries = [read_bibliography()[key] for key in keys]
    return (json.dumps(entries, ensure_ascii=False, indent=2) + "\n").encode()


def write_bibtex(keys: Sequence[str]) -> bytes:
    """Return the entries as BibTeX, in UTF-8."""
    return "\n".join(format_bibtex(read_bibliography()[key]) for key in keys).encode()


def write_ris(keys: Sequence[str]) -> bytes:
    """Return the entries as RIS, in UTF-8."""
    return "\r\n".join(format_ris(read_bibliography()[key]) for key in keys).encode()


def format_bibtex(entry: Entry) -> str:
    """Return an entry as BibTeX."""
    fields = {
        "author": " and ".join(_bibtex_name(author) for author in _people(entry)),
        "title": f"{{{entry['title']}}}",
        "journal": entry.get("container-title"),
        "school": entry.get("publisher"),
        "year": read_year(entry),
        "volume": entry.get("volume"),
        "number": entry.get("issue", "").replace("–", "--"),
        "pages": entry.get("page", "").replace("–", "--"),
        "doi": entry.get("DOI"),
        "version": entry.get("version"),
        "note": upper_first(entry.get("genre", "")) if entry["type"] == "report" else None,
    }
    lines = "".join(f"  {name} = {{{value}}},\n" for name, value in fields.items() if value)
    return f"@{_BIBTEX_TYPES[entry['type']]}{{{entry['id']},\n{lines}}}\n"


def _bibtex_name(author: Mapping[str, str]) -> str:
    return f"{{{author['literal']}}}" if "literal" in author else f"{author['family']}, {author['given']}"


def format_ris(entry: Entry) -> str:
    """Return an entry as RIS."""
    first, _, last = entry.get("page", "").partition("–")
    fields = [
        ("TY", _RIS_TYPES[entry["type"]]),
        ("ID", entry["id"]),
        *(
            ("AU", author.get("literal") or f"{author['family']}, {author['given']}")
            for author in entry.get("author", ())
        ),
        ("PY", read_year(entry)),
        ("TI", entry["title"]),
        ("T2", entry.get("container-title")),
        ("PB", entry.get("publisher")),
        ("VL", entry.get("volume")),
        ("IS", entry.get("issue")),
        ("SP", first),
        ("EP", last),
        ("DO", entry.get("DOI")),
    ]
    return "".join(f"{tag}  - {value}\r\n" for tag, value in fields if value) + "ER  - \r\n"


def _people(entry: Entry) -> Sequence[Mapping[str, str]]:
    return entry.get("author", ())


def _authors(entry: Entry) -> str:
    names = [
        author.get("literal") or f"{author['family']}, {_initials(author['given'])}"
        for author in entry.get("author", ())
    ]
    if len(names) > _MOST_NAMED:
        return f"{', '.join(names[: _MOST_NAMED - 1])}, … {names[-1]}"
    return ", & ".join(part for part in (", ".join(names[:-1]), names[-1] if names else "") if part)


def _initials(given: str) -> str:
    """Return given names as initials, as they are where they are so already.

    Examples
    --------
    >>> _initials("Jean-Luc Marie"), _initials("K. S., Jr.")
    ('J.-L. M.', 'K. S., Jr.')
    """
    if "." in given:
        return given
    return " ".join("-".join(f"{part[:1].upper()}." for part in name.split("-")) for name in given.split())


def _names_in_text(entry: Entry) -> str:
    names = [author.get("literal") or author["family"] for author in entry["author"]]
    if len(names) > 2:
        return _WORDS.text("and_others", first=names[0])
    return " & ".join(names)


def _article_or_pages(page: str) -> str:
    """APA calls the number of an electronic article by name; a bare number or ``e`` and a number is one."""
    return page if "–" in page else _WORDS.text("article", number=page)


def read_year(entry: Entry) -> str:
    """Return the year of an entry, empty where it has none."""
    return str(entry["issued"]["date-parts"][0][0]) if "issued" in entry else ""


def read_doi(entry: Entry) -> str:
    """Return the DOI of an entry, empty where it has none."""
    return entry.get("DOI", "")


def sort_entries(entries: Iterable[Entry]) -> list[Entry]:
    """Return entries in the order of APA style."""
    return sorted(entries, key=_sort_key)


def _url(entry: Entry) -> str:
    return f"https://doi.org/{entry['DOI']}" if "DOI" in entry else ""


def _sort_key(entry: Entry) -> tuple[str, str]:
    return _authors(entry).casefold(), read_year(entry)


def _ended(names: str) -> str:
    return names if names.endswith(".") else f"{names}."
