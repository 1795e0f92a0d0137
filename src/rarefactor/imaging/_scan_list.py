"""All scans of a study as a list to choose from: what was measured in each, and which to look at first."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from rarefactor.errors import Problem
from rarefactor.imaging._gist import Doubt, Gist
from rarefactor.imaging._outlying import LIMIT, compute_robust_scores
from rarefactor.imaging._plan import Plan
from rarefactor.imaging._settings import PatientFiles


@dataclass(frozen=True, slots=True, kw_only=True)
class ListedScan:
    """A scan in the list.

    Attributes
    ----------
    patient, visit : str
        The patient's pseudonym, and the visit.
    measured : bool
        Whether its numbers are known; otherwise it waits to be measured.
    fat_percent, rate : float or None
        Of the thigh, both sides; the rate since the first visit in percentage points per month.
    score : float or None
        How far the rate lies from the other patients' (modified z-score).
    mask_source : str or None
        Who drew the regions.
    doubts : tuple of Doubt
        What is doubtful about it.
    problem : Problem or None
        Why it could not be measured.
    """

    patient: str
    visit: str
    measured: bool
    fat_percent: float | None = None
    rate: float | None = None
    score: float | None = None
    mask_source: str | None = None
    doubts: tuple[Doubt, ...] = ()
    problem: Problem | None = None

    @property
    def outlying(self) -> bool:
        """Whether the rate lies so far from the others' that the scan should be looked at."""
        return self.score is not None and abs(self.score) > LIMIT


def list_scans(asked: Plan, gists: Sequence[Gist | None]) -> tuple[ListedScan, ...]:
    """Return every scan of a study, in the order of patients and visits.

    Parameters
    ----------
    asked
        What the study wants measured.
    gists
        What is known of each patient of the plan, see :func:`read_gist`; nothing is measured here.
    """
    scores = _score_rates(asked, gists)
    return tuple(
        _list(gist, files.patient, visit.visit, scores)
        for files, gist in zip(asked.patients, gists, strict=True)
        for visit in files.visits
    )


def _score_rates(asked: Plan, gists: Sequence[Gist | None]) -> dict[tuple[str, str], float | None]:
    """The score of each rate among the rates of all patients to the same visit."""
    found: dict[tuple[str, str], float | None] = {}
    for visit in dict.fromkeys(_visits(asked.patients)):
        rates = {gist.patient: _rate(gist, visit) for gist in gists if gist}
        scores = compute_robust_scores(tuple(rates.values()))
        found |= {(patient, visit): score for patient, score in zip(rates, scores, strict=True)}
    return found


def _visits(patients: tuple[PatientFiles, ...]) -> Iterator[str]:
    yield from (visit.visit for each in patients for visit in each.visits)


def _rate(gist: Gist, visit: str) -> float | None:
    found = gist.find_rate(visit)
    return found.rate if found else None


def _list(gist: Gist | None, patient: str, visit: str, scores: dict[tuple[str, str], float | None]) -> ListedScan:
    if gist is None:
        return ListedScan(patient=patient, visit=visit, measured=False)
    found = gist.visits.get(visit)
    thigh = found.find("thigh") if found else None
    return ListedScan(
        patient=patient,
        visit=visit,
        measured=True,
        fat_percent=thigh.fat_percent if thigh else None,
        rate=_rate(gist, visit),
        score=scores.get((patient, visit)),
        mask_source=found.mask_source if found else None,
        doubts=found.doubts if found else (),
        problem=gist.failures.get(visit),
    )
