"""What two readers grade blind: the scans, or the slides of a stain, as tasks with their images and scales.

Convention: a task's images go by keys made of pseudonyms; what a reader's page shows of one is its code, its picture
and what is to be graded, and nothing else. Later rounds are kept apart: they say how far a reader agrees with himself.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from functools import partial

from fastapi import Request

from rarefactor import imaging, pathology
from rarefactor.errors import InputError, Problem
from rarefactor.readings import Coded, Draft, Readings, derive_order, join_key
from rarefactor.spec import Grades, Study
from rarefactor.web._desk import Desk, Slides, read_desk, read_slides
from rarefactor.web._errors import unknown
from rarefactor.web._page import read_place, read_workspace
from rarefactor.web._scan_desk import Scans, read_scans
from rarefactor.web._workspace import Place

SCANS = "scans"
_ROUNDS = 5


@dataclass(frozen=True, slots=True, kw_only=True)
class Question:
    """One thing to grade of an image: its name in the form, its words, and its answers, or the ends of a number."""

    name: str
    label: str
    answers: Mapping[int, str]
    ends: tuple[float, float]


@dataclass(frozen=True, slots=True, kw_only=True)
class Pairwise:
    """How far two readers, or a reader's two rounds, agree, as a page shows it.

    ``n`` counts what both graded, ``images`` the images; each number stands with its interval.
    """

    readers: tuple[str, ...]
    n: int
    images: int
    kappa: tuple[float, float, float] | None
    icc: tuple[float, float, float] | None
    limits: tuple[float, float, float] | None
    pairs: tuple[tuple[float, float], ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Task(ABC):
    """What is graded: ``name`` in addresses and in the log, ``title`` and ``unit`` for people."""

    name: str
    title: str
    unit: str
    scale: str
    place: Place
    study: Study

    @abstractmethod
    def keys(self) -> Iterator[str]:
        """Yield the images."""

    @abstractmethod
    def questions(self, key: str) -> tuple[Question, ...]:
        """Return what is graded of an image."""

    @abstractmethod
    def picture(self, key: str) -> tuple[bytes, str]:
        """Return an image's picture and its media type."""

    @abstractmethod
    def drafts(
        self, key: str, answers: Mapping[str, float], reader: str, number: int, when: datetime
    ) -> tuple[Draft, ...]:
        """Return grades as readings; raises InputError where one is not on the scale."""

    @abstractmethod
    def answers(self, log: Readings, key: str, reader: str, number: int) -> Mapping[str, float]:
        """Return what a reader has graded of an image in a round."""

    @abstractmethod
    def agreement(self, log: Readings) -> tuple[Sequence[Pairwise], Sequence[Pairwise]]:
        """Return the agreement of readers in the first round, and of each reader with himself."""

    def view(self, key: str) -> pathology.View | None:  # noqa: ARG002 - only some tasks can be looked at closely
        """Return the open slide of an image that can be looked at closely."""
        return None

    def order(self, reader: str, number: int) -> tuple[Coded, ...]:
        """Return the images in a reader's order."""
        return derive_order(self.keys(), seed=self.study.analysis.seed, reader=reader, number=number)

    def find(self, code: str, reader: str, number: int) -> str:
        """Return the key of a code.

        Raises
        ------
        UnknownError
            The reader has no such image in this round.
        """
        for each in self.order(reader, number):
            if each.code == code:
                return each.key
        raise unknown("image of this name")


