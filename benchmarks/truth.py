"""Whether the road finds what was put in: cohorts of known truth, from their records to their odds ratios.

    python benchmarks/truth.py [--full]

Each cohort is drawn by `rarefactor.simulate` from the truth of examples/anm-srp (with what the scenario changes),
written as a REDCap export, read, checked, derived and analysed as a run does it: 10 imputations, maximum likelihood,
Firth and log-F(2,2). The truth is conditional: the odds ratios of the model that drew the outcome. A method without an
estimate (separation) is counted; its interval, one-sided, may still hold the truth. Two sizes of cohort tell the bias
of small samples from error: what goes away with 480 patients is the size of the study, what stays is measurement
(severe weakness is seen through recorded grades) or a fault of ours.

``--full`` draws more cohorts, and measures the images of one whole study against its truth (minutes).
"""

from __future__ import annotations

import math
import tempfile
import time
from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass, field, replace
from pathlib import Path
from statistics import mean, median

import numpy as np
import polars as pl
from peers import begin
from threadpoolctl import threadpool_limits

from rarefactor import analyse, cohort, derive, imaging, pathology, simulate, spec
from rarefactor.derive import AnalysisTable
from rarefactor.results import Estimate
from rarefactor.work import Cache, Workers

EXAMPLE = Path(__file__).parents[1] / "examples" / "anm-srp"
CLINICAL = {"male": 19.57, "severe_weakness": 7.51, "ild": 39.70}  # Zhao 2020
COLUMNS = {
    "fat": "fat_fraction",
    "fat_rate": "fat_rate",
    "baff_r": "BAFF-R.positive_area",
    "cd20": "CD20.positive_per_mm2",
}
METHODS = {"ml": "maximum likelihood", "firth": "Firth", "logf22": "log-F(2,2)", "complete": "Firth, complete cases"}
WORKERS = 2


@dataclass(frozen=True, kw_only=True)
class Scenario:
    """A truth and the model that asks for it; ``changes`` may add rules of what is missing."""

    name: str
    patients: int
    odds_ratios: Mapping[str, float]
    changes: Mapping[str, object] = field(default_factory=dict)
    data_sets: int = 100
    measured: bool = False


SMALL = {"male": 3.0, "severe_weakness": 3.0, "ild": 3.0}
BIOLOGY = {"fat_rate": 1.9, "baff_r": 1.6, "cd20": 1.4}
GONE = {"missing": ({"of": ["ild"], "share": 0.2, "odds_ratios": {"severe_weakness": 3}},)}
SCENARIOS = (
    Scenario(name="clinical, as published", patients=48, odds_ratios=CLINICAL),
    Scenario(name="clinical, as published", patients=480, odds_ratios=CLINICAL, data_sets=50),
    Scenario(name="clinical, odds ratios of 3", patients=48, odds_ratios=SMALL),
    Scenario(name="clinical, odds ratios of 3", patients=480, odds_ratios=SMALL, data_sets=50),
    Scenario(name="as published, a fifth of ILD missing", patients=48, odds_ratios=CLINICAL, changes=GONE),
    Scenario(
        name="as published, a fifth of ILD missing", patients=480, odds_ratios=CLINICAL, changes=GONE, data_sets=50
    ),
    Scenario(name="fat rate, BAFF-R, CD20", patients=48, odds_ratios=BIOLOGY, measured=True),
    Scenario(name="fat rate, BAFF-R, CD20", patients=480, odds_ratios=BIOLOGY, measured=True, data_sets=50),
)


@dataclass(frozen=True, kw_only=True)
class Drawn:
    """What one cohort gave: its estimates, and how often the outcome that was derived is the one that was drawn."""

    rows: tuple[Estimate, ...]
    agreed: int
    compared: int
    weak: float


