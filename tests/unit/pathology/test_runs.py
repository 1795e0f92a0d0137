"""Staining runs: the manifest, differences between runs, gains; and a biopsy made of slides and regions."""

from pathlib import Path

import numpy as np
import polars as pl
import pytest

from rarefactor.pathology import _measure_slide as measured
from rarefactor.pathology._beside import find_runs
from rarefactor.pathology._biopsy import combine_biopsies
from rarefactor.pathology._runs import compute_run_effect, compute_run_gains, read_manifest
from rarefactor.pathology._settings import SlideFile
from rarefactor.pathology.simulate import Camera, Field, StainingRun, simulate_control

HEADER = "slide,run,date,antibody,dilution,control"


def write(tmp_path: Path, *rows: str) -> Path:
    path = tmp_path / "runs.csv"
    path.write_text("\n".join((HEADER, *rows)) + "\n", encoding="utf-8")
    return path


def test_the_manifest(tmp_path: Path) -> None:
    manifest = read_manifest(
        write(
            tmp_path,
            "a.tif,late,2020-05-01,CD20,1:200,no",
            "t.tif,late,2020-05-01,CD20,1:200,YES",
            "b.tif,early,2020-03-02,CD20,1:200,",
            "c.tif,late,2020-05-02,BAFF-R,1:50,no",
            "d.tif,late,2020-05-03,BAFF-R,1:100,no",
        )
    )
    assert manifest.list_runs("CD20") == ("early", "late")
    control = manifest.find("t.tif")
    assert control is not None
    assert control.control
    assert manifest.find("z.tif") is None
    assert [flag.name for flag in manifest.flags] == ["run_without_control", "run_mixed", "run_without_control"]
    assert "2 days and 2 dilutions" in manifest.flags[1].detail


@pytest.mark.parametrize(
    ("row", "column"),
    [
        ("a.tif,R2,2020-05-01,CD20,1:200,no", "slide"),
        ("b.tif,,2020-05-01,CD20,1:200,no", "run"),
        ("b.tif,R1,1.5.2020,CD20,1:200,no", "date"),
        ("b.tif,R1,2020-05-01,CD20,1:200,tonsil", "control"),
        ("b.tif,R1,2020-05-01,,1:200,no", "antibody"),
    ],
)
def test_a_row_of_the_manifest_that_does_not_fit(tmp_path: Path, row: str, column: str) -> None:
    manifest = read_manifest(write(tmp_path, "a.tif,R1,2020-05-01,CD20,1:200,no", row))
    assert [(problem.row, problem.column) for problem in manifest.failures] == [(3, column)]
    assert len(manifest.slides) == 1


def test_slides_are_found_in_the_manifest_by_path_or_name(tmp_path: Path) -> None:
    manifest = read_manifest(
        write(
            tmp_path,
            "p1/CD20.tif,R1,,CD20,1:200,no",
            "p2/CD20.tif,R2,,CD20,1:200,no",
            "p3.tif,R2,,CD20,1:200,yes",
            "tonsil.tif,R1,,CD20,1:200,yes",
            "spleen.tif,R1,,CD3,1:200,yes",
            "lost.tif,R1,,CD20,1:200,no",
        )
    )
    for name in ("tonsil.tif", "spleen.tif"):
        (tmp_path / name).touch()
    paths = {"p1": tmp_path / "p1/CD20.tif", "p2": tmp_path / "p2/CD20.tif", "p3": tmp_path / "p3.tif"}
    slides = [SlideFile(patient=p, visit="v", stain="CD20", path=path, own_id=p) for p, path in paths.items()]
    found = find_runs(slides, manifest, tmp_path, ["CD20"])
    assert [(each.patient, each.run) for each in found.slides] == [("p1", "R1"), ("p2", "R2")]
    assert [(each.patient, each.path.name, each.own_id) for each in found.controls] == [
        ("control R2", "p3.tif", "p3"),
        ("control R1", "tonsil.tif", None),
    ]
    assert found.missing == 2  # the slide that is lost, and a control of a stain that nobody asked for


def test_runs_that_differ_are_told_from_runs_that_do_not() -> None:
    rng = np.random.default_rng(2)
    runs = np.repeat(["a", "b", "c"], 12)
    same = rng.normal(0.3, 0.05, 36)
    shifted = same + np.repeat([0.0, 0.1, 0.2], 12)
    none, effect = compute_run_effect(same, list(runs)), compute_run_effect(shifted, list(runs))
    assert none.flags == ()
    assert [flag.name for flag in effect.flags] == ["run_effect"]
    assert effect.share > 0.6 > none.share
    assert [flag.name for flag in compute_run_effect(same[:12], ["a"] * 12).flags] == ["single_run"]
    assert [flag.name for flag in compute_run_effect(same[:6], ["a", "b"] * 3).flags] == ["few_per_run"]


