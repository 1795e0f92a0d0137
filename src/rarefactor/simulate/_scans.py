"""The thigh MRI of a synthetic study: a Dixon scan of each visit as DICOM, and a reader's mask of the first.

Convention: ``{subject}/{visit}/`` below the folder holds ``001_fat.dcm`` and ``002_water.dcm``, at the first visit
``labels.nii.gz`` too; ``labels.csv`` in the folder itself names the labels. Fat fractions are 0 to 1 and true of the
voxels of the visit's own label map. Every header says that the image is synthetic.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, timedelta
from pathlib import Path
from typing import Final

import numpy as np

from rarefactor.imaging import (
    Acquisition,
    DicomLabel,
    Grid,
    Kind,
    Look,
    Movement,
    Thigh,
    simulate_visits,
    write_label_names,
    write_scan,
)
from rarefactor.work import Job, Progress, Workers, content_key, map_jobs, read_packed, write_file, write_packed

STEP: Final = "Make thigh MRI"
MASK: Final = "labels.nii.gz"
NAMES: Final = "labels.csv"
SCAN_GRID: Final = Grid(shape=(4, 104, 160), spacing_mm=(48.0, 2.4, 2.4), origin_mm=(-190.8, -123.6, -72.0))
"""The whole thigh, coarse, so that a study of images stays small."""
_DIXON: Final = Acquisition(
    sequence="Dixon", repetition_ms=7.0, echo_ms=2.5, flip_degrees=4.0, field_tesla=3.0, scanner="synthetic"
)
_LOOK: Final = Look(noise=0.008, weighted=True, acquisition=_DIXON)
_MOVEMENT: Final = Movement(turn_degrees=2.0, shift_mm=4.0, bend_mm=0.6, slice_mm=0.2)
"""Of thighs that are laid down with care at every visit."""
_FIRST_DAY: Final = date(2000, 1, 1)


@dataclass(frozen=True, slots=True, kw_only=True)
class ScanTruth:
    """What is true of the scans of one patient.

    Attributes
    ----------
    subject
        As it stands in the names of folders.
    visits
        In the order of time: fat fraction (0 to 1) of all measured muscles together, or by muscle code.
    days
        Days since the first visit, for the (fictitious) date in the header; the same day where not given.
    seed
        Of everything else about the patient's thighs.
    """

    subject: str
    visits: Mapping[str, float | Mapping[str, float]]
    days: Mapping[str, int] = field(default_factory=dict[str, int])
    seed: int


def write_scans(
    folder: Path,
    patients: Sequence[ScanTruth],
    *,
    progress: Progress | None = None,
    workers: Workers | None = None,
) -> None:
    """Write the scans of all patients; the same truth gives the same bytes.

    Parameters
    ----------
    folder
        Of the scans; made where it is not there.
    patients
        Each is built, laid down and scanned on its own.

    Examples
    --------
    >>> import tempfile
    >>> folder = Path(tempfile.mkdtemp())
    >>> write_scans(folder, [ScanTruth(subject="P1", visits={"baseline": 0.1, "month_3": 0.12}, seed=1)])
    >>> for path in sorted(folder.rglob("*.*")): print(path.relative_to(folder).as_posix())
    P1/baseline/001_fat.dcm
    P1/baseline/002_water.dcm
    P1/baseline/labels.nii.gz
    P1/month_3/001_fat.dcm
    P1/month_3/002_water.dcm
    labels.csv
    """
    jobs = [
        Job(key=content_key("scans", each.subject, each.seed), function=_make, arguments=(each,)) for each in patients
    ]
    for done in map_jobs(jobs, workers=workers, step=STEP, progress=progress):
        for name, data in read_packed(done.data).items():
            path = folder / name
            path.parent.mkdir(parents=True, exist_ok=True)
            write_file(path, data)
    if progress:
        progress.finish(STEP, f"{sum(len(each.visits) for each in patients)} scans of synthetic thighs")


def _make(truth: ScanTruth) -> bytes:
    """Return the files of one patient by their path."""
    rng = np.random.default_rng(truth.seed)
    fat = list(truth.visits.values())
    thighs = simulate_visits(rng, fat, grid=SCAN_GRID, look=_LOOK, movement=_MOVEMENT)
    files: dict[str, bytes] = {NAMES: write_label_names(thighs[0].labels)}
    for place, (visit, thigh) in enumerate(zip(truth.visits, thighs, strict=True)):
        made = _write_visit(thigh, truth, visit, masked=place == 0)
        files |= {f"{truth.subject}/{visit}/{name}": data for name, data in made.items() if name != NAMES}
    return write_packed(files)


def _write_visit(thigh: Thigh, truth: ScanTruth, visit: str, *, masked: bool) -> Mapping[str, bytes]:
    day = _FIRST_DAY + timedelta(days=truth.days.get(visit, 0))
    return write_scan(
        {Kind.FAT: thigh.fat, Kind.WATER: thigh.water},
        form="enhanced",
        acquisition=_DIXON,
        label=DicomLabel(patient=truth.subject, study=visit, date=f"{day:%Y%m%d}"),
        labels=thigh.labels if masked else None,
    )
