"""A whole study with scans: simulated thighs in, factors and report out; a broken scan harms nobody else."""

import csv
import json
import re
from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
import pytest

from rarefactor.cli import main
from rarefactor.imaging._regions import SITES
from rarefactor.imaging._scan import Acquisition, Kind
from rarefactor.imaging._volume import Grid, Volume
from rarefactor.imaging._write import write_label_names
from rarefactor.imaging._write_dicom import DicomLabel
from rarefactor.imaging.simulate import STILL, Look, Movement, Thigh, simulate_follow_up, simulate_thigh, write_scan

GRID = Grid(shape=(4, 80, 80), spacing_mm=(50.0, 4.8, 4.8), origin_mm=(-190.0, -190.0, -75.0))
DIXON = Acquisition(sequence="Dixon", repetition_ms=7.0, echo_ms=2.5, flip_degrees=4.0, field_tesla=3.0)
PATIENTS = [f"Jane{number:02}Doe" for number in range(1, 15)]
SCANNED, BROKEN = PATIENTS[:7], PATIENTS[6]
GENTLE = replace(STILL, turn_degrees=1.0, shift_mm=3.0)
assert isinstance(GENTLE, Movement)

STUDY = """\
id: thighs
title: A small study of synthetic thighs
cohort:
  records: {file: records.csv, event: event}
  subject: id
  visit_date: date
  fields:
    id: {type: id}
    event: {type: text}
    date: {type: date}
    score: {type: number, min: 0, max: 100}
    age: {type: number, unit: years}
  visits:
    baseline: {event: base, month: 0}
    month_3: {event: m3, month: 3, window: [2, 5]}
    month_12: {event: year, month: 12, window: [10, 15]}
imaging:
  thigh:
    folder: scans
    masks: "{subject}/baseline/labels.nii.gz"
    labels: names.csv
outcome:
  refractory: {label: Refractory, at: month_12, when: "score < 40"}
factors:
  age: {from: age, label: Age, unit: years, per: 10}
  fat: {from: thigh.fat_fraction, label: Thigh fat, per: 10}
  hamstrings: {from: thigh.hamstrings.fat_fraction, label: Fat of the hamstrings, per: 10}
  rate: {from: thigh.hamstrings.fat_fraction, rate_between: [baseline, month_3], label: Rate of the hamstrings}
analysis:
  landmarks: [baseline, month_3]
  models: {early: [age, fat]}
  missing: {imputations: 0}
  resamples: 0
  design: {data_sets: 0}
"""


def list_records() -> Iterator[str]:
    yield "id,event,date,score,age"
    for place, patient in enumerate(PATIENTS):
        yield f"{patient},base,2020-01-01,,{40 + 3 * place}"
        yield f"{patient},m3,2020-04-01,,"
        yield f"{patient},year,2021-01-01,{30 if place % 2 else 70},"


def mean_fat(fat: Volume, thigh: Thigh, site: str) -> float:
    """What is true of a site, in per cent, by the voxels of its muscles."""
    members = [label for label, region in thigh.labels.regions.items() if region.name in SITES[site]]
    return 100 * float(fat.values[np.isin(thigh.labels.values, members)].mean())


@dataclass(frozen=True)
class Truth:
    """Fat in per cent at baseline, and change in points of the hamstrings."""

    thigh: float
    hamstrings: float
    change: float


def make_patient(folder: Path, patient: str, place: int) -> Truth:
    rng = np.random.default_rng(100 + place)
    fat = dict.fromkeys(SITES["thigh"], 0.05 + 0.03 * place) | dict.fromkeys(SITES["hamstrings"], 0.2 + 0.04 * place)
    thigh = simulate_thigh(rng, grid=GRID, fat=fat, look=Look(noise=0.003, weighted=True))
    grown = dict.fromkeys(SITES["hamstrings"], 0.02 * place)
    later = simulate_follow_up(thigh.fat, thigh.water, thigh.labels, rng, change=grown, motion=GENTLE, noise=0.003)
    visits = {"baseline": (thigh.fat, thigh.water, thigh.labels), "month_3": (later.fat, later.water, None)}
    for visit, (fat_image, water_image, labels) in visits.items():
        files = write_scan(
            {Kind.FAT: fat_image, Kind.WATER: water_image},
            form="enhanced", acquisition=DIXON, labels=labels, label=DicomLabel(patient=patient),
        )  # fmt: skip
        for name, data in files.items():
            path = folder / "scans" / patient / visit / f"{patient}_{name}".replace(f"{patient}_labels", "labels")
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_bytes(data)
    (folder / "names.csv").write_bytes(write_label_names(thigh.labels))
    changes = [change for region, change in later.change.items() if region.name in SITES["hamstrings"]]
    truth = thigh.fat_fraction
    return Truth(mean_fat(truth, thigh, "thigh"), mean_fat(truth, thigh, "hamstrings"), 100 * float(np.mean(changes)))


