"""What sensitivity, evidence and design say of the 48 patients, against separate computations on the same columns."""

import math
from pathlib import Path

import numpy as np
import pytest

from rarefactor import analyse, study
from rarefactor.analyse._design import build_design
from rarefactor.results import Analysed, Estimate
from rarefactor.stats import Published, compute_attainable, compute_influence, fit_logistic, pool_studies
from rarefactor.study import Checked

ROOT = Path(__file__).parents[2]
EVIDENCE = """
evidence:
  - {factor: male, source: Zhao 2020, doi: 10.1186/s13023-020-01431-7, odds_ratio: 19.57, p: "<0.001",
     n: 40, events: 13}
  - {factor: albumin, source: Zhao 2020, p: 0.036}
  - {source: Zhao 2020, percent: "32.5", n: 48}
  - {factor: male, source: A, odds_ratio: 3.10, low: 1.20, high: 8.01, comparable: yes}
  - {factor: male, source: B, odds_ratio: 1.50, low: 0.60, high: 3.75, comparable: yes}
"""
BILIRUBIN = {"factor": "bilirubin", "term": "per 2-fold"}


@pytest.fixture(scope="module")
def checked(tmp_path_factory: pytest.TempPathFactory) -> Checked:
    folder = tmp_path_factory.mktemp("pbc48")
    (folder / "data").symlink_to(ROOT / "examples/pbc48/data")
    text = (ROOT / "examples/pbc48/study.yaml").read_text(encoding="utf-8")
    (folder / "study.yaml").write_text(text + EVIDENCE, encoding="utf-8")
    return study.check(folder / "study.yaml")


def task(checked: Checked, label: str) -> Analysed:
    (found,) = (
        task for task in analyse.tasks(checked.study, checked.table, code="test") if task.label.startswith(label)
    )
    return found.compute()


def row(analysed: Analysed, measure: str, **parts: str) -> Estimate:
    rows = [each for each in analysed.rows if each.measure == measure]
    (found,) = (each for each in rows if all(getattr(each, part) == value for part, value in parts.items()))
    return found


def test_leaving_out_one_patient_is_refitting_without(checked: Checked) -> None:
    found = task(checked, "Sensitivity of Clinic and early course")
    infos = {info.name: info for info in checked.table.factors}
    factors = [infos[name] for name in checked.study.analysis.models["early_course"].factors]
    design = build_design(checked.table.landmarks["month_6"], factors)
    without = compute_influence(design.X, design.y).odds_ratio_without
    place = 1 + [info.name for info, _ in design.terms].index("bilirubin")
    for end, value in (("lowest", without[:, place].min()), ("highest", without[:, place].max())):
        shown = row(found, "odds_ratio", group=f"leave_one_out_{end}", **BILIRUBIN)
        assert shown.estimate == pytest.approx(value, rel=1e-6)
        assert shown.n == len(design.y) - 1
    named = design.frame["subject"].to_list()
    far = int(np.abs(np.log(without[:, place])).argmax())
    shown = row(found, "odds_ratio_without", group=named[far], **BILIRUBIN)
    kept = np.arange(len(design.y)) != far
    alone = fit_logistic(design.X[kept], design.y[kept])
    assert shown.low == pytest.approx(math.exp(alone.ci[place, 0]), rel=1e-6)
    assert shown.flags == ("changed",)
    assert row(found, "patients_changing", **BILIRUBIN).estimate == 1
    largest = row(found, "cooks_distance", group=named[compute_influence(design.X, design.y).cook.argmax()])
    assert largest.estimate == pytest.approx(compute_influence(design.X, design.y).cook.max(), rel=1e-9)
    prior = fit_logistic(design.X, design.y, penalty="logf", prior_m=4.0)
    shown = row(found, "odds_ratio", group="penalty", method="logf44", **BILIRUBIN)
    assert [shown.estimate, shown.low, shown.high] == pytest.approx(
        [math.exp(prior.coef[place]), *np.exp(prior.ci[place])], rel=1e-8
    )
    firth = fit_logistic(design.X, design.y)
    place = 1 + [info.name for info, _ in design.terms].index("albumin")
    ratio = math.sqrt(math.exp(abs(firth.coef[place])))
    assert row(found, "e_value", factor="albumin").estimate == pytest.approx(
        ratio + math.sqrt(ratio * (ratio - 1)), rel=1e-8
    )
    coupled = {"bilirubin", "bilirubin_rate"}  # made of what decides the outcome
    assert not [each for each in found.rows if each.measure.startswith("e_value") and each.factor in coupled]


