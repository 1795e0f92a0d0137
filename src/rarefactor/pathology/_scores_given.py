"""Scores that readers gave while they looked at slides, from the log of readings.

Convention: a score is a reading of the kind ``score``, each reader's own; its place is the stain, its item the visit of
the slide (see ``name_item``), its content the ``score``. A second reading by the same reader, ``#2`` in its item, says
how far a reader agrees with himself and is in no patient's value.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from itertools import combinations

from rarefactor.errors import InputError, Problem
from rarefactor.pathology._agreement import ReaderAgreement, tabulate_agreement
from rarefactor.pathology._excluded import name_item
from rarefactor.pathology._scores import SCALES, Score, ScoreScale, ScoreTable
from rarefactor.pathology._settings import SlideFile
from rarefactor.readings import LOG, Draft, Reading, Readings
from rarefactor.spec import Biopsy
from rarefactor.stats import BlandAltman, compute_bland_altman

SCORE = "score"
_WORDS = ("none", "weak", "moderate", "strong")


def find_scales(source: Biopsy, table: ScoreTable | None) -> dict[str, ScoreScale]:
    """Return the scale of each stain that is scored: that of the table of scores, else that of the study."""
    named = {name: SCALES[stain.scale] for name, stain in source.stains.items() if stain.scale}
    return {**named, **(table.scales if table else {})}


def describe_scores(scale: ScoreScale) -> Mapping[int, str]:
    """Return the words of each score of the scale 0-3; nothing of the others, whose numbers speak.

    Examples
    --------
    >>> describe_scores(SCALES["0-3"])[2], len(describe_scores(SCALES["percent"]))
    ('moderate', 0)
    """
    return dict(enumerate(_WORDS)) if scale.whole else {}


def draft_score(
    file: SlideFile, scale: ScoreScale, score: float, *, reader: str, when: datetime, number: int = 1
) -> Draft:
    """Return a reader's score of a slide as a reading; ``number`` counts the rounds.

    Raises
    ------
    InputError
        It is not on the scale.
    """
    if not _fits(score, scale):
        kind = "a whole number" if scale.whole else "a number"
        raise InputError(
            Problem(
                key="score",
                found="no score of this scale",
                expected=f"{kind} from {scale.low:g} to {scale.high:g}",
                next_step="Choose one, or type it.",
            )
        )
    content = {"score": score, "scale": scale.name, "reading": number}
    return Draft(
        kind=SCORE, reader=reader, when=when, subject=file.patient, place=file.stain, item=_item(file, number),
        content=content, own=True,
    )  # fmt: skip


def read_given_scores(
    log: Readings, scales: Mapping[str, ScoreScale], slides: Iterable[SlideFile], *, number: int = 1
) -> ScoreTable:
    """Return the scores of slides in a round, and a problem for each that is not on the scale of its stain."""
    places = {(each.patient, each.stain, _item(each, number)): each for each in slides}
    pairs = [(each, places.get((each.subject, each.place, each.item))) for each in log.current(SCORE)]
    known = [(reading, file) for reading, file in pairs if file and file.stain in scales]
    good = [(reading, file) for reading, file in known if _is_good(reading, scales[file.stain])]
    return ScoreTable(
        scores=tuple(_build(reading, file) for reading, file in good),
        scales=dict(scales),
        failures=(_unfit(),) * (len(known) - len(good)),
    )


def join_scores(table: ScoreTable | None, given: ScoreTable) -> ScoreTable | None:
    """Return the scores of a table and those given, each reader's score of a slide once: the given one."""
    if table is None:
        return given if given.scores or given.failures else None
    newer = {_key(each) for each in given.scores}
    kept = (each for each in table.scores if _key(each) not in newer)
    failures = (*table.failures, *given.failures)
    return ScoreTable(scores=(*kept, *given.scores), scales={**given.scales, **table.scales}, failures=failures)


@dataclass(frozen=True, slots=True, kw_only=True)
class ComparedReaders:
    """How far two readers agree, with the scores of each slide that both gave and the limits of agreement."""

    agreement: ReaderAgreement
    limits: BlandAltman
    pairs: tuple[tuple[float, float], ...]


def compare_readers(table: ScoreTable, *, level: float = 0.95) -> tuple[ComparedReaders, ...]:
    """Return how far each two readers agree, by stain, over all staining runs."""
    found = (each for each in tabulate_agreement(table, level=level) if len(each.readers) == 2)
    compared = ((each, _pair(table, each)) for each in found)
    return tuple(
        ComparedReaders(agreement=each, limits=_bound(pairs, level), pairs=pairs) for each, pairs in compared if pairs
    )


def compare_rounds(rounds: Sequence[ScoreTable], *, level: float = 0.95) -> tuple[ComparedReaders, ...]:
    """Return how far each reader agrees with himself, over the rounds in their order, by stain."""
    found: list[ComparedReaders] = []
    for reader in sorted({each.reader for table in rounds for each in table.scores}):
        own = [[each for each in table.scores if each.reader == reader] for table in rounds]
        held = [(place, scores) for place, scores in enumerate(own, 1) if scores]
        for pair in combinations(held, 2):
            named = tuple(replace(each, reader=f"{reader}, round {place}") for place, scores in pair for each in scores)
            found += compare_readers(ScoreTable(scores=named, scales=rounds[0].scales), level=level)
    return tuple(found)


def _pair(table: ScoreTable, found: ReaderAgreement) -> tuple[tuple[float, float], ...]:
    one, other = (
        {(s.patient, s.visit, s.slide): s.score for s in table.scores if (s.reader, s.stain) == (reader, found.stain)}
        for reader in found.readers
    )
    return tuple((score, other[key]) for key, score in one.items() if key in other)


def _bound(pairs: Sequence[tuple[float, float]], level: float) -> BlandAltman:
    return compute_bland_altman([one for one, _ in pairs], [other for _, other in pairs], level=level)


def _item(file: SlideFile, number: int) -> str:
    return name_item(file) + (f"#{number}" if number > 1 else "")


def _is_good(reading: Reading, scale: ScoreScale) -> bool:
    score = reading.content.get("score")
    return isinstance(score, int | float) and reading.content.get("scale") == scale.name and _fits(score, scale)


def _fits(score: float, scale: ScoreScale) -> bool:
    return scale.low <= score <= scale.high and not (scale.whole and score % 1)


def _build(reading: Reading, file: SlideFile) -> Score:
    return Score(
        patient=file.patient,
        stain=file.stain,
        reader=reading.reader,
        score=float(reading.content["score"]),
        slide="" if file.number == 1 else file.path.name,
        visit=file.visit,
        blind=True,  # slides are scored in rounds of blind reading alone
    )


def _key(score: Score) -> tuple[str, str, str, str, str]:
    return score.patient, score.visit, score.slide, score.stain, score.reader


def _unfit() -> Problem:
    return Problem(
        file=LOG,
        found="a score that is not on the scale of its stain",
        expected="scores of one scale",
        next_step="Score that slide again, or set the scale of the study file back.",
    )
