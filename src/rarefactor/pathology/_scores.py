"""Readers' scores of stained slides, and how far the readers agree.

Convention: a score belongs to a patient, a slide (one per patient and stain unless named), a stain and a reader. It is
on one of three scales: 0-3 (whole numbers), percent (0 to 100) or H-score (0 to 300); one scale per stain. An empty
score means that this reader did not score. Differences are first minus second reader, readers in order of their names.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import combinations
from pathlib import Path
from statistics import fmean, median
from typing import Final

import numpy as np

from rarefactor.errors import Problem
from rarefactor.pathology._flag import warn
from rarefactor.pathology._table import Table, read_table
from rarefactor.results import Flag
from rarefactor.stats import (
    BlandAltman,
    Icc,
    WeightedKappa,
    compute_bland_altman,
    compute_icc,
    compute_weighted_kappa,
)

COLUMNS: Final = ("patient", "stain", "reader", "scale", "score")
FEW_ITEMS: Final = 10
"""Fewer slides than this that all of the readers scored are flagged."""
FEW_IN_RUN: Final = 4
"""A staining run with fewer such slides gets no agreement of its own."""
_KEY = ("patient", "slide", "stain", "reader")


@dataclass(frozen=True, slots=True, kw_only=True)
class ScoreScale:
    """A scale: its name, its ends, and whether only whole numbers belong to it."""

    name: str
    low: float
    high: float
    whole: bool = False


SCALES: Final[Mapping[str, ScoreScale]] = {
    "0-3": ScoreScale(name="0-3", low=0, high=3, whole=True),
    "percent": ScoreScale(name="percent", low=0, high=100),
    "H-score": ScoreScale(name="H-score", low=0, high=300),
}
_SPELLINGS: Final = {
    "0-3": "0-3",
    "0–3": "0-3",
    "0 to 3": "0-3",
    "percent": "percent",
    "%": "percent",
    "h-score": "H-score",
    "hscore": "H-score",
    "h score": "H-score",
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Score:
    """One reader's score of one slide; ``slide`` is empty where the table names none."""

    patient: str
    stain: str
    reader: str
    score: float
    slide: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class ScoreTable:
    """Good rows, the scale of each stain, and a problem for each row that is not good."""

    scores: tuple[Score, ...]
    scales: Mapping[str, ScoreScale]
    failures: tuple[Problem, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class ReaderAgreement:
    """How far two readers, or all, agree on a stain, over all runs or within one.

    Attributes
    ----------
    readers
        Two, or all of three and more.
    run
        The staining run; None for all.
    n
        Slides that all of them scored.
    icc
        ICC(2,1) and ICC(3,1).
    kappa
        Of two readers on the scale 0-3, else None.
    limits
        Of agreement of two readers in percent or H-score, else None.
    """

    stain: str
    scale: str
    readers: tuple[str, ...]
    run: str | None
    n: int
    icc: Icc
    kappa: WeightedKappa | None = None
    limits: BlandAltman | None = None
    flags: tuple[Flag, ...] = ()

    @property
    def row(self) -> dict[str, float | int | str | None]:
        """One row of a table."""
        kappa, limits = self.kappa, self.limits
        return {
            "stain": self.stain,
            "scale": self.scale,
            "readers": " / ".join(self.readers),
            "run": self.run,
            "n": self.n,
            "icc_2_1": self.icc.agreement.icc,
            "icc_2_1_low": self.icc.agreement.low,
            "icc_2_1_high": self.icc.agreement.high,
            "icc_3_1": self.icc.consistency.icc,
            "icc_3_1_low": self.icc.consistency.low,
            "icc_3_1_high": self.icc.consistency.high,
            "kappa": kappa.kappa if kappa else None,
            "kappa_low": kappa.low if kappa else None,
            "kappa_high": kappa.high if kappa else None,
            "kappa_weights": kappa.weights if kappa else None,
            "bias": limits.bias.estimate if limits else None,
            "bias_low": limits.bias.low if limits else None,
            "bias_high": limits.bias.high if limits else None,
            "limit_lower": limits.lower.estimate if limits else None,
            "limit_upper": limits.upper.estimate if limits else None,
            "flags": " ".join(flag.name for flag in self.flags),
        }


@dataclass(frozen=True, slots=True, kw_only=True)
class PatientScore:
    """What all readers together say of a patient's stain: mean over readers, of slides; median on the scale 0-3."""

    patient: str
    stain: str
    scale: str
    score: float
    readers: int
    apart: float
    """Largest difference of two readers on one slide."""


def read_scores(path: Path) -> ScoreTable:
    r"""Read readers' scores.

    Parameters
    ----------
    path
        CSV with the columns patient, stain, reader, scale, score and, where a patient has several slides of a stain,
        slide.

    Raises
    ------
    DataError
        There is no such file, it is no table, or a column is missing. Rows that do not fit are in ``failures``.

    Examples
    --------
    >>> import tempfile
    >>> file = Path(tempfile.mkdtemp()) / "scores.csv"
    >>> _ = file.write_text("patient,stain,reader,scale,score\nP1,CD20,A,0-3,2\nP1,CD20,B,0-3,4\n")
    >>> table = read_scores(file)
    >>> len(table.scores), table.failures[0].row, table.failures[0].expected
    (1, 3, 'a whole number from 0 to 3')
    """
    table = read_table(path, COLUMNS, "a table of scores")
    scales = _find_scales(table)
    scores: list[Score] = []
    failures: list[Problem] = []
    seen: set[tuple[str, ...]] = set()
    for number, row in table.rows:
        key = tuple(row.get(name, "") for name in _KEY)
        problems = tuple(_check_row(table, number, row, scales))
        if not problems and row["score"] and key in seen:
            problems = (_repeated(table.file, number),)
        failures += problems
        if not problems and row["score"]:
            seen.add(key)
            scores.append(_build(table, row))
    return ScoreTable(scores=tuple(scores), scales=scales, failures=tuple(failures))


def tabulate_agreement(table: ScoreTable, *, runs: Mapping[str, str] | None = None) -> tuple[ReaderAgreement, ...]:
    """Return the agreement of all readers and of each pair, by stain, over all runs and within each.

    Parameters
    ----------
    table
        Of `read_scores`.
    runs
        The staining run of each slide by its name, or of a patient where the scores name no slide; from the manifest of
        staining runs.

    Notes
    -----
    A run with fewer than ``FEW_IN_RUN`` slides that a pair scored gets no row.
    """
    return tuple(found for stain in sorted(table.scales) for found in _tabulate_stain(table, stain, runs or {}))


def derive_patient_scores(table: ScoreTable) -> tuple[PatientScore, ...]:
    """Return one score per patient and stain: first over the readers of a slide, then the mean over slides."""
    grouped: defaultdict[tuple[str, str], defaultdict[str, list[float]]] = defaultdict(lambda: defaultdict(list))
    readers: defaultdict[tuple[str, str], set[str]] = defaultdict(set)
    for score in table.scores:
        grouped[score.patient, score.stain][score.slide].append(score.score)
        readers[score.patient, score.stain].add(score.reader)
    return tuple(
        PatientScore(
            patient=patient,
            stain=stain,
            scale=table.scales[stain].name,
            score=fmean((median if table.scales[stain].whole else fmean)(values) for values in slides.values()),
            readers=len(readers[patient, stain]),
            apart=max(max(values) - min(values) for values in slides.values()),
        )
        for (patient, stain), slides in grouped.items()
    )


def _find_scales(table: Table) -> dict[str, ScoreScale]:
    """The scale of each stain: the first known one that is written for it."""
    scales: dict[str, ScoreScale] = {}
    for _, row in table.rows:
        scale = _SPELLINGS.get(row["scale"].casefold())
        if scale and row["stain"]:
            scales.setdefault(row["stain"], SCALES[scale])
    return scales


def _check_row(
    table: Table, number: int, row: Mapping[str, str], scales: Mapping[str, ScoreScale]
) -> Iterator[Problem]:
    def say(column: str, found: str, expected: str, next_step: str) -> Problem:
        return Problem(file=table.file, row=number, column=column, found=found, expected=expected, next_step=next_step)

    for column in ("patient", "stain", "reader"):
        if not row[column]:
            yield say(column, "nothing", "a value", "Fill it in.")
    named = _SPELLINGS.get(row["scale"].casefold())
    if named is None:
        yield say("scale", "a scale that is not known", f"one of {', '.join(SCALES)}", "Write the scale of the score.")
        return
    if row["stain"] and scales[row["stain"]].name != named:
        expected = f"{scales[row['stain']].name}, as in the rows before"
        yield say("scale", "a second scale for the stain", expected, "Use one scale per stain.")
        return
    if row["score"] and not _fits(table.number(row["score"]), SCALES[named]):
        kind = "a whole number" if SCALES[named].whole else "a number"
        expected = f"{kind} from {SCALES[named].low:g} to {SCALES[named].high:g}"
        yield say("score", "no such score", expected, "Check the score, and that it is on this scale.")


def _fits(value: float | None, scale: ScoreScale) -> bool:
    return value is not None and scale.low <= value <= scale.high and not (scale.whole and value % 1)


def _build(table: Table, row: Mapping[str, str]) -> Score:
    return Score(
        patient=row["patient"],
        stain=row["stain"],
        reader=row["reader"],
        score=table.number(row["score"]) or 0.0,
        slide=row.get("slide", ""),
    )


def _repeated(file: str, number: int) -> Problem:
    return Problem(
        file=file,
        row=number,
        found="a second score of the same slide by the same reader",
        expected="one row per patient, slide, stain and reader",
        next_step="Remove one of the rows, or name the second reading as another reader.",
    )


def _tabulate_stain(table: ScoreTable, stain: str, runs: Mapping[str, str]) -> Iterator[ReaderAgreement]:
    items: defaultdict[tuple[str, str], dict[str, float]] = defaultdict(dict)
    for score in table.scores:
        if score.stain == stain:
            items[score.patient, score.slide][score.reader] = score.score
    readers = sorted({reader for by_reader in items.values() for reader in by_reader})
    groups: list[tuple[str, ...]] = [*combinations(readers, 2)]
    if len(readers) > 2:
        groups.insert(0, tuple(readers))
    of_item = {item: runs.get(item[1] or item[0]) for item in items}
    for group in groups:
        held = {item: [found[r] for r in group] for item, found in items.items() if all(r in found for r in group)}
        yield _agree(table.scales[stain], (stain, group, None), list(held.values()))
        for run in sorted({run for item, run in of_item.items() if run and item in held}):
            within = [values for item, values in held.items() if of_item[item] == run]
            if len(within) >= FEW_IN_RUN:
                yield _agree(table.scales[stain], (stain, group, run), within)


def _agree(
    scale: ScoreScale, what: tuple[str, tuple[str, ...], str | None], values: Sequence[Sequence[float]]
) -> ReaderAgreement:
    stain, readers, run = what
    table = np.asarray(values, np.float64).reshape(-1, len(readers))
    pair = len(readers) == 2
    return ReaderAgreement(
        stain=stain,
        scale=scale.name,
        readers=readers,
        run=run,
        n=len(table),
        icc=compute_icc(table),
        kappa=_compute_kappa(table, scale) if pair and scale.whole else None,
        limits=compute_bland_altman(table[:, 0], table[:, 1]) if pair and not scale.whole else None,
        flags=_find_flags(len(table)),
    )


def _compute_kappa(table: np.ndarray, scale: ScoreScale) -> WeightedKappa:
    return compute_weighted_kappa(table[:, 0], table[:, 1], categories=round(scale.high) + 1, weights="quadratic")


def _find_flags(n: int) -> tuple[Flag, ...]:
    if n >= FEW_ITEMS:
        return ()
    return (
        warn("few_scored_twice", f"Only {n} slides were scored by all of these readers; see the width of intervals."),
    )