@dataclass(frozen=True, slots=True, kw_only=True)
class ScanTask(Task):
    """The scans: a grade of each muscle."""

    scans: Scans
    asked: Grades
    desk: Desk

    def keys(self) -> Iterator[str]:
        for patient in self.scans.asked.patients:
            yield from (join_key(patient.patient, visit.visit, "") for visit in patient.visits)

    def questions(self, key: str) -> tuple[Question, ...]:
        patient, visit, _ = key.split("|")
        words, codes = imaging.describe_scale(self.asked), _list_muscles(self.scans.gist(patient), visit)
        ends = (float(min(words)), float(max(words)))
        return tuple(Question(name=code, label=imaging.MUSCLES[code].name, answers=words, ends=ends) for code in codes)

    def picture(self, key: str) -> tuple[bytes, str]:
        patient, visit, _ = key.split("|")

        def draw() -> bytes:
            return imaging.draw_blind(self.scans.images(patient, visit), self.scans.mask(patient, visit))

        measured = self.scans.gist(patient) is not None
        made_from = (self.scans.signed, len(self.scans.history(patient, visit)), measured)
        return self.desk.keep((self.place.file, key), made_from, draw), "image/png"

    def drafts(
        self, key: str, answers: Mapping[str, float], reader: str, number: int, when: datetime
    ) -> tuple[Draft, ...]:
        patient, visit, _ = key.split("|")
        grades = {name: int(value) for name, value in answers.items()}
        return imaging.draft_blind(
            self.asked, grades, patient=patient, visit=visit, reader=reader, when=when, number=number
        )

    def answers(self, log: Readings, key: str, reader: str, number: int) -> Mapping[str, float]:
        patient, visit, _ = key.split("|")
        held = imaging.read_blind(log, self.asked, number).grades
        return {
            each.muscle: each.grade
            for each in held
            if (each.patient, each.visit, each.reader) == (patient, visit, reader)
        }

    def agreement(self, log: Readings) -> tuple[Sequence[Pairwise], Sequence[Pairwise]]:
        level = self.study.analysis.level
        rounds = [imaging.read_blind(log, self.asked, number) for number in range(1, _ROUNDS + 1)]
        between = imaging.tabulate_grade_agreement(rounds[0], level=level)
        return [_of_grades(each) for each in between], [
            _of_grades(each) for each in imaging.tabulate_grade_repeats(rounds, level=level)
        ]


@dataclass(frozen=True, slots=True, kw_only=True)
class SlideTask(Task):
    """The slides of a stain: one score each."""

    slides: Slides
    desk: Desk
    on: pathology.ScoreScale

    @property
    def _files(self) -> Mapping[str, pathology.SlideFile]:
        own = (each for each in self.slides.asked.slides if each.stain == self.name)
        return {join_key(each.patient, each.stain, pathology.name_item(each)): each for each in own}

    def keys(self) -> Iterator[str]:
        yield from self._files

    def questions(self, key: str) -> tuple[Question, ...]:  # noqa: ARG002 - the same of every slide
        words, ends = pathology.describe_scores(self.on), (self.on.low, self.on.high)
        return (Question(name="score", label=f"{self.name}, {self.on.name}", answers=words, ends=ends),)

    def picture(self, key: str) -> tuple[bytes, str]:
        return pathology.draw_overview(self.desk.view(self._files[key])), "image/jpeg"

    def view(self, key: str) -> pathology.View:
        return self.desk.view(self._files[key])

    def drafts(
        self, key: str, answers: Mapping[str, float], reader: str, number: int, when: datetime
    ) -> tuple[Draft, ...]:
        file = self._files[key]
        return tuple(
            pathology.draft_score(file, self.on, score, reader=reader, when=when, number=number)
            for score in answers.values()
        )

    def answers(self, log: Readings, key: str, reader: str, number: int) -> Mapping[str, float]:
        file = self._files[key]
        held = self._read(log, number, [file]).scores
        own = [each.score for each in held if each.reader == reader]
        return {"score": own[0]} if own else {}

    def agreement(self, log: Readings) -> tuple[Sequence[Pairwise], Sequence[Pairwise]]:
        level = self.study.analysis.level
        rounds = [self._read(log, number, self._files.values()) for number in range(1, _ROUNDS + 1)]
        between = pathology.compare_readers(rounds[0], level=level)
        return [_of_scores(each) for each in between], [
            _of_scores(each) for each in pathology.compare_rounds(rounds, level=level)
        ]

    def _read(self, log: Readings, number: int, files: Iterable[pathology.SlideFile]) -> pathology.ScoreTable:
        return pathology.read_given_scores(log, {self.name: self.on}, files, number=number)


@dataclass(frozen=True, slots=True, kw_only=True)
class Unscaled:
    """What could be graded if the study said on which scale."""

    name: str
    title: str
    scales: tuple[str, ...]


def list_tasks(request: Request, name: str) -> tuple[list[Task], list[Unscaled]]:
    """Return what can be graded in a study, and what could be if it named a scale."""
    made = [make() for _, make in _offer(request, name)]
    return [each for each in made if isinstance(each, Task)], [each for each in made if isinstance(each, Unscaled)]


