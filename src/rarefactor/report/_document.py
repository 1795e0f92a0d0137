"""The report as a tree, in the order of a paper."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import replace
from functools import partial
from itertools import count

from rarefactor.report._about import write_about
from rarefactor.report._bibliography import cite, tabulate_references
from rarefactor.report._calculator import write_calculator
from rarefactor.report._cells import cell, right, runs
from rarefactor.report._checklists import write_checklists
from rarefactor.report._citation import title_study
from rarefactor.report._conclusion import conclude
from rarefactor.report._course import write_courses
from rarefactor.report._details import describe_numbers
from rarefactor.report._drawn import make_figure
from rarefactor.report._effects import COUPLED, MARKS, Effect, model_effects, univariable_effects
from rarefactor.report._flowchart import describe_flow, draw_flow
from rarefactor.report._follow_up import write_follow_up
from rarefactor.report._forest import draw_forest
from rarefactor.report._imputation import describe_imputed, draw_imputation, imputed_factors
from rarefactor.report._measured import write_measured
from rarefactor.report._methods import write_methods
from rarefactor.report._missing_map import write_missing
from rarefactor.report._models import tabulate_model, tabulate_univariable
from rarefactor.report._overview import draw_models
from rarefactor.report._performance import write_performance
from rarefactor.report._published import write_published
from rarefactor.report._reach import write_reach
from rarefactor.report._response import write_response
from rarefactor.report._selection import write_selection
from rarefactor.report._sensitivity import write_sensitivity
from rarefactor.report._source import Source
from rarefactor.report._style import apply_style
from rarefactor.report._summary import tell_answer, tell_estimates
from rarefactor.report._table1 import tabulate_characteristics
from rarefactor.report._words import Words
from rarefactor.report.tree import (
    Block,
    Bullets,
    Citation,
    Document,
    Figure,
    Heading,
    Note,
    Paragraph,
    Row,
    Runs,
    Table,
    Text,
)
from rarefactor.results import FEWEST_IMPUTED, ModelInfo

_WORDS = Words("document")


def write_document(source: Source) -> Document:
    """Return the whole report of a study."""
    blocks, last = list(number_in_order(_blocks(source))), tuple(_provenance(source))
    blocks = list(write_checklists(source, blocks, last))
    cited = cited_keys((*blocks, *last))
    blocks.append(_heading("references"))
    blocks = list(number_in_order((*blocks, *tabulate_references(cited), *last)))
    document = Document(
        title=title_study(source.study),
        subtitle=_WORDS.text("subtitle", study=source.study.id),
        byline=_byline(source),
        blocks=tuple(blocks),
        notice=_WORDS.text("notice") if source.study.synthetic else "",
    )
    rows = {row.id: row for row in source.results.rows}
    return apply_style(describe_numbers(document, source), source.style, rows)


def number_in_order(blocks: Iterable[Block]) -> Iterator[Block]:
    """Return the blocks with their tables and their figures numbered from 1, in the order in which they stand."""
    tables, figures = count(1), count(1)
    for block in blocks:
        if isinstance(block, Table):
            yield replace(block, number=next(tables))
        elif isinstance(block, Figure):
            yield replace(block, number=next(figures))
        else:
            yield block


def cited_keys(blocks: Sequence[Block]) -> tuple[str, ...]:
    """Return the ids of the references that the text cites, each once."""
    document = Document(title="", subtitle="", byline="", blocks=tuple(blocks))
    cited = (key for run in document.runs() if isinstance(run, Citation) for key in run.keys)
    return tuple(dict.fromkeys([*cited, "soilandreyes2022"]))


def _heading(anchor: str, level: int = 1) -> Heading:
    return Heading(text=_WORDS.text(anchor), anchor=anchor, level=level)


def _blocks(source: Source) -> Iterator[Block]:
    findings = list(_findings(source))
    yield from findings
    yield _heading("methods")
    yield from write_methods(source, 1 + sum(isinstance(block, Table) for block in findings))
    yield from write_about(source, "declarations")


def _findings(source: Source) -> Iterator[Block]:
    yield _heading("summary")
    yield Bullets(items=tell_answer(source))
    yield from draw_models(source)
    yield Bullets(items=tell_estimates(source))
    yield from write_about(source, "background")
    yield _heading("patients")
    yield _flow_figure(source)
    yield from _notes(source, "data", "visits", "outcome", "factors", title=_WORDS.text("about_data"))
    yield from tabulate_characteristics(source)
    yield from write_missing(source)
    yield from write_response(source)
    yield from write_measured(source)
    yield from write_univariable(source)
    yield from write_multivariable(source)
    yield from write_performance(source)
    yield from write_selection(source)
    yield from write_calculator(source)
    yield from write_follow_up(source)
    yield from write_courses(source)
    yield from write_sensitivity(source)
    yield from write_published(source)
    yield from write_reach(source)
    yield from _discussion(source)


def _discussion(source: Source) -> Iterator[Block]:
    """Return what was found, once more, and what the authors say of it."""
    key_results, texts = conclude(source), tuple(write_about(source, "discussion"))
    if key_results or texts:
        yield _heading("discussion")
    if key_results:
        yield Paragraph(runs=_WORDS.runs("key_results", sentences=key_results))
    yield from texts


def write_univariable(source: Source) -> Iterator[Block]:
    """Return the section on one factor at a time."""
    yield _heading("univariable")
    for place, landmark in enumerate(_landmarks(source)):
        visit = source.visit(landmark)
        yield Heading(text=_WORDS.text("known_at", visit=visit), anchor=f"univariable-{landmark}", level=2)
        yield tabulate_univariable(source, landmark, 2 + place)
        caption = _WORDS.runs("univariable_forest", visit=visit, level=_level(source))
        effects = univariable_effects(source, landmark)
        yield from _notes(source, "univariable", landmark=landmark, title=_WORDS.text("about_estimates"))
        yield _forest_figure(source, f"forest-univariable-{landmark}", caption, effects)


def write_multivariable(source: Source) -> Iterator[Block]:
    """Return the section on the multivariable models, and on the values that were imputed for them."""
    models = source.results.models
    if not models:
        return
    yield _heading("multivariable")
    first = 2 + len(_landmarks(source))
    for place, model in enumerate(models):
        yield Heading(text=_WORDS.text("model", model=model.label), anchor=f"model-{model.name}", level=2)
        yield tabulate_model(source, model, first + place)
        about = _WORDS.text("about_estimates")
        yield from _notes(source, "multivariable", landmark=model.landmark, model=model.name, title=about)
        yield _model_figure(source, model)
    yield from write_imputation(source)


def write_imputation(source: Source) -> Iterator[Block]:
    """Return what says whether the imputation converged, by landmark."""
    landmarks = [name for name in source.landmarks if imputed_factors(source, name)]
    if landmarks:
        yield _heading("imputation", level=2)
    for landmark in landmarks:
        imputed = imputed_factors(source, landmark)
        caption = _WORDS.runs("imputation_caption", visit=source.visit(landmark), fewest=str(FEWEST_IMPUTED))
        alt = _WORDS.text("imputation_alt", values="".join(describe_imputed(imputed)))
        yield make_figure(source, f"imputation-{landmark}", caption, alt, partial(draw_imputation, imputed))


def _landmarks(source: Source) -> tuple[str, ...]:
    return tuple(name for name in source.landmarks if univariable_effects(source, name))


def _flow_figure(source: Source) -> Figure:
    alt = _WORDS.text("flow_alt", flow=describe_flow(source))
    return make_figure(source, "flow", _WORDS.runs("flow"), alt, partial(draw_flow, source))


def _model_figure(source: Source, model: ModelInfo) -> Figure:
    effects = model_effects(source, model)
    caption = _WORDS.runs("model_forest", model=model.label, level=_level(source))
    return _forest_figure(source, f"forest-{model.name}", caption, effects)


def _forest_figure(source: Source, name: str, caption: Runs, effects: Sequence[Effect]) -> Figure:
    alt = _WORDS.text("forest_alt", n=len(effects))
    signs = [sign for sign in (*MARKS.values(), COUPLED) if any(sign in effect.signs for effect in effects)]
    marks = _WORDS.runs("forest_marks", marks=" ".join(signs)) if signs else ()
    return make_figure(
        source, name, (*caption, *marks), alt, partial(draw_forest, effects, source.study.analysis.level, source.style)
    )


def _level(source: Source) -> str:
    return f"{100 * source.study.analysis.level:g}"


def _notes(
    source: Source, *about: str, title: str, landmark: str | None = None, model: str | None = None
) -> Iterator[Note]:
    landmark = landmark or source.landmarks[0]
    notes = source.notes(*about, landmark=landmark, model=model)
    if notes:
        yield Note(title=title, items=tuple(runs(note.text) for note in notes))


def _byline(source: Source) -> str:
    return ", ".join(f"{author.given} {author.family}" for author in source.study.authors)


def _provenance(source: Source) -> Iterator[Block]:
    yield _heading("provenance")
    yield Paragraph(
        runs=_WORDS.runs(
            "every_number",
            results=Text("results.json", "code"),
            crate=cite("soilandreyes2022"),
            metadata=Text("provenance/ro-crate-metadata.json", "code"),
        )
    )
    if source.results.inputs:
        yield _inputs_table(source)


def _inputs_table(source: Source) -> Table:
    number = 3 + len(_landmarks(source)) + len(source.results.models)
    file, size, checksum = _WORDS.items("inputs_heads")
    rows = (
        Row(cells=(cell(item.path), right(f"{item.bytes:,}".replace(",", "\u202f")), cell(Text(item.sha256, "code"))))
        for item in source.results.inputs
    )
    return Table(
        name="inputs",
        number=number,
        caption=_WORDS.text("inputs"),
        header=(Row(cells=(cell(file), right(size), cell(checksum))),),
        rows=tuple(rows),
        widths=(28, 10, 62),
    )
