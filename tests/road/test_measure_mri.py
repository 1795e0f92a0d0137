"""``rarefactor measure mri`` on folders as scanners, converters and readers leave them, whole and broken."""

import csv
import gzip
import json
import re
from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path

import nibabel
import numpy as np
import polars as pl
import pytest

from rarefactor.cli import main
from rarefactor.imaging._regions import MUSCLES, LabelMap
from rarefactor.imaging._scan import Acquisition, Kind
from rarefactor.imaging._volume import Grid, Volume
from rarefactor.imaging._write import write_label_names, write_labels, write_nifti
from rarefactor.imaging._write_dicom import DicomLabel
from rarefactor.imaging.simulate import FollowUp, Look, Thigh, simulate_follow_up, simulate_thigh, write_scan

GRID = Grid(shape=(5, 96, 96), spacing_mm=(40.0, 4.0, 4.0), origin_mm=(-190.0, -190.0, -80.0))
DIXON = Acquisition(sequence="Dixon", repetition_ms=7.0, echo_ms=2.5, flip_degrees=4.0, field_tesla=3.0)
FINDINGS = 5
CHANGE = {"SM": 0.10, "VL": 0.05}


@dataclass(frozen=True)
class Pair:
    """One made patient at two visits."""

    first: Thigh
    later: FollowUp

    @property
    def baseline(self) -> dict[Kind, Volume]:
        return {Kind.FAT: self.first.fat, Kind.WATER: self.first.water}

    @property
    def month_3(self) -> dict[Kind, Volume]:
        return {Kind.FAT: self.later.fat, Kind.WATER: self.later.water}


@pytest.fixture(scope="module")
def pair() -> Pair:
    rng = np.random.default_rng(3)
    thigh = simulate_thigh(rng, grid=GRID, fat={"SM": 0.3, "VL": 0.2}, look=Look(noise=0.005, weighted=True))
    later = simulate_follow_up(thigh.fat, thigh.water, thigh.labels, rng, change=CHANGE, noise=0.005)
    return Pair(thigh, later)


def place(folder: Path, files: Mapping[str, bytes]) -> None:
    for name, data in files.items():
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(data)


def read_rows(path: Path) -> list[dict[str, str]]:
    return list(csv.DictReader(path.read_text(encoding="utf-8").splitlines()))


