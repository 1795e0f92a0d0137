"""What imaging and pathology would measure of a cohort, without making an image: the truth and an error.

Convention: the tables and columns are those that imaging and pathology promise for the study; what the truth does not
tell of is null. Patients are the pseudonyms that the records were read under.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import replace

import numpy as np
import polars as pl

from rarefactor import imaging, pathology
from rarefactor.results import CHANGES, Measured, MeasuredTable
from rarefactor.simulate._cohort import SimulatedCohort
from rarefactor.simulate._draws import Bools, Floats
from rarefactor.simulate._plan import FAT, RATE


def tabulate_measured(cohort: SimulatedCohort, pseudonyms: Mapping[str, str]) -> tuple[Measured, ...]:
    """Return what would be measured in the images of a cohort.

    Parameters
    ----------
    cohort
        The cohort; the errors of measurement are those of its truth.
    pseudonyms
        The subject that each record id was read as, from the cohort that was read from its records.

    Returns
    -------
    tuple of Measured
        For ``derive.build``, in the place of what imaging and pathology measure.
    """
    study = cohort.plan.study
    subjects = np.array([pseudonyms.get(each, "") for each in cohort.ids])
    scans = imaging.describe(study)
    slides = pathology.describe(study)
    return (
        replace(scans, tables=tuple(_fill_scans(cohort, table, subjects) for table in scans.tables)),
        replace(slides, tables=tuple(_fill_slides(cohort, table, subjects) for table in slides.tables)),
    )


def _fill_scans(cohort: SimulatedCohort, table: MeasuredTable, subjects: np.ndarray) -> MeasuredTable:
    if cohort.truth.scans is None:
        return table
    places = [cohort.plan.visits.index(visit) for visit in cohort.truth.scans.visits]
    frames = [
        _rows(cohort, table, subjects, cohort.follow_up.scanned(place), place, {FAT: _fat(cohort, place)})
        for place in places
    ]
    changes = [_change(cohort, subjects, first, last) for first, last in _pairs(places)]
    return replace(table, frame=pl.concat(frames), changes=pl.concat([pl.DataFrame(schema=CHANGES), *changes]))


def _pairs(places: list[int]) -> Iterator[tuple[int, int]]:
    yield from ((first, last) for first in places for last in places if first < last)


def _fat(cohort: SimulatedCohort, place: int) -> Floats:
    """Return the fat fraction as it is measured at a visit: with the error of the first scan and of the rate."""
    measured = cohort.baseline.measured
    return measured[FAT] + measured[RATE] * cohort.months[:, place]


def _change(cohort: SimulatedCohort, subjects: np.ndarray, first: int, last: int) -> pl.DataFrame:
    both = cohort.follow_up.scanned(first) & cohort.follow_up.scanned(last)
    change = cohort.baseline.measured[RATE] * (cohort.months[:, last] - cohort.months[:, first])
    return pl.DataFrame(
        {
            "subject": subjects[both],
            "first": [cohort.plan.visits[first]] * int(both.sum()),
            "last": [cohort.plan.visits[last]] * int(both.sum()),
            "column": [FAT] * int(both.sum()),
            "change": change[both],
        },
        schema=CHANGES,
    )


def _fill_slides(cohort: SimulatedCohort, table: MeasuredTable, subjects: np.ndarray) -> MeasuredTable:
    found = {
        f"{stain}.{quantity}": np.where(cohort.follow_up.stained(stain), cohort.baseline.measured[key], np.nan)
        for stain in cohort.truth.slides
        for quantity in ("positive_area", "positive_per_mm2")
        if (key := f"{stain}.{quantity}") in cohort.baseline.measured
    }
    stained = (
        np.any([~np.isnan(values) for values in found.values()], axis=0) if found else np.array([], dtype=np.bool_)
    )
    return replace(table, frame=_rows(cohort, table, subjects, stained, 0, found)) if found else table


def _rows(
    cohort: SimulatedCohort,
    table: MeasuredTable,
    subjects: np.ndarray,
    kept: Bools,
    place: int,
    values: Mapping[str, Floats],
) -> pl.DataFrame:
    """Return a row for each patient who was measured at a visit."""
    nothing = np.full(int(kept.sum()), np.nan)
    columns = {name: values[name][kept] if name in values else nothing for name in table.quantities}
    return pl.DataFrame(
        {
            "subject": subjects[kept],
            "visit": [cohort.plan.visits[place]] * int(kept.sum()),
            **{name: pl.Series(each, nan_to_null=True, dtype=pl.Float64) for name, each in columns.items()},
        }
    )
