"""``rarefactor measure ihc`` and ``pathology:`` in a study: fields and slides as laboratories leave them."""

import csv
import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from rarefactor.cli import main
from rarefactor.pathology._write_slide import write_field
from rarefactor.pathology.simulate import Camera, simulate_field

BROWN, BLUE, GLASS = (150, 110, 80), (165, 165, 205), (240, 240, 240)


def read_rows(path: Path) -> list[dict[str, str]]:
    return list(csv.DictReader(path.read_text(encoding="utf-8").splitlines()))


def measure(*arguments: object) -> int:
    return main(["measure", "ihc", *map(str, arguments), "--quiet"])


def write_section(path: Path, brown: float, *, side: int = 160) -> None:
    """Write a section of two colours on glass, of which a share is brown."""
    from PIL import Image

    image = np.full((side, side, 3), GLASS, dtype=np.uint8)
    image[20:-20, 60:-20] = BLUE
    image[20 : 20 + round(brown * (side - 40)), 60:-20] = BROWN
    path.parent.mkdir(parents=True, exist_ok=True)
    Image.fromarray(image).save(path)


def test_every_bad_file_is_told_and_the_others_are_measured(tmp_path: Path) -> None:
    import skimage
    from PIL import Image

    slides = tmp_path / "slides"
    write_section(slides / "half.png", 0.5)
    field = Path(skimage.__file__).parent / "data" / "ihc.png"
    (slides / "colon.png").write_bytes(field.read_bytes())
    (slides / "text.svs").write_text("no slide")
    Image.new("RGB", (1, 1)).save(slides / "dot.png")
    red = np.full((80, 80, 3), GLASS, dtype=np.uint8)
    red[10:60, 10:60] = (225, 60, 55)
    Image.fromarray(red).save(slides / "red.png")
    assert measure(slides, "--out", tmp_path / "out", "--stain", "CD20") == 5
    rows = {row["patient"]: row for row in read_rows(tmp_path / "out/measurements/ihc.csv")}
    assert float(rows["half"]["positive_area"]) == pytest.approx(0.5, abs=0.04)
    assert 0.6 < float(rows["colon"]["positive_area"]) < 0.85
    assert "um_per_px_unknown" in rows["colon"]["flags"]
    assert rows["colon"]["tissue_mm2"] == ""
    failed = {row["patient"]: row["found"] for row in read_rows(tmp_path / "out/measurements/ihc_failures.csv")}
    assert set(failed) | set(rows) == {"half", "colon", "text", "dot", "red"}
    assert "no image" in failed["text"]
    assert "pen_red" in rows["red"]["flags"]
    assert rows["red"]["tissue_px"] == "0"
    assert (tmp_path / "out/overlays/CD20_contact_sheet.png").exists()
    assert (tmp_path / "out/overlays/half_CD20.png").exists()


def test_a_made_section_gives_its_true_area_and_cells(tmp_path: Path) -> None:
    made = simulate_field(np.random.default_rng(4), stain="CD20", camera=Camera(width=1024, height=1024))
    (tmp_path / "P1_CD20.tif").write_bytes(write_field(made))
    layout = ["--layout", "{subject}_{stain}.tif", "--measure", "cells", "--denominator", "section"]
    assert measure(tmp_path, "--out", tmp_path / "out", *layout) == 0
    (row,) = read_rows(tmp_path / "out/measurements/ihc.csv")
    assert float(row["positive_area"]) == pytest.approx(made.truth.positive_area(), abs=0.003)
    positive = sum(cell.positive for cell in made.truth.cells)
    assert abs(int(row["positive_cells"]) - positive) <= max(2, 0.15 * positive)
    assert float(row["um_per_px"]) == pytest.approx(0.5)


