"""The part of the report on stained biopsies: how many, what was measured by outcome, staining runs, readers."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from rarefactor.report._cells import cell, difference, head, number, p_value, right, runs
from rarefactor.report._cox import make_figure
from rarefactor.report._images_plot import Cloud, Range, draw_clouds
from rarefactor.report._muscles import range_of
from rarefactor.report._source import Source, upper_first
from rarefactor.report.format import decimals_for, format_count, format_fixed, format_p_in_text
from rarefactor.report.tree import Block, Cell, Figure, Inline, Paragraph, Row, Runs, Table, Text
from rarefactor.results import Estimate

GROUPS = ("no_event", "event", "outcome_unknown")
_ALL = ("all", "event", "no_event")
_MOST = 9
_AGREEMENT = {
    "icc_agreement": "ICC, absolute agreement",
    "icc_consistency": "ICC, consistency",
    "weighted_kappa": "Weighted kappa",
    "bias": "Mean difference",
    "limit_lower": "Lower limit of agreement",
    "limit_upper": "Upper limit of agreement",
    "spearman": "Spearman’s correlation",
}


def write_pathology(source: Source, name: str) -> Iterator[Block]:
    """Yield sentences, tables and figure of the stained biopsies that the study calls ``name``."""
    counted = source.results.select(analysis="pathology", model=name, measure="slides")
    if counted:
        yield Paragraph(runs=_counts(source, name, [row.term or "" for row in counted]))
    medians = source.results.select(analysis="pathology", model=name, measure="median_value", group="all")
    if medians:
        yield tabulate_stains(source, name, medians)
    clouds = _clouds(source, name)
    if clouds:
        yield _figure(name, clouds)
    sentence = list(_runs(source, name))
    if sentence:
        yield Paragraph(runs=runs(*sentence))
    agreement = [row for row in _rows(source, name) if row.measure in _AGREEMENT]
    if agreement:
        yield _tabulate_agreement(source, agreement)


def _rows(source: Source, name: str) -> tuple[Estimate, ...]:
    return source.results.select(analysis="pathology", model=name)


def _counts(source: Source, name: str, stains: Sequence[str]) -> Runs:
    parts: list[Inline | str] = ["Stained sections, measured slides of patients: "]
    for place, stain in enumerate(stains):
        found = {row.measure: row for row in _rows(source, name) if row.term == stain}
        slides, patients, failed = (found.get(measure) for measure in ("slides", "patients", "failed"))
        parts += ["; " if place else "", f"{stain} ", _count(slides), " of ", _count(patients)]
        if failed and failed.estimate:
            parts += [", ", _count(failed), " of the slides could not be measured"]
        if (controls := found.get("controls")) and controls.estimate:
            parts += [", with ", _count(controls), " control slides"]
    return runs(*parts, ".")


def _count(row: Estimate | None) -> Inline:
    return number(row, format_count(row.estimate if row else None))


def tabulate_stains(source: Source, name: str, medians: Sequence[Estimate]) -> Table:
    """Return the table of each measurement: all patients, and by outcome."""
    visits = dict.fromkeys(row.landmark or "" for row in medians)
    labels = ("All", source.event, source.no_event)
    rows = tuple(_stain_row(source, name, row, several=len(visits) > 1) for row in medians)
    return Table(
        name=f"slides-{name}",
        number=0,
        caption="What was measured in stained sections, by outcome: median (quartiles), patients",
        header=(head("Measurement", *labels),),
        rows=rows,
        widths=(46, 24, 24, 24),
        footnotes=(
            runs(
                "A biopsy is the combination of its slides and regions. Groups are described; the factors that the "
                "study names are compared one by one below."
            ),
        ),
    )


def _stain_row(source: Source, name: str, median: Estimate, *, several: bool) -> Row:
    column, visit = median.term or "", median.landmark or ""
    where = {"model": name, "landmark": visit, "term": column}
    found = [source.row("pathology", "median_value", group=group, **where) for group in _ALL]
    decimals = _decimals(median)
    at = f", {source.visit(visit)}" if several else ""
    return Row(cells=(cell(_label(source, name, column) + at), *(_value(row, decimals) for row in found)))


def _decimals(row: Estimate) -> int:
    spread = (row.high - row.low) / 1.5 if row.high is not None and row.low is not None else None
    return min(3, decimals_for(spread))


def _value(row: Estimate | None, decimals: int) -> Cell:
    return right(difference(row, decimals), f", {format_count(row.n)}" if row else "")


def _label(source: Source, name: str, column: str) -> str:
    quantity = source.results.quantities[f"{name}.{column}"]
    unit = f", {quantity.unit}" if quantity.unit and quantity.unit != "1/mm²" else ""
    return f"{quantity.label}{unit}"


def _clouds(source: Source, name: str) -> tuple[Cloud, ...]:
    """Return the patients' values of each measurement, by outcome."""
    values = source.results.select(analysis="pathology", model=name, measure="value")
    shown = dict.fromkeys((row.landmark or "", row.term or "") for row in values)
    return tuple(_cloud(source, name, visit, column) for visit, column in shown)[:_MOST]


