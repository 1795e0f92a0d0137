"""What a study, or a folder, wants measured: slides by patient, visit and stain, and how.

Convention: nothing is read here but the names of files.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, replace
from pathlib import Path

from rarefactor.errors import ImageError, Problem
from rarefactor.pathology._beside import Beside, RunsAsked, find_patients, find_runs, read_beside
from rarefactor.pathology._compartments import Compartment
from rarefactor.pathology._detected import resolve_detector
from rarefactor.pathology._excluded import derive_excluded
from rarefactor.pathology._positivity import Denominator
from rarefactor.pathology._runs import Manifest
from rarefactor.pathology._scores import ScoreTable
from rarefactor.pathology._scores_given import find_scales, join_scores, read_given_scores
from rarefactor.pathology._settings import OURS, Reading, Settings, SlideFile
from rarefactor.pathology._slide import ENDINGS
from rarefactor.readings import read_readings
from rarefactor.spec import Biopsy, Study
from rarefactor.work import find_by_layout

NO_STAIN, NO_VISIT = "DAB", ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Plan:
    """Slides to measure and how, scores to read, and what does not fit.

    Attributes
    ----------
    slides, controls
        Of patients, and control tissue of staining runs.
    settings
        How they are measured.
    manifest, scores
        The tables beside them, with the rows that do not fit; no score of a patient who is not known.
    runs
        By what values are adjusted for the staining run.
    strangers, without
        Patients with slides who are not known, known ones without.
    scored_strangers
        Patients with scores who are not known.
    missing
        Rows of the manifest without a slide.
    """

    slides: tuple[SlideFile, ...]
    settings: Settings
    controls: tuple[SlideFile, ...] = ()
    manifest: Manifest | None = None
    scores: ScoreTable | None = None
    runs: RunsAsked = "none"
    strangers: int = 0
    without: int = 0
    scored_strangers: int = 0
    missing: int = 0

    @property
    def patients(self) -> int:
        """How many patients have a slide."""
        return len({each.patient for each in self.slides})

    @property
    def all(self) -> tuple[SlideFile, ...]:
        """Every slide that is measured, of patients and of control tissue."""
        return (*self.slides, *self.controls)

    @property
    def unlisted(self) -> int:
        """How many slides the manifest does not name."""
        return sum(each.run is None for each in self.slides) if self.manifest else 0

    @property
    def problems(self) -> tuple[Problem, ...]:
        """Rows of the manifest and of the scores that do not fit and are left out."""
        return tuple(problem for table in (self.manifest, self.scores) if table for problem in table.failures)

    @property
    def counts(self) -> Mapping[tuple[str, str], tuple[int, int]]:
        """Patients and slides by visit and stain."""
        held: defaultdict[tuple[str, str], list[str]] = defaultdict(list)
        for each in self.slides:
            held[each.visit, each.stain].append(each.patient)
        return {key: (len(set(patients)), len(patients)) for key, patients in sorted(held.items())}


def plan_study(study: Study, source: Biopsy, subjects: Mapping[str, str]) -> Plan:
    """Return what a study wants measured.

    Parameters
    ----------
    subjects
        The subject that each patient's id stands for.

    Raises
    ------
    ImageError
        The folder is not there, nothing in it fits the layout, or there is no such detector.
    DataError
        The manifest or the scores cannot be read.
    """
    beside = Beside(
        manifest=study.folder / source.manifest if source.manifest else None,
        scores=study.folder / source.scores if source.scores else None,
        runs=source.runs,
    )
    manifest, scores = read_beside(beside)
    scored, scored_strangers = find_patients(scores, subjects, source.visit) if scores else (None, 0)
    settings = Settings(
        readings=make_readings(source, study.folder), um_per_px=source.um_per_px, level=study.analysis.level
    )
    plan = Plan(
        slides=(),
        settings=settings,
        manifest=manifest if source.manifest else None,
        scores=scored,
        runs=source.runs,
        scored_strangers=scored_strangers,
    )
    found = _add_slides(plan, study, source, subjects)
    given = read_given_scores(read_readings(study.folder), find_scales(source, scored), found.slides)
    return replace(found, scores=join_scores(scored, given))


def _add_slides(plan: Plan, study: Study, source: Biopsy, subjects: Mapping[str, str]) -> Plan:
    if source.folder is None:
        return plan
    folder = study.folder / source.folder
    known = {"stain": tuple(source.stains), "visit": tuple(study.cohort.visits)}
    found = [
        replace(each, visit=each.visit or source.visit) for each in _find(folder, source.layout, known, source.regions)
    ]
    stained = find_runs(found, plan.manifest or Manifest(slides=()), folder, source.stains)
    own = [replace(each, patient=subjects[each.patient]) for each in stained.slides if each.patient in subjects]
    return replace(
        plan,
        slides=derive_excluded(study.folder, _number(own)),
        controls=derive_excluded(study.folder, _number(stained.controls)),
        strangers=len({each.patient for each in stained.slides} - set(subjects)),
        without=len(set(subjects.values()) - {each.patient for each in own}),
        missing=stained.missing,
    )


def plan_folder(
    place: Path,
    settings: Settings,
    *,
    layout: str | None = None,
    stain: str | None = None,
    regions: str | None = None,
    beside: Beside | None = None,
) -> Plan:
    """Return what a file or a folder without a study wants measured.

    Parameters
    ----------
    place
        A slide, or a folder of slides.
    settings
        How they are measured.
    layout
        Such as ``{subject}_{stain}.tif``; without it every image is a slide of its own, called by its file.
    stain
        What the slides are stained for where the layout does not say, else the only stain that is wanted.
    regions
        A GeoJSON file, or the layout of one for each slide.
    beside
        The manifest of staining runs and the readers' scores.

    Raises
    ------
    ImageError
        There is no such place, or no image in it.
    DataError
        A table beside the slides cannot be read.
    """
    beside = beside or Beside()
    manifest, scores = read_beside(beside)
    found = _find_in_folder(place, layout, stain, regions)
    named = [replace(each, stain=stain or NO_STAIN) if each.stain == NO_STAIN else each for each in found]
    folder = place if place.is_dir() else place.parent
    stained = find_runs(named, manifest, folder, {each.stain for each in named})
    known = {each.patient: each.patient for each in stained.slides}
    scored, strangers = find_patients(scores, known, NO_VISIT) if scores else (None, 0)
    return Plan(
        slides=tuple(_number(stained.slides)),
        controls=tuple(_number(stained.controls)),
        settings=settings,
        manifest=manifest if beside.manifest else None,
        scores=scored,
        runs=beside.runs,
        scored_strangers=strangers,
        missing=stained.missing,
    )


def _find_in_folder(place: Path, layout: str | None, stain: str | None, regions: str | None) -> list[SlideFile]:
    if layout:
        return _find(place, layout, {"stain": (stain,)} if stain else {}, regions)
    drawn = _one_regions(place, regions)
    return [
        SlideFile(patient=name, visit=NO_VISIT, stain=NO_STAIN, path=path, regions=drawn)
        for name, path in _list_images(place)
    ]


def _find(folder: Path, layout: str, known: Mapping[str, Iterable[str]], regions: str | None) -> list[SlideFile]:
    if not folder.is_dir():
        raise _refuse(folder, "no such folder", "a folder of slides", "Check the path.")
    words = {name: tuple(values) for name, values in known.items()}
    drawn = dict(_find_regions(folder, regions, words))
    found = [
        SlideFile(
            patient=names["subject"],
            visit=names.get("visit", NO_VISIT),
            stain=names.get("stain", NO_STAIN),
            path=path,
            own_id=names["subject"],
        )
        for names, path in find_by_layout(folder, layout, known=words)
    ]
    if not found:
        step = "Compare it with the names there, and the stains with those of the study."
        raise _refuse(folder, f"nothing that fits {layout}", "slides filed by this layout", step)
    return [replace(each, regions=_match(drawn, each)) for each in found]


def _find_regions(
    folder: Path, layout: str | None, known: Mapping[str, tuple[str, ...]]
) -> Iterator[tuple[tuple[str | None, ...], Path]]:
    if layout and "{subject}" not in layout:
        yield (None, None, None), _one(folder, layout)
    elif layout:
        for names, path in find_by_layout(folder, layout, known=known):
            yield (names["subject"], names.get("visit"), names.get("stain")), path


def _match(drawn: Mapping[tuple[str | None, ...], Path], slide: SlideFile) -> Path | None:
    """Return the regions of a slide: those of its patient, visit and stain as far as the layout tells them."""
    for key, path in drawn.items():
        own = (slide.patient, slide.visit, slide.stain)
        if all(word is None or word == mine for word, mine in zip(key, own, strict=True)):
            return path
    return None


def _one_regions(place: Path, regions: str | None) -> Path | None:
    return _one(place if place.is_dir() else place.parent, regions) if regions else None


def _one(folder: Path, name: str) -> Path:
    for path in (Path(name), folder / name):
        if path.is_file():
            return path
    raise _refuse(Path(name), "no such file", "the GeoJSON file of the regions", "Check the path.")


def _list_images(place: Path) -> Iterator[tuple[str, Path]]:
    if place.is_file() or (place.is_dir() and any(place.glob("*.dcm"))):
        yield place.stem, place
        return
    if not place.is_dir():
        raise _refuse(place, "nothing of this name", "a slide or a folder of slides", "Check the path.")
    paths = sorted(path for path in place.rglob("*") if _may_be_image(path))
    if not paths:
        raise _refuse(place, "no images", f"files that end in {', '.join(ENDINGS)}", "Check the path.")
    stems = Counter(_stem(path) for path in paths)
    for path in paths:
        yield (_stem(path) if stems[_stem(path)] == 1 else path.name), path


def _may_be_image(path: Path) -> bool:
    return path.is_file() and path.suffix.lower() in ENDINGS and not path.name.startswith(".")


def _stem(path: Path) -> str:
    return path.stem.removesuffix(".ome")


def _number(slides: Iterable[SlideFile]) -> Iterator[SlideFile]:
    """Give the slides by patient, visit and stain, numbered within."""
    groups: defaultdict[tuple[str, str, str], list[SlideFile]] = defaultdict(list)
    for each in slides:
        groups[each.patient, each.visit, each.stain].append(each)
    for _, held in sorted(groups.items()):
        yield from (replace(each, number=number) for number, each in enumerate(held, start=1))


def make_readings(source: Biopsy, folder: Path | None = None) -> dict[str, Reading]:
    """Return how the stains of a study are read; with its folder the detector is looked up there.

    Raises
    ------
    ImageError
        There is no such detector, or what it needs is not there.
    """
    named, content = resolve_detector(source.detector, folder) if source.detector and folder else (OURS, "")
    return {
        name: Reading(
            measure=stain.measure,
            threshold=stain.threshold,
            compartment=Compartment(stain.compartment),
            denominator=Denominator[stain.denominator.upper()],
            detector=named if stain.measure == "cells" else OURS,
            detector_content=content if stain.measure == "cells" else "",
        )
        for name, stain in source.stains.items()
    }


def _refuse(place: Path, found: str, expected: str, next_step: str) -> ImageError:
    return ImageError(Problem(file=str(place), found=found, expected=expected, next_step=next_step))
