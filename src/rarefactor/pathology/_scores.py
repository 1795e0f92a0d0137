"""Readers' scores of stained slides.

Convention: a score belongs to a patient, a slide (one per patient, visit and stain unless named), a stain and a reader.
It is on one of three scales: 0-3 (whole numbers), percent (0 to 100) or H-score (0 to 300); one scale per stain. An
empty score means that this reader did not score.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from statistics import fmean, median
from typing import Final

from rarefactor.errors import Problem
from rarefactor.pathology._table import Table, read_table

COLUMNS: Final = ("patient", "stain", "reader", "scale", "score")
_KEY = ("patient", "visit", "slide", "stain", "reader")


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
    """One reader's score of one slide; ``slide`` and ``visit`` are empty where the table names none.

    ``blind``: it was given without seeing whose slide it is, nor what others gave; not known of a table.
    """

    patient: str
    stain: str
    reader: str
    score: float
    slide: str = ""
    visit: str = ""
    blind: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class ScoreTable:
    """Good rows, the scale of each stain, and a problem for each row that is not good."""

    scores: tuple[Score, ...]
    scales: Mapping[str, ScoreScale]
    failures: tuple[Problem, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class PatientScore:
    """What all readers together say of a patient's stain: mean over readers, of slides; median on the scale 0-3."""

    patient: str
    visit: str
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
        CSV with the columns patient, stain, reader, scale, score and, where a patient has several of them, visit and
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


def derive_patient_scores(table: ScoreTable) -> tuple[PatientScore, ...]:
    """Return one score per patient, visit and stain: first over the readers of a slide, then the mean over slides."""
    grouped: defaultdict[tuple[str, str, str], defaultdict[str, list[float]]] = defaultdict(lambda: defaultdict(list))
    readers: defaultdict[tuple[str, str, str], set[str]] = defaultdict(set)
    for score in table.scores:
        grouped[score.patient, score.visit, score.stain][score.slide].append(score.score)
        readers[score.patient, score.visit, score.stain].add(score.reader)
    return tuple(
        PatientScore(
            patient=patient,
            visit=visit,
            stain=stain,
            scale=table.scales[stain].name,
            score=fmean((median if table.scales[stain].whole else fmean)(values) for values in slides.values()),
            readers=len(readers[patient, visit, stain]),
            apart=max(max(values) - min(values) for values in slides.values()),
        )
        for (patient, visit, stain), slides in grouped.items()
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
        visit=row.get("visit", ""),
    )


def _repeated(file: str, number: int) -> Problem:
    return Problem(
        file=file,
        row=number,
        found="a second score of the same slide by the same reader",
        expected="one row per patient, slide, stain and reader",
        next_step="Remove one of the rows, or name the second reading as another reader.",
    )
