"""How unstable a selection of factors is: in how many resamples each factor, and each set, was selected."""

from __future__ import annotations

from collections.abc import Iterator

from rarefactor.report._bibliography import cite
from rarefactor.report._cells import cell, head, linked, number, right, runs
from rarefactor.report._effects import step_words
from rarefactor.report._source import Source
from rarefactor.report._words import Words
from rarefactor.report.format import EMPTY, format_count, format_fixed, format_percent
from rarefactor.report.tree import Block, Cell, Heading, Inline, Note, Paragraph, Row, Runs, Table
from rarefactor.results import Estimate, ModelInfo

_WORDS = Words("selection")
CLASSICAL = "classical"


def write_selection(source: Source) -> Iterator[Block]:
    """Return the tables of inclusion frequencies: of the rule that was asked for, and of the classical procedure."""
    rule = source.study.analysis.selection
    for model in source.results.models if rule else ():
        if rule and _rows(source, "inclusion", model.landmark, model, rule.method):
            yield _table(source, model.landmark, model, rule.method)
    landmarks = [name for name in source.landmarks if _rows(source, "inclusion", name, None, CLASSICAL)]
    if landmarks:
        yield Heading(text=_WORDS.text("heading"), anchor="selection", level=2)
        yield Paragraph(runs=_WORDS.runs("warning", heinze=cite("heinze2018")))
    for landmark in landmarks:
        yield _table(source, landmark, None, CLASSICAL)
    texts = [note.text for note in source.results.notes if note.about == "performance" and note.model is None]
    if texts:
        yield Note(title=_WORDS.text("notes"), items=tuple(runs(text) for text in texts))


def _table(source: Source, landmark: str, model: ModelInfo | None, group: str) -> Table:
    of_landmark = _WORDS.text("what_landmark", visit=source.visit(landmark))
    what = _WORDS.text("what_model", model=model.label) if model else of_landmark
    rows = (
        row
        for inclusion in _rows(source, "inclusion", landmark, model, group)
        for row in _factor_rows(source, inclusion, _rows(source, "rmsd_ratio", landmark, model, group))
    )
    return Table(
        name=f"selection-{model.name if model else landmark}",
        number=0,
        caption=_WORDS.text("caption", what=what, rule=_WORDS.names("rules")[group]),
        header=(head(*_WORDS.items("heads")),),
        rows=tuple(rows),
        widths=(46, 18, 18, 18),
        footnotes=(_footnote(source, landmark, model, group),),
    )


def _factor_rows(source: Source, inclusion: Estimate, ratios: tuple[Estimate, ...]) -> Iterator[Row]:
    info = source.factor(inclusion.factor or "")
    own = [row for row in ratios if row.factor == info.name]
    several = info.kind == "categorical"
    label = info.label if info.levels else _WORDS.text("factor_with_step", factor=info.label, step=step_words(info))
    chosen = number(inclusion, _WORDS.text("selected") if "selected" in inclusion.flags else EMPTY)
    share = number(inclusion, format_percent(inclusion.estimate, None))
    last = right() if several else _ratio(own[0] if own else None)
    yield Row(cells=(cell(label), right(chosen), right(share), last), kind="head" if several else "body")
    for row in own if several else ():
        yield Row(cells=(cell(row.term or ""), right(), right(), _ratio(row)), kind="level")


def _ratio(row: Estimate | None) -> Cell:
    return right(number(row, format_fixed(row.estimate, 2) if row else EMPTY))


def _footnote(source: Source, landmark: str, model: ModelInfo | None, group: str) -> Runs:
    again, drawn, failed = (
        next(iter(_rows(source, measure, landmark, model, group)), None)
        for measure in ("selected_again", "resamples", "resamples_failed")
    )
    sets = [
        _WORDS.runs("set", set=_set(source, row.term or ""), share=_percent(row))
        for row in _rows(source, "model_frequency", landmark, model, group)
    ]
    told = [_again(again, drawn, failed)] if again else []
    told += [_WORDS.runs("sets", sets=linked(sets, "; "))] if sets else []
    return linked([_WORDS.runs("ratio_footnote"), *told])


def _again(again: Estimate, drawn: Estimate | None, failed: Estimate | None) -> Runs:
    """Say in how many resamples the same factors were selected."""
    without = _WORDS.runs("failed", failed=number(failed, format_count(failed.estimate))) if failed else ()
    counted = number(drawn, format_count(drawn.estimate) if drawn else "")
    return _WORDS.runs("again", share=_percent(again), drawn=counted, failed=without)


def _set(source: Source, term: str) -> str:
    if term == "none":
        return _WORDS.text("no_factor")
    return " + ".join(source.factor(name).label for name in term.split(" + "))


def _percent(row: Estimate) -> Inline:
    return number(row, f"{format_percent(row.estimate, None)}%")


def _rows(source: Source, measure: str, landmark: str, model: ModelInfo | None, group: str) -> tuple[Estimate, ...]:
    return source.results.select(
        analysis="performance",
        measure=measure,
        landmark=landmark,
        model=model.name if model else None,
        group=group,
    )
