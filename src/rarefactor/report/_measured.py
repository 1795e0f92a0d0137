"""The section on what was measured in images: how much of it, and what is doubtful."""

from __future__ import annotations

from collections.abc import Iterator

from rarefactor.report._cells import cell, number, right, runs
from rarefactor.report._source import Source, upper_first
from rarefactor.report.tree import Block, Heading, Inline, Note, Paragraph, Row, Runs, Table, Text
from rarefactor.results import Estimate

_ORDER = ("refused", "warning", "note")
_SEVERITY = {"refused": "not measured", "warning": "doubtful", "note": "note"}
_OF = {"scans_flagged": "scans", "pairs_flagged": "pairs of visits"}


def write_measured(source: Source) -> Iterator[Block]:
    """Return the section on measurements in images, empty where the study has none."""
    if not source.study.imaging:
        return
    yield Heading(text="Measurements in images", anchor="measurements", level=2)
    if source.row("imaging", "scans"):
        yield Paragraph(runs=_counts(source))
    flagged = list_flagged(source)
    if flagged:
        yield tabulate_flags(flagged)
    notes = source.notes("imaging", landmark=source.landmarks[0])
    if notes:
        yield Note(title="About the scans", items=tuple(runs(note.text) for note in notes))


def list_flagged(source: Source) -> tuple[Estimate, ...]:
    """Return the flags that scans or pairs of visits carry, the gravest first."""
    found = [row for measure in _OF for row in source.results.select(analysis="imaging", measure=measure)]
    return tuple(sorted(found, key=lambda row: _ORDER.index(row.flags[0])))


def tabulate_flags(flagged: tuple[Estimate, ...]) -> Table:
    """Return the table of flags: how grave, on how many scans or pairs."""
    heads = (cell("Flag"), cell("Severity"), right("Number"), cell("of"))
    return Table(
        name="imaging-flags",
        number=0,
        caption="What is doubtful about the measurements in images",
        header=(Row(cells=heads),),
        rows=tuple(_flag_row(row) for row in flagged),
        widths=(44, 18, 14, 24),
        footnotes=(
            runs("Each scan’s flags stand with their reasons in ", Text("measurements/mri.csv", "code"), " and, for "
                 "pairs, in ", Text("measurements/mri_rates.csv", "code"), "."),
        ),
    )  # fmt: skip


def _flag_row(row: Estimate) -> Row:
    name = upper_first((row.group or "").replace("_", " "))
    cells = (cell(name), cell(_SEVERITY[row.flags[0]]), right(number(row, str(row.n))), cell(_OF[row.measure]))
    return Row(cells=cells)


def _counts(source: Source) -> Runs:
    rows = {name: source.row("imaging", name) for name in ("patients", "scans", "failed", "pairs", "rates")}

    def count(name: str) -> Inline:
        row = rows[name]
        return number(row, str(row.n if row else 0))

    parts: list[Inline | str] = [count("scans"), " scans of ", count("patients"), " patients were measured, "]
    parts += [count("failed"), " could not be. "]
    if rows["pairs"] and rows["pairs"].n:
        parts += ["Of ", count("pairs"), " pairs of visits, ", count("rates"), " have a rate. "]
    parts += ["The pictures of every scan and change are in ", Text("overlays", "code"), ", all thighs on one page in "]
    return runs(*parts, Text("overlays/contact_sheet.png", "code"), ".")
