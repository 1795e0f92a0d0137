"""The images that a cohort's truth asks for: which patient has which scans and slides, and what is true of each.

Convention: a patient's images depend on the seed of the study and on the patient alone. Who is not eligible has none.
"""

from __future__ import annotations

from pathlib import Path

import numpy as np

from rarefactor.simulate._cohort import SimulatedCohort
from rarefactor.simulate._scans import ScanTruth, write_scans
from rarefactor.simulate._table import compute_fat
from rarefactor.work import Progress, Workers


def list_scans(cohort: SimulatedCohort, *, seed: int) -> tuple[ScanTruth, ...]:
    """Return what is true of the scans of each patient who has any."""
    plan, found = cohort.plan, list[ScanTruth]()
    taken = {place: cohort.follow_up.scanned(place) for place in range(len(plan.visits))}
    seeds = np.random.SeedSequence(seed).generate_state(len(cohort.ids))
    fat = {place: compute_fat(cohort, place) / 100 for place, some in taken.items() if some.any()}
    for patient, subject in enumerate(cohort.ids):
        places = [place for place, some in taken.items() if some[patient]]
        if places:
            found.append(
                ScanTruth(
                    subject=subject,
                    visits={plan.visits[place]: float(fat[place][patient]) for place in places},
                    days={plan.visits[place]: int(cohort.follow_up.days[patient, place]) for place in places},
                    seed=int(seeds[patient]),
                )
            )
    return tuple(found)


def write_images(
    cohort: SimulatedCohort,
    folder: Path,
    *,
    seed: int,
    workers: Workers | None = None,
    progress: Progress | None = None,
) -> None:
    """Write the scans of a study into the folder that its study file names."""
    for source in cohort.plan.study.imaging.values():
        if source.folder is not None and cohort.truth.scans is not None:
            write_scans(folder / source.folder, list_scans(cohort, seed=seed), workers=workers, progress=progress)
