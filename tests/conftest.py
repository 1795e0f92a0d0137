"""What every test may use: a small study of invented patients, and the reference data beside the checkout."""

import csv
import fcntl
import io
import random
import shutil
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import date, timedelta
from pathlib import Path

import pytest
from hypothesis import HealthCheck, settings

# How long an example takes says how busy the machine is, not whether the code is right. The same examples are drawn in
# every run; `make test-all` draws new ones.
settings.register_profile("search", deadline=None, suppress_health_check=[HealthCheck.too_slow])
settings.register_profile("calm", settings.get_profile("search"), derandomize=True)
settings.load_profile("calm")

SHARED = Path(__file__).resolve().parents[2] / "shared"
LEFT_OUT = "needs the reference data beside the checkout (../shared)"


@pytest.fixture(scope="session")
def shared() -> Path:
    """The folder of reference data beside the checkout; tests that use it carry ``@pytest.mark.shared``."""
    return SHARED


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    if SHARED.is_dir():
        return
    for item in items:
        if item.get_closest_marker("shared"):
            item.add_marker(pytest.mark.skip(reason=LEFT_OUT))


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    left_out = [report for report in terminalreporter.stats.get("skipped", []) if LEFT_OUT in str(report.longrepr)]
    if left_out:
        terminalreporter.write_line(f"Left out: {len(left_out)} tests. Each {LEFT_OUT}; a lone clone has none.")


@dataclass(frozen=True)
class Clinic:
    """A small study of 60 invented patients, to be spoiled by a test."""

    folder: Path

    @property
    def study(self) -> Path:
        return self.folder / "study.yaml"

    @property
    def records(self) -> Path:
        return self.folder / "records.csv"

    @property
    def out(self) -> Path:
        return self.folder / "out"

    def edit(self, old: str, new: str) -> None:
        """Change one place of the study file."""
        _replace_once(self.study, old, new)

    def edit_records(self, old: str, new: str) -> None:
        """Change one place of the data."""
        _replace_once(self.records, old, new)

    def set_column(self, column: str, change: Callable[[str], str]) -> None:
        """Change every value of a column."""
        rows = list(csv.DictReader(io.StringIO(self.records.read_text(encoding="utf-8"))))
        lines = [",".join(rows[0]), *(",".join((row | {column: change(row[column])}).values()) for row in rows)]
        self.records.write_text("\n".join(lines) + "\n", encoding="utf-8")


@pytest.fixture
def clinic(tmp_path: Path) -> Clinic:
    folder = tmp_path / "clinic"
    folder.mkdir()
    made = Clinic(folder)
    made.study.write_text(CLINIC, encoding="utf-8")
    made.records.write_text("\n".join(_invent_records()) + "\n", encoding="utf-8")
    return made


CLINIC = """\
id: clinic
title: A small study of invented patients
cohort:
  records: {file: records.csv, event: event}
  subject: id
  visit_date: date
  fields:
    id: {type: id}
    event: {type: text}
    date: {type: date}
    sex: {type: choice, choices: {1: female, 2: male}}
    age: {type: number, unit: years, min: 18, max: 89}
    score: {type: number, min: 0, max: 100}
    marker: {type: yesno}
  visits:
    baseline: {event: base, month: 0}
    month_12: {event: year, month: 12, window: [10, 15]}
outcome:
  refractory: {label: Refractory at 12 months, at: month_12, when: "score < 40"}
factors:
  male: {label: Male sex, from: sex, equals: male}
  age: {label: Age, from: age, unit: years, per: 10, role: adjuster}
  marker: {label: Marker, from: marker}
analysis:
  models:
    clinical: [male, age]
"""


@pytest.fixture
def small_study(tmp_path: Path, small_origin: Path) -> Path:
    """The folder of a small version of the example anm-srp that has been run: records, 7 patients' scans, 6 slides.

    Its cache is full and ``out`` complete; a test may do anything with it. At month 3 the scan of the
    last patient but one, whose outcome is known, has a mask that leaks into the fat under the skin: an outlying rate.
    """
    folder = tmp_path / "anm-srp"
    shutil.copytree(small_origin, folder)
    return folder


