"""``rarefactor measure ihc`` and ``pathology:`` in a study: fields and slides as laboratories leave them."""

import csv
import json
import re
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from rarefactor.cli import main
from rarefactor.pathology._write_slide import write_field
from rarefactor.pathology.simulate import (
    Camera,
    Look,
    StainingRun,
    simulate_control,
    simulate_field,
    simulate_section,
)

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
    assert "another chromogen" in failed["red"]
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
  biopsy:
    folder: slides
    stains: {BAFF-R: area, CD20: cells}
    manifest: runs.csv
    runs: controls
    scores: scores.csv
outcome:
"""
FACTORS = """\
  baff: {label: BAFF-R, from: biopsy.BAFF-R.positive_area, per: 10}
  baff_adjusted: {label: BAFF-R adjusted, from: biopsy.BAFF-R.positive_area_adjusted, per: 10}
  baff_score: {label: H-score of BAFF-R, from: biopsy.BAFF-R.h_score, per: 10}
  baff_read: {label: BAFF-R as read, from: biopsy.BAFF-R.score, per: 10}
  cd20: {label: Cells, from: biopsy.CD20.cells_per_mm2, per: 100}
analysis:
  resamples: 0
  missing: {imputations: 0}
  design: {data_sets: 0}
"""
PAIRS = (("001", "011"), ("002", "013"), ("003", "009"))
"""Patients of both outcomes, each pair with one and the same muscle, stained in a weak and in a strong run."""
RUNS = {"R1": 0.8, "R2": 1.4}


def write_biopsies(folder: Path) -> None:
    """Write the slides of six patients, a control of each run, one of nobody, one that is none; runs and scores."""
    camera = Camera(width=224, height=224)
    runs, scores = ["slide,run,date,antibody,dilution,control"], ["patient,stain,reader,scale,score"]
    (folder / "slides").mkdir()

    def write(name: str, stain: str, run: str, made: Any, control: str = "no") -> None:
        (folder / f"slides/{name}_{stain}.tif").write_bytes(write_field(made))
        runs.append(f"{name}_{stain}.tif,{run},2024-01-0{run[1]},{stain},1:100,{control}")

    for number, pair in enumerate(PAIRS):
        look = Look(lymphocytes_per_mm2=400.0 * (number + 1), b_share=0.5, regenerating=0.2 * number)
        muscle = simulate_section(np.random.default_rng(number), width_um=112, height_um=112, look=look)
        for patient, (run, gain) in zip(pair, RUNS.items(), strict=True):
            for stain in ("BAFF-R", "CD20"):
                stained = StainingRun(name=run, dab_gain=gain)
                rng = np.random.default_rng(9)
                write(patient, stain, run, simulate_field(rng, stain=stain, run=stained, camera=camera, section=muscle))
            scores += [f"{patient},BAFF-R,{who},H-score,{30 * number + more}" for who, more in (("A", 5), ("B", 12))]
    for run, gain in RUNS.items():
        control = simulate_control(
            np.random.default_rng(3), stain="BAFF-R", run=StainingRun(name=run, dab_gain=gain), camera=camera
        )
        write(f"tonsil{run}", "BAFF-R", run, control, "yes")
    (folder / "slides/014_CD20.tif").write_text("no slide")
    write_section(folder / "slides/stranger_CD20.tif", 0.5)
    (folder / "runs.csv").write_text("\n".join([*runs, "x.tif,R1,soon,CD20,1:100,no"]) + "\n")
    (folder / "scores.csv").write_text("\n".join([*scores, "001,BAFF-R,C,H-score,400"]) + "\n")


def test_slides_scores_and_runs_become_factors_of_a_study(clinic: Any, capsys: pytest.CaptureFixture[str]) -> None:
    clinic.edit("outcome:\n", PATHOLOGY)
    clinic.edit("analysis:\n", FACTORS)
    write_biopsies(clinic.folder)
    assert main(["check", str(clinic.study)]) == 5
    told = capsys.readouterr().out
    for line in (
        r"biopsy +baseline +CD20 +7 +7 +53",
        r"BAFF-R, control tissue +2",
        r"baseline +BAFF-R, scores +6 +12 +54",
    ):
        assert re.search(line, told), line
    assert re.search(r"runs.csv +16 +date", told)
    assert re.search(r"scores.csv +14 +score", told)
    assert "1 patient with slides and not in the records" in told
    assert main(["run", str(clinic.study), "--quiet"]) == 0
    rows = read_rows(clinic.out / "measurements/ihc.csv")
    assert len(rows) == 12
    check_runs(clinic, rows)
    results = json.loads((clinic.out / "results.json").read_text(encoding="utf-8"))
    check_results(results)
    hidden = [f"{name}_" for pair in PAIRS for name in pair]
    for path in clinic.out.rglob("*"):
        assert not any(name in str(path.relative_to(clinic.out)) for name in hidden)
        assert path.is_dir() or not any(
            f"{name}{stain}".encode() in path.read_bytes() for name in hidden for stain in ("BAFF", "CD20")
        )


def check_runs(clinic: Any, rows: list[dict[str, str]]) -> None:
    """Adjusting by the controls brings the same muscle in two runs together; controls are nobody's biopsy."""
    gains = {row["run"]: float(row["run_gain"]) for row in rows if row["stain"] == "BAFF-R"}
    assert gains == pytest.approx({"R1": 0.8 / 1.1, "R2": 1.4 / 1.1}, rel=0.1)
    apart = {}
    for column in ("positive_area", "positive_area_adjusted"):
        own = [sorted(float(r[column]) for r in rows if (r["stain"], r["run"]) == ("BAFF-R", run)) for run in RUNS]
        apart[column] = np.mean(np.abs(np.subtract(*own)))
    assert apart["positive_area_adjusted"] < 0.4 * apart["positive_area"]
    assert all("run_not_adjusted" in row["flags"] for row in rows if row["stain"] == "CD20")
    controls = read_rows(clinic.out / "measurements/ihc_controls.csv")
    assert {row["patient"] for row in controls} == {"control R1", "control R2"}
    assert len(read_rows(clinic.out / "measurements/ihc_biopsies.csv")) == 12
    assert {row["run"] for row in read_rows(clinic.out / "measurements/ihc_runs.csv")} == set(RUNS)
    (agreed, measured) = read_rows(clinic.out / "measurements/ihc_agreement.csv")
    assert (agreed["readers"], agreed["n"], measured["readers"]) == ("A / B", "6", "measured / readers")


