"""How long the logistic engine takes beside its peers, in one process on one machine.

    python benchmarks/logistic.py

Prints CPU times and ratios against firthmodels (Python, installed beside the package) and, where Rscript has the
package logistf, against logistf. Data: the fixtures of the tests.
"""

from __future__ import annotations

import csv
import platform
import subprocess
import time
from collections.abc import Callable
from functools import partial
from importlib.metadata import version
from pathlib import Path

import numpy as np
from firthmodels import FirthLogisticRegression

from rarefactor.stats import ENGINE, fit_logistic, fit_many, fit_screen

DESIGNS = Path(__file__).parents[1] / "tests" / "reference" / "fixtures" / "design"


def read_design(name: str) -> tuple[np.ndarray, np.ndarray]:
    with (DESIGNS / f"{name}.csv").open() as file:
        rows = list(csv.DictReader(file))
    columns = [column for column in rows[0] if column not in ("row", "y")]
    return np.array([[float(row[c]) for c in columns] for row in rows]), np.array([float(row["y"]) for row in rows])


def compare(ours: Callable[[], object], peer: Callable[[], object], rounds: int) -> tuple[float, float]:
    """Median CPU seconds of one call of each, called in turns, so that both meet the same load."""
    times = np.empty((rounds, 2))
    ours(), peer()
    for row in times:
        for place, work in enumerate((ours, peer)):
            begin = time.process_time()
            work()
            row[place] = time.process_time() - begin
    return tuple(np.median(times, axis=0).tolist())


def fit_peer(X: np.ndarray, y: np.ndarray) -> object:
    model = FirthLogisticRegression().fit(X, y)
    model.lrt()
    return model.conf_int(method="pl")


def refit_peer(X: np.ndarray, y: np.ndarray, samples: np.ndarray) -> None:
    for sample in samples:
        FirthLogisticRegression().fit(X[sample], y[sample])


def draw_weights(samples: np.ndarray) -> np.ndarray:
    return np.stack([np.bincount(sample, minlength=samples.shape[1]) for sample in samples]).astype(float)


def report(what: str, ours: float, peer: float, *, per: int = 1) -> None:
    speed = f"{per / ours:,.0f} a second" if per > 1 else f"{ours * 1e3:.1f} ms"
    other = f"{per / peer:,.0f}" if per > 1 else f"{peer * 1e3:.1f} ms"
    print(f"{what}: {speed}; firthmodels {other}; {peer / ours:.1f} times faster")


def bench_fits() -> None:
    for name in ("endometrial_full", "sim40", "birthwt_full", "pbc_mayo"):
        X, y = read_design(name)
        pair = compare(partial(fit_logistic, X, y), partial(fit_peer, X, y), 15)
        report(f"one Firth fit, tests and profile CIs, {name} (n={len(y)}, p={X.shape[1]})", *pair)


def bench_refits() -> None:
    X, y = read_design("sim40")
    samples = np.random.default_rng(1).integers(0, len(y), size=(2000, len(y)))
    weights, start = draw_weights(samples), fit_logistic(X, y, tests=False, intervals=False).coef
    ours, peer = compare(
        partial(fit_many, X, y, weights=weights, start=start), partial(refit_peer, X, y, samples[:100]), 5
    )
    report("bootstrap refits, sim40 (n=40, p=5)", ours, peer * len(samples) / 100, per=len(samples))


def bench_screen() -> None:
    rng = np.random.default_rng(2)
    y = (rng.random(48) < 0.325).astype(float)
    factors = {f"factor {j}": rng.normal(size=48) if j % 2 else (rng.random(48) < 0.4) * 1.0 for j in range(30)}

    def loop() -> None:
        for values in factors.values():
            fit_peer(values[:, None], y)

    report(
        "screen of 30 factors (n=48), ML and Firth (peer: Firth)", *compare(partial(fit_screen, factors, y), loop, 5)
    )


R_SCRIPT = """
suppressMessages(library(logistf))
for (name in c("endometrial_full", "sim40", "birthwt_full", "pbc_mayo")) {
  d <- read.csv(file.path(commandArgs(TRUE)[1], paste0(name, ".csv")))[, -1]
  t <- replicate(15, system.time(for (i in 1:5) logistf(y ~ ., data = d))[["user.self"]] / 5)
  cat(sprintf("logistf %s: %.1f ms CPU\\n", name, 1000 * median(t)))
}
"""


def bench_r() -> None:
    try:
        done = subprocess.run(["Rscript", "-e", R_SCRIPT, str(DESIGNS)], capture_output=True, text=True, check=False)
    except FileNotFoundError:
        print("R: no Rscript on this machine")
        return
    print(done.stdout.strip() if done.returncode == 0 else "R: the package logistf is not installed")


def main() -> None:
    versions = f"NumPy {np.__version__}, firthmodels {version('firthmodels')}"
    print(f"Python {platform.python_version()}, {versions}; our engine: {ENGINE}; CPU time")
    bench_fits()
    bench_refits()
    bench_screen()
    bench_r()


if __name__ == "__main__":
    main()
