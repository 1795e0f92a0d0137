"""What a study of this size could find: studies drawn many times with a known truth, analysed by the same methods.

Convention: the study keeps its size, its share of events and how many patients have each factor of a model. The
simulation knows binary factors, independent of each other: a continuous factor stands as above or below its median, a
categorical one as any level against its reference. One factor has the true odds ratio, the others 1.
``monte_carlo_error`` is the largest standard error that chance gives a share of all data sets: that of one half.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace

import numpy as np
import polars as pl

from rarefactor.derive import LandmarkTable
from rarefactor.errors import InputError, Problem, suggest
from rarefactor.results import Analysed, Estimate, FactorInfo, ModelInfo, Note
from rarefactor.stats import Design, MethodDesign, simulate_design

METHODS = ("ml", "firth", "logf22")
MEASURES = {
    "median": "median_odds_ratio",
    "bias": "bias",
    "doubled": "doubled",
    "coverage": "coverage",
    "width": "width",
    "power": "power",
    "exaggeration": "exaggeration",
    "wrong_sign": "wrong_sign",
}
MANY = 12
SPLIT = "above its median"


@dataclass(frozen=True, slots=True, kw_only=True)
class Question:
    """What is asked of a design: how many studies to draw, and the true odds ratios.

    Each of ``odds_ratios`` is given to each factor in turn, unless ``given`` names true odds ratios by factor: then all
    of them hold at once. ``n`` is another number of patients than the study has.
    """

    data_sets: int
    odds_ratios: tuple[float, ...]
    level: float
    seed: int
    given: Mapping[str, float] = field(default_factory=dict[str, float])
    n: int | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Split:
    """A factor as the simulation knows it: the share of patients with ``term``."""

    info: FactorInfo
    term: str
    share: float


@dataclass(frozen=True, slots=True, kw_only=True)
class Setting:
    """The size of the study and its factors."""

    n: int
    event_rate: float
    splits: tuple[Split, ...]


def analyse_design(
    table: LandmarkTable, factors: Sequence[FactorInfo], info: ModelInfo, question: Question
) -> Analysed:
    """Return bias, coverage, power, exaggeration and separation of studies like this one, by true odds ratio."""
    setting = _read_setting(table, factors, question.n)
    _check_given(setting, question)
    base = Estimate(analysis="design", measure="", estimate=None, landmark=info.landmark, model=info.name)
    base = replace(base, n=setting.n, events=round(setting.n * setting.event_rate))
    if not question.data_sets or not setting.splits:
        return Analysed(rows=())
    rows = [
        row
        for place, (truth, asked) in enumerate(_list_truths(setting, question))
        for row in _simulate(setting, truth, asked, (question, base, np.random.default_rng([question.seed, place])))
    ]
    rows.append(replace(base, measure="data_sets", estimate=question.data_sets))
    rows.append(replace(base, measure="monte_carlo_error", estimate=0.5 / math.sqrt(question.data_sets)))
    rows.extend(
        replace(base, measure="share", factor=split.info.name, term=split.term, estimate=split.share)
        for split in setting.splits
    )
    left_out = [factor.label for factor in factors if factor.name not in {item.info.name for item in setting.splits}]
    return Analysed(rows=tuple(rows), notes=tuple(_notes(info, left_out)))


def _read_setting(table: LandmarkTable, factors: Sequence[FactorInfo], n: int | None) -> Setting:
    frame = table.frame.filter(pl.col.outcome.is_not_null())
    splits = [split for factor in factors if (split := _split(frame[factor.name], factor))]
    rate = float(frame["outcome"].cast(pl.Float64).to_numpy().mean())
    return Setting(n=n or frame.height, event_rate=rate, splits=tuple(splits[:MANY]))


def _split(series: pl.Series, info: FactorInfo) -> Split | None:
    """Return a factor as 0/1, or nothing where all patients are alike."""
    known = series.drop_nulls()
    if known.n_unique() < 2:
        return None
    if not info.levels:
        return Split(info=info, term=SPLIT, share=0.5)
    share = float((known != info.ordered[0]).cast(pl.Float64).to_numpy().mean())
    term = info.compared[0] if info.kind == "binary" else f"not {info.ordered[0]}"
    return Split(info=info, term=term, share=share) if 0 < share < 1 else None


def _check_given(setting: Setting, question: Question) -> None:
    known = [split.info.name for split in setting.splits]
    for name in question.given:
        if name not in known:
            expected = f"factors of the model, of {', '.join(known)}"
            raise InputError(Problem(found=f"the factor {name}", expected=expected, next_step=suggest(name, known)))


def _list_truths(setting: Setting, question: Question) -> Iterator[tuple[list[float], tuple[int, ...]]]:
    """Yield true odds ratios, and the places of the factors to report; factors of the same share need one study."""
    names = [split.info.name for split in setting.splits]
    if question.given:
        yield [question.given.get(name, 1.0) for name in names], tuple(names.index(name) for name in question.given)
        return
    for place in _pick(setting.splits):
        for odds_ratio in question.odds_ratios:
            yield [odds_ratio if place == other else 1.0 for other in range(len(names))], (place,)


def _pick(splits: Sequence[Split]) -> list[int]:
    """Return the factors to ask about: each with levels, and the first that is split at its median for all such."""
    levelled = [place for place, split in enumerate(splits) if split.info.levels]
    continuous = [place for place, split in enumerate(splits) if not split.info.levels]
    return sorted([*levelled, *continuous[:1]])


def _simulate(
    setting: Setting,
    truth: Sequence[float],
    asked: Sequence[int],
    how: tuple[Question, Estimate, np.random.Generator],
) -> Iterator[Estimate]:
    question, base, rng = how
    shares = [split.share for split in setting.splits]
    found = simulate_design(
        setting.n, shares, setting.event_rate, list(truth), rng=rng, data_sets=question.data_sets, methods=METHODS,
        level=question.level,
    )  # fmt: skip
    for place in asked:
        split = setting.splits[place]
        row = replace(base, factor=split.info.name, term=split.term, group=f"true {truth[place]:g}")
        yield replace(row, measure="usable", estimate=found.usable)
        yield from (replace(each, estimate=_number(each.estimate)) for each in _rows(found, place, row))


def _rows(found: Design, place: int, row: Estimate) -> Iterator[Estimate]:
    for method in found.methods:
        yield from _method_rows(method, place, replace(row, method=method.method))


def _method_rows(method: MethodDesign, place: int, row: Estimate) -> Iterator[Estimate]:
    for name, measure in MEASURES.items():
        yield replace(row, measure=measure, estimate=float(getattr(method, name)[place]))
    yield replace(row, measure="separated", estimate=method.separated)
    yield replace(row, measure="failed", estimate=method.failed)


def _number(value: float | None) -> float | None:
    return None if value is None or np.isnan(value) else value


def _notes(info: ModelInfo, left_out: Sequence[str]) -> Iterator[Note]:
    if left_out:
        text = (
            f"Left out of the simulated studies: {', '.join(left_out)} (one value only, or more than {MANY} factors)."
        )
        yield Note(about="design", landmark=info.landmark, model=info.name, text=text)