@pytest.fixture(scope="module")
def measured(pair: Pair, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The same patient as DICOM (classic, enhanced) and NIfTI, with a reader's mask of the first visit."""
    root = tmp_path_factory.mktemp("forms")
    for form in ("dicom", "enhanced", "nifti"):
        scans = root / "scans" / form
        first = write_scan(pair.baseline, form=form, acquisition=DIXON, labels=pair.first.labels)
        place(scans / "baseline", first)
        place(scans / "month_3", write_scan(pair.month_3, form=form, acquisition=DIXON))
    place(root, {"names.csv": write_label_names(pair.first.labels)})
    arguments = ["--masks", "{subject}/baseline/labels.nii.gz", "--labels", str(root / "names.csv"), "--quiet"]
    months = ["--month", "baseline=0", "--month", "month_3=3"]
    assert main(["measure", "mri", str(root / "scans"), "--out", str(root / "out"), *arguments, *months]) == 0
    return root / "out"


@pytest.mark.slow
def test_however_a_scan_is_written_it_measures_the_same(measured):
    rows = pl.read_parquet(measured / "measurements" / "mri.parquet")
    keys = ["visit", "muscle", "side"]
    dicom, *others = (rows.filter(pl.col.patient == form).sort(keys) for form in ("dicom", "enhanced", "nifti"))
    assert dicom.height == 2 * 3 * (11 + 5)
    for other in others:
        assert dicom.select(keys).equals(other.select(keys))
        assert (
            np.abs((dicom["fat_fraction"] - other["fat_fraction"]).to_numpy()).max() < 0.002
        )  # whole numbers in DICOM
    assert pl.read_csv(measured / "measurements" / "mri.csv").height == rows.height
    assert not (measured / "measurements" / "mri_failures.csv").exists()


@pytest.mark.slow
def test_the_change_of_fat_is_found_again(measured, pair):
    rates = pl.read_csv(measured / "measurements" / "mri_rates.csv").filter(pl.col.patient == "nifti")
    found = {(row["muscle"], row["side"]): row for row in rates.iter_rows(named=True)}
    errors: list[float] = []
    for region, change in pair.later.change.items():
        row = found[region.name, region.side]
        errors.append(row["change"] - 100 * change)
        assert row["rate_per_month"] == pytest.approx(row["change"] / 3)
        assert row["se"] > 0
    assert np.abs(errors).mean() < 1.0  # in voxels of 4 mm
    assert found["SM", "both"]["beyond_error"]


@pytest.mark.slow
def test_every_number_names_its_files_by_content(measured):
    (row,) = [
        row
        for row in read_rows(measured / "measurements" / "mri.csv")
        if (row["patient"], row["visit"], row["muscle"], row["side"]) == ("nifti", "baseline", "VL", "left")
    ]
    assert re.fullmatch(r"fat\.nii\.gz [0-9a-f]{64}; water\.nii\.gz [0-9a-f]{64}", row["sources"])
    assert (row["estimator"], row["sequence"], row["mask_source"]) == ("voxel_mean", "dixon", "reader")


@pytest.mark.slow
def test_every_visit_and_change_has_its_picture(measured):
    forms = ("dicom", "enhanced", "nifti")
    visits = ("baseline", "month_3", "baseline_month_3")
    pictures = {path.name for path in (measured / "overlays").iterdir()}
    assert pictures == {*(f"{form}_{visit}.png" for form in forms for visit in visits), "contact_sheet.png"}
    assert all((measured / "overlays" / name).read_bytes().startswith(b"\x89PNG") for name in pictures)


def cut(volumes: Mapping[Kind, Volume], rows: slice, columns: slice, slices: slice) -> dict[Kind, Volume]:
    def part(volume: Volume) -> Volume:
        values = volume.values[slices, rows, columns]
        start = np.array([(each.start or 0) for each in (slices, rows, columns)])
        place = np.asarray(volume.grid.origin_mm) + (
            (start * np.asarray(volume.grid.spacing_mm)) @ np.asarray(volume.grid.directions)
        )
        return Volume(values=values, grid=replace(volume.grid, shape=values.shape, origin_mm=tuple(place.tolist())))

    return {kind: part(volume) for kind, volume in volumes.items()}


def nifti(volumes: Mapping[Kind, Volume], mask: LabelMap | None = None) -> dict[str, bytes]:
    files = dict(write_scan(volumes, form="nifti", acquisition=DIXON))
    return files | ({} if mask is None else {"labels.nii.gz": write_labels(mask)})


def four_dimensional(volume: Volume) -> bytes:
    image = nibabel.Nifti1Image.from_bytes(gzip.decompress(write_nifti(volume)))
    return gzip.compress(nibabel.Nifti1Image(np.stack([image.get_fdata()] * 3, axis=-1), image.affine).to_bytes())


def break_scans(pair: Pair, root: Path) -> None:
    """One patient for each thing that can be wrong."""
    fat, water = pair.first.fat, pair.first.water
    everything = slice(None)
    classic = dict(write_scan(pair.baseline, form="dicom", acquisition=DIXON))
    another = write_scan(pair.baseline, form="dicom", acquisition=DIXON, label=DicomLabel(patient="OTHER"))
    labels = pair.first.labels
    mirrored = replace(labels, values=labels.values[:, :, ::-1].copy())
    whole = nifti(pair.baseline)
    wide = {kind: replace(volume, grid=replace(volume.grid, spacing_mm=(30.0, 4.0, 4.0))) for kind, volume in
            pair.month_3.items()}  # fmt: skip
    swapped = {Kind.FAT: water, Kind.WATER: fat}
    scans = {
        "swapped": nifti(swapped),
        "swapped_drawn": nifti(swapped, labels),
        "cut_view": nifti(cut(pair.baseline, everything, slice(30, None), everything)),
        "one_slice": nifti(cut(pair.baseline, everything, everything, slice(2, 3))),
        "wrong_side": nifti(pair.baseline, mirrored),
        "empty_mask": nifti(pair.baseline, replace(labels, values=np.zeros_like(labels.values))),
        "other_grid": nifti(cut(pair.baseline, everything, everything, slice(1, 4)), labels),
        "truncated": {**whole, "water.nii.gz": whole["water.nii.gz"][:5000]},
        "cut_dicom": {**classic, "002_water/0002.dcm": classic["002_water/0002.dcm"][:3000]},
        "missing_slice": {name: data for name, data in classic.items() if name != "001_fat/0003.dcm"},
        "mixed": {**classic, **{f"other/{name}": data for name, data in another.items()}},
        "four_d": {**whole, "fat.nii.gz": four_dimensional(fat)},
        "zero": nifti({Kind.FAT: fat.with_values(0 * fat.values), Kind.WATER: water}),
        "no_water": {name: data for name, data in whole.items() if not name.startswith("water")},
    }
    for name, files in scans.items():
        place(root / name / "baseline", files)
    place(root / "spacing" / "baseline", nifti(pair.baseline))
    place(root / "spacing" / "month_3", nifti(wide))
    place(root.parent, {"names.csv": write_label_names(labels)})


FAILED = {
    "swapped": ("fat.nii.gz, water.nii.gz", "Fat and water are swapped in the"),
    "wrong_side": ("labels.nii.gz", "right and left are exchanged"),
    "empty_mask": ("labels.nii.gz", "without any muscle"),
    "other_grid": ("labels.nii.gz", "5"),
    "truncated": ("water.nii.gz", "cut off|end"),
    "cut_dicom": ("0002.dcm", "cut off|fewer pixels"),
    "missing_slice": ("001_fat", "missing|gap"),
    "mixed": ("", "patients"),
    "four_d": ("fat.nii.gz", "4-D|dimension|volumes"),
    "zero": ("fat.nii.gz", "zero|nothing"),
    "no_water": ("baseline", "no water image beside the fat image"),
}
FLAGGED = {"swapped_drawn": "swapped", "cut_view": "cut_field_of_view", "one_slice": "one_slice"}


@pytest.fixture(scope="module")
def broken(pair: Pair, tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, str]:
    root = tmp_path_factory.mktemp("broken")
    break_scans(pair, root / "scans")
    out = root / "out"
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("COLUMNS", "200")
        said = []
        patch.setattr("rarefactor.cli._measure._show", lambda *parts: said.extend(map(str, parts)))
        code = main(
            ["measure", "mri", str(root / "scans"), "--masks", "{subject}/{visit}/labels.nii.gz", "--labels",
             str(root / "names.csv"), "--month", "baseline=0", "--month", "month_3=3", "--out", str(out)]
        )  # fmt: skip
    assert code == FINDINGS
    return out, "\n".join(said)


@pytest.mark.slow
def test_what_cannot_be_measured_is_told_with_file_and_reason_and_the_others_go_on(broken):
    out, said = broken
    told = {row["patient"]: row for row in read_rows(out / "measurements" / "mri_failures.csv")}
    assert set(told) == set(FAILED)
    for patient, (file, reason) in FAILED.items():
        row = told[patient]
        assert file in row["file"], row
        assert re.search(reason, row["found"]), row
        assert row["next_step"], row
        assert f"{patient}, baseline" in said
    assert "Traceback" not in said
    measured = {row["patient"] for row in read_rows(out / "measurements" / "mri.csv")}
    assert measured == {*FLAGGED, "spacing"}


@pytest.mark.slow
def test_what_is_doubtful_carries_its_flag(broken):
    rows = read_rows(broken[0] / "measurements" / "mri.csv")
    thighs = {row["patient"]: row for row in rows if (row["muscle"], row["side"]) == ("thigh", "both")}
    for patient, flag in FLAGGED.items():
        assert flag in thighs[patient]["flags"].split("; "), thighs[patient]
    assert thighs["swapped_drawn"]["fat_fraction"] == ""
    rates = read_rows(broken[0] / "measurements" / "mri_rates.csv")
    assert all("drift_spacing_mm" in row["flags"].split("; ") for row in rates)


def test_a_mask_that_fits_no_scan_is_refused(pair, tmp_path, capsys):
    place(tmp_path / "scans" / "P1" / "baseline", nifti(pair.baseline))
    place(tmp_path / "scans" / "P2", {"mask.nii.gz": write_labels(pair.first.labels)})
    asked = ["measure", "mri", str(tmp_path / "scans"), "--layout", "{subject}/*", "--masks", "{subject}/mask.nii.gz"]
    place(tmp_path / "masks-only" / "P9", {"mask.nii.gz": b""})
    assert main([*asked, "--out", str(tmp_path / "out")]) != 0
    assert "none of them of a patient" in " ".join(capsys.readouterr().err.split())
    assert not (tmp_path / "out").exists()


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["nowhere"], "no such folder|no images"),
        (["scans", "--layout", "{subject}.dcm"], "nothing that fits"),
        (["scans", "--month", "baseline=soon"], "visit=month"),
        (["scans", "--labels", "nothing.csv"], "nothing.csv"),
        (["scans", "--masks", "{subject}/other.nii.gz"], "nothing that fits"),
    ],
)
def test_a_mistake_in_the_command_is_an_error_in_words(tmp_path, monkeypatch, capsys, arguments, said):
    monkeypatch.chdir(tmp_path)
    place(tmp_path / "scans" / "P1" / "baseline", {"fat.nii": b"", "fat.json": json.dumps({}).encode()})
    code = main(["measure", "mri", *arguments, "--out", "out"])
    shown = " ".join(capsys.readouterr().err.split())
    assert code not in {0, FINDINGS}
    assert re.search(said, shown)
    assert "Traceback" not in shown
    assert not (tmp_path / "out").exists()