def prepare(scenario: Scenario, folder: Path) -> tuple[spec.Study, simulate.Truth]:
    """Return the example's study with one model, and its truth with the odds ratios of the scenario."""
    (folder / "study.yaml").write_bytes((EXAMPLE / "study.yaml").read_bytes())
    study, truth = spec.load(folder / "study.yaml"), simulate.read_truth(EXAMPLE / "truth.yaml")
    model = spec.Model(label="truth", factors=tuple(scenario.odds_ratios))
    settings = {"models": {"truth": model}, "missing": spec.Missing(imputations=10), "at_risk": {}}
    study = study.model_copy(update={"analysis": study.analysis.model_copy(update=settings)})
    outcome = truth.outcome.model_copy(update={"odds_ratios": scenario.odds_ratios})
    rules = tuple(type(truth.missing[0]).model_validate(each) for each in scenario.changes.get("missing", ()))
    truth = truth.model_copy(update={"outcome": outcome, "missing": (*truth.missing, *rules), "expect": None})
    return study, simulate.change_patients(truth, scenario.patients)


def draw(scenario: Scenario, seeds: Sequence[int]) -> list[Drawn]:
    """Draw cohorts and walk each of them from its records to its odds ratios."""
    with threadpool_limits(1), tempfile.TemporaryDirectory() as place:
        folder = Path(place)
        study, truth = prepare(scenario, folder)
        intercept = simulate.compute_intercept(study, truth)
        return [found for seed in seeds for found in walk(study, truth, folder, seed, intercept, scenario)]


def walk(
    study: spec.Study, truth: simulate.Truth, folder: Path, seed: int, intercept: float, scenario: Scenario
) -> Iterator[Drawn]:
    drawn = simulate.simulate_cohort(study, truth, np.random.default_rng([2020, seed]), intercept=intercept)
    simulate.write_records(drawn, folder)
    data = cohort.ingest(study)
    described = [imaging.describe(study), pathology.describe(study)]
    seen = simulate.tabulate_measured(drawn, data.pseudonyms) if scenario.measured else described
    table = derive.build(study, data, seen)
    tasks = analyse.tasks(study, table, code="truth")
    task = next(each for each in tasks if each.label.startswith("Model truth"))
    rows = tuple(replace(row, method=name_method(row)) for row in task.compute().rows if row.measure == "odds_ratio")
    yield Drawn(rows=rows, **compare(drawn, data, table))


def name_method(row: Estimate) -> str:
    return "complete" if row.analysis == "sensitivity" else row.method or ""


def compare(drawn: simulate.SimulatedCohort, data: cohort.Cohort, table: AnalysisTable) -> dict[str, float]:
    """Count in how many patients outcome and severe weakness, as derived, are those that are true."""
    frame = table.landmarks["baseline"].frame
    true = simulate.tabulate_truth(drawn)
    subjects = [data.pseudonyms.get(each) for each in true["record_id"]]
    outcome = dict(zip(subjects, true["refractory"], strict=True))
    totals = true.select(pl.sum_horizontal(pl.col("^mmt_.*$")))["mmt_neck"]
    weak = {name: "Yes" if total <= 56 else "No" for name, total in zip(subjects, totals, strict=True)}
    known = [(each["outcome"], outcome[each["subject"]]) for each in frame.to_dicts() if each["outcome"] is not None]
    seen = [each["severe_weakness"] == weak[each["subject"]] for each in frame.to_dicts() if each["severe_weakness"]]
    return {"agreed": sum(a == b for a, b in known), "compared": len(known), "weak": mean(seen)}


def summarise(rows: Sequence[Estimate], truth: float) -> dict[str, float]:
    """Return the bias of the log odds ratio, the coverage of its interval, and how often there was no estimate."""
    logs = [math.log(row.estimate) for row in rows if row.estimate and math.isfinite(row.estimate)]
    held = [(row.low or 0.0) <= truth <= (math.inf if row.high is None else row.high) for row in rows]
    return {
        "median": math.exp(median(logs)) if logs else math.nan,
        "bias": mean(logs) - math.log(truth) if logs else math.nan,
        "coverage": mean(held),
        "none": 1 - len(logs) / len(rows),
    }


