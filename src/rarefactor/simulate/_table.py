"""What is true of each patient, as a table for whoever wants to compare.

Convention: one row per patient; choices are codes; fat fractions and areas are in per cent, rates in percentage points
per month, dates are days since baseline. Every row says that the patient was made.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping

import numpy as np
import polars as pl

from rarefactor.simulate._cohort import SimulatedCohort
from rarefactor.simulate._draws import Floats
from rarefactor.simulate._plan import FAT, RATE

README = """This study is synthetic: no patient, scan or biopsy in it exists.

truth/patients.csv says what is true of each patient that was made, before measurement, rounding, missing values and
loss to follow-up. The records and images beside it are what a clinic would have seen of it. truth.yaml beside the study
file says where each number comes from.
"""


def tabulate_truth(cohort: SimulatedCohort) -> pl.DataFrame:
    """Return what is true of each patient, one row each."""
    plan, follow_up = cohort.plan, cohort.follow_up
    return pl.DataFrame(
        {
            plan.study.cohort.subject: cohort.ids,
            "eligible": follow_up.eligible,
            "risk": cohort.risk.round(4),
            plan.study.outcome_name: cohort.outcome,
            "outcome_known": cohort.outcome_known,
            "last_visit": [plan.visits[place] for place in follow_up.last],
            "relapsed": cohort.course.relapsed,
            **dict(_list_baseline(cohort)),
            **dict(_list_visits(cohort)),
            "synthetic": ["yes"] * len(cohort.ids),
        }
    )


def _list_baseline(cohort: SimulatedCohort) -> Iterator[tuple[str, pl.Series]]:
    values: Mapping[str, Floats] = {**cohort.baseline.values, **cohort.baseline.true_core}
    for name, each in values.items():
        found = cohort.truth.find_field(name)
        if found and found[1].type in {"radio", "dropdown"}:
            codes = [*(found[1].choices or {})]
            yield name, pl.Series([codes[int(place)] for place in each])
        else:
            yield name, pl.Series(np.round(each, 4))


def _list_visits(cohort: SimulatedCohort) -> Iterator[tuple[str, pl.Series]]:
    plan, course = cohort.plan, cohort.course
    for place, visit in enumerate(plan.visits):
        yield f"day[{visit}]", pl.Series(cohort.follow_up.days[:, place].astype(np.int64))
        if place:
            yield f"response[{visit}]", pl.Series(course.response[:, place].round(3))
            yield f"{plan.score_name}[{visit}]", pl.Series(course.score[:, place])
        if cohort.truth.scans and visit in cohort.truth.scans.visits:
            yield f"{FAT}[{visit}]", pl.Series(compute_fat(cohort, place).round(3))


def write_scores(cohort: SimulatedCohort) -> bytes:
    """Return the table of the readers' scores of all slides."""
    ids = np.array(cohort.ids)
    header = ["patient", "stain", "reader", "scale", "score"]
    frames = [pl.DataFrame(schema=dict.fromkeys(header, pl.String))]
    for (stain, reader), scores in cohort.extras.scores.items():
        has = cohort.follow_up.stained(stain)
        given = [f"{score:.0f}" for score in scores[has]]
        columns = {"patient": ids[has], "stain": stain, "reader": reader, "scale": "0-3", "score": given}
        frames.append(pl.DataFrame(columns).select(header))
    return pl.concat(frames).write_csv().encode()


def compute_fat(cohort: SimulatedCohort, place: int) -> Floats:
    """Return the true fat fraction of the thighs at a visit, in per cent."""
    values = cohort.baseline.values
    return np.clip(values[FAT] + values[RATE] * cohort.months[:, place], 0.5, 95.0)