PUBLISHED = {
    "Thigh_001": (0.182836, 0.537026, 0.309223, 0.343359, 0.300494, 0.648822, 0.235308, 0.639768, 0.649394, 0.617633,
                  0.418268),
    "Thigh_002": (0.163060, 0.501802, 0.536133, 0.529328, 0.503416, 0.405981, 0.118544, 0.618817, 0.542495, 0.672286,
                  0.156817),
}  # fmt: skip


@pytest.mark.shared
@pytest.mark.slow
def test_the_published_table_of_real_patients(shared, tmp_path):
    folder = shared / "data" / "mri" / "huashan_dixon_thigh"
    files = ["--fat", "*_0000.nii.gz", "--water", "*_0001.nii.gz", "--labels", str(folder / "labels.label")]
    layout = ["--layout", "{subject}_*.nii.gz", "--masks", "{subject}_seg.nii.gz"]
    assert main(["measure", "mri", str(folder), "--out", str(tmp_path / "out"), "--quiet", *files, *layout]) == 0
    rows = pl.read_csv(tmp_path / "out" / "measurements" / "mri.csv").filter(pl.col.side == "both")
    found = {(row["patient"], row["muscle"]): row["fat_fraction"] for row in rows.iter_rows(named=True)}
    for patient, values in PUBLISHED.items():
        assert [found[patient, code] for code in MUSCLES] == pytest.approx(values, abs=0.0005)
