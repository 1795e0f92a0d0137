"""The manners of a journal: how P values, ranges and the rules of tables are printed.

Convention: content is written in the plain manner of :mod:`rarefactor.report.format`; a document is put into the
manner of a journal as a whole, once, when it is finished, and a figure when it is drawn. A P value is rounded from the
row that it comes from, never from what was printed. No number changes but for how it is rounded.
"""

from __future__ import annotations

import dataclasses
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from typing import Any

from rarefactor.report._words import Words
from rarefactor.report.format import EMPTY, format_p, format_p_in_text
from rarefactor.report.tree import Document, Inline, Number, Rules, Table, Text
from rarefactor.results import Estimate

_LEVEL = 0.05  # rounding never moves a P value to the other side of it
_DASH = re.compile(r"(?<=[\d∞])–(?=[\d∞])")
_PRINTED = re.compile(r"\bP ([=<>≤]) (0\.\d+)")
_LETTER = re.compile(r"(?<![\w.-])P(?![\w.’'-])")  # alone, not in P-selectin or in the initials of a name


@dataclass(frozen=True, slots=True, kw_only=True)
class Style:
    """The manners of one journal.

    ``zero``: P has a zero before its point; ``short``: P has two decimals from 0.01 on; ``spaced``: signs stand between
    spaces in the text; ``slanted``: the letter P is in italics; ``joint`` stands between the bounds of a range that has
    no negative one; ``rules`` are those of tables.
    """

    zero: bool = True
    short: bool = True
    spaced: bool = True
    slanted: bool = False
    joint: str = "–"
    rules: Rules = "three"

    def write_p(self, value: float | None) -> str:
        """Return a P value for a table.

        Examples
        --------
        >>> [STYLES["jama"].write_p(value) for value in (0.0349, 0.0496, 0.0042, 0.0002, 0.998)]
        ['.03', '.0496', '.004', '<.001', '>.99']
        >>> STYLES["bmj"].write_p(0.0349), STYLES["plain"].write_p(0.0349)
        ('0.03', '0.035')
        """
        text = _short_p(value) if self.short else format_p(value)
        return text if self.zero else text.replace("0.", ".", 1)

    def write_p_in_text(self, value: float | None) -> str:
        """Return a P value for running text.

        Examples
        --------
        >>> [STYLES[name].write_p_in_text(0.0349) for name in ("plain", "bmj", "jama", "nature")]
        ['P = 0.035', 'P=0.03', 'P = .03', 'P = 0.03']
        """
        text = self.write_p(value)
        return self._put(*((text[0], text[1:]) if text[0] in "<>" else ("=", text)))

    def write_range(self, text: str) -> str:
        """Return words with the ranges in them as the journal prints them.

        Examples
        --------
        >>> STYLES["bmj"].write_range("2.10 (1.45–3.04)"), STYLES["jama"].write_range("−1.0 to 0.5")
        ('2.10 (1.45 to 3.04)', '−1.0 to 0.5')
        """
        return _DASH.sub(self.joint, text)

    def write_words(self, text: str) -> str:
        """Return words with the P values in them, such as a limit, as the journal prints them; no digit changes.

        Examples
        --------
        >>> STYLES["jama"].write_words("Factors with P < 0.10 went on.")
        'Factors with P < .10 went on.'
        """
        return _PRINTED.sub(lambda found: self._put(found[1], found[2] if self.zero else found[2][1:]), text)

    def _put(self, sign: str, value: str) -> str:
        gap = " " if self.spaced else ""
        return f"P{gap}{sign}{gap}{value}"


STYLES: Mapping[str, Style] = {
    "plain": Style(short=False),
    "bmj": Style(spaced=False, joint=Words("words").text("to"), rules="groups"),
    "jama": Style(zero=False, slanted=True, joint="-", rules="rows"),
    "nature": Style(slanted=True),
}
"""What each journal asks for, or prints; ``docs/study-file.md`` names the sources."""


def apply_style(document: Document, style: Style, rows: Mapping[str, Estimate]) -> Document:
    """Return a finished document in the manner of a journal; ``rows`` are the results by their address."""
    if style == STYLES["plain"]:
        return document
    written = _Writer(style, rows)
    return replace(
        document,
        blocks=tuple(written.value(block) for block in document.blocks),
        details={row: written.details(row, details) for row, details in document.details.items()},
    )


@dataclass(frozen=True, slots=True)
class _Writer:
    style: Style
    rows: Mapping[str, Estimate]

    def value(self, value: Any) -> Any:
        """Return a block or a part of one with every run in it put into the manner."""
        if isinstance(value, Inline):
            raise TypeError(value)  # runs are written together: one may become two
        if isinstance(value, tuple):
            return self._items(value)
        if isinstance(value, str):
            return self.style.write_words(value)
        if dataclasses.is_dataclass(value) and not isinstance(value, type):
            names = [field.name for field in dataclasses.fields(value) if field.name not in _NAMES]
            more = {"rules": self.style.rules} if isinstance(value, Table) and value.rules == "three" else {}
            return replace(value, **{name: self.value(getattr(value, name)) for name in names}, **more)
        return value

    def details(self, row: str, details: Mapping[str, str]) -> Mapping[str, str]:
        """Return what stands behind a number, its P value in the manner."""
        found, name = self.rows.get(row), Words("details").names("fields")["p"]
        return {**details, name: self.style.write_p(found.p)} if found and name in details else details

    def _items(self, items: tuple[Any, ...]) -> tuple[Any, ...]:
        if items and all(isinstance(item, Inline) for item in items):
            return tuple(run for item in items for run in self._run(item))
        return tuple(self.value(item) for item in items)

    def _run(self, run: Inline) -> Iterator[Inline]:
        if isinstance(run, Number):
            yield replace(run, text=self._number(run))
        elif isinstance(run, Text) and run.style in {"plain", "strong"}:
            yield from self._text(run)
        else:
            yield run

    def _number(self, run: Number) -> str:
        row = self.rows.get(run.row)
        if row is None or row.p is None:
            return self.style.write_range(run.text)
        if run.kind == "p":
            return self._p(run.text, row.p)
        return self.style.write_range(run.text).replace(format_p_in_text(row.p), self.style.write_p_in_text(row.p))

    def _p(self, text: str, value: float) -> str:
        if text in {format_p(value), EMPTY}:
            return self.style.write_p(value)
        return text if self.style.zero else text.replace("0.", ".", 1)  # a limit, as a paper printed it

    def _text(self, run: Text) -> Iterator[Inline]:
        words = self.style.write_words(run.text)
        if not self.style.slanted:
            yield replace(run, text=words)
            return
        start = 0
        for found in _LETTER.finditer(words):
            yield from (replace(run, text=words[start : found.start()]),) if found.start() > start else ()
            yield Text("P", "emphasis")
            start = found.end()
        yield from (replace(run, text=words[start:]),) if words[start:] or not words else ()


_NAMES = frozenset({"name", "anchor", "key", "url", "svg", "png", "align", "kind", "target", "row", "rules"})


def _short_p(value: float | None) -> str:
    """Return a P value with two decimals from 0.01 on, more where two would print 0.05 for less than that."""
    if value is None or value != value or value < 0.01:  # noqa: PLR0124 - not a number
        return format_p(value)
    if value > 0.99:
        return ">0.99"
    texts = (f"{value:.{decimals}f}" for decimals in (2, 3, 4, 5))
    return next(text for text in texts if (float(text) < _LEVEL) == (value < _LEVEL) or len(text) == 7)
