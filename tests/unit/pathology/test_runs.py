"""Staining runs: the manifest, differences between runs, and what adjusting makes of them."""

from pathlib import Path

import numpy as np
import pytest

from rarefactor.errors import InputError
from rarefactor.pathology._biopsy import RegionValue, combine_regions
from rarefactor.pathology._runs import adjust_runs, compute_run_effect, compute_run_gains, read_manifest
from rarefactor.pathology.simulate import (
    Camera,
    Field,
    StainingRun,
    simulate_control,
    simulate_field,
    simulate_section,
)

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


@pytest.mark.parametrize("on", ["ratio", "difference", "logit"])
def test_adjusting_by_medians_makes_medians_equal_and_keeps_order(on: str) -> None:
    values = np.array([0.1, 0.3, 0.2, 0.5, 0.4, 0.7, np.nan])
    runs = ["a", "a", "a", "b", "b", "b", "b"]
    adjusted = adjust_runs(values, runs, on=on)
    assert np.median(adjusted.values[:3]) == pytest.approx(np.median(adjusted.values[3:6]))
    assert np.array_equal(np.argsort(adjusted.values[:3]), np.argsort(values[:3]))
    assert np.isnan(adjusted.values[6])
    assert [flag.name for flag in adjusted.flags] == ["adjusted_by_median", "few_in_run"]


def test_logits_stay_between_0_and_1_and_keep_both() -> None:
    adjusted = adjust_runs([0.0, 1.0, 0.9, 0.1, 0.2, 0.05], ["a"] * 3 + ["b"] * 3, on="logit")
    assert adjusted.values[:2].tolist() == [0.0, 1.0]
    assert ((adjusted.values >= 0) & (adjusted.values <= 1)).all()
    with pytest.raises(InputError, match="logit cannot take"):
        adjust_runs([1.2, 0.1], ["a", "b"], on="logit")


def test_a_run_without_control_is_left_as_it_is() -> None:
    adjusted = adjust_runs([1.0, 2.0, 3.0], ["a", "b", "c"], controls={"a": 1.0, "b": 3.0, "x": 2.0})
    assert adjusted.values.tolist() == [2.0, pytest.approx(4 / 3), 3.0]
    assert [flag.name for flag in adjusted.flags] == ["run_not_adjusted"]
    with pytest.raises(InputError, match="without DAB"):
        compute_run_gains({"a": 0.0})


def mean_density(field: Field) -> float:
    return float(field.truth.histogram @ (np.arange(400) + 0.5) / field.truth.histogram.sum() / 100)


def test_controls_take_out_what_runs_did_to_made_sections() -> None:
    camera = Camera(width=160, height=160, jpeg_quality=None)
    patients = [simulate_section(np.random.default_rng(seed), width_um=80, height_um=80) for seed in (1, 2)]
    gains = {"weak": 0.6, "usual": 1.0, "strong": 1.5}
    densities, runs, controls = [], [], {}
    for number, (name, gain) in enumerate(gains.items()):
        run = StainingRun(name=name, dab_gain=gain)
        control = simulate_control(np.random.default_rng(number), stain="MHC-I", run=run, camera=camera)
        controls[name] = mean_density(control)
        for section in patients:
            rng = np.random.default_rng(5)
            densities.append(mean_density(simulate_field(rng, stain="MHC-I", run=run, camera=camera, section=section)))
            runs.append(name)
    assert compute_run_gains(controls) == pytest.approx(gains, rel=0.1)
    adjusted = adjust_runs(densities, runs, controls=controls).values.reshape(3, 2)
    assert densities[4] / densities[0] == pytest.approx(2.5, rel=0.1)
    np.testing.assert_allclose(adjusted / adjusted[1], 1.0, atol=0.12)


def test_a_biopsy_is_the_sum_of_its_regions() -> None:
    positive, tissue = np.array([2.0, 5.0, 0.0]), np.array([10.0, 8.0, 0.0])
    regions = [
        RegionValue(name=name, value=p / t if t else None, area_mm2=t)
        for name, p, t in zip("abc", positive, tissue, strict=True)
    ]
    found = combine_regions(regions)
    assert found.value == pytest.approx(positive.sum() / tissue.sum())
    assert (found.regions, found.area_mm2, found.low, found.high) == (("a", "b"), 18.0, 0.2, 0.625)
    assert [flag.name for flag in found.flags] == ["region_left_out"]
    assert combine_regions([]).value is None
