"""The section on what was measured in images: how much of it, and what is doubtful."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from rarefactor.report._cells import cell, number, right, runs
from rarefactor.report._muscles import write_muscles
from rarefactor.report._panels import write_panels
from rarefactor.report._pathology import write_pathology
from rarefactor.report._source import Source, upper_first
from rarefactor.report.tree import Block, Heading, Inline, Note, Paragraph, Row, Runs, Table, Text
from rarefactor.results import Estimate

_ORDER = ("refused", "warning", "note")
_SEVERITY = {"refused": "not measured", "warning": "doubtful", "note": "note"}
_OF = {"scans_flagged": "scans", "pairs_flagged": "pairs of visits", "slides_flagged": "slides"}
_WHAT = {"imaging": "scans", "pathology": "slides"}
_FILES: Mapping[str, tuple[str, tuple[Inline | str, ...]]] = {
    "imaging": ("measurements/mri.csv", (" and, for pairs, in ", Text("measurements/mri_rates.csv", "code"))),
    "pathology": ("measurements/ihc.csv", ()),
}


def write_measured(source: Source) -> Iterator[Block]:
    """Return the section on measurements in images, empty where the study has none."""
    if not source.study.imaging and not source.study.pathology:
        return
    yield Heading(text="Measurements in images", anchor="measurements")
    if source.study.imaging:
        yield Heading(text="Thigh MRI", anchor="measured-mri", level=2)
        if source.row("imaging", "scans"):
            yield Paragraph(runs=_counts(source))
        yield from write_muscles(source)
        for name in source.study.imaging:
            yield from write_panels(source, name, source.pictures)
        yield from _doubts(source, "imaging", "About the scans")
    for name in source.study.pathology:
        yield Heading(text="Stained sections", anchor=f"measured-{name}", level=2)
        yield from write_pathology(source, name)
        yield from write_panels(source, name, source.pictures)
        yield from _doubts(source, "pathology", "About the slides")


def _doubts(source: Source, analysis: str, title: str) -> Iterator[Block]:
    """Yield what is doubtful: the table of flags and the notes."""
    flagged = list_flagged(source, analysis)
    if flagged:
        yield tabulate_flags(flagged, analysis)
    notes = source.notes(analysis, landmark=source.landmarks[0])
    if notes:
        yield Note(title=title, items=tuple(runs(note.text) for note in notes))


def list_flagged(source: Source, analysis: str) -> tuple[Estimate, ...]:
    """Return the flags that scans, pairs of visits or slides carry, the gravest first."""
    found = [row for measure in _OF for row in source.results.select(analysis=analysis, measure=measure)]
    return tuple(sorted(found, key=lambda row: _ORDER.index(row.flags[0])))


def tabulate_flags(flagged: tuple[Estimate, ...], analysis: str) -> Table:
    """Return the table of flags: how grave, on how many scans, pairs or slides."""
    table, more = _FILES[analysis]
    heads = (cell("Flag"), cell("Severity"), right("Number"), cell("of"))
    return Table(
        name=f"{analysis}-flags",
        number=0,
        caption=f"What is doubtful about the {_WHAT[analysis]}",
        header=(Row(cells=heads),),
        rows=tuple(_flag_row(row) for row in flagged),
        widths=(44, 18, 14, 24),
        footnotes=(
            runs("Flags stand beside each measurement in ", Text(table, "code"), *more, "."),
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
