"""How well the models of the PBC study predict, through the road, against R (tests/reference/R/pbc_performance.R)."""

import json
from pathlib import Path

import pytest

from rarefactor import analyse, study
from rarefactor.results import Results

ROOT = Path(__file__).parents[2]
R = json.loads((ROOT / "tests/reference/fixtures/pbc_performance.json").read_text())
WHERE = "performance/month_6/early_course"
SELECTION = "  selection: {method: backward, alpha: 0.157, keep: [age]}\n  resamples: 20 #"


def analysed(folder: Path, *changes: tuple[str, str]) -> Results:
    text = (ROOT / "examples/pbc/study.yaml").read_text().replace("data/", f"{ROOT}/examples/pbc/data/")
    for old, new in changes:
        assert old in text
        text = text.replace(old, new)
    (folder / "study.yaml").write_text(text)
    checked = study.check(folder / "study.yaml")
    tasks = analyse.tasks(checked.study, checked.table, code="test")
    rows = [row for task in tasks if task.label.startswith(("Performance", "Selection")) for row in task.compute().rows]
    return Results(study={}, flow=(), rows=tuple(rows))


@pytest.fixture(scope="module")
def results(tmp_path_factory: pytest.TempPathFactory) -> Results:
    return analysed(tmp_path_factory.mktemp("pbc"), ("  resamples: 200 ", SELECTION.split("\n")[1]))


def test_apparent_performance_is_that_of_r(results: Results) -> None:
    auc = results.get(f"{WHERE}/apparent/auc")
    assert (auc.n, auc.events) == (R["n"], R["events"])
    assert (auc.estimate, auc.low, auc.high) == pytest.approx((R["auc"], R["auc_low"], R["auc_high"]), abs=1e-9)
    for measure in ("brier", "brier_scaled", "calibration_intercept", "calibration_slope"):
        assert results.get(f"{WHERE}/apparent/{measure}").estimate == pytest.approx(R[measure], abs=1e-6)
    assert results.get(f"{WHERE}/apparent/calibration_in_the_large").estimate == pytest.approx(0, abs=1e-8)


def test_net_benefit_is_that_of_r(results: Results) -> None:
    for threshold, benefit in R["net_benefit"].items():
        row = results.get(f"{WHERE}/{threshold}/model/net_benefit")
        assert row.estimate == pytest.approx(benefit, abs=1e-9)
        assert row.low < row.estimate < row.high


def test_sample_size_is_that_of_r(results: Results) -> None:
    needed = results.get(f"{WHERE}/r2_default/required_n")
    assert (needed.estimate, needed.flags) == (R["required_n"], ("too_few",))
    shrinkage = results.get(f"{WHERE}/r2_default/expected_shrinkage").estimate
    assert shrinkage == pytest.approx(R["expected_shrinkage"], abs=1e-9)


def test_what_is_corrected_is_worse_than_what_is_apparent_and_adds_up(results: Results) -> None:
    for model, landmark in (("early_course", "month_6"), ("clinical", "baseline")):
        where = f"performance/{landmark}/{model}"
        apparent, optimism, corrected = (
            results.get(f"{where}/{method}/auc").estimate for method in ("apparent", "optimism", "optimism_corrected")
        )
        assert corrected == pytest.approx(apparent - optimism)
        assert corrected < apparent
        assert results.get(f"{where}/resamples").estimate == 20


def test_net_benefit_is_corrected_at_every_threshold_that_is_shown(results: Results) -> None:
    for model in ("early_course", "clinical"):
        apparent, corrected = (
            results.select(model=model, measure="net_benefit", group="model", method=method)
            for method in (None, "optimism_corrected")
        )
        assert [row.term for row in apparent] == [row.term for row in corrected]
        lost = [one.estimate - other.estimate for one, other in zip(apparent, corrected, strict=True)]
        assert sum(lost) > 0
        assert all(row.low <= row.high for row in corrected)


def test_corrected_risks_are_right_on_average_and_those_of_firth_are_not(results: Results) -> None:
    where = {"model": "early_course", "measure": "mean_risk"}
    firth, flic, flac = (results.select(method=method, **where)[0] for method in ("firth", "flic", "flac"))
    share = firth.events / firth.n
    assert share < firth.estimate < 0.5
    assert [flic.estimate, flac.estimate] == pytest.approx([share, share], abs=1e-6)
    assert flic.flags == ("used",)
    before, after = (results.get(f"{WHERE}/{method}/calibration_in_the_large") for method in ("firth", "flac"))
    assert before.estimate < 0
    assert after.estimate == pytest.approx(0, abs=1e-6)


def test_curves_hold_few_points_and_no_patient(results: Results) -> None:
    for measure in ("sensitivity_at", "observed_risk", "net_benefit", "reclassified", "resampled_risk"):
        rows = results.select(analysis="performance", model="early_course", measure=measure)
        assert 5 <= len([row for row in rows if row.group != "all" and row.method is None]) <= 60
    assert min(row.n for row in results.select(model="early_course", measure="resampled_risk")) >= 5


def test_classical_selection_counts_every_factor_of_the_landmark(results: Results) -> None:
    shares = results.select(landmark="baseline", model=None, group="classical", measure="inclusion")
    assert len(shares) == 12
    assert all(0 <= row.estimate <= 1 for row in shares)
    models = results.select(landmark="baseline", model=None, group="classical", measure="model_frequency")
    assert [row.estimate for row in models] == sorted((row.estimate for row in models), reverse=True)


def test_selection_is_repeated_in_every_resample_and_keeps_what_it_is_told(tmp_path: Path) -> None:
    found = analysed(tmp_path, ("  resamples: 200 ", SELECTION))
    for model, landmark in (("early_course", "month_6"), ("clinical", "baseline")):
        shares = found.select(model=model, measure="inclusion", group="backward")
        assert {row.factor: row.estimate for row in shares}["age"] == 1.0
        assert min(row.estimate for row in shares) < 1.0
        assert found.get(f"performance/{landmark}/{model}/optimism_corrected/auc").estimate > 0.5


def test_the_choice_of_risks_is_that_of_every_number_on_them(tmp_path: Path) -> None:
    found = analysed(tmp_path, ("  resamples: 200 ", "  risk: flac\n  resamples: 20 "))
    chosen = found.get(f"{WHERE}/flac/calibration_in_the_large")
    apparent = found.get(f"{WHERE}/apparent/calibration_in_the_large")
    assert chosen.flags == ("used",)
    assert (apparent.estimate, apparent.low) == (chosen.estimate, chosen.low)
    assert found.get(f"{WHERE}/apparent/brier").estimate != pytest.approx(R["brier"], abs=1e-6)
    assert found.get(f"{WHERE}/optimism_corrected/calibration_slope").estimate < 1


def test_without_resamples_there_is_apparent_performance_only(tmp_path: Path) -> None:
    found = analysed(tmp_path, ("  resamples: 200 ", "  resamples: 0 "))
    assert found.get(f"{WHERE}/apparent/auc").estimate == pytest.approx(R["auc"], abs=1e-9)
    assert not found.select(method="optimism_corrected")
    assert not found.select(measure="inclusion")
    assert found.get(f"{WHERE}/0.3/model/net_benefit").low is None
