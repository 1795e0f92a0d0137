"""How often intervals of an AUC that was corrected for optimism hold the AUC of the same model in new patients.

    python benchmarks/coverage_auc.py [--full]

Each line is one kind of study: the mean AUC (apparent, corrected, true), and how often the truth is held by quantiles
of the resamples moved by the optimism (Noma), by DeLong's limits moved on the logit scale, and by ``correct_auc``, with
the median width of the last.
"""

from __future__ import annotations

import time
from dataclasses import dataclass

import numpy as np
from peers import begin

from rarefactor.stats import compute_auc, compute_optimism, correct_auc, draw_resamples, fit_many_risks
from rarefactor.stats.procedure import ModelProcedure

RATE, NEW, FEWEST = 0.325, 20_000, 4


@dataclass(frozen=True, kw_only=True)
class Scenario:
    """n patients and the log odds ratios of four normal factors."""

    name: str
    n: int
    slopes: tuple[float, float, float, float]


SCENARIOS = (
    Scenario(name="weak", n=40, slopes=(0.8, 0.5, 0.0, 0.0)),
    Scenario(name="strong", n=40, slopes=(1.6, 1.0, 0.5, 0.0)),
    Scenario(name="no effect", n=40, slopes=(0.0, 0.0, 0.0, 0.0)),
    Scenario(name="weak", n=150, slopes=(0.8, 0.5, 0.0, 0.0)),
)


def logit(share: float) -> float:
    held = min(max(share, 1e-6), 1.0 - 1e-9)
    return float(np.log(held / (1.0 - held)))


def expit(log_odds: np.ndarray) -> np.ndarray:
    return 1.0 / (1.0 + np.exp(-log_odds))


def find_intercept(columns: np.ndarray, slopes: np.ndarray) -> float:
    """Return the intercept with which the wanted share has the outcome."""
    low, high = -20.0, 20.0
    for _ in range(60):
        middle = (low + high) / 2.0
        low, high = (middle, high) if expit(middle + columns @ slopes).mean() < RATE else (low, middle)
    return low


def judge(study: tuple[np.ndarray, np.ndarray], new: tuple[np.ndarray, np.ndarray], weights: np.ndarray) -> list[float]:
    """Return AUC apparent, corrected and true, which of three intervals hold the truth, and the width of the last."""
    (columns, y), (later, outcome) = study, new
    found = compute_optimism(y, ModelProcedure(columns=columns, outcome=y), weights)
    coef = fit_many_risks(columns, y, method="flic").coef[0]
    truth = compute_auc(outcome, coef[0] + later @ coef[1:]).estimate
    quantiles, apparent = found.measures["auc"], compute_auc(y, found.log_odds)
    ours = correct_auc(apparent, quantiles.optimism)
    shift = logit(ours.estimate) - logit(apparent.estimate)
    moved = [expit(np.array(logit(limit) + shift)) for limit in (apparent.low, apparent.high)]
    limits = ((quantiles.low, quantiles.high), moved, (ours.low, ours.high))
    held = [float(low <= truth <= high) for low, high in limits]
    return [apparent.estimate, ours.estimate, truth, *held, ours.high - ours.low]


def measure(scenario: Scenario, studies: int, resamples: int, rng: np.random.Generator) -> None:
    start, slopes, found = time.process_time(), np.array(scenario.slopes), list[list[float]]()
    later = rng.normal(size=(NEW, slopes.size))
    intercept = find_intercept(later, slopes)
    new = later, (rng.random(NEW) < expit(intercept + later @ slopes)).astype(float)
    while len(found) < studies:
        columns = rng.normal(size=(scenario.n, slopes.size))
        y = (rng.random(scenario.n) < expit(intercept + columns @ slopes)).astype(float)
        if FEWEST <= y.sum() <= scenario.n - FEWEST:
            found.append(judge((columns, y), new, draw_resamples(scenario.n, resamples, rng)))
    values = np.array(found)
    means, held = values[:, :3].mean(axis=0), 100 * values[:, 3:6].mean(axis=0)
    print(
        f"n={scenario.n:4d} {scenario.name:9s}  AUC {means.round(2)}  held %: quantiles {held[0]:.1f}  DeLong moved "
        f"{held[1]:.1f}  correct_auc {held[2]:.1f}  width {np.nanmedian(values[:, 6]):.2f}  "
        f"without an interval {int(np.isnan(values[:, 6]).sum())}  CPU s {time.process_time() - start:.0f}"
    )


def main() -> None:
    studies, resamples = (400, 150) if begin(__doc__ or "") else (100, 60)
    error = 100 * (0.95 * 0.05 / studies) ** 0.5
    print(
        f"{studies} studies of each kind, {resamples} resamples; Monte-Carlo error of a coverage of 95 %: {error:.1f}"
    )
    rng = np.random.default_rng(11)
    for scenario in SCENARIOS:
        measure(scenario, studies, resamples, rng)


if __name__ == "__main__":
    main()
