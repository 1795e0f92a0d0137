"""The section on what the odds ratios hang on: penalties, single patients, unknown outcomes, confounding, cuts."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from functools import partial

from rarefactor.report._bibliography import cite
from rarefactor.report._cells import cell, head, joined, mark, number, p_value, ratio, right, runs
from rarefactor.report._drawn import make_figure
from rarefactor.report._effects import COUPLED, Effect, model_effects
from rarefactor.report._patients import write_patients
from rarefactor.report._profile_plot import draw_profiles
from rarefactor.report._source import Source
from rarefactor.report._words import Words
from rarefactor.report.format import EMPTY, format_count, format_percent, format_ratio
from rarefactor.report.tree import Block, Cell, Figure, Heading, Inline, Note, Paragraph, Row, Runs, Table, Text
from rarefactor.results import TIPPING_SHARES, Estimate, ModelInfo

_WORDS = Words("sensitivity")
_GAP = "§"
_STRENGTHS = ("logf11", "logf22", "logf44", "logf88")


def write_sensitivity(source: Source) -> Iterator[Block]:
    """Return the section on sensitivity, empty where nothing was asked."""
    models = [model for model in source.results.models if asked_effects(source, model)]
    cuts = source.results.select(analysis="sensitivity", measure="cut_points")
    if not models and not cuts:
        return
    yield Heading(text=_WORDS.text("heading"), anchor="sensitivity")
    yield Paragraph(runs=_introduction())
    for model in models:
        yield from _model_blocks(source, model)
    if cuts:
        yield Heading(text=_WORDS.text("heading_cuts"), anchor="cut-points", level=2)
        yield tabulate_cuts(source, cuts)


def asked_effects(source: Source, model: ModelInfo) -> tuple[Effect, ...]:
    """Return the markers of a model of which sensitivity was asked."""
    asked = source.results.select(analysis="sensitivity", model=model.name, landmark=model.landmark)
    names = {row.factor for row in asked if row.group != "complete_cases"}
    return tuple(
        effect for effect in model_effects(source, model) if effect.info.role == "marker" and effect.info.name in names
    )


def _model_blocks(source: Source, model: ModelInfo) -> Iterator[Block]:
    effects = asked_effects(source, model)
    yield Heading(text=_WORDS.text("heading_model", model=model.label), anchor=f"sensitivity-{model.name}", level=2)
    yield tabulate_sensitivity(source, model, effects)
    yield from write_patients(source, model, effects)
    if source.results.select(analysis="sensitivity", model=model.name, measure="relative_likelihood"):
        yield _profile_figure(source, model, effects)
    notes = source.notes("sensitivity", landmark=model.landmark, model=model.name)
    own = tuple(runs(note.text) for note in notes if note.model == model.name)
    if own:
        yield Note(title=_WORDS.text("notes"), items=own)


def _introduction() -> Runs:
    papers = {"greenland": cite("greenland2015"), "yan": cite("yan2009"), "vanderweele": cite("vanderweele2017")}
    return _WORDS.runs("introduction", shares=_shares(), **papers)


def _shares() -> list[Inline | str]:
    """Name the assumed shares in percent."""
    return joined([[f"{100 * share:g}"] for share in TIPPING_SHARES])


def tabulate_sensitivity(source: Source, model: ModelInfo, effects: Sequence[Effect]) -> Table:
    """Return one line per marker: how its odds ratio moves with each analysis."""
    return Table(
        name=f"sensitivity-{model.name}",
        number=0,
        caption=_WORDS.text("caption", model=model.label),
        header=(head(*_WORDS.items("heads", interval=source.interval)),),
        rows=tuple(_sensitivity_row(source, model, effect) for effect in effects),
        widths=(21, 15, 16, 13, 14, 12, 9),
        footnotes=(_footnote(source, model, effects), *_gaps(source, model, effects), *_coupled(effects)),
    )


def _find(source: Source, model: ModelInfo, effect: Effect, measure: str, **parts: str | None) -> Estimate | None:
    where = {"landmark": model.landmark, "model": model.name, "factor": effect.info.name, "term": effect.term}
    return source.row("sensitivity", measure, **where, **parts)


def _sensitivity_row(source: Source, model: ModelInfo, effect: Effect) -> Row:
    strengths = [_find(source, model, effect, "odds_ratio", group="penalty", method=name) for name in _STRENGTHS]
    out = _without(source, model, effect)
    cells: tuple[Cell, ...] = (
        cell(effect.label),
        right(ratio(effect.firth)),
        right(ratio(_find(source, model, effect, "odds_ratio", group="complete_cases", method="firth"))),
        right(*_range(strengths)),
        right(*_range(out), *_gap(out), *_share(_find(source, model, effect, "share_changed", group="leave_one_out"))),
        right(*_unknown(source, model, effect)),
        right(*_e_value(source, model, effect)),
    )
    return Row(cells=cells)


def _range(rows: Sequence[Estimate | None]) -> list[Inline | str]:
    """Return the smallest and largest of some odds ratios."""
    known = sorted((row for row in rows if row and row.estimate is not None), key=lambda row: row.estimate or 0)
    if not known:
        return [Text(EMPTY)]
    first, last = known[0], known[-1]
    return [number(first, format_ratio(first.estimate)), "–", number(last, format_ratio(last.estimate))]


def _without(source: Source, model: ModelInfo, effect: Effect) -> list[Estimate | None]:
    """Return the smallest and largest odds ratio with one patient left out."""
    return [_find(source, model, effect, "odds_ratio", group=f"leave_one_out_{end}") for end in ("lowest", "highest")]


def _gap(rows: Sequence[Estimate | None]) -> tuple[Text, ...]:
    """Mark a range in which some patient has no part."""
    return (mark(_GAP),) if any(row and row.flags for row in rows) else ()


def _gaps(source: Source, model: ModelInfo, effects: Sequence[Effect]) -> Iterator[Runs]:
    if any(_gap(_without(source, model, effect)) for effect in effects):
        yield _WORDS.runs("gap", mark=mark(_GAP))


def _share(row: Estimate | None) -> list[Inline | str]:
    return ["\n(", number(row, f"{format_percent(row.estimate, 10)}%"), ")"] if row else []


def _unknown(source: Source, model: ModelInfo, effect: Effect) -> list[Inline | str]:
    ends = [_find(source, model, effect, "odds_ratio", group=f"unknown_{end}") for end in ("lowest", "highest")]
    if not any(ends):
        return [Text(EMPTY)]
    tips = [_find(source, model, effect, "tipping_share", group=side) for side in ("with", "without")]
    if not all(tips):
        changed = _find(source, model, effect, "share_changed", group="unknown_outcomes")
        return [*_range(ends), "\n", number(changed, _WORDS.text("never"))]
    shown = [number(row, f"{format_percent(row.estimate if row else None, 10)}%") for row in tips]
    return [*_range(ends), "\n", shown[0], " / ", shown[1]]


def _e_value(source: Source, model: ModelInfo, effect: Effect) -> list[Inline | str]:
    if effect.coupled:
        return [Text(EMPTY), mark(COUPLED)]
    value, limit = (_find(source, model, effect, measure) for measure in ("e_value", "e_value_limit"))
    if value is None or limit is None:
        return [Text(EMPTY)]
    return [
        number(value, format_ratio(value.estimate)),
        "\n(",
        number(limit, format_ratio(limit.estimate)),
        ")",
    ]


def _footnote(source: Source, model: ModelInfo, effects: Sequence[Effect]) -> Runs:
    ends = (_find(source, model, effect, "odds_ratio", group="unknown_lowest") for effect in effects)
    based = next((row for row in ends if row), None)
    told = _WORDS.runs("based", n=number(based, format_count(based.n))) if based else ()
    return _WORDS.runs("footnote", shares=_shares(), unknown=_count_unknown(source, model, effects), based=told)


def _coupled(effects: Sequence[Effect]) -> Iterator[Runs]:
    """Say why a marker that shares a variable with the outcome has no E-value."""
    if any(effect.coupled for effect in effects):
        yield _WORDS.runs("coupled", mark=mark(COUPLED))


def _count_unknown(source: Source, model: ModelInfo, effects: Sequence[Effect]) -> Runs:
    for effect in effects:
        rows = [_find(source, model, effect, "unknown", group=side) for side in ("with", "without")]
        if all(rows):
            shown = [number(row, format_count(row.estimate if row else None)) for row in rows]
            return _WORDS.runs("unknown", exposed=shown[0], others=shown[1], factor=effect.label)
    return _WORDS.runs("unknown_some")


def _profile_figure(source: Source, model: ModelInfo, effects: Sequence[Effect]) -> Figure:
    caption = _WORDS.runs("figure", model=model.label, level=source.level)
    told = (_WORDS.text("alt_marker", marker=effect.label, estimate=_in_words(effect.firth)) for effect in effects)
    alt = _WORDS.text("alt", markers="; ".join(told))
    draw = partial(draw_profiles, source, model, effects)
    return make_figure(source, f"profiles-{model.name}", caption, alt, draw)


def _in_words(row: Estimate | None) -> str:
    if row is None:
        return _WORDS.text("alt_none")
    estimate, low, high = (format_ratio(value) for value in (row.estimate, row.low, row.high))
    return _WORDS.text("alt_estimate", estimate=estimate, low=low, high=high)


def tabulate_cuts(source: Source, cuts: Sequence[Estimate]) -> Table:
    """Return one line per factor that was cut: what other cut-points would have shown."""
    return Table(
        name="cut-points",
        number=0,
        caption=_WORDS.text("cuts_caption"),
        header=(head(*_WORDS.items("cuts_heads")),),
        rows=tuple(_cut_row(source, row) for row in cuts),
        widths=(34, 11, 15, 12, 9, 10, 10),
        footnotes=(_WORDS.runs("cuts_footnote", altman=cite("altman1994", "miller1982")),),
    )


def _cut_row(source: Source, row: Estimate) -> Row:
    where = {"landmark": row.landmark, "factor": row.factor, "term": row.term}
    ends = [
        source.row("sensitivity", "odds_ratio", group=f"cuts_{end}", method="firth", **where)
        for end in ("lowest", "highest")
    ]
    share = source.row("sensitivity", "share_excluding_1", group="cuts", **where)
    best = [
        source.row("sensitivity", "best_cut", group="cuts", method=method, **where)
        for method in ("firth", "permutation", "miller_siegmund")
    ]
    factor, visit = source.factor(row.factor or "").label, source.visit(row.landmark or "")
    label = _WORDS.text("factor_at_visit", factor=factor, visit=visit)
    return Row(
        cells=(
            cell(label),
            right(number(row, format_count(row.estimate))),
            right(*_range(ends)),
            right(number(share, f"{format_percent(share.estimate if share else None, 10)}%")),
            *(right(p_value(each)) for each in best),
        )
    )
