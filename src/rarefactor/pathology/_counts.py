"""What was measured, doubted, compared and agreed on, as rows of the results.

Convention: ``model`` is the study's name for its slides, ``term`` the stain, or the column where a row is about one. Of
agreement ``group`` names the readers, and the run where a row is of one run; such rows are flagged ``by_run``. A
positive area is in per cent.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import replace

import numpy as np

from rarefactor.pathology._agreement import MEASURED, READERS, ReaderAgreement
from rarefactor.pathology._biopsy import ADJUSTED
from rarefactor.pathology._runs import RunEffect
from rarefactor.pathology._staining import AREA, RunFinding
from rarefactor.pathology._summary import Measurement
from rarefactor.results import Estimate, Severity, list_pairs

BY_RUN = "by_run"
_NOTES = {
    "alpha_channel",
    "blur_unchecked",
    "coarse_pixels",
    "left_out",
    "several_images",
    "sixteen_bit",
    "stain_unchecked",
    "white_clipped",
}
_REFUSED = {"region_outside"}


def count_measured(name: str, found: Measurement) -> Iterator[Estimate]:
    """Yield all rows about the slides and scores of a study."""
    base = Estimate(analysis="pathology", measure="", estimate=None, model=name, source=("ihc",))
    if found.all:
        yield from _count_slides(base, found)
        yield from _count_flags(base, found)
    for stain, runs in found.runs.items():
        yield from _describe_runs(replace(base, term=f"{stain}.{AREA}"), runs)
    for each in found.agreement:
        yield from _describe_agreement(replace(base, source=("ihc_scores",)), each)


def _count_slides(base: Estimate, found: Measurement) -> Iterator[Estimate]:
    for stain in sorted({each.file.stain for each in found.all}):
        own = [each for each in found.results if each.file.stain == stain]
        counts = {
            "patients": found.biopsies.filter(stain=stain)["patient"].n_unique(),
            "slides": len(own),
            "failed": sum(bool(each.failures) for each in own),
            "controls": sum(each.file.stain == stain for each in found.controls),
        }
        for measure, count in counts.items():
            yield _count(base, measure, count, term=stain)


def _count_flags(base: Estimate, found: Measurement) -> Iterator[Estimate]:
    flagged = Counter(
        flag
        for rows in found.rows.partition_by("patient", "visit", "stain", "slide")
        for flag in {word for words in rows["flags"].to_list() for word in words.split("; ") if word}
    )
    for flag, count in sorted(flagged.items()):
        severity = Severity.REFUSED if flag in _REFUSED else Severity.NOTE if flag in _NOTES else Severity.WARNING
        yield _count(base, "slides_flagged", count, group=flag, flags=(severity.value,))


def _count(base: Estimate, measure: str, count: int, **parts: str | tuple[str, ...]) -> Estimate:
    return replace(base, measure=measure, estimate=float(count), n=count, **parts)


def _describe_runs(base: Estimate, found: RunFinding) -> Iterator[Estimate]:
    effects = {"": found.effect, ADJUSTED: found.adjusted}
    for end, effect in effects.items():
        if effect:
            yield from _describe_effect(replace(base, term=f"{base.term}{end}"), effect)
    if found.gains:
        for run, gain in found.gains.gains.items():
            yield replace(base, measure="run_gain", group=run, method=found.gains.by, estimate=gain)


def _describe_effect(base: Estimate, effect: RunEffect) -> Iterator[Estimate]:
    n, flags = sum(effect.counts.values()), tuple(flag.name for flag in effect.flags)
    statistic, p = effect.test.statistic, effect.test.p
    yield replace(base, measure="kruskal_wallis", estimate=statistic, p=p, n=n, flags=flags)
    if np.isfinite(effect.share):
        yield replace(base, measure="share_between_runs", estimate=effect.share, n=n)
    for run, count in effect.counts.items():
        if count:
            yield replace(base, measure="median_in_run", group=run, estimate=100.0 * effect.medians[run], n=count)


def _describe_agreement(base: Estimate, found: ReaderAgreement) -> Iterator[Estimate]:
    who = " / ".join(found.readers) + (f", run {found.run}" if found.run else "")
    flags = (*(flag.name for flag in found.flags), *((BY_RUN,) if found.run else ()))
    row = replace(base, term=f"{found.stain}.score", group=who, n=found.n, flags=flags)
    for measure, (estimate, low, high, p) in _list_values(found).items():
        if np.isfinite(estimate):
            known = {"low": low, "high": high, "p": p}
            bounds = {name: value for name, value in known.items() if value is not None and np.isfinite(value)}
            yield replace(row, measure=measure, estimate=estimate, method=_find_method(found), **bounds)
    yield from list_pairs(replace(row, method=_find_method(found), n=None, flags=()), found.pairs)


def _find_method(found: ReaderAgreement) -> str:
    if found.readers == (MEASURED, READERS):
        return MEASURED
    return f"{READERS}_blind" if found.blind else READERS


def _list_values(found: ReaderAgreement) -> Mapping[str, tuple[float, float | None, float | None, float | None]]:
    icc, kappa, limits, rank = found.icc, found.kappa, found.limits, found.rank
    values: dict[str, tuple[float, float | None, float | None, float | None]] = {}
    if icc:
        values["icc_agreement"] = icc.agreement.icc, icc.agreement.low, icc.agreement.high, None
        values["icc_consistency"] = icc.consistency.icc, icc.consistency.low, icc.consistency.high, None
    if kappa:
        values["weighted_kappa"] = kappa.kappa, kappa.low, kappa.high, kappa.p
    if limits:
        for name, limit in (("bias", limits.bias), ("limit_lower", limits.lower), ("limit_upper", limits.upper)):
            values[name] = limit.estimate, limit.low, limit.high, None
    if rank:
        values["spearman"] = rank.rho, rank.low, rank.high, rank.p
    return values
