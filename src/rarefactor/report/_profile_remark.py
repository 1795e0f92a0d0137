"""The REMARK profile: who was studied, and every analysis that was made, with its patients and events.

Convention: the list of analyses is made from the rows of the results, so that none can be left out; n and events are
the smallest and the largest of its rows, which know where they come from.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from operator import attrgetter
from typing import TYPE_CHECKING

from rarefactor.report._cells import cell, number, right
from rarefactor.report._source import Source, upper_first
from rarefactor.report._summary import flow_number
from rarefactor.report.format import EMPTY, format_count
from rarefactor.report.tree import Block, Cell, Heading, Inline, Row, Table, Text
from rarefactor.results import Estimate

if TYPE_CHECKING:
    from rarefactor.report._checklists import Places

Key = tuple[str, str, str]
_ACROSS = {"response", "imaging", "pathology", "evidence"}
_ABOUT: Mapping[str, tuple[str, tuple[str, ...]]] = {
    "table1": ("Description of the patients", ("table-table1",)),
    "response": ("Response to treatment", ("section-response",)),
    "imaging": ("Measurements in images", ("section-measured-mri", "section-measurements")),
    "pathology": ("Measurements in stained sections", ("section-measured-{model}", "section-measurements")),
    "univariable": ("Factors one by one", ("table-univariable-{landmark}",)),
    "multivariable": ("Multivariable model", ("table-multivariable-{model}",)),
    "imputation": ("Imputation of missing values", ("figure-imputation-{landmark}",)),
    "performance": ("Prediction by the model", ("table-performance-{model}",)),
    "selection": ("Selection by P values, for its instability", ("table-selection-{landmark}", "section-selection")),
    "risk_model": ("Risk model", ("section-risk-model-{model}",)),
    "survival": ("Follow-up", ("section-follow-up-{model}", "section-cox-{model}")),
    "longitudinal": ("Course over time", ("table-course-{model}",)),
    "rates": ("Error of measured rates", ("table-rate-error", "section-rate-error")),
    "sensitivity": ("Sensitivity", ("table-sensitivity-{model}", "section-cox-{model}")),
    "cuts": ("Other cut-points", ("section-cut-points",)),
    "evidence": ("Beside published estimates", ("table-evidence",)),
    "design": ("Simulated studies like this one", ("table-design-{model}",)),
}
_FOOTNOTE = (
    "Patients and events of each analysis: the smallest and the largest where its parts differ; –, none to count."
)
_ALONE = {"performance": "selection", "longitudinal": "rates", "sensitivity": "cuts"}
_WHOLE: Mapping[str, tuple[str, ...]] = {  # rows on all patients of an analysis, not on a level or a visit
    "table1": ("missing",),
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
    heading = Heading(text="REMARK profile", anchor="remark-profile", level=2)
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
        caption="REMARK profile, a: patients, outcome and variables",
        header=(Row(cells=(cell("What"), cell("In this study"))),),
        rows=tuple(rows),
        widths=(24, 76),
    )


def _lines(source: Source) -> Iterator[tuple[str, list[Inline]]]:
    shared = source.steps(None)
    if shared:
        yield "Patients assessed", [flow_number(shared[0], shared[0].n)]
        yield "Eligible", [flow_number(shared[-1], shared[-1].n)]
    for step in source.results.flow:
        left = [f"{format_count(each.n)} {each.reason}" for each in step.excluded]
        where = f", from {source.visit(step.landmark)}" if step.landmark else ""
        yield f"Left before “{step.label}”{where}", [Text("; ".join(left))] if left else []
    for name in source.landmarks:
        step = source.analysed(name)
        if step is not None and step.events is not None:
            told: list[Inline] = [flow_number(step, step.n), Text(" patients, "), flow_number(step, step.events)]
            yield f"Outcome known, from {source.visit(name)}", [*told, Text(" events")]
    yield "Outcome", [Text(source.outcome.label)]
    yield "Markers", [Text(_labels(source, "marker"))]
    yield "Adjusters", [Text(_labels(source, "adjuster") or "none")]


def _labels(source: Source, role: str) -> str:
    return ", ".join(info.label for info in source.results.factors if info.role == role)


def _analyses(source: Source, places: Places, place: int) -> Table:
    rows = (_row(source, places, key, rows) for key, rows in list_analyses(source))
    return Table(
        name="remark-analyses",
        number=place,
        caption="REMARK profile, b: every analysis made",
        header=(Row(cells=(cell("Analysis"), cell("Of what"), right("n"), right("Events"), cell("Where"))),),
        rows=tuple(rows),
        widths=(29, 31, 10, 10, 20),
        footnotes=((Text(_FOOTNOTE),),),
    )


def _row(source: Source, places: Places, key: Key, rows: Sequence[Estimate]) -> Row:
    kind, model, landmark = key
    title, patterns = _ABOUT.get(kind, (upper_first(kind.replace("_", " ")), ()))
    if kind == "survival" and "." in model:
        title = "Cox model"
    where = {"model": model.replace(".", "-"), "landmark": landmark}
    links = places.find([pattern.format_map(where) for pattern in patterns])
    whole = [row for row in rows if _is_whole(kind, row)] or rows
    return Row(
        cells=(
            cell(title),
            cell(_of_what(source, model, landmark)),
            Cell(runs=tuple(_range(whole, attrgetter("n"))), align="right"),
            Cell(runs=tuple(_range(whole, attrgetter("events"))), align="right"),
            Cell(runs=links[:1]) if links else cell(EMPTY),
        )
    )


def _is_whole(kind: str, row: Estimate) -> bool:
    if kind == "evidence" and row.method == "published":
        return False
    return row.measure in _WHOLE.get(kind, ()) and (kind != "table1" or row.group == "all")


def _of_what(source: Source, model: str, landmark: str) -> str:
    start = f"from {source.visit(landmark)}" if landmark else ""
    return ", ".join(part for part in (_words(source, model), start) if part)


def _words(source: Source, model: str) -> str:
    study = source.study
    labels = {info.name: f"“{info.label}”" for info in source.results.models}
    labels |= {name: f"“{spec.label}”" for name, spec in study.follow_up.items()}
    labels |= {name: f"“{spec.label}”" for name, spec in study.trajectories.items()}
    labels |= {name: instrument.label or name for name, instrument in study.instruments.items()}
    first, _, second = model.partition(".")
    return labels.get(first, first.replace("_", " ")) + (f", model “{second}”" if second else "")


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