def test_regions_are_measured_apart(tmp_path: Path) -> None:
    write_section(tmp_path / "a.png", 0.5)
    corners = {"upper": (62, 22, 138, 78), "lower": (62, 82, 138, 138), "beside": (500, 0, 600, 90)}
    features = [
        {
            "type": "Feature",
            "properties": {"name": name},
            "geometry": {"type": "Polygon", "coordinates": [[[x, y], [r, y], [r, b], [x, b], [x, y]]]},
        }
        for name, (x, y, r, b) in corners.items()
    ]
    (tmp_path / "roi.geojson").write_text(json.dumps({"type": "FeatureCollection", "features": features}))
    assert measure(tmp_path / "a.png", "--out", tmp_path / "out", "--regions", tmp_path / "roi.geojson") == 0
    rows = {row["region"]: row for row in read_rows(tmp_path / "out/measurements/ihc.csv")}
    assert {name: float(row["positive_area"]) for name, row in rows.items()} == {"upper": 1.0, "lower": 0.0}
    assert "region_outside" in rows["upper"]["flags"]


@pytest.mark.shared
def test_reference_slides_give_the_known_area_and_red_is_refused(shared: Path, tmp_path: Path) -> None:
    slides = tmp_path / "slides"
    slides.mkdir()
    for name in ("derived/ihc_mosaic.ome.tif", "derived/ihc_mosaic_generic.tif", "open/idr0073_kidney_48_5.tif"):
        (slides / Path(name).name).symlink_to(shared / "data" / "ihc" / name)
    assert measure(slides, "--out", tmp_path / "out", "--denominator", "dense") == 5
    areas = [float(row["positive_area"]) for row in read_rows(tmp_path / "out/measurements/ihc.csv")]
    assert areas == pytest.approx([0.7387, 0.7387], abs=0.002)
    (failed,) = read_rows(tmp_path / "out/measurements/ihc_failures.csv")
    assert failed["patient"] == "idr0073_kidney_48_5"


PATHOLOGY = """\
pathology:
  biopsy: {folder: slides, stains: {BAFF-R: {denominator: dense}, CD20: area}, manifest: runs.csv}
outcome:
"""
FACTOR = """\
  baff: {label: BAFF-R, from: biopsy.BAFF-R.positive_area, per: 10}
analysis:
  resamples: 0
  missing: {imputations: 0}
"""


def test_a_study_measures_its_slides(clinic: Any) -> None:
    clinic.edit("outcome:\n", PATHOLOGY)
    clinic.edit("analysis:\n", FACTOR)
    shares = {f"{number:03}": 0.1 * number for number in range(1, 7)}
    names = ["slide,run,date,antibody,dilution,control"]
    for place, (patient, share) in enumerate(shares.items()):
        write_section(clinic.folder / f"slides/{patient}_BAFF-R.tif", share, side=120)
        names.append(f"{patient}_BAFF-R.tif,run {place % 2},2024-01-0{1 + place % 2},BAFF-R,1:100,no")
    (clinic.folder / "slides/011_CD20.tif").write_text("no slide")
    write_section(clinic.folder / "slides/stranger_CD20.tif", 0.5)
    (clinic.folder / "runs.csv").write_text("\n".join(names) + "\n")
    assert main(["run", str(clinic.study), "--dry-run"]) == 0
    assert main(["run", str(clinic.study), "--quiet"]) == 0
    rows = read_rows(clinic.out / "measurements/ihc.csv")
    assert sorted(float(row["positive_area"]) for row in rows) == pytest.approx(sorted(shares.values()), abs=0.02)
    assert {row["run"] for row in rows} == {"run 0", "run 1"}
    results = json.loads((clinic.out / "results.json").read_text(encoding="utf-8"))
    assert any(factor["name"] == "baff" and factor["unit"] == "%" for factor in results["factors"])
    notes = " ".join(note["text"] for note in results["notes"])
    assert "1 slide could not be measured" in notes
    assert "across staining runs" in notes
    hidden = [f"{number:03}_" for number in range(1, 12)]
    for path in clinic.out.rglob("*"):
        assert not any(name in str(path.relative_to(clinic.out)) for name in hidden)
        assert path.is_dir() or not any(
            f"{name}{stain}".encode() in path.read_bytes() for name in hidden for stain in ("BAFF", "CD20")
        )
