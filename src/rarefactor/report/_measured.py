"""The section on what was measured in images: how much of it, and what is doubtful."""

from __future__ import annotations

from collections.abc import Iterator

from rarefactor.report._cells import cell, linked, number, right, runs
from rarefactor.report._muscles import write_muscles
from rarefactor.report._panels import write_panels
from rarefactor.report._pathology import write_pathology
from rarefactor.report._source import Source
from rarefactor.report._words import Words
from rarefactor.report.tree import Block, Heading, Note, Paragraph, Row, Runs, Table, Text
from rarefactor.results import Estimate

_WORDS = Words("measured")
_ORDER = ("refused", "warning", "note")
_FLAGGED = ("scans_flagged", "pairs_flagged", "slides_flagged")
_FILES = {"imaging": "measurements/mri.csv", "pathology": "measurements/ihc.csv"}
_PAIRS, _FOLDER, _SHEET = "measurements/mri_rates.csv", "overlays", "overlays/contact_sheet.png"


def write_measured(source: Source) -> Iterator[Block]:
    """Return the section on measurements in images, empty where the study has none."""
    if not source.study.imaging and not source.study.pathology:
        return
    yield Heading(text=_WORDS.text("heading"), anchor="measurements")
    if source.study.imaging:
        yield Heading(text=_WORDS.text("heading_imaging"), anchor="measured-mri", level=2)
        if source.row("imaging", "scans"):
            yield Paragraph(runs=linked(_counts(source)))
        yield from write_muscles(source)
        for name in source.study.imaging:
            yield from write_panels(source, name, source.pictures)
        yield from _doubts(source, "imaging")
    for name in source.study.pathology:
        yield Heading(text=_WORDS.text("heading_pathology"), anchor=f"measured-{name}", level=2)
        yield from write_pathology(source, name)
        yield from write_panels(source, name, source.pictures)
        yield from _doubts(source, "pathology")


def _doubts(source: Source, analysis: str) -> Iterator[Block]:
    """Yield what is doubtful: the table of flags and the notes."""
    flagged = list_flagged(source, analysis)
    if flagged:
        yield tabulate_flags(flagged, analysis)
    notes = source.notes(analysis, landmark=source.landmarks[0])
    if notes:
        yield Note(title=_WORDS.text(f"notes_{analysis}"), items=tuple(runs(note.text) for note in notes))


def list_flagged(source: Source, analysis: str) -> tuple[Estimate, ...]:
    """Return the flags that scans, pairs of visits or slides carry, the gravest first."""
    found = [row for measure in _FLAGGED for row in source.results.select(analysis=analysis, measure=measure)]
    return tuple(sorted(found, key=lambda row: _ORDER.index(row.flags[0])))


def tabulate_flags(flagged: tuple[Estimate, ...], analysis: str) -> Table:
    """Return the table of flags: how grave, on how many scans, pairs or slides."""
    flag, severity, count, of = _WORDS.items("heads")
    files = {"file": Text(_FILES[analysis], "code"), "pairs": Text(_PAIRS, "code")}
    return Table(
        name=f"{analysis}-flags",
        number=0,
        caption=_WORDS.text(f"flags_{analysis}"),
        header=(Row(cells=(cell(flag), cell(severity), right(count), cell(of))),),
        rows=tuple(_flag_row(row) for row in flagged),
        widths=(44, 18, 14, 24),
        footnotes=(_WORDS.runs(f"footnote_{analysis}", **files),),
    )


def _flag_row(row: Estimate) -> Row:
    flag = (row.group or "").replace("_", " ")
    name = flag[:1].upper() + flag[1:]  # no label: all flags begin with a small letter
    severity, of = _WORDS.names("severity")[row.flags[0]], _WORDS.names("of")[row.measure]
    return Row(cells=(cell(name), cell(severity), right(number(row, str(row.n))), cell(of)))


def _counts(source: Source) -> Iterator[Runs]:
    rows = {name: source.row("imaging", name) for name in ("patients", "scans", "failed", "pairs", "rates")}
    counts = {name: number(row, str(row.n if row else 0)) for name, row in rows.items()}
    yield _WORDS.runs("counts", **counts)
    if rows["pairs"] and rows["pairs"].n:
        yield _WORDS.runs("rates", **counts)
    yield _WORDS.runs("pictures", folder=Text(_FOLDER, "code"), file=Text(_SHEET, "code"))