@pytest.fixture(scope="session")
def small_origin(tmp_path_factory: pytest.TempPathFactory, worker_id: str) -> Path:
    """Make and run the small example once, whichever process of the tests comes first."""
    base = tmp_path_factory.getbasetemp()
    home = base if worker_id == "master" else base.parent
    folder = home / "small" / "anm-srp"
    folder.parent.mkdir(exist_ok=True)
    with (folder.parent / "lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        if not (folder / "out").exists():
            shutil.rmtree(folder, ignore_errors=True)
            _make_small(folder)
    return folder


def _make_small(folder: Path) -> None:
    """Make the patients of the example with few and coarse images, and run the small study file on them."""
    from rarefactor import study
    from rarefactor.imaging import Grid
    from rarefactor.pathology import Camera
    from rarefactor.simulate import _scans, _slides

    with pytest.MonkeyPatch.context() as patch:
        grid = Grid(shape=(4, 80, 80), spacing_mm=(50.0, 4.8, 4.8), origin_mm=(-190.0, -190.0, -75.0))
        patch.setattr(_scans, "SCAN_GRID", grid)
        patch.setattr(_slides, "_FIELD", Camera(width=640, height=640, jpeg_quality=None))
        patch.setattr(_slides, "_CONTROL", Camera(width=512, height=512, jpeg_quality=None))
        patch.setattr(_slides, "_WHOLE", Camera(width=1536, height=1280, jpeg_quality=85))
        _simulate_small(folder)
    _spoil_mask(folder / "data" / "mri")
    shutil.copy(Path(__file__).parent / "web" / "small" / "study.yaml", folder)
    study.run(folder / "study.yaml", folder / "out")


def _simulate_small(folder: Path) -> None:
    from rarefactor.simulate import _images, _scans, _slides, stage
    from rarefactor.simulate._truth import read_truth
    from rarefactor.spec import load
    from rarefactor.work import Silent

    example = Path(__file__).parents[1] / "examples" / "anm-srp" / "study.yaml"
    file = stage.write_study(example, folder, patients=14, images=False)
    asked, truth = load(file), read_truth(folder / "truth.yaml")
    cohort = stage._draw(asked, stage.change_patients(truth, 14), truth.seed, Silent())
    scans = [each for each in _images.list_scans(cohort, seed=truth.seed) if len(each.visits) == 2]
    _scans.write_scans(folder / "data" / "mri", scans[:7])
    slides = _images.list_slides(cohort, asked.pathology["biopsy"], seed=truth.seed)
    area, cells = ([each for each in slides if each.stain == stain] for stain in ("BAFF-R", "CD20"))
    few = [*area[:4], *cells[1:3]]
    made = _slides.write_slides(folder / "data" / "ihc", few)
    (folder / "data" / "ihc_runs.csv").write_bytes(_slides.write_runs(made, _images._date_runs(cohort, slides)))


def _spoil_mask(scans: Path) -> None:
    """Give one patient's second scan a mask of its own: the first one's, grown by 10 mm into the fat around it."""
    import nibabel
    import numpy as np
    from scipy import ndimage

    patient = sorted(path for path in scans.iterdir() if path.is_dir())[-2]
    image = nibabel.load(patient / "baseline" / "labels.nii.gz")
    values = np.asarray(image.dataobj)
    _, nearest = ndimage.distance_transform_edt(values == 0, return_indices=True)
    near = ndimage.binary_dilation(values > 0, np.ones((3, 3, 1)), iterations=2)
    grown = np.where(near, values[tuple(nearest)], 0).astype(values.dtype)
    nibabel.save(nibabel.Nifti1Image(grown, image.affine, image.header), patient / "month_3" / "labels.nii.gz")


def _invent_records() -> Iterator[str]:
    rng = random.Random(7)
    yield "id,event,date,sex,age,score,marker"
    for number in range(1, 61):
        first = date(2020, 1, 1) + timedelta(days=rng.randrange(300))
        sex, age, marker = rng.choice("12"), rng.randrange(20, 80), rng.choice("01")
        score = min(100, max(0, round(rng.gauss(58 - 12 * (sex == "2") - 10 * (marker == "1"), 18))))
        yield f"{number:03},base,{first},{sex},{age},,{marker}"
        yield f"{number:03},year,{first + timedelta(days=rng.randrange(330, 420))},,,{score},"


def _replace_once(path: Path, old: str, new: str) -> None:
    text = path.read_text(encoding="utf-8")
    assert text.count(old) == 1, f"{old!r} stands {text.count(old)} times in {path.name}"
    path.write_text(text.replace(old, new), encoding="utf-8")
