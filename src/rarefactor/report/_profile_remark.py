"""The REMARK profile: who was studied, and every analysis that was made, with its patients and events.

Convention: the list of analyses is made from the rows of the results, so that none can be left out; n and events are
the smallest and the largest of its rows, which know where they come from.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from operator import attrgetter

from rarefactor.report._cells import cell, number, right
from rarefactor.report._places import Places
from rarefactor.report._source import Source
from rarefactor.report._summary import flow_number
from rarefactor.report._words import Words
from rarefactor.report.format import EMPTY, format_count
from rarefactor.report.tree import Block, Cell, Heading, Inline, Row, Table, Text
from rarefactor.results import Estimate, FlowStep
from rarefactor.spec import upper_first

Key = tuple[str, str, str]
_ACROSS = {"response", "imaging", "pathology", "evidence"}
_WORDS, _SHARED = Words("profile_remark"), Words("words")
_SHOWN: Mapping[str, tuple[str, ...]] = {  # where the report shows each analysis
    "table1": ("table-table1-{landmark}", "table-table1"),
    "response": ("section-response",),
    "imaging": ("section-measured-mri", "section-measurements"),
    "pathology": ("section-measured-{model}", "section-measurements"),
    "missing": ("figure-missing-{landmark}", "section-missing"),
    "univariable": ("table-univariable-{landmark}",),
    "multivariable": ("table-multivariable-{model}",),
    "imputation": ("figure-imputation-{landmark}", "section-statistical-analysis"),
    "performance": ("table-performance-{model}",),
    "selection": ("table-selection-{landmark}", "section-selection"),
    "risk_model": ("section-risk-model-{model}",),
    "survival": ("section-follow-up-{model}", "section-cox-{model}"),
    "longitudinal": ("table-course-{model}",),
    "rates": ("table-rate-error", "section-rate-error"),
    "sensitivity": ("table-sensitivity-{model}", "section-cox-{model}"),
    "cuts": ("section-cut-points",),
    "evidence": ("table-evidence",),
    "design": ("table-design-{model}",),
}
_ALONE = {"performance": "selection", "longitudinal": "rates", "sensitivity": "cuts"}
_WHOLE: Mapping[str, tuple[str, ...]] = {  # rows on all patients of an analysis, not on a level or a visit
    "table1": ("missing",),
    "missing": ("missing",),
    "response": ("risk",),
    "univariable": ("odds_ratio",),
    "multivariable": ("analysed",),
    "performance": ("auc",),
    "survival": ("patients", "analysed"),
    "longitudinal": ("patients",),
    "sensitivity": ("odds_ratio", "hazard_ratio"),
    "imaging": ("patients",),
    "pathology": ("patients",),
    "evidence": ("odds_ratio",),
}


def profile_remark(source: Source, places: Places, first: int) -> tuple[Block, ...]:
    """Return the two tables of the profile, numbered from ``first``, under their heading."""
    heading = Heading(text=_WORDS.text("heading"), anchor="remark-profile", level=2)
    return heading, _patients(source, first), _analyses(source, places, first + 1)


def list_analyses(source: Source) -> tuple[tuple[Key, tuple[Estimate, ...]], ...]:
    """Return the rows of each analysis: by its name, model and landmark, in the order of the results."""
    found: dict[Key, list[Estimate]] = {}
    for row in source.results.rows:
        landmark = "" if row.analysis in _ACROSS else row.landmark or ""
        kind = row.analysis if row.model else _ALONE.get(row.analysis, row.analysis)
        model = "" if row.analysis in {"response", "imaging"} else row.model or ""
        found.setdefault((kind, model, landmark), []).append(row)
    return tuple((key, tuple(rows)) for key, rows in found.items())


def _patients(source: Source, place: int) -> Table:
    rows = (Row(cells=(cell(name), Cell(runs=tuple(told)))) for name, told in _lines(source) if told)
    return Table(
        name="remark-patients",
        number=place,
        caption=_WORDS.text("patients"),
        header=(Row(cells=tuple(cell(head) for head in _WORDS.items("patients_heads"))),),
        rows=tuple(rows),
        widths=(24, 76),
    )


def _lines(source: Source) -> Iterator[tuple[str, Sequence[Inline]]]:
    shared = source.steps(None)
    if shared:
        yield _WORDS.text("assessed"), [flow_number(shared[0], shared[0].n)]
        yield _WORDS.text("eligible"), [flow_number(shared[-1], shared[-1].n)]
    for step in source.results.flow:
        left = [f"{format_count(each.n)} {each.reason}" for each in step.excluded]
        yield _left(source, step), [Text("; ".join(left))] if left else []
    for name in source.landmarks:
        step = source.analysed(name)
        if step is not None and step.events is not None:
            patients = _SHARED.runs("patients", count=step.n, n=flow_number(step, step.n))
            events = _SHARED.runs("events", count=step.events, n=flow_number(step, step.events))
            told = _WORDS.runs("patients_and_events", patients=patients, events=events)
            yield _WORDS.text("known", visit=source.visit(name)), told
    yield _WORDS.text("outcome"), [Text(source.outcome.label)]
    yield _WORDS.text("markers"), [Text(_labels(source, "marker"))]
    yield _WORDS.text("adjusters"), [Text(_adjusters(source) or _WORDS.text("no_adjusters"))]


def _left(source: Source, step: FlowStep) -> str:
    if not step.landmark:
        return _WORDS.text("left", step=step.label)
    return _WORDS.text("left_from", step=step.label, visit=source.visit(step.landmark))


def _labels(source: Source, role: str) -> str:
    return ", ".join(info.label for info in source.results.factors if info.role == role)


def _adjusters(source: Source) -> str:
    """Name the adjusters, and apart those that no model holds."""
    infos = [info for info in source.results.factors if info.role == "adjuster"]
    held = ", ".join(info.label for info in infos if info.name in source.modelled)
    others = ", ".join(info.label for info in infos if info.name not in source.modelled)
    unused = _WORDS.text("in_no_model", adjusters=others) if others else ""
    return "; ".join(part for part in (held, unused) if part)


def _analyses(source: Source, places: Places, place: int) -> Table:
    rows = (_row(source, places, key, rows) for key, rows in list_analyses(source))
    analysis, what, n, events, where = _WORDS.items("analyses_heads")
    return Table(
        name="remark-analyses",
        number=place,
        caption=_WORDS.text("analyses"),
        header=(Row(cells=(cell(analysis), cell(what), right(n), right(events), cell(where))),),
        rows=tuple(rows),
        widths=(29, 31, 10, 10, 20),
        footnotes=(_WORDS.runs("footnote"),),
    )


def _row(source: Source, places: Places, key: Key, rows: Sequence[Estimate]) -> Row:
    kind, model, landmark = key
    where = {"model": model.replace(".", "-"), "landmark": landmark}
    links = places.find([pattern.format_map(where) for pattern in _SHOWN.get(kind, ())])
    whole = [row for row in rows if _is_whole(kind, row)] or rows
    return Row(
        cells=(
            cell(_title(source, kind, model)),
            cell(_of_what(source, model, landmark)),
            Cell(runs=tuple(_range(whole, attrgetter("n"))), align="right"),
            Cell(runs=tuple(_range(whole, attrgetter("events"))), align="right"),
            Cell(runs=links[:1]) if links else cell(EMPTY),
        )
    )


def _title(source: Source, kind: str, model: str) -> str:
    if kind == "response" and not source.results.select(analysis="response", measure="visits"):
        return _WORDS.text("no_response")
    if kind == "survival" and "." in model:
        return _WORDS.text("cox")
    return _WORDS.names("titles").get(kind, upper_first(kind.replace("_", " ")))


def _is_whole(kind: str, row: Estimate) -> bool:
    if kind == "evidence" and row.method == "published":
        return False
    return row.measure in _WHOLE.get(kind, ()) and (kind != "table1" or row.group == "all")


def _of_what(source: Source, model: str, landmark: str) -> str:
    start = _WORDS.text("from_visit", visit=source.visit(landmark)) if landmark else ""
    return ", ".join(part for part in (_name(source, model), start) if part)


def _name(source: Source, model: str) -> str:
    study = source.study
    labels = {info.name: _WORDS.text("named", label=info.label) for info in source.results.models}
    labels |= {name: _WORDS.text("named", label=spec.label) for name, spec in study.follow_up.items()}
    labels |= {name: _WORDS.text("named", label=spec.label) for name, spec in study.trajectories.items()}
    labels |= {name: instrument.label or name for name, instrument in study.instruments.items()}
    first, _, second = model.partition(".")
    name = labels.get(first, first.replace("_", " "))
    return _WORDS.text("submodel", name=name, model=second) if second else name


def _range(rows: Sequence[Estimate], of: Callable[[Estimate], int | None]) -> Iterator[Inline]:
    known = [(value, row) for row in rows if (value := of(row)) is not None]
    if not known:
        yield Text(EMPTY)
        return
    low, high = min(known, key=lambda pair: pair[0]), max(known, key=lambda pair: pair[0])
    yield number(low[1], format_count(low[0]))
    if high[0] != low[0]:
        yield Text("–")
        yield number(high[1], format_count(high[0]))
