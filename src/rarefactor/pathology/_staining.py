"""What the staining runs of a study did to each stain, and the values that this is taken out of.

Convention: runs are compared by the positive area of biopsies, each stain on its own; control tissue is no biopsy. A
threshold is multiplied by the gain of the slide's run, a mean density divided by it. A slide whose run cannot be judged
is left as it was measured, with a flag.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import polars as pl

from rarefactor.pathology._beside import RunsAsked
from rarefactor.pathology._biopsy import ADJUSTED, BIOPSY, combine_biopsies
from rarefactor.pathology._measure_slide import SlideResult
from rarefactor.pathology._runs import RunEffect, RunGains, compute_run_effect, compute_run_gains

AREA = "positive_area"
_READ_AGAIN = (AREA, "h_score_px", "positive_cells", "h_score")
_NOT_ADJUSTED = "run_not_adjusted"


@dataclass(frozen=True, slots=True, kw_only=True)
class RunFinding:
    """What is known of the runs of a stain.

    Attributes
    ----------
    effect
        Whether the positive area differs between them; None where ``reason`` says why nobody can know.
    adjusted
        The same of the adjusted area.
    gains
        How strongly each stained, where values are adjusted.
    """

    effect: RunEffect | None
    reason: str = ""
    adjusted: RunEffect | None = None
    gains: RunGains | None = None


def find_gains(
    results: Iterable[SlideResult], controls: Iterable[SlideResult], stains: Iterable[str], runs: RunsAsked
) -> dict[str, RunGains]:
    """Return how strongly the runs of each stain stained, by control tissue or by the medians of the slides."""
    if runs == "none":
        return {}
    held = list(results)
    found: dict[str, RunGains] = {}
    for stain in stains:
        own = [each for each in held if each.file.stain == stain]
        judged = own if runs == "medians" else [each for each in controls if each.file.stain == stain]
        densities: defaultdict[str, list[float]] = defaultdict(list)
        for each in judged:
            if each.file.run and each.rows.height:
                densities[each.file.run].append(_mean_density(each.rows))
        named = [each.file.run for each in own if each.file.run]
        if named:
            found[stain] = compute_run_gains(densities, named, by=runs)
    return found


def add_adjusted(result: SlideResult, gain: float | None, again: pl.DataFrame | None) -> pl.DataFrame:
    """Return the rows of a slide with their adjusted values.

    Parameters
    ----------
    gain
        Of its run; None where it has none.
    again
        The rows read at the threshold of the run; None where they could not be.
    """
    adjusted = gain if again is not None else None
    source = result.rows if again is None else again
    changed = source.select(pl.col(name).alias(f"{name}{ADJUSTED}") for name in _READ_AGAIN)
    rows = result.rows.hstack(changed).with_columns(
        pl.lit(adjusted, pl.Float64).alias("run_gain"),
        (pl.col.mean_density / (adjusted or 1.0)).alias(f"mean_density{ADJUSTED}"),
    )
    if adjusted is not None:
        return rows
    joined = pl.when(pl.col.flags == "").then(pl.lit(_NOT_ADJUSTED)).otherwise(pl.col.flags + f"; {_NOT_ADJUSTED}")
    return rows.with_columns(flags=joined)


def compare_runs(rows: pl.DataFrame, stains: Iterable[str], gains: Mapping[str, RunGains]) -> dict[str, RunFinding]:
    """Return what the runs did to each stain; ``rows`` are the measurements of patients with their ``run``."""
    biopsies = combine_biopsies(rows, by=[*BIOPSY, "run"]) if rows.height else rows
    return {stain: _compare(biopsies.filter(pl.col.stain == stain), gains.get(stain)) for stain in stains}


def _compare(biopsies: pl.DataFrame, gains: RunGains | None) -> RunFinding:
    named = biopsies.filter(pl.col.run.is_not_null())
    counts = named["run"].n_unique() if named.height else 0
    if counts < 2:
        reason = "all were stained in one run" if counts else "the manifest names the run of none of them"
        return RunFinding(effect=None, reason=reason, gains=gains)
    effect = compute_run_effect(named[AREA].to_numpy(), named["run"].to_list())
    if np.isnan(effect.test.p):
        return RunFinding(effect=None, reason="all values are the same", gains=gains)
    if gains is None or not gains.gains:
        return RunFinding(effect=effect, gains=gains)
    again = compute_run_effect(named[f"{AREA}{ADJUSTED}"].to_numpy(), named["run"].to_list())
    return RunFinding(effect=effect, adjusted=again, gains=gains)


def _mean_density(rows: pl.DataFrame) -> float:
    """Return the mean DAB density of a slide, over its regions."""
    held = rows.filter((pl.col.tissue_px > 0) & pl.col.mean_density.is_not_nan())
    if not held.height:
        return float("nan")
    return float(np.average(held["mean_density"].to_numpy(), weights=held["tissue_px"].to_numpy()))


def tabulate_runs(found: Mapping[str, RunFinding]) -> pl.DataFrame:
    """Return a row for each stain and run: biopsies, their median area, the density it is judged by, the gain."""
    rows = [row for stain, each in found.items() for row in _list_rows(stain, each)]
    schema = {
        "stain": pl.String,
        "run": pl.String,
        "biopsies": pl.Int64,
        "median_positive_area": pl.Float64,
        "mean_density": pl.Float64,
        "judged_by": pl.String,
        "run_gain": pl.Float64,
    }
    return pl.DataFrame(rows, schema=schema, orient="row")


def _list_rows(stain: str, found: RunFinding) -> Sequence[tuple[object, ...]]:
    effect, gains = found.effect, found.gains
    runs = sorted({*(effect.counts if effect else ()), *(gains.densities if gains else ())})
    return [
        (
            stain,
            run,
            effect.counts.get(run) if effect else None,
            effect.medians.get(run) if effect else None,
            gains.densities.get(run) if gains else None,
            gains.by if gains else None,
            gains.gains.get(run) if gains else None,
        )
        for run in runs
    ]
