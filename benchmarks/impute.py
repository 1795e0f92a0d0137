"""Multiple imputation beside mice: a cohort of 417 patients, and resamples of a study of 48.

    python benchmarks/impute.py [--full]

The PBC cohort of the tests (20 imputations, 10 iterations), and resamples of an invented study of 48 patients and 15
columns, 4 binary and 4 continuous of them incomplete (20 imputations, 5 iterations each), as the validation of a model
needs them. mice is timed for 3 resamples.
"""

from __future__ import annotations

import csv
import tempfile
from pathlib import Path

import numpy as np
from peers import begin, run_r, say_ratio, say_time, time_once

from rarefactor.stats import Variable, impute, impute_many

PBC = Path(__file__).parents[1] / "tests" / "reference" / "fixtures" / "data" / "mi_pbc_incomplete.csv"
BINARY = ("poor2y", "sex_f", "ascites", "hepato", "spiders")
M = 20


def read_pbc() -> tuple[np.ndarray, list[Variable]]:
    with PBC.open() as file:
        rows = list(csv.DictReader(file))
    kinds = dict.fromkeys(BINARY, "binary") | {"stage": "categorical"}
    variables = [Variable(name=name, kind=kinds.get(name, "continuous")) for name in rows[0]]
    return np.array([[float(value) if value else np.nan for value in row.values()] for row in rows]), variables


def draw_small(rng: np.random.Generator) -> tuple[np.ndarray, list[Variable]]:
    data = rng.normal(size=(48, 15)) @ np.linalg.cholesky(0.3 + 0.7 * np.eye(15)).T
    data[:, :5] = data[:, :5] > 0.4
    places = [0, 2, 3, 4, 11, 12, 13, 14]
    data[:, places] = np.where(rng.random((48, 8)) < 0.15, np.nan, data[:, places])
    return data, [Variable(name=f"V{j + 1}", kind="binary" if j < 5 else "continuous") for j in range(15)]


def time_mice(data: np.ndarray, variables: list[Variable], repeats: int, iterations: int) -> float | None:
    """CPU seconds of mice for one data set, None where R has no mice."""
    factors = ",".join(variable.name for variable in variables if variable.kind != "continuous")
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "data.csv"
        header = ",".join(variable.name for variable in variables)
        np.savetxt(path, data, delimiter=",", header=header, comments="", fmt="%.17g")
        path.write_text(path.read_text().replace("nan", ""))
        return run_r("impute.R", path, factors, repeats, iterations).get("mice")


def report(what: str, ours: float, peer: float | None) -> None:
    print(f"{what}: {say_time(ours)}; {say_ratio(ours, peer, 'mice')}")


def main() -> None:
    resamples = 1000 if begin(__doc__ or "") else 200
    rng = np.random.default_rng(2020)
    data, variables = read_pbc()
    impute(data, variables, m=1, iterations=1, rng=rng)
    ours = time_once(lambda: impute(data, variables, m=M, iterations=10, rng=rng))
    report("PBC, 417 patients, 20 imputations, 10 iterations", ours, time_mice(data, variables, 1, 10))
    data, variables = draw_small(rng)
    rows = rng.integers(48, size=(resamples, 48))
    ours = time_once(lambda: impute_many(data, variables, rows=rows, m=M, iterations=5, rng=rng)) / resamples
    peer = time_mice(data, variables, 3, 5)
    report("a resample of 48 patients, 20 imputations, 5 iterations", ours, peer)


if __name__ == "__main__":
    main()
