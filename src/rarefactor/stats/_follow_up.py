"""Follow-up as it is handed in: times and events of patients, checked and counted at each distinct time.

Convention: a patient is at risk at a time t where the own time is at least t; at equal times events come before
censoring. Times have any one unit, and results have the same.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike

from rarefactor.stats._arrays import Floats, Ints
from rarefactor.stats._inputs import raise_input, read_array


@dataclass(frozen=True, slots=True, kw_only=True)
class Counts:
    """Patients at each distinct time (t,): at risk, with an event, censored; ``place`` (n,) is each patient's time."""

    time: Floats
    at_risk: Floats
    events: Floats
    censored: Floats
    place: Ints


def read_follow_up(time: ArrayLike, event: ArrayLike) -> tuple[Floats, Floats]:
    """Return times and events (n,), or say what is wrong with them."""
    times, events = read_times(time), read_array(event, "event")
    check_same_length("event", events, times)
    if not np.isin(events, (0.0, 1.0)).all():
        found = "missing values" if np.isnan(events).any() else "values other than 0 and 1"
        raise_input("event", found, "0 (censored) or 1 (event)", "Convert 1/2 coding, for example status == 2.")
    return times, events


def read_times(time: ArrayLike) -> Floats:
    """Return the times (n,): finite, not negative, at least one."""
    times = read_array(time, "time")
    if times.ndim != 1 or not times.size:
        raise_input("time", f"an array of shape {times.shape}", "one time per patient", "Pass a list of times.")
    if not np.isfinite(times).all():
        raise_input("time", "missing or infinite times", "a finite time for every patient", "Leave the patients out.")
    if (times < 0.0).any():
        raise_input("time", "negative times", "times since the start of follow-up", "Check the dates.")
    return times


def check_same_length(argument: str, values: Floats, times: Floats) -> None:
    """Refuse an array that is not one value per patient."""
    if values.shape != times.shape:
        raise_input(argument, f"shape {values.shape}", f"shape {times.shape} like time", "Give one value per patient.")


def count_follow_up(times: Floats, events: Floats) -> Counts:
    """Count patients at each distinct time."""
    distinct, place = np.unique(times, return_inverse=True)
    everyone = np.bincount(place, minlength=distinct.size).astype(float)
    with_event = sum_by(place, events, distinct.size)
    return Counts(
        time=distinct,
        at_risk=np.cumsum(everyone[::-1])[::-1],
        events=with_event,
        censored=everyone - with_event,
        place=place,
    )


def sum_by(place: Ints, values: Floats, size: int) -> Floats:
    """Sum values (n,) by their places into (size,)."""
    return np.asarray(np.bincount(place, weights=values, minlength=size), dtype=np.float64)
