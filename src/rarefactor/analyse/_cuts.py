"""A factor that was cut: what every other cut-point would have shown, and what the best of them is worth.

No cut-point leaves this module: the places of all cuts would be the values of the patients.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import replace

import numpy as np

from rarefactor.analyse._design import Floats
from rarefactor.analyse._markers import Marker, marker_row
from rarefactor.derive import LandmarkTable
from rarefactor.errors import InputError
from rarefactor.results import Analysed, Estimate, FactorInfo, Note
from rarefactor.spec import Analysis
from rarefactor.stats import CutScan, scan_cuts

PERMUTATIONS = 2000


def list_cut(table: LandmarkTable, factors: Sequence[FactorInfo]) -> tuple[FactorInfo, ...]:
    """Return the factors that are made by a cut."""
    return tuple(info for info in factors if table.recipes[info.name].rule == "cut")


def analyse_cuts(table: LandmarkTable, factors: Sequence[FactorInfo], settings: Analysis) -> Analysed:
    """Return for each factor that was cut the range of odds ratios over cut-points, and the P value of the best."""
    rows: list[Estimate] = []
    notes: list[Note] = []
    for info in factors:
        x, y = _read_values(table, info)
        rng = np.random.default_rng([settings.seed, *info.name.encode()])
        try:
            scan = scan_cuts(x, y, rng=rng, permutations=PERMUTATIONS, level=settings.level)
        except InputError as error:
            text = f"The cut-points of {info.label} were not scanned: {error.problems[0].found}."
            notes.append(Note(about="sensitivity", landmark=table.landmark, factor=info.name, text=text))
            continue
        base = Estimate(analysis="sensitivity", measure="odds_ratio", estimate=None, landmark=table.landmark)
        base = replace(base, method="firth", n=len(y), events=int(y.sum()))
        below = table.recipes[info.name].comparison in {"<", "<="}
        rows.extend(_describe(scan, Marker(info=info, term=info.compared[0], place=0), base, below=below))
    return Analysed(rows=tuple(rows), notes=tuple(notes))


def _read_values(table: LandmarkTable, info: FactorInfo) -> tuple[Floats, Floats]:
    """Return the values that were cut and the outcome of the patients who have both."""
    x = table.measured[table.recipes[info.name].parts[0]].fill_null(np.nan).to_numpy()
    y = table.frame["outcome"].cast(float).fill_null(np.nan).to_numpy()
    known = np.isfinite(x) & np.isfinite(y)
    return x[known], y[known]


def _describe(scan: CutScan, marker: Marker, base: Estimate, *, below: bool) -> Iterator[Estimate]:
    """``below`` says that patients below the cut have the factor: the odds ratios are turned round."""
    logs = np.log(np.column_stack([scan.odds_ratio, scan.low, scan.high]))
    logs = -logs[:, [0, 2, 1]] if below else logs
    for name, rank in (("lowest", logs[:, 0].argmin()), ("highest", logs[:, 0].argmax())):
        yield marker_row(base, marker, logs[rank], group=f"cuts_{name}")
    excluded = float(((logs[:, 1] > 0.0) | (logs[:, 2] < 0.0)).mean())
    yield marker_row(base, marker, measure="share_excluding_1", group="cuts", estimate=excluded)
    yield marker_row(base, marker, measure="cut_points", group="cuts", estimate=len(scan.cuts))
    best = {"firth": scan.best_p, "permutation": scan.best_p_permuted, "miller_siegmund": scan.best_p_corrected}
    for method, p in best.items():
        yield marker_row(base, marker, measure="best_cut", group="cuts", method=method, p=p)