@dataclass(frozen=True)
class Study:
    folder: Path
    truth: dict[str, Truth]

    @property
    def out(self) -> Path:
        return self.folder / "out"

    def read(self, table: str) -> list[dict[str, str]]:
        return list(csv.DictReader((self.out / "measurements" / table).read_text(encoding="utf-8").splitlines()))

    def rows(self) -> dict[tuple[str | None, ...], dict[str, object]]:
        rows = json.loads((self.out / "results.json").read_text(encoding="utf-8"))["rows"]
        return {tuple(row.get(part) for part in ("analysis", "measure", "landmark", "factor", "group")): row
                for row in rows}  # fmt: skip


@pytest.fixture(scope="module")
def study(tmp_path_factory: pytest.TempPathFactory) -> Study:
    folder = tmp_path_factory.mktemp("study")
    truth = {patient: make_patient(folder, patient, place) for place, patient in enumerate(SCANNED)}
    for path in (folder / "scans" / BROKEN / "month_3").glob("*water*"):
        path.write_bytes(path.read_bytes()[:4000])
    (folder / "study.yaml").write_text(STUDY, encoding="utf-8")
    (folder / "records.csv").write_text("\n".join(list_records()) + "\n", encoding="utf-8")
    assert main(["run", str(folder), "--workers", "2", "--quiet"]) == 0
    return Study(folder, truth)


@pytest.mark.slow
def test_the_measured_factors_are_the_simulated_fat(study):
    rows = study.rows()
    for factor, part in (("fat", "thigh"), ("hamstrings", "hamstrings")):
        truth = np.mean([getattr(each, part) for each in study.truth.values()])
        row = rows["table1", "mean", "baseline", factor, "all"]
        assert row["n"] == len(SCANNED)
        assert row["estimate"] == pytest.approx(truth, abs=1.5)
    known = [each.change for patient, each in study.truth.items() if patient != BROKEN]
    assert rows["univariable", "odds_ratio", "month_3", "rate", None]["n"] == len(known)
    sites = [row for row in study.read("mri_rates.csv") if (row["muscle"], row["side"]) == ("hamstrings", "both")]
    found = sorted(float(row["rate_per_month"]) for row in sites)
    assert np.abs(np.subtract(found, np.sort(known) / 2.99)).mean() < 0.35  # 91 days, voxels of 4.8 mm


@pytest.mark.slow
def test_each_patient_has_the_own_fat(study):
    rows = study.read("mri.csv")
    hamstrings = [
        row for row in rows if (row["visit"], row["muscle"], row["side"]) == ("baseline", "hamstrings", "both")
    ]
    found = sorted(100 * float(row["fat_fraction"]) for row in hamstrings)
    truth = sorted(each.hamstrings for each in study.truth.values())
    assert np.abs(np.subtract(found, truth)).mean() < 1.5


@pytest.mark.slow
def test_a_broken_scan_is_a_failure_and_a_note_and_harms_nobody_else(study):
    (failure,) = study.read("mri_failures.csv")
    assert failure["visit"] == "month_3"
    assert "water" in failure["file"]
    assert len({row["patient"] for row in study.read("mri.csv")}) == len(SCANNED)
    assert len({row["patient"] for row in study.read("mri_rates.csv")}) == len(SCANNED) - 1
    rows = study.rows()
    counts = {name: rows["imaging", name, None, None, None]["n"] for name in ("patients", "scans", "failed", "rates")}
    assert counts == {"patients": 7, "scans": 13, "failed": 1, "rates": 6}
    report = (study.out / "report.html").read_text(encoding="utf-8")
    for words in ("1 scan could not be measured", "7 patients without a scan", "Thigh MRI", "Measurements in images"):
        assert words in report


@pytest.mark.slow
def test_no_file_of_the_output_holds_the_id_of_a_patient(study):
    files = [path for path in study.out.rglob("*") if path.is_file()]
    assert any(path.suffix == ".png" for path in files)
    for path in files:
        assert not re.search(rb"Jane\d\dDoe", path.read_bytes()), path
        assert "Doe" not in path.name


@pytest.mark.slow
def test_a_second_run_measures_nothing_again(study, capsys):
    before = (study.out / "results.json").read_bytes()
    assert main(["run", str(study.folder), "--dry-run"]) == 0
    assert "14 scans of 7 patients, 7 of them measured" in " ".join(capsys.readouterr().out.split())
    assert main(["run", str(study.folder)]) == 0
    said = " ".join(capsys.readouterr().err.split())
    assert "Measure thigh MRI 14 visits (unchanged)" in said
    assert (study.out / "results.json").read_bytes() == before


@pytest.mark.slow
def test_the_report_shows_muscles_rates_and_three_patients(study):
    report = (study.out / "report.html").read_text(encoding="utf-8")
    table = (study.out / "tables" / "muscles-thigh.csv").read_text(encoding="utf-8")
    for words in ("Hamstrings", "Rectus femoris", "Rate to month 3"):
        assert words in table
    panel = (study.out / "figures" / "panel-thigh-scans.svg").read_bytes()
    assert panel.count(b"<image ") == 3
    assert "Patients by rate of the fat fraction of the thigh muscles: lowest" in report
    values = [row["estimate"] for key, row in study.rows().items() if key[:3] == ("imaging", "rate", "month_3")]
    assert len(values) == len(SCANNED) - 1
