"""How unstable a selection of factors is: in how many resamples each factor, and each set, was selected."""

from __future__ import annotations

from collections.abc import Iterator

from rarefactor.report._bibliography import cite
from rarefactor.report._cells import cell, number, right, runs
from rarefactor.report._effects import step_words
from rarefactor.report._source import Source
from rarefactor.report.format import EMPTY, format_count, format_fixed, format_percent
from rarefactor.report.tree import Block, Cell, Heading, Inline, Note, Paragraph, Row, Runs, Table, Text
from rarefactor.results import Estimate, ModelInfo

CLASSICAL = "classical"
_RULES = {
    "backward": "backward elimination",
    "augmented": "augmented backward elimination",
    "univariable": "univariable P values",
}


def write_selection(source: Source) -> Iterator[Block]:
    """Return the tables of inclusion frequencies: of the rule that was asked for, and of the classical procedure."""
    rule = source.study.analysis.selection
    for model in source.results.models if rule else ():
        if rule and _rows(source, "inclusion", model.landmark, model, rule.method):
            yield _table(source, model.landmark, model, rule.method)
    landmarks = [name for name in source.landmarks if _rows(source, "inclusion", name, None, CLASSICAL)]
    if landmarks:
        yield Heading(text="Selecting factors by their P values: not used here", anchor="selection", level=2)
        yield Paragraph(runs=_warning())
    for landmark in landmarks:
        yield _table(source, landmark, None, CLASSICAL)
    texts = [note.text for note in source.results.notes if note.about == "performance" and note.model is None]
    if texts:
        yield Note(title="About selection", items=tuple(runs(text) for text in texts))


def _warning() -> Runs:
    return runs(
        "The usual procedure takes the factors with P < 0.05 alone into one model. It is shown for its instability "
        "and not used: the tables say how often it would have picked each factor, and each set of factors, had other "
        "patients been in the study. A factor that is missing from such a model was not shown to be unimportant ",
        cite("heinze2018"),
        ".",
    )


def _table(source: Source, landmark: str, model: ModelInfo | None, group: str) -> Table:
    what = f"model “{model.label}”" if model else f"factors known at {source.visit(landmark)}"
    how = "univariable P below 0.05, then one model" if group == CLASSICAL else _RULES[group]
    rows = (
        row
        for inclusion in _rows(source, "inclusion", landmark, model, group)
        for row in _factor_rows(source, inclusion, _rows(source, "rmsd_ratio", landmark, model, group))
    )
    return Table(
        name=f"selection-{model.name if model else landmark}",
        number=0,
        caption=f"How often a factor is selected: {what}, {how}",
        header=(Row(cells=(cell("Factor"), *(right(t) for t in ("In all patients", "Resamples, %", "RMSD ratio")))),),
        rows=tuple(rows),
        widths=(46, 18, 18, 18),
        footnotes=(_footnote(source, landmark, model, group),),
    )


def _factor_rows(source: Source, inclusion: Estimate, ratios: tuple[Estimate, ...]) -> Iterator[Row]:
    info = source.factor(inclusion.factor or "")
    own = [row for row in ratios if row.factor == info.name]
    several = info.kind == "categorical"
    label = info.label if info.levels else f"{info.label}, {step_words(info)}"
    chosen = number(inclusion, "selected" if "selected" in inclusion.flags else EMPTY)
    share = number(inclusion, format_percent(inclusion.estimate, None))
    last = right() if several else _ratio(own[0] if own else None)
    yield Row(cells=(cell(label), right(chosen), right(share), last), kind="head" if several else "body")
    for row in own if several else ():
        yield Row(cells=(cell(row.term or ""), right(), right(), _ratio(row)), kind="level")


def _ratio(row: Estimate | None) -> Cell:
    return right(number(row, format_fixed(row.estimate, 2) if row else EMPTY))


def _footnote(source: Source, landmark: str, model: ModelInfo | None, group: str) -> Runs:
    parts: list[Inline | str] = [
        (
            "RMSD ratio: root mean squared difference from the model with all factors, over its standard error; above "
            "1, selection adds to the uncertainty; –, the model with all factors has no estimates. "
        )
    ]
    for row in _rows(source, "selected_again", landmark, model, group):
        parts += ["Exactly the factors selected in all patients came out again in ", _percent(row)]
        parts += [" of the resamples"]
        for drawn in _rows(source, "resamples", landmark, model, group):
            parts += [" (", number(drawn, format_count(drawn.estimate)), " drawn"]
        for failed in _rows(source, "resamples_failed", landmark, model, group)[:1]:
            parts += [", ", number(failed, format_count(failed.estimate)), " without a model"]
        parts.append("). Most frequent sets: ")
    for place, row in enumerate(_rows(source, "model_frequency", landmark, model, group)):
        parts += ["; " if place else "", Text(_set(source, row.term or ""), "emphasis"), " (", _percent(row), ")"]
    return runs(*parts, ".")


def _set(source: Source, term: str) -> str:
    return "no factor" if term == "none" else " + ".join(source.factor(name).label for name in term.split(" + "))


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