def check_results(results: dict[str, Any]) -> None:
    univariable = {row["factor"] for row in results["rows"] if row["analysis"] == "univariable"}
    assert {"baff", "baff_adjusted", "baff_score", "baff_read", "cd20"} <= univariable
    units = {factor["name"]: factor["unit"] for factor in results["factors"]}
    assert (units["baff"], units["cd20"], units["baff_read"]) == ("%", "1/mm²", None)
    found = {
        (row["measure"], row.get("term"), row.get("group")): row
        for row in results["rows"]
        if row["analysis"] == "pathology"
    }
    assert found["bias", "BAFF-R.score", "A / B"]["estimate"] == pytest.approx(-7.0)
    assert found["icc_consistency", "BAFF-R.score", "A / B"]["estimate"] == pytest.approx(1.0)
    assert ("spearman", "BAFF-R.score", "measured / readers") in found
    assert 0 < found["kruskal_wallis", "BAFF-R.positive_area", None]["p"] < 1
    assert ("kruskal_wallis", "BAFF-R.positive_area_adjusted", None) in found
    assert [found[measure, "CD20", None]["n"] for measure in ("patients", "slides", "failed")] == [6, 7, 1]
    notes = " ".join(note["text"] for note in results["notes"])
    for words in ("1 slide could not be measured", "2 slides of control tissue", "Rows of the"):
        assert words in notes
