"""What a study, or a folder, wants measured: patients with their visits, and how.

Convention: nothing is read here but the names of files and tables of labels.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path

import polars as pl

from rarefactor.errors import ImageError, Problem
from rarefactor.imaging._corrected import take_corrected
from rarefactor.imaging._fat_fraction import Estimator
from rarefactor.imaging._find import ONLY_VISIT, Found, find_scans, guess_layout
from rarefactor.imaging._label_names import read_label_names
from rarefactor.imaging._scan import Kind
from rarefactor.imaging._settings import PatientFiles, Settings, VisitFiles, list_files
from rarefactor.readings import read_readings
from rarefactor.spec import DAYS_PER_MONTH, Study, Thigh
from rarefactor.work import hash_file


@dataclass(frozen=True, slots=True, kw_only=True)
class Plan:
    """Patients to measure, how, and what does not fit: folders of nobody, subjects without a scan, masks of nobody.

    ``corrected`` counts the scans whose mask a reader has corrected, ``damaged`` names the lines of the log of readings
    that cannot be read.
    """

    patients: tuple[PatientFiles, ...]
    settings: Settings
    subjects: Mapping[str, str] = field(default_factory=dict[str, str], repr=False)
    strangers: int = 0
    without: int = 0
    masks_left: int = 0
    corrected: int = 0
    damaged: tuple[Problem, ...] = ()

    @property
    def files(self) -> tuple[Path, ...]:
        """Every file that may be read, masks included, in the order of patients and visits."""
        places = [place for patient in self.patients for visit in patient.visits for place in visit.places]
        return tuple(file for place in places for file in list_files(place))

    @property
    def hashes(self) -> tuple[str, ...]:
        """SHA-256 of every file."""
        return tuple(hash_file(file) for file in self.files)

    @property
    def bytes(self) -> int:
        """How large the files are together."""
        return sum(file.stat().st_size for file in self.files)

    @property
    def visits(self) -> int:
        """How many visits there are."""
        return sum(len(each.visits) for each in self.patients)


def plan_study(study: Study, source: Thigh, subjects: Mapping[str, str], days: pl.DataFrame) -> Plan:
    """Return what a study wants measured.

    Parameters
    ----------
    subjects
        The subject that each patient's id stands for.
    days
        ``subject``, ``visit`` and ``day``: when the visits were.

    Raises
    ------
    ImageError
        The folder is not there, nothing in it fits the layout, or the table of labels cannot be read.
    """
    log = read_readings(study.folder)
    if source.folder is None:
        return Plan(patients=(), settings=_settings(study, source), subjects=subjects, damaged=log.damaged)
    folder = study.folder / source.folder
    visits = {name: source.visits.get(name, name) for name in study.cohort.visits}
    found = find_scans(folder, source.layout, visits=visits)
    masks = _match_masks(_find_masks(folder, source.masks, visits), found)
    months = {(subject, visit): day / DAYS_PER_MONTH for subject, visit, day in days.iter_rows()}
    known = [each for each in found if each.subject in subjects]

    def month(subject: str, visit: str) -> float | None:
        return months.get((subjects[subject], visit), study.cohort.visits[visit].month)

    own = {each.subject for each in known}
    patients = tuple(take_corrected(_group(known, masks, month, subjects), study.folder, log))
    return Plan(
        patients=patients,
        settings=_settings(study, source),
        subjects=subjects,
        strangers=len({each.subject for each in found} - own),
        without=len(set(subjects) - own),
        masks_left=len(set(masks) - {(each.subject, each.visit) for each in found}),
        corrected=sum(visit.corrected is not None for patient in patients for visit in patient.visits),
        damaged=log.damaged,
    )


def renew_corrected(asked: Plan, folder: Path) -> Plan:
    """Return a plan with the masks that are corrected now, for who asks often and knows that the scans are the same.

    Parameters
    ----------
    folder
        Of the study.
    """
    log = read_readings(folder)
    patients = tuple(take_corrected(asked.patients, folder, log))
    corrected = sum(visit.corrected is not None for patient in patients for visit in patient.visits)
    return replace(asked, patients=patients, corrected=corrected, damaged=log.damaged)


def plan_folder(
    folder: Path,
    settings: Settings,
    *,
    layout: str | None = None,
    masks: str | None = None,
    months: Mapping[str, float] | None = None,
) -> Plan:
    """Return what a folder without a study wants measured; patients keep the names of the folder.

    Parameters
    ----------
    folder
        A folder of patients, of one patient, or of one scan.
    layout
        Such as ``{subject}/{visit}``; seen from the folder where it is not given.
    masks
        The layout of readers' masks, or the path of the mask of the only scan. A mask that names no visit belongs to
        the visit in whose folder it lies, else to the patient's first.
    months
        The month of each visit, for a rate; also the order of the visits.

    Raises
    ------
    ImageError
        Nothing in the folder fits the layout, or no mask belongs to a scan.
    """
    shape = layout or guess_layout(folder)
    return _plan_many(folder, settings, (shape, masks), months or {}) if shape else _plan_one(folder, settings, masks)


def _plan_many(folder: Path, settings: Settings, layouts: tuple[str, str | None], months: Mapping[str, float]) -> Plan:
    layout, masks = layouts
    drawn = _find_masks(folder, masks, None)
    found = [_without(each, set(drawn.values())) for each in find_scans(folder, layout)]
    ordered = sorted((each for each in found if each.paths), key=lambda each: months.get(each.visit, 0.0))
    own = _match_masks(drawn, ordered)
    scans = {(each.subject, each.visit) for each in ordered}
    if drawn and not scans & set(own):
        raise ImageError(_no_mask_fits(folder, masks or ""))
    names = {each.subject: each.subject for each in sorted(ordered, key=lambda each: each.subject)}
    return Plan(
        patients=_group(ordered, own, lambda _, visit: months.get(visit), names),
        settings=settings,
        masks_left=len(set(own) - scans),
    )


def _plan_one(folder: Path, settings: Settings, mask: str | None) -> Plan:
    visit = VisitFiles(visit=ONLY_VISIT, paths=(folder,), mask=folder / mask if mask else None)
    return Plan(patients=(PatientFiles(patient=folder.resolve().name, visits=(visit,)),), settings=settings)


def _find_masks(folder: Path, layout: str | None, visits: Mapping[str, str] | None) -> dict[tuple[str, str], Path]:
    found = find_scans(folder, layout, visits=visits) if layout else ()
    return {(each.subject, each.visit): each.paths[0] for each in found}


def _match_masks(masks: Mapping[tuple[str, str], Path], found: Iterable[Found]) -> dict[tuple[str, str], Path]:
    """Give masks that name no visit to the visit in whose folder they lie, else to the patient's first."""
    visits: dict[str, list[Found]] = defaultdict(list)
    for each in found:
        visits[each.subject].append(each)
    return {(subject, _visit_of(path, visit, visits[subject])): path for (subject, visit), path in masks.items()}


