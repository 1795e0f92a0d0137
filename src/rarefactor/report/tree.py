"""The document as a tree of our own: what every writer must be able to show, and nothing more.

Convention: a tree is frozen and holds finished text; a number carries the id of the row of ``results.json`` that it
shows. Lengths are in millimetres. A writer decides fonts, colours and pages, never words.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Literal

_TALLEST_MM = 225.0  # what A4 and Letter leave beside a caption
Align = Literal["left", "right", "center"]
Rules = Literal["three", "groups", "rows"]
"""The rules of tables: above, below and under the head; also between groups of rows; also between rows."""


@dataclass(frozen=True, slots=True)
class Text:
    """Words, plain or with a style."""

    text: str
    style: Literal["plain", "emphasis", "strong", "code", "superscript"] = "plain"


@dataclass(frozen=True, slots=True)
class Number:
    """A number as it is shown, and the row of ``results.json`` that it comes from; ``kind`` sets P values apart."""

    text: str
    row: str
    kind: Literal["value", "p"] = "value"


@dataclass(frozen=True, slots=True)
class Citation:
    """A citation in the text: ``text`` in APA style, ``keys`` the references that it points to."""

    text: str
    keys: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Link:
    """Words that lead to another place: ``target`` is ``section-``, ``table-`` or ``figure-`` and its name."""

    text: str
    target: str


Inline = Text | Number | Citation | Link
Runs = tuple[Inline, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Heading:
    """A heading; ``anchor`` is its name for links, ``ask`` what a human must add below it (as for a paragraph)."""

    text: str
    anchor: str
    level: int = 1
    ask: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Paragraph:
    """A paragraph of running text; ``ask`` says what a human must add here, as a comment where a format has them."""

    runs: Runs
    ask: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Bullets:
    """A list whose items are paragraphs; ``title`` says what it lists, empty where the heading does."""

    items: tuple[Runs, ...]
    title: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Cell:
    """A cell of a table that spans ``span`` columns."""

    runs: Runs = ()
    align: Align = "left"
    span: int = 1


@dataclass(frozen=True, slots=True, kw_only=True)
class Row:
    """A row of a table: ``head`` opens a group, ``level`` is indented below it."""

    cells: tuple[Cell, ...]
    kind: Literal["body", "head", "level"] = "body"


@dataclass(frozen=True, slots=True, kw_only=True)
class Table:
    """A table with its caption, header rows (repeated on every page), footnotes, relative column widths and rules."""

    name: str
    number: int
    caption: str
    header: tuple[Row, ...]
    rows: tuple[Row, ...]
    widths: tuple[float, ...]
    footnotes: tuple[Runs, ...] = ()
    rules: Rules = "three"


@dataclass(frozen=True, slots=True, kw_only=True)
class Figure:
    """A figure as vector and bitmap picture, with caption and a text for those who cannot see it."""

    name: str
    number: int
    caption: Runs
    alt: str
    svg: bytes
    png: bytes
    width_mm: float
    height_mm: float

    @property
    def shown_width_mm(self) -> float:
        """The width on a page: a figure that is taller than a page is made smaller."""
        return self.width_mm * min(1.0, _TALLEST_MM / self.height_mm)


@dataclass(frozen=True, slots=True, kw_only=True)
class Note:
    """A remark that a reader must see beside the numbers."""

    items: tuple[Runs, ...]
    title: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Reference:
    """An entry of the reference list; ``url`` is the DOI as a link."""

    key: str
    runs: Runs
    url: str = ""


Block = Heading | Paragraph | Bullets | Table | Figure | Note | Reference


@dataclass(frozen=True, slots=True, kw_only=True)
class Origins:
    """Patients and images behind the numbers of a document, each list once.

    ``rows`` gives for a row id the name of its patients in ``sets`` (or a patient's own id) and what of the images it
    is about; ``images`` gives for that, and for each patient, the names of the files.
    """

    rows: Mapping[str, tuple[str, tuple[str, ...]]] = field(default_factory=dict[str, tuple[str, tuple[str, ...]]])
    sets: Mapping[str, tuple[str, ...]] = field(default_factory=dict[str, tuple[str, ...]])
    images: Mapping[str, Mapping[str, tuple[str, ...]]] = field(
        default_factory=dict[str, Mapping[str, tuple[str, ...]]]
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class Document:
    """A whole report. ``details`` says for each row id that the document shows what stands behind it.

    ``origins`` says whose values and images these are. ``notice`` is what every page has to say, such as that the
    patients were made.
    """

    title: str
    subtitle: str
    byline: str
    blocks: tuple[Block, ...]
    notice: str = ""
    details: Mapping[str, Mapping[str, str]] = field(default_factory=dict[str, Mapping[str, str]])
    origins: Origins = field(default_factory=Origins)

    def tables(self) -> tuple[Table, ...]:
        """Return the tables in their order."""
        return tuple(block for block in self.blocks if isinstance(block, Table))

    def figures(self) -> tuple[Figure, ...]:
        """Return the figures in their order."""
        return tuple(block for block in self.blocks if isinstance(block, Figure))

    def runs(self) -> Iterator[Inline]:
        """Return every run of the document, in reading order."""
        for block in self.blocks:
            yield from _runs(block)


def text_of(runs: Iterable[Inline]) -> str:
    """Return the words of some runs without their styles.

    Examples
    --------
    >>> text_of((Text("OR "), Number("2.10", row="multivariable/m/age/firth/odds_ratio")))
    'OR 2.10'
    """
    return "".join(run.text for run in runs)


def _runs(block: Block) -> Iterator[Inline]:
    if isinstance(block, Paragraph | Reference):
        yield from block.runs
    elif isinstance(block, Bullets | Note):
        for item in block.items:
            yield from item
    elif isinstance(block, Figure):
        yield from block.caption
    elif isinstance(block, Table):
        for row in (*block.header, *block.rows):
            for cell in row.cells:
                yield from cell.runs
        for footnote in block.footnotes:
            yield from footnote
