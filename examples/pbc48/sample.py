"""Draw the 48 patients of this example from the 312 of examples/pbc, once and for all.

Run from the repository root; the draw depends on the seed only:

    .venv/bin/python examples/pbc48/sample.py
"""

from pathlib import Path

import numpy as np
import polars as pl

SEED = 48
HERE = Path(__file__).parent
SOURCE = HERE.parent / "pbc" / "data"


def main() -> None:
    """Write the records and visits of the patients who were drawn, every value as it is in the source."""
    patients = pl.read_csv(SOURCE / "pbc.csv", infer_schema=False)
    randomised = patients.filter(pl.col.trt != "NA")["id"].to_numpy()
    drawn = np.random.default_rng(SEED).choice(randomised, size=48, replace=False)
    for name in ("pbc.csv", "pbcseq.csv"):
        rows = pl.read_csv(SOURCE / name, infer_schema=False).filter(pl.col.id.is_in(drawn))
        rows.write_csv(HERE / "data" / name)
        print(f"{name}: {rows.height} rows of {rows['id'].n_unique()} patients")


if __name__ == "__main__":
    main()
