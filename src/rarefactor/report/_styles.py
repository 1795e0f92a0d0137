"""References in the styles of Vancouver (NLM, ICMJE) and AMA (11th edition), beside APA in the bibliography.

Convention: names are family name and initials without points; journals are abbreviated as the NLM catalogue does
(``journals.json``), a journal that is not in it stays whole. Styles differ in who is named (six authors and et al.; all
of six, else three and et al.), in the pages (27-38, 2409-19; 2409-2419) and in what is in italics.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Mapping
from functools import cache
from importlib import resources
from typing import Any, Literal

from rarefactor.report._bibliography import format_apa, read_doi, read_year
from rarefactor.report._words import Words
from rarefactor.report.tree import Runs, Text
from rarefactor.spec import upper_first

_WORDS = Words("styles")
Entry = Mapping[str, Any]
Style = Literal["apa", "vancouver", "ama"]


def format_reference(entry: Entry, style: Style) -> Runs:
    """Return an entry in a style, its DOI at the end.

    Examples
    --------
    >>> from rarefactor.report._bibliography import read_bibliography
    >>> entry = read_bibliography()["heinze2002"]
    >>> for style in ("apa", "vancouver", "ama"):
    ...     print("".join(run.text for run in format_reference(entry, style)))
    Heinze, G., & Schemper, M. (2002). A solution to the problem of separation in logistic regression. Statistics in Medicine, 21(16), 2409–2419. https://doi.org/10.1002/sim.1047
    Heinze G, Schemper M. A solution to the problem of separation in logistic regression. Stat Med. 2002;21(16):2409-19. doi: 10.1002/sim.1047
    Heinze G, Schemper M. A solution to the problem of separation in logistic regression. Stat Med. 2002;21(16):2409-2419. doi:10.1002/sim.1047
    """  # noqa: E501 - a reference is one line
    return _STYLES[style](entry)


def _apa(entry: Entry) -> Runs:
    doi = read_doi(entry)
    return (*format_apa(entry), *((Text(f" https://doi.org/{doi}"),) if doi else ()))


def _vancouver(entry: Entry) -> Runs:
    doi, year = read_doi(entry), read_year(entry) or _WORDS.text("date_unknown")
    lead = f"{_names(entry, most=6, shown=6)}. " if entry.get("author") else ""
    title = str(entry["title"])
    if entry["type"] == "article-journal":
        pages = f":{_short_pages(entry['page'])}" if "page" in entry else ""
        text = f"{lead}{_ended(title)} {_journal(entry)}. {year};{_volume(entry)}{pages}."
    else:
        text = f"{lead}{title} [{_kind(entry)}].{_version(entry)} {_published(entry, year)}."
    return (Text(text), *((Text(f" doi: {doi}"),) if doi else ()))


def _ama(entry: Entry) -> Runs:
    doi, year = read_doi(entry), read_year(entry)
    lead = f"{_names(entry, most=6, shown=3)}. " if entry.get("author") else ""
    end = (Text(f" doi:{doi}"),) if doi else ()
    title = str(entry["title"])
    if entry["type"] == "article-journal":
        pages = f":{entry['page'].replace('–', '-')}" if "page" in entry else ""
        where = Text(f"{_journal(entry)}.", "emphasis")
        return (Text(f"{lead}{_ended(title)} "), where, Text(f" {year};{_volume(entry)}{pages}."), *end)
    kind = _kind(entry)
    published = _published(entry, year)
    told = f" {upper_first(kind)}.{_version(entry)}" + (f" {published}." if published else "")
    return (Text(lead), Text(_ended(title), "emphasis"), Text(told), *end)


_STYLES: Mapping[str, Callable[[Entry], Runs]] = {"apa": _apa, "vancouver": _vancouver, "ama": _ama}


def _names(entry: Entry, *, most: int, shown: int) -> str:
    names = [_name(author) for author in entry["author"]]
    return ", ".join(names if len(names) <= most else [*names[:shown], _WORDS.text("others")])


def _name(author: Mapping[str, str]) -> str:
    if "literal" in author:
        return author["literal"]
    given, _, suffix = author["given"].partition(", ")
    initials = "".join(re.findall(r"(?:^|[\s.\-])(\w)", given)).upper()
    return " ".join(part for part in (author["family"], initials, suffix.rstrip(".")) if part)


def _short_pages(pages: str) -> str:
    """Return a range whose end holds only the digits that differ.

    Examples
    --------
    >>> _short_pages("2409–2419"), _short_pages("27–38"), _short_pages("i1981"), _short_pages("S10–S19")
    ('2409-19', '27-38', 'i1981', 'S10-S19')
    """
    first, _, last = pages.partition("–")
    if not last:
        return first
    if first.isdigit() and len(first) == len(last):
        same = next((place for place, pair in enumerate(zip(first, last, strict=True)) if pair[0] != pair[1]), 0)
        last = last[same:]
    return f"{first}-{last}"


def _volume(entry: Entry) -> str:
    issue = entry.get("issue", "").replace("–", "-")
    return f"{entry.get('volume', '')}" + (f"({issue})" if issue else "")


def _kind(entry: Entry) -> str:
    kinds = _WORDS.names("kinds")
    return str(kinds.get(entry["type"], entry.get("genre", _WORDS.text("report"))))


def _version(entry: Entry) -> str:
    return f" {_WORDS.text('version', version=entry['version'])}" if "version" in entry else ""


def _published(entry: Entry, year: str) -> str:
    return "; ".join(part for part in (entry.get("publisher", ""), year) if part)


def _journal(entry: Entry) -> str:
    title = str(entry["container-title"])
    return _abbreviations().get(title, title)


@cache
def _abbreviations() -> Mapping[str, str]:
    return json.loads(resources.files("rarefactor.report").joinpath("journals.json").read_text(encoding="utf-8"))


def _ended(title: str) -> str:
    return title if title[-1] in ".?!" else f"{title}."
