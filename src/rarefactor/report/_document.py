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
from rarefactor.report._course import write_courses
from rarefactor.report._details import describe_numbers
from rarefactor.report._drawn import make_figure
from rarefactor.report._effects import Effect, model_effects, univariable_effects
from rarefactor.report._flowchart import describe_flow, draw_flow
from rarefactor.report._follow_up import write_follow_up
from rarefactor.report._forest import draw_forest
from rarefactor.report._imputation import describe_imputed, draw_imputation, imputed_factors
from rarefactor.report._measured import write_measured
from rarefactor.report._methods import write_methods
from rarefactor.report._models import tabulate_model, tabulate_univariable
from rarefactor.report._performance import write_performance
from rarefactor.report._published import write_published
from rarefactor.report._reach import write_reach
from rarefactor.report._response import write_response
from rarefactor.report._selection import write_selection
from rarefactor.report._sensitivity import write_sensitivity
from rarefactor.report._source import Source
from rarefactor.report._style import apply_style
from rarefactor.report._summary import summarise
from rarefactor.report._table1 import tabulate_table1
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
    Table,
    Text,
)
from rarefactor.results import ModelInfo

SYNTHETIC = "Synthetic patients"


def write_document(source: Source) -> Document:
    """Return the whole report of a study."""
    blocks, last = list(number_in_order(_blocks(source))), tuple(_provenance(source))
    blocks = list(write_checklists(source, blocks, last))
    cited = cited_keys((*blocks, *last))
    blocks.append(Heading(text="References", anchor="references"))
    blocks = list(number_in_order((*blocks, *tabulate_references(cited), *last)))
    document = Document(
        title=source.study.title + (f" ({SYNTHETIC.lower()})" if source.study.synthetic else ""),
        subtitle=f"Report of the study {source.study.id}",
        byline=_byline(source),
        blocks=tuple(blocks),
        notice=f"{SYNTHETIC}: nothing here was observed in people." if source.study.synthetic else "",
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


def _blocks(source: Source) -> Iterator[Block]:
    findings = list(_findings(source))
    yield from findings
    yield Heading(text="Methods", anchor="methods")
    yield from write_methods(source, 1 + sum(isinstance(block, Table) for block in findings))
    yield from write_about(source, "declarations")


def _findings(source: Source) -> Iterator[Block]:
    yield Heading(text="What was found", anchor="summary")
    yield Bullets(items=summarise(source))
    yield from write_about(source, "background")
    yield Heading(text="Patients", anchor="patients")
    yield _flow_figure(source)
    yield from _notes(source, "data", "visits", "outcome", "factors", title="About the data")
    yield tabulate_table1(source, 1)
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
    yield from write_about(source, "discussion")


def write_univariable(source: Source) -> Iterator[Block]:
    """Return the section on one factor at a time."""
    yield Heading(text="Univariable associations", anchor="univariable")
    for place, landmark in enumerate(_landmarks(source)):
        yield Heading(text=f"Known at {source.visit(landmark)}", anchor=f"univariable-{landmark}", level=2)
        yield tabulate_univariable(source, landmark, 2 + place)
        caption = f"Univariable associations of the factors known at {source.visit(landmark)}. "
        effects = univariable_effects(source, landmark)
        yield _forest_figure(source, f"forest-univariable-{landmark}", (caption, ""), effects)
        yield from _notes(source, "univariable", landmark=landmark, title="About these estimates")


def write_multivariable(source: Source) -> Iterator[Block]:
    """Return the section on the multivariable models, and on the values that were imputed for them."""
    models = source.results.models
    if not models:
        return
    yield Heading(text="Multivariable models", anchor="multivariable")
    first = 2 + len(_landmarks(source))
    for place, model in enumerate(models):
        yield Heading(text=f"Model “{model.label}”", anchor=f"model-{model.name}", level=2)
        yield tabulate_model(source, model, first + place)
        yield _model_figure(source, model)
        yield from _notes(
            source, "multivariable", landmark=model.landmark, model=model.name, title="About these estimates"
        )
    yield from write_imputation(source)


def write_imputation(source: Source) -> Iterator[Block]:
    """Return what says whether the imputation converged, by landmark."""
    landmarks = [name for name in source.landmarks if imputed_factors(source, name)]
    if landmarks:
        yield Heading(text="Imputed values", anchor="imputation", level=2)
    for landmark in landmarks:
        imputed = imputed_factors(source, landmark)
        title = Text(f"Imputation at {source.visit(landmark)}. ", "strong")
        what = (
            "Mean and standard deviation of imputed values over the iterations of the first imputations, and imputed "
            "beside observed values. Lines that mix without a trend speak for convergence."
        )
        alt = f"Traces and distributions of imputed values. {''.join(describe_imputed(imputed))}"
        yield make_figure(source, f"imputation-{landmark}", runs(title, what), alt, partial(draw_imputation, imputed))


def _landmarks(source: Source) -> tuple[str, ...]:
    return tuple(name for name in source.landmarks if univariable_effects(source, name))


def _flow_figure(source: Source) -> Figure:
    caption = runs(Text("Flow of the patients.", "strong"), " Who entered, who left and why, up to each landmark.")
    alt = f"Flow diagram. {describe_flow(source)}"
    return make_figure(source, "flow", caption, alt, partial(draw_flow, source))


def _model_figure(source: Source, model: ModelInfo) -> Figure:
    effects = model_effects(source, model)
    title = f"Multivariable model “{model.label}”. "
    counts = " Events/n of a level counts all patients with it whose outcome is known."
    return _forest_figure(source, f"forest-{model.name}", (title, counts), effects)


def _forest_figure(source: Source, name: str, caption: tuple[str, str], effects: Sequence[Effect]) -> Figure:
    level = source.study.analysis.level
    title, more = caption
    what = f"Odds ratios with {100 * level:g}% intervals on a log scale.{more}"
    alt = f"Forest plot of {len(effects)} odds ratios with intervals on a log scale; its numbers stand in the table."
    draw = partial(draw_forest, effects, level, source.style)
    return make_figure(source, name, runs(Text(title, "strong"), what), alt, draw)


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
    yield Heading(text="Provenance", anchor="provenance")
    yield Paragraph(
        runs=runs(
            "Every number stands in ",
            Text("results.json", "code"),
            " under the address that this report gives for it. Inputs, plan, versions, seed, exclusions and outputs "
            "are described as an RO-Crate ",
            cite("soilandreyes2022"),
            " in ",
            Text("provenance/ro-crate-metadata.json", "code"),
            ".",
        )
    )
    if source.results.inputs:
        yield _inputs_table(source)


def _inputs_table(source: Source) -> Table:
    number = 3 + len(_landmarks(source)) + len(source.results.models)
    heads = (cell("File"), right("Bytes"), cell("SHA-256"))
    rows = (
        Row(cells=(cell(item.path), right(f"{item.bytes:,}".replace(",", "\u202f")), cell(Text(item.sha256, "code"))))
        for item in source.results.inputs
    )
    return Table(
        name="inputs",
        number=number,
        caption="Files that the study read, by their content",
        header=(Row(cells=heads),),
        rows=tuple(rows),
        widths=(28, 10, 62),
    )