def run(scenario: Scenario, data_sets: int) -> None:
    start = time.perf_counter()
    chunks = [range(first, data_sets, WORKERS) for first in range(WORKERS)]
    with ProcessPoolExecutor(WORKERS) as pool:
        found = [each for part in pool.map(draw, [scenario] * WORKERS, chunks) for each in part]
    took = time.perf_counter() - start
    agreed, compared = sum(each.agreed for each in found), sum(each.compared for each in found)
    print(f"\n{scenario.name}; {scenario.patients} patients, {len(found)} cohorts, {took:.0f} s")
    print(f"outcome as drawn in {agreed} of {compared}; severe weakness as true in {mean(f.weak for f in found):.1%}")
    by_address: dict[tuple[str, str], list[Estimate]] = defaultdict(list)
    for row in (row for each in found for row in each.rows):
        by_address[(row.factor or "", row.method or "")].append(row)
    print(f"{'factor':16} {'truth':>6}  {'method':22} {'median':>7} {'bias of log':>11} {'coverage':>9} {'none':>6}")
    for (factor, method), rows in by_address.items():
        truth = scenario.odds_ratios[factor]
        told = summarise(rows, truth)
        print(
            f"{factor:16} {truth:6.2f}  {METHODS[method]:22} {told['median']:7.2f} {told['bias']:+11.2f} "
            f"{told['coverage']:9.1%} {told['none']:6.1%}"
        )


def measure_images(folder: Path) -> None:
    """Make the images of the example, measure them as a run does, and compare the factors with their truth."""
    study = spec.load(simulate.write_study(EXAMPLE / "study.yaml", folder, workers=Workers(processes=WORKERS)))
    data, cache, settings = cohort.ingest(study), Cache(folder / "cache"), {"workers": Workers(processes=WORKERS)}
    scans = imaging.plan(study, data.pseudonyms, derive.visit_days(study, data))
    slides = pathology.plan(study, data.pseudonyms)
    seen = [
        imaging.measure(study, scans, code="truth", cache=cache, **settings),
        pathology.measure(study, slides, code="truth", cache=cache, **settings),
    ]
    frame = derive.build(study, data, seen).landmarks["baseline"].frame
    late = derive.build(study, data, seen).landmarks["month_3"].frame.select("subject", "fat_rate")
    both = frame.join(late, on="subject", how="left").join(read_truth(folder, data.pseudonyms), on="subject")
    print(f"\nimages of the example, measured; {len(slides.slides)} slides, {scans.visits} scans")
    heads = ("true mean", "mean gap", "SD of gap", "largest gap", "correlation")
    print(f"{'factor':24} {'n':>3} {' '.join(f'{head:>11}' for head in heads)}")
    for name, column in COLUMNS.items():
        for told in (f"true.{column}", f"shown.{column}"):
            if told in both.columns:
                print_gaps(f"{name}, {told.split('.')[0]}", both[name], both[told])


def read_truth(folder: Path, pseudonyms: Mapping[str, str]) -> pl.DataFrame:
    """What is true of each patient (``true.``) and of each picture of a slide (``shown.``), in the units of factors."""
    patients = pl.read_csv(folder / "truth" / "patients.csv")
    true = patients.select("record_id", **{f"true.{column}": column for column in COLUMNS.values()})
    slides = pl.read_csv(folder / "truth" / "slides.csv").filter(~pl.col("control"))
    for stain, column, scale in (("BAFF-R", "positive_area", 100.0), ("CD20", "positive_cells_per_mm2", 1.0)):
        name = "shown.BAFF-R.positive_area" if stain == "BAFF-R" else "shown.CD20.positive_per_mm2"
        shown = slides.filter(stain=stain).select(
            pl.col("subject").alias("record_id"), (pl.col(column) * scale).alias(name)
        )
        true = true.join(shown, on="record_id", how="left")
    return true.with_columns(subject=pl.col("record_id").replace_strict(pseudonyms, default=None))


def print_gaps(name: str, measured: pl.Series, true: pl.Series) -> None:
    known = measured.is_not_null() & true.is_not_null()
    measured, true = measured.filter(known), true.filter(known)
    gap, r = (measured - true).to_numpy(), np.corrcoef(measured, true)[0, 1]
    numbers = " ".join(f"{number:+11.2f}" for number in (gap.mean(), gap.std(), abs(gap).max()))
    print(f"{name:24} {len(gap):3} {true.mean():11.2f} {numbers} {r:11.3f}")


def main() -> None:
    full = begin(__doc__ or "")
    for scenario in SCENARIOS:
        run(scenario, scenario.data_sets * (10 if full else 1))
    if full:
        with tempfile.TemporaryDirectory() as place:
            measure_images(Path(place) / "study")


if __name__ == "__main__":
    main()
