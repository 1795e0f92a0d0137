"""The stained biopsies of a synthetic study: photographed fields, whole slides, and a control for each staining run.

Convention: ``{subject}_{stain}.tif`` in the folder, µm per pixel in the file's own tags, whole slides as pyramids under
the same name; controls lie in ``controls``, one for each run of a stain. Shares are 0 to 1, counts per mm² of tissue.
Every file says that it is synthetic.
"""

from __future__ import annotations

import csv
import io
import json
import tempfile
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Final

import numpy as np

from rarefactor.pathology import (
    Camera,
    Extent,
    StainingRun,
    Truth,
    Wanted,
    photograph,
    simulate_control,
    simulate_specimen,
    write_photograph,
    write_slide,
)
from rarefactor.work import (
    Job,
    Progress,
    Workers,
    content_key,
    map_jobs,
    read_packed,
    write_file,
    write_packed,
)

STEP: Final = "Make stained biopsies"
CONTROLS: Final = "controls"
_FIELD: Final = Camera(width=1152, height=1088, jpeg_quality=None)
_CONTROL: Final = Camera(width=768, height=768, jpeg_quality=None)
_WHOLE: Final = Camera(width=3072, height=2560, jpeg_quality=85)


@dataclass(frozen=True, slots=True, kw_only=True)
class SlideTruth:
    """What is to be true of a slide.

    Attributes
    ----------
    subject, stain
        As they stand in the name of the file; the stain is one of those that pathology can make.
    positive_area, positive_cells_per_mm2
        As a usual run would show them: share (0 to 1) of the tissue with a density of DAB of 0.2 or more, positive
        cells per mm² of tissue; None is left to chance.
    run
        Name of the staining run.
    gain
        How strongly DAB came out in that run, 1 being usual.
    whole
        A whole slide with pyramid rather than one field.
    seed
        Of everything else about the biopsy.
    """

    subject: str
    stain: str
    positive_area: float | None = None
    positive_cells_per_mm2: float | None = None
    run: str = "run 1"
    gain: float = 1.0
    whole: bool = False
    seed: int


@dataclass(frozen=True, slots=True, kw_only=True)
class MadeSlide:
    """A slide that was made (``file`` below the folder), and what is true of its picture; a control has no subject."""

    file: str
    subject: str
    stain: str
    run: str
    control: bool
    tissue_mm2: float
    positive_area: float
    positive_cells_per_mm2: float


def write_slides(
    folder: Path,
    slides: Sequence[SlideTruth],
    *,
    progress: Progress | None = None,
    workers: Workers | None = None,
) -> tuple[MadeSlide, ...]:
    """Write the slides and a control for each run of each stain; return what is true of each.

    Parameters
    ----------
    folder
        Made where it is not there.
    slides
        The same gives the same bytes.

    Raises
    ------
    InputError
        A stain is not known.
    """
    asked = [*slides, *_list_controls(slides)]
    jobs = [Job(key=content_key("slide", *asdict(each).values()), function=_make, arguments=(each,)) for each in asked]
    made = [_keep(folder, done.data) for done in map_jobs(jobs, workers=workers, step=STEP, progress=progress)]
    if progress:
        progress.finish(STEP, f"{len(slides)} slides of synthetic muscle, {len(asked) - len(slides)} controls")
    return tuple(made)


def write_runs(made: Sequence[MadeSlide], dates: dict[str, str]) -> bytes:
    """Return the manifest of the staining runs as CSV: which slide was stained in which run.

    Parameters
    ----------
    made
        All slides, controls among them.
    dates
        Day (YYYY-MM-DD) of each run.

    Examples
    --------
    >>> slide = MadeSlide(file="P1_CD20.tif", subject="P1", stain="CD20", run="R1", control=False, tissue_mm2=0.4,
    ...                   positive_area=0.01, positive_cells_per_mm2=30.0)
    >>> print(write_runs([slide], {"R1": "2020-03-02"}).decode(), end="")
    slide,run,date,antibody,dilution,control
    P1_CD20.tif,R1,2020-03-02,CD20,,no
    """
    text = io.StringIO()
    table = csv.writer(text, lineterminator="\n")
    table.writerow(("slide", "run", "date", "antibody", "dilution", "control"))
    for each in made:
        row = (each.file, each.run, dates.get(each.run, ""), each.stain, "", "yes" if each.control else "no")
        table.writerow(row)
    return text.getvalue().encode()


@dataclass(frozen=True, slots=True, kw_only=True)
class _Control:
    stain: str
    run: str
    gain: float
    seed: int


def _list_controls(slides: Sequence[SlideTruth]) -> list[_Control]:
    """One for each run of a stain, with the seed of its first slide."""
    first: dict[tuple[str, str], SlideTruth] = {}
    for each in slides:
        first.setdefault((each.stain, each.run), each)
    return [_Control(stain=stain, run=run, gain=each.gain, seed=each.seed) for (stain, run), each in first.items()]


def _make(asked: SlideTruth | _Control) -> bytes:
    """Return the picture and what is true of it."""
    run = StainingRun(name=asked.run, dab_gain=asked.gain)
    if isinstance(asked, _Control):
        field = simulate_control(np.random.default_rng(asked.seed), stain=asked.stain, run=run, camera=_CONTROL)
        name = f"{CONTROLS}/{asked.stain}_{asked.run.replace(' ', '_')}.tif"
        return _pack(name, write_photograph(field), asked, field.truth)
    wanted = Wanted(positive_area=asked.positive_area, positive_cells_per_mm2=asked.positive_cells_per_mm2)
    camera, extent = (_WHOLE, Extent.PIECE) if asked.whole else (_FIELD, Extent.EDGE)
    rng = np.random.default_rng(asked.seed)
    specimen = simulate_specimen(rng, wanted, stain=asked.stain, run=run, camera=camera, extent=extent)
    name = f"{asked.subject}_{asked.stain}.tif"
    if not asked.whole:
        field = photograph(specimen, camera)
        return _pack(name, write_photograph(field), asked, field.truth)
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / name
        truth = write_slide(path, specimen, camera=camera)
        return _pack(name, path.read_bytes(), asked, truth)


def _pack(name: str, picture: bytes, asked: SlideTruth | _Control, truth: Truth) -> bytes:
    control = isinstance(asked, _Control)
    made = MadeSlide(
        file=name,
        subject="" if control else asked.subject,
        stain=asked.stain,
        run=asked.run,
        control=control,
        tissue_mm2=round(truth.tissue_mm2, 4),
        positive_area=round(truth.positive_area(), 5),
        positive_cells_per_mm2=round(truth.positive_cells_per_mm2, 2),
    )
    return write_packed({name: picture, "made.json": json.dumps(asdict(made)).encode()})


def _keep(folder: Path, data: bytes) -> MadeSlide:
    files = read_packed(data)
    made = MadeSlide(**json.loads(files.pop("made.json")))
    for name, picture in files.items():
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        write_file(path, picture)
    return made
