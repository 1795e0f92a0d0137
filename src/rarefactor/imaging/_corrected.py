"""Masks that a reader has corrected: on the way in as a reading, on the way to a measurement as the mask that counts.

Convention: a correction is a reading of the kind ``mask``, its place the visit, its file a NIfTI label map on the grid
of the image under the numbers of ``_numbered``. The newest of a visit counts before every other mask.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import replace
from pathlib import Path

from rarefactor.imaging._regions import CORRECTED
from rarefactor.imaging._settings import Corrected, PatientFiles, VisitFiles
from rarefactor.readings import Reading, Readings, find_file

MASK = "mask"
ENDING = ".nii.gz"


def take_corrected(patients: Sequence[PatientFiles], folder: Path, log: Readings) -> Iterator[PatientFiles]:
    """Yield the patients with the corrected mask of each visit that has one.

    Raises
    ------
    DataError
        The file of a correction is missing or was changed.
    """
    known = {(each.subject, each.place): each for each in log.current(MASK)}

    def corrected(patient: str, visit: VisitFiles) -> VisitFiles:
        found = known.get((patient, visit.visit))
        return replace(visit, corrected=_take(folder, found) if found else None)

    for each in patients:
        yield replace(each, visits=tuple(corrected(each.patient, visit) for visit in each.visits))


def say_source(reading: Reading) -> str:
    """Return who drew a mask, as tables and pictures say it.

    Examples
    --------
    >>> from datetime import UTC, datetime
    >>> day = datetime(2026, 3, 1, tzinfo=UTC)
    >>> say_source(Reading(kind="mask", reader="Ada", when=day, subject="s1", place="month_3", version=2))
    'corrected by Ada, version 2'
    """
    return f"{CORRECTED} {reading.reader}, version {reading.version}"


def _take(folder: Path, reading: Reading) -> Corrected:
    names = {int(label): str(name) for label, name in reading.content["labels"].items()}
    return Corrected(path=find_file(folder, reading), names=names, source=say_source(reading))
