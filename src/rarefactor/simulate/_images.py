"""The images that a cohort's truth asks for: which patient has which scans and slides, and what is true of each.

Convention: a patient's images depend on the seed of the study and on the patient alone. Who is not eligible has none.
"""

from __future__ import annotations

import csv
import io
from collections.abc import Mapping, Sequence
from dataclasses import asdict
from datetime import timedelta
from pathlib import Path

import numpy as np

from rarefactor.simulate._cohort import SimulatedCohort
from rarefactor.simulate._scans import ScanTruth, write_scans
from rarefactor.simulate._slides import MadeSlide, SlideTruth, write_runs, write_slides
from rarefactor.simulate._table import compute_fat
from rarefactor.spec import Biopsy
from rarefactor.work import Progress, Workers, write_file

SLIDES = "truth/slides.csv"
_DAYS_TO_STAINING = 30


def write_images(
    cohort: SimulatedCohort,
    folder: Path,
    *,
    seed: int,
    imaged: int | None = None,
    workers: Workers | None = None,
    progress: Progress | None = None,
) -> None:
    """Write the scans and slides of all patients, or of the first ``imaged``, into the folders of the study file.

    ``truth/slides.csv`` tells what is true of each slide that was made, which is near what was asked for.
    """
    study, chosen = cohort.plan.study, frozenset(cohort.ids[:imaged])
    for source in study.imaging.values():
        if source.folder is not None and cohort.truth.scans is not None:
            scans = [each for each in list_scans(cohort, seed=seed) if each.subject in chosen]
            write_scans(folder / source.folder, scans, workers=workers, progress=progress)
    for source in study.pathology.values():
        if source.folder is not None and cohort.truth.slides:
            slides = [each for each in list_slides(cohort, source, seed=seed) if each.subject in chosen]
            made = write_slides(folder / source.folder, slides, workers=workers, progress=progress)
            if source.manifest is not None:
                write_file(folder / source.manifest, write_runs(made, _date_runs(cohort, slides)))
            write_file(folder / SLIDES, _tabulate(made))


def list_scans(cohort: SimulatedCohort, *, seed: int) -> tuple[ScanTruth, ...]:
    """Return what is true of the scans of each patient who has any."""
    plan, found = cohort.plan, list[ScanTruth]()
    taken = {place: cohort.follow_up.scanned(place) for place in range(len(plan.visits))}
    fat = {place: compute_fat(cohort, place) / 100 for place, some in taken.items() if some.any()}
    for patient, (subject, own) in enumerate(zip(cohort.ids, _draw_seeds(cohort, seed, 0), strict=True)):
        places = [place for place, some in taken.items() if some[patient]]
        if places:
            found.append(
                ScanTruth(
                    subject=subject,
                    visits={plan.visits[place]: float(fat[place][patient]) for place in places},
                    days={plan.visits[place]: int(cohort.follow_up.days[patient, place]) for place in places},
                    seed=own,
                )
            )
    return tuple(found)


def list_slides(cohort: SimulatedCohort, source: Biopsy, *, seed: int) -> tuple[SlideTruth, ...]:
    """Return what is to be true of the slides of each patient who has any, run by run."""
    found: list[SlideTruth] = []
    for number, (stain, each) in enumerate(cohort.truth.slides.items(), start=1):
        if stain not in source.stains:
            continue
        gains, seeds = _draw_gains(cohort, seed, number), _draw_seeds(cohort, seed, number)
        for place, patient in enumerate(np.flatnonzero(cohort.follow_up.stained(stain)).tolist()):
            run = place // cohort.truth.runs.slides
            found.append(
                SlideTruth(
                    subject=cohort.ids[patient],
                    stain=stain,
                    positive_area=_share(cohort, f"{stain}.positive_area", patient) if each.positive_area else None,
                    positive_cells_per_mm2=_value(cohort, f"{stain}.positive_per_mm2", patient),
                    run=f"{stain}-{run + 1}",
                    gain=gains[run],
                    whole=place < cohort.truth.runs.whole,
                    seed=seeds[patient],
                )
            )
    return tuple(found)


def _value(cohort: SimulatedCohort, key: str, patient: int) -> float | None:
    values = cohort.baseline.values.get(key)
    return None if values is None else float(values[patient])


def _share(cohort: SimulatedCohort, key: str, patient: int) -> float:
    return (_value(cohort, key, patient) or 0.0) / 100


def _draw_seeds(cohort: SimulatedCohort, seed: int, stream: int) -> list[int]:
    """Return a seed for each patient; streams are independent of each other."""
    return [int(each) for each in np.random.SeedSequence([seed, stream]).generate_state(len(cohort.ids))]


def _draw_gains(cohort: SimulatedCohort, seed: int, stream: int) -> list[float]:
    runs = len(cohort.ids) // cohort.truth.runs.slides + 1
    scores = np.random.default_rng([seed, stream, 1]).standard_normal(runs)
    return [float(gain) for gain in cohort.truth.runs.ratio**scores]


def _date_runs(cohort: SimulatedCohort, slides: Sequence[SlideTruth]) -> dict[str, str]:
    """Return the day of each run: some weeks after the last of its patients came."""
    starts = dict(zip(cohort.ids, cohort.starts, strict=True))
    last: dict[str, str] = {}
    for slide in slides:
        last[slide.run] = (starts[slide.subject] + timedelta(days=_DAYS_TO_STAINING)).isoformat()
    return last


def _tabulate(made: Sequence[MadeSlide]) -> bytes:
    text = io.StringIO()
    rows: list[Mapping[str, object]] = [{**asdict(each), "synthetic": "yes"} for each in made]
    writer = csv.DictWriter(text, [*(rows[0] if rows else ["file"])], lineterminator="\n")
    writer.writeheader()
    writer.writerows(rows)
    return text.getvalue().encode()
