"""What was measured and what was doubtful, counted for the results.

Convention: a scan is a patient's visit, a pair two visits of a patient that were compared; a flag counts once for each
scan or pair that carries it in any region.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Sequence

import polars as pl

from rarefactor.imaging._flag_words import FLAGS
from rarefactor.imaging._job import PatientResult
from rarefactor.imaging._output import join_measurements, join_rates
from rarefactor.results import Estimate

_SCAN, _PAIR = ["patient", "visit"], ["patient", "baseline", "follow_up"]


def count_measured(results: Sequence[PatientResult]) -> Iterator[Estimate]:
    """Yield how many patients, scans and rates there are, how many scans failed, and how many carry each flag."""
    if not results:
        return
    measurements, rates = join_measurements(results), join_rates(results)
    thigh = rates.filter((pl.col.muscle == "thigh") & (pl.col.side == "both"))
    counts = {
        "patients": measurements["patient"].n_unique(),
        "scans": measurements.select(_SCAN).unique().height,
        "failed": len({(each.patient, each.visit) for result in results for each in result.failures}),
        "pairs": thigh.height,
        "rates": thigh.height - thigh["rate_per_month"].null_count(),
    }
    yield from (_row(measure, count) for measure, count in counts.items())
    on_scans = _count_flags(measurements, _SCAN)
    on_pairs = {flag: count for flag, count in _count_flags(rates, _PAIR).items() if flag not in on_scans}
    for measure, found in (("scans_flagged", on_scans), ("pairs_flagged", on_pairs)):
        yield from (_row(measure, found[flag], flag) for flag in FLAGS if flag in found)


def _count_flags(rows: pl.DataFrame, keys: list[str]) -> Counter[str]:
    named = rows.select(*keys, flag=pl.col.flags.str.split("; ")).explode("flag").unique()
    return Counter(flag for flag in named["flag"].to_list() if flag)


def _row(measure: str, count: int, flag: str | None = None) -> Estimate:
    severity = () if flag is None else (FLAGS[flag].severity.value,)
    return Estimate(
        analysis="imaging",
        measure=measure,
        group=flag,
        estimate=float(count),
        n=count,
        flags=severity,
        source=("mri",),
    )