def test_the_share_of_variance_is_that_of_the_analysis_of_variance() -> None:
    # mean squares 24 between and 1 within three runs of two: (24 - 1) / 2 = 11.5 of 12.5
    values = [
        1 - np.sqrt(0.5),
        1 + np.sqrt(0.5),
        1 - np.sqrt(0.5),
        1 + np.sqrt(0.5),
        7 - np.sqrt(0.5),
        7 + np.sqrt(0.5),
    ]
    assert compute_run_effect(values, ["a", "a", "b", "b", "c", "c"]).share == pytest.approx(11.5 / 12.5)


def test_a_run_that_cannot_be_judged_has_no_gain() -> None:
    densities = {"a": [0.2], "b": [0.3, 0.5, float("nan")], "faint": [0.001], "wild": [1.2], "x": []}
    found = compute_run_gains(densities, ["a", "b", "faint", "wild", "x"], by="controls")
    assert found.gains == pytest.approx({"a": 0.5, "b": 1.0})
    assert found.densities == pytest.approx({"a": 0.2, "b": 0.4, "faint": 0.001, "wild": 1.2})
    assert [flag.name for flag in found.flags] == ["run_without_dab", "run_gain_extreme", "run_not_adjusted"]
    assert "faint, wild, x" in found.flags[2].detail


def test_gains_by_medians_say_what_they_take_out() -> None:
    found = compute_run_gains({"a": [0.2] * 5, "b": [0.3] * 2}, ["a", "b"], by="medians")
    assert found.gains == pytest.approx({"a": 0.8, "b": 1.2})
    assert [flag.name for flag in found.flags] == ["adjusted_by_median", "few_in_run"]
    assert "run b:" in found.flags[1].detail


def mean_density(field: Field) -> float:
    return float(field.truth.histogram @ (np.arange(400) + 0.5) / field.truth.histogram.sum() / 100)


def test_controls_tell_how_strongly_a_run_stained() -> None:
    camera = Camera(width=160, height=160, jpeg_quality=None)
    gains = {"weak": 0.6, "usual": 1.0, "strong": 1.5}
    controls = {
        name: [
            mean_density(
                simulate_control(
                    np.random.default_rng(number),
                    stain="MHC-I",
                    run=StainingRun(name=name, dab_gain=gain),
                    camera=camera,
                )
            )
        ]
        for number, (name, gain) in enumerate(gains.items())
    }
    assert compute_run_gains(controls, list(gains), by="controls").gains == pytest.approx(gains, rel=0.1)


SCHEMA = {**measured.SCHEMA, "positive_area_adjusted": pl.Float64, "mean_density_adjusted": pl.Float64}
SCHEMA |= dict.fromkeys(("h_score_adjusted", "h_score_px_adjusted", "positive_cells_adjusted"), pl.Float64)


def combine(*rows: dict[str, object]) -> dict[str, object]:
    named = [{"patient": "p", "visit": "v", "stain": "CD20", "slide": "s1"} | row for row in rows]
    (found,) = combine_biopsies(pl.DataFrame(named, schema=SCHEMA)).to_dicts()
    return found


def test_a_biopsy_is_the_sum_of_its_regions_and_slides() -> None:
    positive, tissue = np.array([2.0, 5.0, 0.0]), np.array([10.0, 8.0, 0.0])
    rows = [
        {
            "slide": f"s{place // 2}",
            "positive_area": p / t if t else float("nan"),
            "tissue_px": int(4 * t),
            "tissue_mm2": t,
        }
        for place, (p, t) in enumerate(zip(positive, tissue, strict=True))
    ]
    found = combine(*rows)
    assert found["positive_area"] == pytest.approx(positive.sum() / tissue.sum())
    assert (found["slides"], found["regions"], found["tissue_mm2"]) == (1, 2, 18.0)
    assert (found["h_score"], found["cells_per_mm2"], found["positive_area_adjusted"]) == (None, None, None)


def test_cells_of_a_biopsy_are_all_cells_over_all_tissue_in_focus() -> None:
    area = {"tissue_px": 100, "tissue_mm2": 1.0, "positive_area": 0.1, "h_score_px": 12.0}
    counted = {"cells": 30, "positive_cells": 6, "counted_mm2": 0.5, "h_score": 40.0, "positive_cells_adjusted": 3}
    blurred = {"cells": 10, "positive_cells": 4, "counted_mm2": 0.3, "h_score": 80.0, "positive_cells_adjusted": 1}
    found = combine({**area, **counted}, {**area, **blurred}, {**area, "slide": "s2"})
    assert found["cells_per_mm2"] == pytest.approx(40 / 0.8)
    assert found["positive_per_mm2"] == pytest.approx(10 / 0.8)
    assert found["positive_per_mm2_adjusted"] == pytest.approx(4 / 0.8)
    assert found["h_score"] == pytest.approx((30 * 40 + 10 * 80) / 40)
    assert found["slides"] == 2


def test_without_the_size_of_a_pixel_pixels_weigh() -> None:
    found = combine(
        {"tissue_px": 300, "positive_area": 0.1}, {"tissue_px": 100, "tissue_mm2": 5.0, "positive_area": 0.5}
    )
    assert found["positive_area"] == pytest.approx(0.2)
    assert found["tissue_mm2"] is None
