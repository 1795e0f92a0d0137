"""How often 95 % intervals hold the truth with 20 % missing at random, after imputation and pooled profiles (CLIP).

    python benchmarks/coverage_mi.py [--full]

Each line is one scenario: patients, share of events, true odds ratios, and the coverage of each factor by CLIP and by
Rubin's rules of the Firth fits, with the bias of the median coefficient. Values go missing at random: more often in
patients with the event, and in those with a high third factor.
"""

from __future__ import annotations

import time
from dataclasses import dataclass

import numpy as np
from peers import begin

from rarefactor.stats import Variable, fit_many, impute_many, pool_profiles, pool_rubin

M = 20
ITERATIONS = 5
VARIABLES = (
    Variable(name="marker"),
    Variable(name="binary", kind="binary", levels=(0, 1)),
    Variable(name="adjuster", kind="binary", levels=(0, 1)),
    Variable(name="auxiliary"),
    Variable(name="event", kind="binary", levels=(0, 1)),
)


@dataclass(frozen=True, kw_only=True)
class Scenario:
    """n patients, intercept and the log odds ratios of three factors, share missing."""

    n: int
    intercept: float
    slopes: tuple[float, float, float]
    missing: float = 0.2


SCENARIOS = (
    Scenario(n=40, intercept=-0.7, slopes=(0.0, 0.0, 0.0)),
    Scenario(n=40, intercept=-1.2, slopes=(0.5, 0.7, 0.7)),
    Scenario(n=40, intercept=-1.6, slopes=(0.7, 1.4, 0.0)),
    Scenario(n=40, intercept=-1.9, slopes=(0.0, 2.1, 0.7)),
    Scenario(n=40, intercept=-0.7, slopes=(0.5, 0.7, -0.5)),
    Scenario(n=40, intercept=-0.3, slopes=(0.7, 0.0, 0.7)),
    Scenario(n=60, intercept=-1.6, slopes=(0.7, 1.4, 0.7)),
    Scenario(n=100, intercept=-1.9, slopes=(0.7, 1.4, 0.7), missing=0.3),
)


def draw_studies(scenario: Scenario, studies: int, rng: np.random.Generator) -> np.ndarray:
    """Return studies (R, n, 5) in which both outcomes occur, with missing values in marker and binary factor."""
    shape = (4 * studies, scenario.n)
    adjuster = (rng.random(shape) < 0.4).astype(float)
    marker = rng.normal(size=shape) + 0.5 * adjuster
    auxiliary = 0.7 * marker + 0.7 * rng.normal(size=shape)
    binary = (rng.random(shape) < 1.0 / (1.0 + np.exp(0.5 - 0.6 * marker))).astype(float)
    log_odds = scenario.intercept + sum(b * x for b, x in zip(scenario.slopes, (marker, binary, adjuster), strict=True))
    event = (rng.random(shape) < 1.0 / (1.0 + np.exp(-log_odds))).astype(float)
    share = scenario.missing * (0.6 + 0.5 * event + 0.5 * adjuster)
    marker, binary = (np.where(rng.random(shape) < share, np.nan, x) for x in (marker, binary))
    data = np.stack([marker, binary, adjuster, auxiliary, event], axis=2)
    varied = [np.nanmin(x, axis=1) < np.nanmax(x, axis=1) for x in (binary, adjuster)]
    usable = (event.sum(axis=1) >= 3) & (event.sum(axis=1) <= scenario.n - 3) & varied[0] & varied[1]
    return data[usable][:studies]


def measure(scenario: Scenario, studies: int, rng: np.random.Generator) -> None:
    data = draw_studies(scenario, studies, rng)
    begin = time.process_time()
    completed = impute_many(data, VARIABLES, m=M, iterations=ITERATIONS, rng=rng)
    middle = time.process_time()
    truth = np.array([scenario.intercept, *scenario.slopes])
    X, y = completed.take(["marker", "binary", "adjuster"]), data[:, :, 4]
    clips = [pool_profiles(design, outcome) for design, outcome in zip(X, y, strict=True)]
    end = time.process_time()
    fits = [fit_many(design, outcome) for design, outcome in zip(X, y, strict=True)]
    rubin = [pool_rubin(fit.coef, fit.se**2, df_complete=scenario.n - 4) for fit in fits]
    found = np.array([clip.estimate for clip in clips])
    covered = [
        np.mean([(part.ci[:, 0] <= truth) & (truth <= part.ci[:, 1]) for part in pooled], axis=0)[1:]
        for pooled in (clips, rubin)
    ]
    bias = (np.median(found, axis=0) - truth)[1:]
    print(
        f"n={scenario.n:4d} events {y.mean():5.1%} missing {np.isnan(data[:, :, :2]).mean():5.1%} "
        f"OR {np.exp(truth[1:]).round(1)}  CLIP {(100 * covered[0]).round(1)}  Rubin {(100 * covered[1]).round(1)}  "
        f"bias {bias.round(2)}  failed {sum(not clip.converged for clip in clips)}  "
        f"CPU s: imputation {middle - begin:.1f}, CLIP {end - middle:.1f}"
    )


def main() -> None:
    studies = 4000 if begin(__doc__ or "") else 500
    print(f"{studies} studies a scenario, {M} imputations, {ITERATIONS} iterations; Monte-Carlo error of a coverage of")
    print(f"95 %: {100 * (0.95 * 0.05 / studies) ** 0.5:.1f} points. Order of factors: marker, binary, adjuster.")
    rng = np.random.default_rng(2020)
    for scenario in SCENARIOS:
        measure(scenario, studies, rng)


if __name__ == "__main__":
    main()
