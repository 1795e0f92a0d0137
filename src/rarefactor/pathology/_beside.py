"""Tables beside the slides: which run each slide was stained in, which are control tissue, what readers scored.

Convention: a slide of the manifest is named by its path inside the folder of slides, or by the name of its file.
Control tissue is nobody's biopsy, whatever it is called.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Literal

from rarefactor.pathology._runs import Manifest, StainedSlide, read_manifest
from rarefactor.pathology._scores import Score, ScoreTable, read_scores
from rarefactor.pathology._settings import SlideFile

RunsAsked = Literal["none", "controls", "medians"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Beside:
    """Where the manifest of staining runs and the readers' scores are, and by what runs are adjusted."""

    manifest: Path | None = None
    scores: Path | None = None
    runs: RunsAsked = "none"


@dataclass(frozen=True, slots=True, kw_only=True)
class Stained:
    """Slides with their runs.

    Attributes
    ----------
    slides
        Of patients.
    controls
        Control tissue.
    missing
        Rows of the manifest without a slide.
    """

    slides: tuple[SlideFile, ...]
    controls: tuple[SlideFile, ...] = ()
    missing: int = 0


def find_runs(found: Sequence[SlideFile], manifest: Manifest, folder: Path, stains: Iterable[str]) -> Stained:
    """Return the slides with their runs, those of control tissue apart.

    Parameters
    ----------
    found
        The slides of the folder.
    manifest
        Control tissue that does not fit the layout is looked for by its path, if its antibody is one of ``stains``.
    """
    rows = {each.slide: each for each in manifest.slides}
    named = [(each, _find_row(rows, each, folder)) for each in found]
    controls = [_as_control(each, row) for each, row in named if row and row.control]
    seen = {row.slide for _, row in named if row}
    wanted = set(stains)
    for row in rows.values():
        path = folder / row.slide
        if row.control and row.slide not in seen and row.antibody in wanted and path.exists():
            controls.append(_as_control(SlideFile(patient="", visit="", stain=row.antibody, path=path), row))
            seen.add(row.slide)
    return Stained(
        slides=tuple(
            replace(each, run=row.run if row else None) for each, row in named if row is None or not row.control
        ),
        controls=tuple(controls),
        missing=len(set(rows) - seen),
    )


def read_beside(beside: Beside) -> tuple[Manifest, ScoreTable | None]:
    """Return the manifest (empty where there is none) and the scores.

    Raises
    ------
    DataError
        One of them cannot be read.
    """
    manifest = read_manifest(beside.manifest) if beside.manifest else Manifest(slides=())
    return manifest, read_scores(beside.scores) if beside.scores else None


def find_patients(table: ScoreTable, subjects: Mapping[str, str], visit: str) -> tuple[ScoreTable, int]:
    """Return the scores of subjects, those without a visit at ``visit``, and how many patients are none of them."""
    own = tuple(
        replace(each, patient=subjects[each.patient], visit=each.visit or visit)
        for each in table.scores
        if each.patient in subjects
    )
    strangers = {each.patient for each in table.scores} - set(subjects)
    return replace(table, scores=own), len(strangers)


def list_score_runs(slides: Iterable[SlideFile], scores: Iterable[Score]) -> dict[tuple[str, str], str]:
    """Return the staining run of each slide that is scored, and of each patient of one run, by stain."""
    runs = _list_runs(slides)
    keys = {(each.slide or each.patient, each.stain) for each in scores} | {(s.patient, s.stain) for s in scores}
    return {key: next(iter(runs[key])) for key in keys if len(runs.get(key, ())) == 1}


def _list_runs(slides: Iterable[SlideFile]) -> dict[tuple[str, str], set[str]]:
    runs: dict[tuple[str, str], set[str]] = {}
    for each in slides:
        for key in ((each.path.name, each.stain), (each.patient, each.stain)):
            runs.setdefault(key, set()).update({each.run} if each.run else ())
    return runs


def _find_row(rows: Mapping[str, StainedSlide], slide: SlideFile, folder: Path) -> StainedSlide | None:
    inside = slide.path.relative_to(folder).as_posix() if slide.path.is_relative_to(folder) else slide.path.name
    return rows.get(inside) or rows.get(slide.path.name)


def _as_control(slide: SlideFile, row: StainedSlide) -> SlideFile:
    return replace(slide, patient=f"control {row.run}", visit="", run=row.run, control=True)