def find_task(request: Request, study: str, name: str) -> Task:
    """Return what is graded; scans are not looked up for the slides of a stain.

    Raises
    ------
    UnknownError
        There is nothing of this name that can be graded.
    """
    for each, make in _offer(request, study):
        if each == name and isinstance(made := make(), Task):
            return made
    raise unknown("reading task of this name")


def _offer(request: Request, name: str) -> Iterator[tuple[str, Callable[[], Task | Unscaled]]]:
    """Yield by name what can be graded, or could be, each still to be made."""
    loaded = read_workspace(request).loaded(read_place(request, name))
    for scanned in loaded.imaging.values():
        if scanned.folder is not None:
            yield SCANS, partial(_offer_scans, request, name, loaded, scanned.grades)
    for stained in loaded.pathology.values():
        if stained.folder is not None:
            slides = read_slides(request, name)
            scales = pathology.find_scales(stained, slides.asked.scores)
            for stain in slides.stains:
                yield stain, partial(_offer_slides, request, slides, loaded, stain, scales.get(stain))


def check_reader(name: str) -> str:
    """Return a reader's name as it is kept.

    Raises
    ------
    InputError
        It is empty, or too long for a page.
    """
    kept = " ".join(name.split())
    if not 0 < len(kept) <= 60 or not kept.isprintable() or "/" in kept:
        raise InputError(
            Problem(
                key="reader",
                found="no name",
                expected="the reader's name, at most 60 characters, without a slash",
                next_step="Type the name under which your grades are kept.",
            )
        )
    return kept


def _offer_scans(request: Request, name: str, study: Study, asked: Grades | None) -> Task | Unscaled:
    if asked is None:
        return Unscaled(name=SCANS, title="Scans", scales=("mercuri", "goutallier", "lamminen", "fischer"))
    scans = read_scans(request, name)
    return ScanTask(
        name=SCANS, title="Scans", unit="mean grade", scale=asked.scale.capitalize(), place=scans.place, study=study,
        scans=scans, asked=asked, desk=read_desk(request),
    )  # fmt: skip


def _offer_slides(
    request: Request, slides: Slides, study: Study, stain: str, scale: pathology.ScoreScale | None
) -> Task | Unscaled:
    title = f"Slides of {stain}"
    if scale is None:
        return Unscaled(name=stain, title=title, scales=("0-3", "percent", "H-score"))
    return SlideTask(
        name=stain, title=title, unit="score", scale=scale.name, place=slides.place, study=study, slides=slides,
        desk=read_desk(request), on=scale,
    )  # fmt: skip


def _list_muscles(gist: imaging.Gist | None, visit: str) -> tuple[str, ...]:
    """Return the codes of the muscles that were measured at a visit; all where none is known or told apart."""
    found = gist.visits.get(visit) if gist else None
    sites = {each.site for each in found.sites} if found else set[str]()
    return tuple(code for code in imaging.MUSCLES if code in sites) or tuple(imaging.MUSCLES)


def _of_grades(found: imaging.GradeAgreement) -> Pairwise:
    kappa, icc, limits = found.kappa, found.icc.agreement, found.limits
    return Pairwise(
        readers=found.readers,
        n=found.muscles,
        images=found.scans,
        kappa=None if kappa.reason else (kappa.kappa, kappa.low, kappa.high),
        icc=None if found.icc.reason else (icc.icc, icc.low, icc.high),
        limits=None if limits.reason else (limits.lower.estimate, limits.bias.estimate, limits.upper.estimate),
        pairs=found.pairs,
    )


def _of_scores(found: pathology.ComparedReaders) -> Pairwise:
    kappa, icc, limits = found.agreement.kappa, found.agreement.icc, found.limits
    return Pairwise(
        readers=found.agreement.readers,
        n=found.agreement.n,
        images=found.agreement.n,
        kappa=None if kappa is None or kappa.reason else (kappa.kappa, kappa.low, kappa.high),
        icc=None if icc is None or icc.reason else (icc.agreement.icc, icc.agreement.low, icc.agreement.high),
        limits=None if limits.reason else (limits.lower.estimate, limits.bias.estimate, limits.upper.estimate),
        pairs=found.pairs,
    )
