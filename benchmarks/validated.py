"""The whole validated analysis of a small study: multiple imputation, Firth, pooled profiles, optimism by bootstrap.

    python benchmarks/validated.py [--full]

48 patients, 3 factors and 12 auxiliary variables of which 8 have missing values, 20 imputations, 1,000 resamples, each
imputed anew 5 times (the study file's default), Firth with FLIC, performance corrected for optimism. Ours is a study
folder, written here, whose analyses "Model" and "Performance" are computed as a run computes them, curves, instability
and limits included. R does less (mice, Firth in plain R, AUC, Brier and calibration only); a few of its resamples are
timed and multiplied by 1,000. ``--full`` times more of them and also 20 imputations in each resample.
"""

from __future__ import annotations

import csv
import tempfile
from functools import partial
from pathlib import Path

import numpy as np
from peers import begin, run_r, say_ratio, say_time, time_once

from rarefactor import analyse
from rarefactor.study import check

N = 48
RESAMPLES = 1000
ITERATIONS = 10
FACTORS = ("male", "weak", "ck")
BINARY = ("male", "weak", "ild", "rash", "dysphagia")
CONTINUOUS = ("ck", "age", "mmt8", "crp", "ferritin", "weight", "delay", "haq", "dlco", "titre")
INCOMPLETE = ("weak", "ck", "ild", "rash", "crp", "ferritin", "dlco", "titre")
STUDY = """
id: bench
title: An invented study of 48 patients
cohort:
  records:
    patients: patients.csv
    visits: {file: visits.csv, day: day}
  subject: id
  visits:
    baseline: {month: 0, window: [0, 0]}
    month_12: {month: 12, window: [10, 14]}
  fields:
    id: {type: id, label: Patient}
    day: {type: number, label: Day, unit: days}
    outcome: {type: yesno, label: Refractory}
FIELDS
outcome:
  refractory: {label: Refractory, at: month_12, when: "visits.outcome"}
factors:
FACTORS
analysis:
  models: {clinical: [male, weak, ck]}
  missing: {imputations: 20, resampled: RESAMPLED, iterations: ITERATIONS}
  resamples: RESAMPLES
  seed: 2020
"""


def draw_study(rng: np.random.Generator) -> dict[str, np.ndarray]:
    """Columns (48,) of an invented study; the outcome depends on the three factors."""
    names = (*BINARY, *CONTINUOUS)
    drawn = rng.normal(size=(N, len(names))) @ np.linalg.cholesky(0.3 + 0.7 * np.eye(len(names))).T
    columns = {name: drawn[:, place] for place, name in enumerate(names)}
    columns |= {name: (columns[name] > 0.4).astype(float) for name in BINARY}
    log_odds = -1.6 + 1.0 * columns["male"] + 0.8 * columns["weak"] + 0.6 * columns["ck"]
    outcome = (rng.random(N) < 1.0 / (1.0 + np.exp(-log_odds))).astype(float)
    gone = {name: rng.random(N) < 0.15 for name in INCOMPLETE}
    columns |= {name: np.where(gone[name], np.nan, columns[name]) for name in INCOMPLETE}
    return {"outcome": outcome, **columns}


def write_study(folder: Path, columns: dict[str, np.ndarray], resampled: int, resamples: int = RESAMPLES) -> Path:
    """Write a study folder; return its study file."""
    fields = [f"    {name}: {{type: yesno, label: {name}}}" for name in BINARY]
    fields += [f"    {name}: {{type: number, label: {name}}}" for name in CONTINUOUS]
    factors = [f"  {name}: {{from: patients.{name}, label: {name}}}" for name in (*BINARY, *CONTINUOUS)]
    text = STUDY.replace("FIELDS", "\n".join(fields)).replace("FACTORS", "\n".join(factors))
    text = text.replace("RESAMPLED", str(resampled)).replace("RESAMPLES", str(resamples))
    (folder / "study.yaml").write_text(text.replace("ITERATIONS", str(ITERATIONS)))
    numbers = np.arange(1.0, N + 1.0)
    write_table(folder / "patients.csv", {"id": numbers} | {name: columns[name] for name in (*BINARY, *CONTINUOUS)})
    visits = {"day": np.repeat([0.0, 365.0], N), "outcome": np.tile(columns["outcome"], 2)}
    write_table(folder / "visits.csv", {"id": np.tile(numbers, 2), **visits})
    return folder / "study.yaml"


def write_table(path: Path, columns: dict[str, np.ndarray]) -> None:
    with path.open("w", newline="") as file:
        writer = csv.writer(file)
        writer.writerow(columns)
        for row in zip(*columns.values(), strict=True):
            writer.writerow("" if np.isnan(value) else f"{value:.10g}" for value in row)


def time_ours(study: Path) -> dict[str, float]:
    """CPU seconds of the analyses of the model, by label."""
    checked = check(study)
    tasks = [task for task in analyse.tasks(checked.study, checked.table, code="") if task.label.endswith("baseline")]
    wanted = [task for task in tasks if task.label.startswith(("Model", "Performance"))]
    return {task.label: time_once(task.compute) for task in wanted}


def measure(columns: dict[str, np.ndarray], resampled: int, repeats: int) -> None:
    with tempfile.TemporaryDirectory() as folder:
        time_ours(write_study(Path(folder), columns, resampled, resamples=10))  # what is loaded late is loaded now
        ours = time_ours(write_study(Path(folder), columns, resampled))
        write_table(Path(folder) / "peer.csv", columns)
        ask = partial(run_r, "validated.R", Path(folder) / "peer.csv", 20, resampled, ITERATIONS)
        peer = ask(repeats, ",".join(FACTORS))
    total = sum(ours.values())
    parts = ", ".join(f"{label} {say_time(seconds)}" for label, seconds in ours.items())
    print(f"{RESAMPLES:,} resamples imputed {resampled} times each: ours {say_time(total)} ({parts})")
    if peer:
        print(f"  R: {say_time(peer['once'])} once and {say_time(peer['each'])} a resample ({repeats} timed)")
        print(f"  {say_ratio(total, peer['once'] + RESAMPLES * peer['each'], 'R, multiplied,')}")


def main() -> None:
    full = begin(__doc__ or "")
    columns = draw_study(np.random.default_rng(2020))
    missing = np.mean([np.isnan(columns[name]).mean() for name in INCOMPLETE])
    print(f"{N} patients, {columns['outcome'].sum():.0f} events, {len(INCOMPLETE)} columns with {missing:.0%} missing")
    measure(columns, 5, 20 if full else 4)
    if full:
        measure(columns, 20, 5)


if __name__ == "__main__":
    main()
