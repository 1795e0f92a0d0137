"""Scans of made patients: what is put in comes out of ``rarefactor measure mri``; one seed gives one set of bytes."""

import csv
from pathlib import Path

import pydicom
import pytest

from rarefactor.cli import main
from rarefactor.simulate._scans import MASK, NAMES, ScanTruth, write_scans

PATIENTS = (
    ScanTruth(subject="SRP-001", visits={"baseline": 0.08, "month_3": 0.095}, days={"month_3": 91}, seed=3),
    ScanTruth(subject="SRP-002", visits={"baseline": {"SM": 0.5, "VL": 0.3}, "month_3": 0.3}, seed=4),
)
MONTHS = 3.0
FRACTION, RATE = 0.01, 0.3  # a point of fat fraction, points per month


def list_rows(path: Path) -> list[dict[str, str]]:
    return list(csv.DictReader(path.read_text(encoding="utf-8").splitlines()))


def read(folder: Path) -> dict[str, bytes]:
    return {path.relative_to(folder).as_posix(): path.read_bytes() for path in folder.rglob("*") if path.is_file()}


@pytest.fixture(scope="module")
def scans(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("scans")
    write_scans(folder, PATIENTS)
    return folder


def test_each_visit_has_its_series_and_the_first_a_mask(scans):
    series = {f"{visit}/00{place}.dcm" for visit in ("baseline", "month_3") for place in ("1_fat", "2_water")}
    wanted = {f"{each.subject}/{name}" for each in PATIENTS for name in (*series, f"baseline/{MASK}")}
    assert set(read(scans)) == {NAMES, *wanted}
    assert sum(map(len, read(scans).values())) < 2e6


def test_the_header_says_that_there_is_no_patient_and_when_the_visit_was(scans):
    header = pydicom.dcmread(scans / "SRP-001/month_3/001_fat.dcm")
    assert "Synthetic" in str(header.PatientName)
    assert header.ImageComments.startswith("Synthetic")
    assert (header.PatientID, header.StudyDate) == ("SRP-001", "20000401")


def test_the_same_truth_gives_the_same_bytes(scans, tmp_path):
    write_scans(tmp_path, PATIENTS[1:])
    again = read(tmp_path)
    assert again == {name: data for name, data in read(scans).items() if name in again}


def test_measuring_finds_the_fat_and_its_rate(scans, tmp_path):
    asked = ["--layout", "{subject}/{visit}", "--masks", f"{{subject}}/baseline/{MASK}", "--labels", str(scans / NAMES)]
    months = ["--month", "baseline=0", "--month", f"month_3={MONTHS:g}"]
    assert main(["measure", "mri", str(scans), *asked, *months, "--out", str(tmp_path / "out"), "-q"]) == 0
    rows = list_rows(tmp_path / "out/measurements/mri.csv")
    found = {
        (row["patient"], row["visit"], row["muscle"], row["side"]): float(row["fat_fraction"] or "nan") for row in rows
    }
    assert found["SRP-001", "baseline", "thigh", "both"] == pytest.approx(0.08, abs=FRACTION)
    assert found["SRP-001", "month_3", "thigh", "both"] == pytest.approx(0.095, abs=FRACTION)
    assert found["SRP-002", "month_3", "thigh", "both"] == pytest.approx(0.3, abs=FRACTION)
    for muscle, truth in (("SM", 0.5), ("VL", 0.3)):
        assert found["SRP-002", "baseline", muscle, "left"] == pytest.approx(truth, abs=FRACTION)
    rates = list_rows(tmp_path / "out/measurements/mri_rates.csv")
    rate = {
        row["patient"]: float(row["rate_per_month"])
        for row in rates
        if (row["muscle"], row["side"]) == ("thigh", "both")
    }
    assert rate["SRP-001"] == pytest.approx(1.5 / MONTHS, abs=RATE)