def _visit_of(mask: Path, visit: str, found: Sequence[Found]) -> str:
    if visit != ONLY_VISIT or not found:
        return visit
    around = (each.visit for each in found if any(mask.is_relative_to(path) for path in each.paths))
    return next(around, found[0].visit)


def _no_mask_fits(folder: Path, layout: str) -> Problem:
    return Problem(
        file=str(folder),
        found=f"masks that fit {layout}, and none of them of a patient and visit with a scan",
        expected="the words for patient and visit that the scans have",
        next_step="Compare the layout of the masks with that of the scans.",
    )


def _without(found: Found, masks: set[Path]) -> Found:
    return Found(
        subject=found.subject, visit=found.visit, paths=tuple(path for path in found.paths if path not in masks)
    )


def _group(
    found: Iterable[Found],
    masks: Mapping[tuple[str, str], Path],
    month: Callable[[str, str], float | None],
    names: Mapping[str, str],
) -> tuple[PatientFiles, ...]:
    """Return the visits of each patient, under the name that ``names`` has for the patient."""
    taken = set(masks.values())
    visits: dict[str, list[VisitFiles]] = defaultdict(list)
    for each in found:
        visits[each.subject].append(
            VisitFiles(
                visit=each.visit,
                paths=tuple(path for path in each.paths if path not in taken),
                mask=masks.get((each.subject, each.visit)),
                month=month(each.subject, each.visit),
            )
        )
    return tuple(
        PatientFiles(patient=names[subject], visits=tuple(held), own_id=subject)
        for subject, held in sorted(visits.items(), key=lambda item: names[item[0]])
    )


def _settings(study: Study, source: Thigh) -> Settings:
    return Settings(
        sequence=source.sequence,
        patterns={Kind(kind): pattern for kind, pattern in source.series.items()},
        names=read_label_names(study.folder / source.labels) if source.labels else None,
        segmenter=source.segmenter,
        estimator=Estimator(source.estimator),
        repeatability=source.repeatability,
        allow=source.allow,
        level=study.analysis.level,
    )