def _cloud(source: Source, name: str, visit: str, column: str) -> Cloud:
    where = {"analysis": "pathology", "model": name, "landmark": visit, "term": column}
    rows = source.results.select(measure="value", **where)
    labels = dict(zip(GROUPS, (source.no_event, source.event, "Not known"), strict=True))
    found: list[tuple[str, tuple[float, ...], Range | None]] = []
    for flag, label in labels.items():
        own = tuple(row.estimate for row in rows if flag in row.flags and row.estimate is not None)
        summary = source.results.select(measure="median_value", group=flag, **where)
        if own:
            found.append((label, own, range_of(next(iter(summary), None))))
    return Cloud(title=_label(source, name, column), groups=tuple(found))


def _figure(name: str, clouds: Sequence[Cloud]) -> Figure:
    caption = runs(
        Text("Measurements in stained sections by outcome. ", "strong"),
        "A ring is a patient; squares are medians, with quartiles as lines. Groups are described, not compared.",
    )
    alt = f"Patients’ values by outcome. {' '.join(_told(cloud) for cloud in clouds)}"
    return make_figure(f"slides-{name}", caption, alt, draw_clouds(clouds))


def _told(cloud: Cloud) -> str:
    parts = [
        f"{label} n = {len(own)}, {format_fixed(own[0], 1)} to {format_fixed(own[-1], 1)}"
        + (f", median {format_fixed(summary.middle, 1)}" if summary else "")
        for label, own, summary in cloud.groups
    ]
    return f"{cloud.title}: {'; '.join(parts)}."


def _runs(source: Source, name: str) -> Iterator[Inline | str]:
    """Say how far the staining runs differ, stain by stain."""
    tests = [row for row in _rows(source, name) if row.measure == "kruskal_wallis"]
    for place, test in enumerate(tests):
        share = source.row("pathology", "share_between_runs", model=name, term=test.term)
        column = test.term or ""
        known = f"{name}.{column}" in source.results.quantities
        what = _label(source, name, column) if known else column.replace("_", " ").replace(".", ", ")
        yield " " if place else ""
        yield f"{upper_first(what)} across staining runs: Kruskal–Wallis H = "
        yield number(test, f"{format_fixed(test.estimate, 2)}, {format_p_in_text(test.p)}")
        yield f" (n = {format_count(test.n)})"
        if share and share.estimate is not None:
            yield "; "
            yield number(share, f"{format_fixed(100 * share.estimate, 0)}%")
            yield " of the variance lies between runs"
        yield "."


def _tabulate_agreement(source: Source, rows: Sequence[Estimate]) -> Table:
    level = f"{100 * source.study.analysis.level:g}% CI"
    body: list[Row] = []
    for title, own in _by_pair(rows):
        body.append(Row(cells=(cell(title, span=4),), kind="head"))
        body += [_agreement_row(row) for row in own]
    return Table(
        name="agreement",
        number=0,
        caption="Agreement of readers with each other, and of the measurement with readers",
        header=(head("Measure", f"Estimate ({level})", "P", "Slides or patients"),),
        rows=tuple(body),
        widths=(44, 26, 12, 18),
        footnotes=(
            runs("ICC, intraclass correlation. Mean differences and limits of agreement are first minus second."),
        ),
    )


def _by_pair(rows: Sequence[Estimate]) -> Iterator[tuple[str, list[Estimate]]]:
    pairs = dict.fromkeys((row.term or "", row.group or "") for row in rows)
    for term, group in pairs:
        yield f"{term.removesuffix('.score')}: {group}", [row for row in rows if (row.term, row.group) == (term, group)]


def _agreement_row(row: Estimate) -> Row:
    cells = (right(difference(row, 2)), right(p_value(row)), right(number(row, format_count(row.n))))
    return Row(cells=(cell(_AGREEMENT[row.measure]), *cells), kind="level")
