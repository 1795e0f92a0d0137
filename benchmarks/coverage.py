"""How often the 95 % intervals hold the truth with 40 patients, by Firth's and log-F(2,2) profiles, on complete data.

    python benchmarks/coverage.py [--full]

Each line is one scenario: share of events, true odds ratios (a continuous factor: per SD), the coverage of each factor
by both methods in percent, the bias of the median Firth coefficient, and the share of data sets in which maximum
likelihood has no finite solution. Data sets in which the outcome or a binary factor has one value only cannot be
analysed and are drawn again (their share is printed).
"""

from __future__ import annotations

from dataclasses import dataclass
from statistics import NormalDist

import numpy as np
from peers import begin

from rarefactor.stats import fit_many

N = 40


@dataclass(frozen=True, kw_only=True)
class Scenario:
    """The intercept, true log odds ratios, share of patients with each binary factor (0: continuous), correlation."""

    intercept: float
    slopes: tuple[float, ...]
    shares: tuple[float, ...]
    correlation: float = 0.0


SCENARIOS = {
    "no effects": Scenario(intercept=-0.7, slopes=(0.0, 0.0, 0.0), shares=(0.5, 0.4, 0.0)),
    "binary, moderate": Scenario(intercept=-1.6, slopes=(0.7, 1.1, 0.0), shares=(0.5, 0.4, 0.3)),
    "binary, strong": Scenario(intercept=-2.0, slopes=(2.1, 0.7, 0.0), shares=(0.4, 0.5, 0.5)),
    "continuous": Scenario(intercept=-0.9, slopes=(0.7, 0.4, 0.0), shares=(0.0, 0.0, 0.0)),
    "continuous, correlated 0.6": Scenario(intercept=-0.9, slopes=(0.7, 0.4, 0.0), shares=(0.0,) * 3, correlation=0.6),
    "mixed, correlated 0.4": Scenario(intercept=-1.6, slopes=(1.4, 0.7, 0.5), shares=(0.4, 0.3, 0.0), correlation=0.4),
    "events in half": Scenario(intercept=-0.5, slopes=(1.1, 0.0, 0.7), shares=(0.5, 0.4, 0.0)),
    "few events": Scenario(intercept=-2.0, slopes=(0.7, 0.0, 0.5), shares=(0.5, 0.4, 0.0)),
    "a rare factor": Scenario(intercept=-1.2, slopes=(1.4, 0.5, 0.0), shares=(0.15, 0.0, 0.5)),
    "five factors": Scenario(
        intercept=-1.4, slopes=(1.1, 0.0, 0.5, 0.5, 0.0), shares=(0.4, 0.5, 0.0, 0.3, 0.0), correlation=0.3
    ),
}


def draw_data_sets(scenario: Scenario, count: int, rng: np.random.Generator) -> tuple[np.ndarray, np.ndarray, float]:
    """Return columns (B, 40, p) and outcomes (B, 40) that can be analysed, and the share of those that could not."""
    p = len(scenario.slopes)
    wanted = int(1.3 * count)
    root = np.linalg.cholesky(scenario.correlation + (1.0 - scenario.correlation) * np.eye(p))
    latent = rng.normal(size=(wanted, N, p)) @ root.T
    cuts = [NormalDist().inv_cdf(1.0 - share) if share else 0.0 for share in scenario.shares]
    X = np.where(np.array(scenario.shares) > 0.0, latent > cuts, latent)
    log_odds = scenario.intercept + X @ np.array(scenario.slopes)
    y = (rng.random((wanted, N)) < 1.0 / (1.0 + np.exp(-log_odds))).astype(float)
    usable = (np.ptp(X, axis=1) > 0.0).all(axis=1) & (np.ptp(y, axis=1) > 0.0)
    return X[usable][:count], y[usable][:count], float(1.0 - usable.mean())


def compute_coverage(X: np.ndarray, y: np.ndarray, truth: np.ndarray, penalty: str) -> tuple[np.ndarray, np.ndarray]:
    """Return how often each interval held the truth (p,), and the bias of the median coefficient (p,)."""
    fits = fit_many(X, y, penalty=penalty, intervals=True)
    low, high = fits.ci[:, 1:, 0], fits.ci[:, 1:, 1]
    return ((low <= truth) & (truth <= high)).mean(axis=0), np.nanmedian(fits.coef[:, 1:], axis=0) - truth


def measure(name: str, scenario: Scenario, count: int, rng: np.random.Generator) -> np.ndarray:
    """Print a scenario; return the coverage by Firth (p,)."""
    X, y, left_out = draw_data_sets(scenario, count, rng)
    truth = np.array(scenario.slopes)
    firth, bias = compute_coverage(X, y, truth, "firth")
    logf, _ = compute_coverage(X, y, truth, "logf")
    separated = fit_many(X[:1000], y[:1000], penalty="none").separated.mean()
    print(
        f"{name:27s} events {y.mean():5.1%} OR {np.exp(truth).round(1)}  Firth {(100 * firth).round(1)}  "
        f"log-F {(100 * logf).round(1)}  bias {bias.round(2)}  separated {separated:.1%}  left out {left_out:.2%}"
    )
    return firth


def main() -> None:
    count = 20_000 if begin(__doc__ or "") else 4_000
    print(f"{N} patients, {count:,} data sets each; Monte-Carlo error {100 * (0.95 * 0.05 / count) ** 0.5:.2f} points")
    rng = np.random.default_rng(2020)
    found = {name: measure(name, scenario, count, rng) for name, scenario in SCENARIOS.items()}
    outside = [name for name, share in found.items() if ((share < 0.935) | (share > 0.965)).any()]
    print(f"Firth between 93.5 and 96.5 % for every factor in {len(found) - len(outside)} of {len(found)} scenarios")
    print(f"outside: {', '.join(outside) or 'none'}")


if __name__ == "__main__":
    main()
