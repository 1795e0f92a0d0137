"""How long imputation takes beside mice, in one run on one machine.

    python benchmarks/impute.py [resamples]

Prints CPU times: the PBC cohort (417 patients, 20 imputations, 10 iterations), and resamples of an invented study of
48 patients and 15 columns, 4 binary and 4 continuous of them incomplete (20 imputations, 5 iterations each), as the
validation of a model needs them. mice is timed where Rscript has it, for three resamples.
"""

from __future__ import annotations

import csv
import platform
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import numpy as np

from rarefactor.stats import Variable, impute, impute_many

PBC = Path(__file__).parents[1] / "tests" / "reference" / "fixtures" / "data" / "mi_pbc_incomplete.csv"
BINARY = ("poor2y", "sex_f", "ascites", "hepato", "spiders")
M = 20
PEER = """
suppressMessages(library(mice))
argument <- commandArgs(TRUE)
d <- read.csv(argument[1]); factors <- strsplit(argument[2], ",")[[1]]; repeats <- as.integer(argument[3])
for (v in factors) d[[v]] <- factor(d[[v]])
draw <- function() if (repeats > 1) d[sample(nrow(d), replace = TRUE), ] else d
iterations <- as.integer(argument[4])
time <- system.time(for (i in seq_len(repeats)) mice(draw(), m = 20, maxit = iterations, printFlag = FALSE))
cat(sum(time[1:2]) / repeats)
"""


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


def time_peer(data: np.ndarray, variables: list[Variable], repeats: int, iterations: int) -> float | None:
    """CPU seconds of mice for one data set, None where R has no mice."""
    factors = ",".join(variable.name for variable in variables if variable.kind != "continuous")
    with tempfile.TemporaryDirectory() as folder:
        path, script = Path(folder) / "data.csv", Path(folder) / "peer.R"
        header = ",".join(variable.name for variable in variables)
        np.savetxt(path, data, delimiter=",", header=header, comments="", fmt="%.17g")
        path.write_text(path.read_text().replace("nan", ""))
        script.write_text(PEER)
        try:
            done = subprocess.run(
                ["Rscript", script, path, factors, str(repeats), str(iterations)],
                capture_output=True,
                text=True,
                check=True,
            )
        except (OSError, subprocess.CalledProcessError):
            return None
    return float(done.stdout)


def report(what: str, ours: float, peer: float | None) -> None:
    beside = "mice not found" if peer is None else f"mice {1000 * peer:8.0f} ms, ratio {peer / ours:6.0f}"
    print(f"{what:58s} {1000 * ours:8.1f} ms   {beside}")


def main() -> None:
    resamples = int(sys.argv[1]) if len(sys.argv) > 1 else 200
    rng = np.random.default_rng(2020)
    print(f"{platform.processor() or platform.machine()}, Python {platform.python_version()}, NumPy {np.__version__}")
    data, variables = read_pbc()
    impute(data, variables, m=1, iterations=1, rng=rng)
    begin = time.process_time()
    impute(data, variables, m=M, iterations=10, rng=rng)
    report(
        "PBC, 417 patients, 20 imputations, 10 iterations",
        time.process_time() - begin,
        time_peer(data, variables, 1, 10),
    )
    data, variables = draw_small(rng)
    rows = rng.integers(48, size=(resamples, 48))
    begin = time.process_time()
    impute_many(data, variables, rows=rows, m=M, iterations=5, rng=rng)
    ours = (time.process_time() - begin) / resamples
    report("a resample of 48 patients, 20 imputations, 5 iterations", ours, time_peer(data, variables, 3, 5))


if __name__ == "__main__":
    main()