def test_a_profile_is_as_low_at_its_limits_as_the_dotted_line(checked: Checked) -> None:
    found = task(checked, "Sensitivity of Clinic and early course")
    level = row(found, "likelihood_at_limits").estimate
    points = sorted(
        (math.log(float(each.group or "")), each.estimate or 0.0)
        for each in found.rows
        if each.measure == "relative_likelihood" and each.method == "firth" and each.factor == "bilirubin"
    )
    infos = {info.name: info for info in checked.table.factors}
    factors = [infos[name] for name in checked.study.analysis.models["early_course"].factors]
    design = build_design(checked.table.landmarks["month_6"], factors)
    limits = fit_logistic(design.X, design.y).ci[1 + [info.name for info, _ in design.terms].index("bilirubin")]
    assert len(points) <= 12
    places, heights = (np.array(values) for values in zip(*points, strict=True))
    root = np.sqrt(-2.0 * np.log(heights)) * np.where(np.arange(len(points)) < heights.argmax(), -1.0, 1.0)
    at_limits = np.exp(-np.square(np.interp(limits, places, root)) / 2.0)
    assert at_limits == pytest.approx([level, level], abs=0.01)


def test_evidence_is_pooled_and_contradictions_are_told(checked: Checked) -> None:
    found = task(checked, "Published evidence")
    ours = row(found, "odds_ratio", group="ours", method="firth", factor="male")
    design = build_design(checked.table.landmarks["baseline"], [i for i in checked.table.factors if i.name == "male"])
    fit = fit_logistic(design.X, design.y)
    assert ours.estimate == pytest.approx(math.exp(fit.coef[1]), rel=1e-9)
    z = 2 * 1.959963984540054
    published = [(math.log(3.1), math.log(8.01 / 1.2) / z), (math.log(1.5), math.log(3.75 / 0.6) / z)]
    values, spread = zip(*published, (fit.coef[1], fit.se[1]), strict=True)
    pooled = pool_studies(values, spread)
    shown = row(found, "odds_ratio", group="pooled")
    assert [shown.estimate, shown.low, shown.high] == pytest.approx(
        [math.exp(value) for value in (pooled.estimate, pooled.low, pooled.high)], rel=1e-9
    )
    told = " ".join(note.text for note in found.notes)
    nearest = compute_attainable(Published(odds_ratio=19.57, events=13, total=40)).nearest
    assert f"the nearest is {nearest:.2f}" in told
    assert "Zhao 2020 is shown and not pooled" in told


def test_ours_stands_beside_a_published_p_value_by_each_method(checked: Checked) -> None:
    found = task(checked, "Published evidence")
    published = row(found, "odds_ratio", group="Zhao 2020", factor="albumin")
    assert (published.estimate, published.p) == (None, 0.036)
    alone = task(checked, "One factor at a time at baseline")
    for method in ("ml", "firth"):
        ours = row(found, "odds_ratio", group="ours", factor="albumin", method=method)
        assert ours.estimate == pytest.approx(
            row(alone, "odds_ratio", factor="albumin", method=method).estimate, rel=1e-9
        )
    firth, logf = (
        row(found, "odds_ratio", group="ours", factor="albumin", method=each) for each in ("firth", "logf22")
    )
    assert 0.01 < logf.p < 0.5
    assert abs(math.log(logf.estimate)) != pytest.approx(abs(math.log(firth.estimate)))


def test_a_percentage_that_no_number_of_patients_gives_is_told(checked: Checked) -> None:
    found = task(checked, "Published evidence")
    ours = row(found, "risk", group="ours")
    assert ours.estimate == pytest.approx(ours.events / ours.n)
    assert ours.low < ours.estimate < ours.high
    assert row(found, "risk", group="Zhao 2020").estimate == pytest.approx(0.325)
    assert "of whom it is one are 40 (13 of them)" in " ".join(note.text for note in found.notes)


def test_a_small_study_exaggerates_what_it_finds(checked: Checked) -> None:
    found = analyse.simulate(checked.study, checked.table, data_sets=400, odds_ratios={"male": 2.0})["early_course"]
    parts = {"factor": "male", "group": "true 2"}
    ml, firth = (row(found, "doubled", method=method, **parts).estimate for method in ("ml", "firth"))
    assert ml > firth
    assert row(found, "exaggeration", method="firth", **parts).estimate > 1.5
    assert row(found, "power", method="firth", **parts).estimate < 0.3
    assert 0.9 < row(found, "coverage", method="firth", **parts).estimate <= 1
