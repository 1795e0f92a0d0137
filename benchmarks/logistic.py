"""Firth's logistic regression: one fit with all tests and profile CIs, bootstrap refits, and a screen of 30 factors.

    python benchmarks/logistic.py [--full]

Beside firthmodels (Python, called in turns with ours) and a loop in plain R (``R/firth.R``) which stands in for logistf
where that is not installed; R's package brglm2 has refits but no profile intervals. Data are fixtures of the tests or
drawn here. A screen of ours makes the fits by maximum likelihood as well, theirs do Firth only.
"""

from __future__ import annotations

import csv
import tempfile
import warnings
from collections.abc import Mapping
from functools import partial
from importlib.metadata import version
from pathlib import Path

import numpy as np
from firthmodels import FirthLogisticRegression
from peers import begin, run_r, say_ratio, say_time, time_in_turns

from rarefactor.stats import LogisticFit, count_resamples, fit_logistic, fit_many, fit_screen

DESIGNS = Path(__file__).parents[1] / "tests" / "reference" / "fixtures" / "design"
REFITS = 2000
Data = tuple[np.ndarray, np.ndarray]


def read_design(name: str) -> Data:
    with (DESIGNS / f"{name}.csv").open() as file:
        rows = list(csv.DictReader(file))
    columns = [column for column in rows[0] if column not in ("row", "y")]
    return np.array([[float(row[c]) for c in columns] for row in rows]), np.array([float(row["y"]) for row in rows])


def draw_data(n: int, p: int, rng: np.random.Generator) -> Data:
    """Correlated columns, every other one binary; about a third have the event."""
    X = rng.normal(size=(n, p)) @ np.linalg.cholesky(0.3 + 0.7 * np.eye(p)).T
    X[:, ::2] = X[:, ::2] > 0.3
    log_odds = -1.0 + X @ rng.normal(scale=0.5, size=p)
    return X, (rng.random(n) < 1.0 / (1.0 + np.exp(-log_odds))).astype(float)


def list_data(rng: np.random.Generator) -> dict[str, Data]:
    """The data of single fits, by a name that sorts and says what they are."""
    found = {name: read_design(name) for name in ("sim40", "endometrial_full", "birthwt_full", "pbc_mayo")}
    drawn = [draw_data(n, p, rng) for n, p in ((40, 3), (40, 8), (79, 8), (239, 6), (1000, 20))]
    found |= {f"drawn{len(y)}x{X.shape[1]}": (X, y) for X, y in drawn}
    return found


def fit_peer(X: np.ndarray, y: np.ndarray) -> object:
    model = FirthLogisticRegression().fit(X, y)
    model.lrt()
    return model.conf_int(method="pl")


def refit_peer(X: np.ndarray, y: np.ndarray, samples: np.ndarray) -> None:
    for sample in samples:
        FirthLogisticRegression().fit(X[sample], y[sample])


def screen_peer(X: np.ndarray, y: np.ndarray) -> None:
    for column in X.T:
        fit_peer(column[:, None], y)


def write_data(folder: Path, data: Mapping[str, Data]) -> None:
    for name, (X, y) in data.items():
        names = ["y", *(f"x{place}" for place in range(1, X.shape[1] + 1))]
        table = np.column_stack([y, X])
        np.savetxt(folder / f"{name}.csv", table, delimiter=",", header=",".join(names), comments="", fmt="%.17g")


def time_r(data: dict[str, Data], refits: Data, screen: Data, count: int) -> dict[str, float]:
    with tempfile.TemporaryDirectory() as folder:
        named = {f"fit_{name}": one for name, one in data.items()}
        write_data(Path(folder), named | {"refits": refits, "screen": screen})
        return run_r("logistic.R", folder, count)


def find_gaps(name: str, fit: LogisticFit, found: Mapping[str, float]) -> list[float]:
    """How far each profile bound is from R's, in standard errors."""
    places = [(j, side) for j in range(len(fit.coef)) for side in (0, 1) if f"bound {name} {j} {side}" in found]
    return [abs(fit.ci[j, side] - found[f"bound {name} {j} {side}"]) / fit.se[j] for j, side in places]


def report(what: str, times: Mapping[str, float], found: Mapping[str, float], names: Mapping[str, str]) -> None:
    """Print our time and the peers'; ``names`` are R's words for its measurements of this."""
    peers = {"firthmodels": times["firthmodels"]} | {word: found[name] for name, word in names.items() if name in found}
    print(f"{what}: {say_time(times['ours'])}; " + "; ".join(say_ratio(times["ours"], t, w) for w, t in peers.items()))


def main() -> None:
    rounds = 15 if begin(__doc__ or "") else 5
    warnings.simplefilter("ignore")  # some of the peer's refits end at its limit of iterations, and say so
    rng = np.random.default_rng(1)
    print(f"firthmodels {version('firthmodels')}")
    data, refits, screen = list_data(rng), read_design("sim40"), draw_data(48, 30, rng)
    found = time_r(data, refits, screen, 1000 if rounds > 5 else 200)
    apart = 0.0
    for name, (X, y) in data.items():
        times = time_in_turns({"ours": partial(fit_logistic, X, y), "firthmodels": partial(fit_peer, X, y)}, rounds)
        words = {f"fit {name}": "R loop", f"logistf {name}": "logistf"}
        apart = max((apart, *find_gaps(name, fit_logistic(X, y), found)))
        report(f"one fit, n = {len(y)}, p = {X.shape[1]} ({name})", times, found, words)
    print(f"largest difference between our bounds and those of the R loop: {apart:.2g} standard errors")
    bench_refits(refits, found, rng, rounds)
    X, y = screen
    factors = {f"factor {place}": column for place, column in enumerate(X.T)}
    times = time_in_turns({"ours": partial(fit_screen, factors, y), "firthmodels": partial(screen_peer, X, y)}, 5)
    report("screen of 30 factors, n = 48", times, found, {"screen": "R loop"})


def bench_refits(data: Data, found: Mapping[str, float], rng: np.random.Generator, rounds: int) -> None:
    X, y = data
    samples = rng.integers(0, len(y), size=(REFITS, len(y)))
    start = fit_logistic(X, y, tests=False, intervals=False).coef
    ours = partial(fit_many, X, y, weights=count_resamples(samples, len(y)), start=start)
    times = time_in_turns({"ours": ours, "firthmodels": partial(refit_peer, X, y, samples[:100])}, min(rounds, 5))
    each = {"ours": times["ours"] / REFITS, "firthmodels": times["firthmodels"] / 100}
    words = {"refit": "R loop", "refit brglm2": "brglm2", "refit logistf": "logistf"}
    report(f"a bootstrap refit of {REFITS:,}, n = {len(y)}, p = {X.shape[1]}", each, found, words)


if __name__ == "__main__":
    main()
