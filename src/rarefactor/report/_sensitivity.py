"""The section on what the odds ratios hang on: penalties, single patients, unknown outcomes, confounding, cuts."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from rarefactor.report._bibliography import cite
from rarefactor.report._cells import cell, number, p_value, ratio, right, runs
from rarefactor.report._effects import Effect, model_effects
from rarefactor.report._patients import write_patients
from rarefactor.report._plot import write_png, write_svg
from rarefactor.report._profile_plot import draw_profiles
from rarefactor.report._source import Source
from rarefactor.report.format import EMPTY, format_count, format_percent, format_ratio
from rarefactor.report.tree import Block, Cell, Figure, Heading, Inline, Note, Paragraph, Row, Runs, Table, Text
from rarefactor.results import Estimate, ModelInfo

_STRENGTHS = ("logf11", "logf22", "logf44", "logf88")


def write_sensitivity(source: Source) -> Iterator[Block]:
    """Return the section on sensitivity, empty where nothing was asked."""
    models = [model for model in source.results.models if asked_effects(source, model)]
    cuts = source.results.select(analysis="sensitivity", measure="cut_points")
    if not models and not cuts:
        return
    yield Heading(text="Sensitivity", anchor="sensitivity")
    yield Paragraph(runs=_introduction())
    for model in models:
        yield from _model_blocks(source, model)
    if cuts:
        yield Heading(text="Other cut-points", anchor="cut-points", level=2)
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
    yield Heading(text=f"Sensitivity of “{model.label}”", anchor=f"sensitivity-{model.name}", level=2)
    yield tabulate_sensitivity(source, model, effects)
    yield from write_patients(source, model, effects)
    if source.results.select(analysis="sensitivity", model=model.name, measure="relative_likelihood"):
        yield _profile_figure(source, model, effects)
    notes = source.notes("sensitivity", landmark=model.landmark, model=model.name)
    own = tuple(runs(note.text) for note in notes if note.model == model.name)
    if own:
        yield Note(title="About these analyses", items=own)


def _introduction() -> Runs:
    return runs(
        "Each odds ratio of a marker is shown again as it would have been with something else done or assumed: in the "
        "complete cases, under log-F priors from weak to strong ",
        cite("greenland2015"),
        ", with one patient after the other left out, with every assumption about the patients whose outcome is not "
        "known (tipping point) ",
        cite("yan2009"),
        ", and the E-value: how strong an unmeasured confounder would have to be ",
        cite("vanderweele2017"),
        ". Markers that are continuous have no cut-point to question.",
    )


def tabulate_sensitivity(source: Source, model: ModelInfo, effects: Sequence[Effect]) -> Table:
    """Return one line per marker: how its odds ratio moves with each analysis."""
    interval = f"{100 * source.study.analysis.level:g}% CI"
    heads = (
        f"Firth\n({interval})",
        f"Complete cases\n({interval})",
        "log-F, m = 1 to 8:\nrange",
        "One patient left\nout: range (share)",
        "Unknown outcomes:\nrange; tips at",
        "E-value\n(limit)",
    )
    return Table(
        name=f"sensitivity-{model.name}",
        number=0,
        caption=f"What the odds ratios of the markers in the model “{model.label}” hang on",
        header=(Row(cells=(cell("Marker"), *(right(head) for head in heads))),),
        rows=tuple(_sensitivity_row(source, model, effect) for effect in effects),
        widths=(21, 15, 16, 13, 14, 12, 9),
        footnotes=(_footnote(source, model, effects),),
    )


def _find(source: Source, model: ModelInfo, effect: Effect, measure: str, **parts: str | None) -> Estimate | None:
    where = {"landmark": model.landmark, "model": model.name, "factor": effect.info.name, "term": effect.term}
    return source.row("sensitivity", measure, **where, **parts)


def _sensitivity_row(source: Source, model: ModelInfo, effect: Effect) -> Row:
    strengths = [_find(source, model, effect, "odds_ratio", group="penalty", method=name) for name in _STRENGTHS]
    out = [_find(source, model, effect, "odds_ratio", group=f"leave_one_out_{end}") for end in ("lowest", "highest")]
    cells: tuple[Cell, ...] = (
        cell(effect.label),
        right(ratio(effect.firth)),
        right(ratio(_find(source, model, effect, "odds_ratio", group="complete_cases", method="firth"))),
        right(*_range(strengths)),
        right(*_range(out), *_share(_find(source, model, effect, "share_changed", group="leave_one_out"))),
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


def _share(row: Estimate | None) -> list[Inline | str]:
    return ["\n(", number(row, f"{format_percent(row.estimate, 10)}%"), ")"] if row else []


def _unknown(source: Source, model: ModelInfo, effect: Effect) -> list[Inline | str]:
    ends = [_find(source, model, effect, "odds_ratio", group=f"unknown_{end}") for end in ("lowest", "highest")]
    if not any(ends):
        return [Text(EMPTY)]
    tips = [_find(source, model, effect, "tipping_share", group=side) for side in ("with", "without")]
    if not all(tips):
        changed = _find(source, model, effect, "share_changed", group="unknown_outcomes")
        return [*_range(ends), "\n", number(changed, "never")]
    shown = [number(row, f"{format_percent(row.estimate if row else None, 10)}%") for row in tips]
    return [*_range(ends), "\n", shown[0], " / ", shown[1]]


def _e_value(source: Source, model: ModelInfo, effect: Effect) -> list[Inline | str]:
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
    parts: list[Inline | str] = [
        "Share: how many single patients decide whether the interval excludes 1. Unknown outcomes: ",
        "the odds ratio over assumed shares with the outcome of 0 to 100% among ",
    ]
    parts += _count_unknown(source, model, effects)
    parts.append(
        " patients without one, apart for those with and without the marker (a number: above and below its median); "
        "tips at: the nearest shares, with / without, at which the interval starts or stops to exclude 1. E-value: on "
        "the scale of risk ratios, for the estimate and for the limit nearer to 1; 1.00 where the interval holds 1. A "
        "dash: nothing to compare, because no value, or no outcome, is missing."
    )
    return runs(*parts)


def _count_unknown(source: Source, model: ModelInfo, effects: Sequence[Effect]) -> list[Inline | str]:
    for effect in effects:
        rows = [_find(source, model, effect, "unknown", group=side) for side in ("with", "without")]
        if all(rows):
            shown = [number(row, format_count(row.estimate if row else None)) for row in rows]
            return [shown[0], " + ", shown[1], f" ({effect.label}: with + without)"]
    return ["the"]


def _profile_figure(source: Source, model: ModelInfo, effects: Sequence[Effect]) -> Figure:
    name = f"profiles-{model.name}"
    sheet = draw_profiles(source, model, effects)
    title = Text(f"Profile likelihoods of the markers in “{model.label}”. ", "strong")
    what = (
        "Relative likelihood of each odds ratio (1 at the estimate), in the patients with all factors; where a curve "
        f"lies above the dotted line, the odds ratio is inside the {100 * source.study.analysis.level:g}% interval."
    )
    shown = "; ".join(f"{effect.label}: {_in_words(effect.firth)}" for effect in effects)
    alt = f"Curves of relative likelihood over the odds ratio by three methods. Firth estimates: {shown}."
    size = {"width_mm": sheet.width, "height_mm": sheet.height}
    svg, png = write_svg(sheet, name), write_png(sheet)
    return Figure(name=name, number=0, caption=runs(title, what), alt=alt, svg=svg, png=png, **size)


def _in_words(row: Estimate | None) -> str:
    if row is None:
        return "none"
    return f"{format_ratio(row.estimate)} ({format_ratio(row.low)} to {format_ratio(row.high)})"


def tabulate_cuts(source: Source, cuts: Sequence[Estimate]) -> Table:
    """Return one line per factor that was cut: what other cut-points would have shown."""
    heads = ("Cut-points", "Odds ratios:\nrange", "Interval\nexcludes 1", "Best P", "Permuted", "Corrected")
    return Table(
        name="cut-points",
        number=0,
        caption="What every other cut-point would have shown",
        header=(Row(cells=(cell("Factor"), *(right(head) for head in heads))),),
        rows=tuple(_cut_row(source, row) for row in cuts),
        widths=(34, 11, 15, 12, 9, 10, 10),
        footnotes=(
            runs(
                "Each factor alone, cut at every place with at least a tenth of the patients on either side. The P "
                "value of the best cut is too small, because it was sought; permuted and corrected ones account for "
                "the search ",
                cite("altman1994", "miller1982"),
                ". The cut-points themselves are not shown: they would give away patients’ values.",
            ),
        ),
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
    label = f"{source.factor(row.factor or '').label}, {source.visit(row.landmark or '')}"
    return Row(
        cells=(
            cell(label),
            right(number(row, format_count(row.estimate))),
            right(*_range(ends)),
            right(number(share, f"{format_percent(share.estimate if share else None, 10)}%")),
            *(right(p_value(each)) for each in best),
        )
    )
