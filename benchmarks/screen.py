"""The univariable screen of 200 factors in 100,000 patients: time and memory, beside R and statsmodels.

    python benchmarks/screen.py [--full]

Half of the factors are binary, 5 % of the values are missing. Ours makes, for every factor, maximum likelihood and
Firth with likelihood-ratio tests and profile intervals, from its complete cases. The peers do less: statsmodels fits
maximum likelihood with Wald intervals; R's glm with Wald's, then with test and profile interval, then Firth in plain R.
They are timed on 4 factors (10 with ``--full``) and multiplied.
"""

from __future__ import annotations

import resource
import tempfile
import time
import warnings
from pathlib import Path

import numpy as np
from peers import begin, run_r, say_ratio, say_time, time_once

from rarefactor.stats import fit_screen

PATIENTS = 100_000
FACTORS = 200
GIB = 2.0**30


def draw_data(rng: np.random.Generator) -> tuple[dict[str, np.ndarray], np.ndarray]:
    """Return the factors by name and the outcome, which a fifth of the factors have to do with."""
    log_odds = np.full(PATIENTS, -1.2)
    factors: dict[str, np.ndarray] = {}
    for place in range(FACTORS):
        values = rng.normal(size=PATIENTS)
        values = (values > 0.8).astype(float) if place % 2 else values
        log_odds += 0.1 * values * (place % 5 == 0)
        factors[f"factor{place}"] = np.where(rng.random(PATIENTS) < 0.05, np.nan, values)
    return factors, (rng.random(PATIENTS) < 1.0 / (1.0 + np.exp(-log_odds))).astype(float)


def fit_peer(factors: dict[str, np.ndarray], y: np.ndarray) -> None:
    from statsmodels.api import Logit, add_constant  # noqa: PLC0415 - a heavy import that ours is not to be charged for

    for values in factors.values():
        known = np.isfinite(values)
        Logit(y[known], add_constant(values[known])).fit(disp=False).conf_int()


def measure_memory() -> float:
    """The largest memory of this process so far, GiB."""
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024 / GIB


def time_r(factors: dict[str, np.ndarray], y: np.ndarray) -> dict[str, float]:
    with tempfile.TemporaryDirectory() as folder:
        table = np.column_stack([y, *factors.values()])
        path = Path(folder) / "screen.csv"
        np.savetxt(path, table, delimiter=",", header=",".join(["y", *factors]), comments="", fmt="%.10g")
        path.write_text(path.read_text().replace("nan", "NA"))
        return run_r("screen.R", path)


def main() -> None:
    count = 10 if begin(__doc__ or "") else 4
    warnings.simplefilter("ignore")
    factors, y = draw_data(np.random.default_rng(5))
    before, wall = measure_memory(), time.perf_counter()
    ours = time_once(lambda: fit_screen(factors, y))
    wall, after = time.perf_counter() - wall, measure_memory()
    print(f"ours: {say_time(ours)} CPU, {wall:.1f} s by the clock, {say_time(ours / FACTORS)} a factor")
    print(f"memory: {before:.2f} GiB with the data, {after:.2f} GiB at most")
    few = dict(list(factors.items())[:count])
    fit_peer(dict(list(few.items())[:1]), y)
    print(say_ratio(ours, time_once(lambda: fit_peer(few, y)) * FACTORS / count, "statsmodels (ML, Wald)"))
    found = time_r(few, y)
    peers = {"wald": "R glm, Wald", "profile": "R glm, test and profile", "firth": "Firth in plain R"}
    for name, words in peers.items():
        print(say_ratio(ours, found[name] * FACTORS if name in found else None, words))


if __name__ == "__main__":
    main()
