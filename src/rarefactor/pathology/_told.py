"""What a reader of the results must know of the slides and scores, in sentences.

Convention: counts and names of stains and runs; no patient, no file.
"""

from __future__ import annotations

import math
from collections.abc import Iterator

from rarefactor.pathology._agreement import MEASURED, READERS, ReaderAgreement
from rarefactor.pathology._plan import Plan
from rarefactor.pathology._staining import RunFinding
from rarefactor.pathology._summary import Measurement

_ROWS_SHOWN = 6


def tell(asked: Plan, found: Measurement, *, tested: bool = True) -> Iterator[str]:
    """Give the sentences, what was left out first; without ``tested`` none on a test that has rows of its own."""
    yield from _tell_left_out(asked, found)
    yield from _tell_tables(asked)
    if asked.manifest is None and found.results:
        yield "No manifest names the staining runs: whether values differ between runs was not tested."
    for stain, runs in found.runs.items():
        yield from _tell_runs(stain, runs, tested=tested)
    for each in found.agreement:
        if each.run is None:
            yield from _tell_agreement(each)


def count(number: int, noun: str) -> str:
    """Return a number with its noun.

    Examples
    --------
    >>> count(1, "slide"), count(2, "slide")
    ('1 slide', '2 slides')
    """
    return f"{number} {noun}{'' if number == 1 else 's'}"


def _tell_left_out(asked: Plan, found: Measurement) -> Iterator[str]:
    failed, lost = (sum(bool(each.failures) for each in held) for held in (found.results, found.controls))
    own = len(found.controls)
    counts = {
        f"{count(failed, 'slide')} could not be measured: measurements/ihc_failures.csv says why.": failed,
        f"{count(asked.strangers, 'patient')} with slides and not in the records, left out.": asked.strangers,
        f"{count(asked.scored_strangers, 'patient')} with scores and not known, left out.": asked.scored_strangers,
        f"{count(own, 'slide')} of control tissue, in no patient’s value: measurements/ihc_controls.csv.": own,
        f"{count(lost, 'slide')} of control tissue could not be measured.": lost,
        f"{count(asked.unlisted, 'slide')} not named in the manifest of staining runs.": asked.unlisted,
        f"{count(asked.missing, 'row')} of the manifest without a slide.": asked.missing,
    }
    yield from (text for text, number in counts.items() if number)


def _tell_tables(asked: Plan) -> Iterator[str]:
    for table, what in ((asked.manifest, "manifest of staining runs"), (asked.scores, "table of scores")):
        if table and table.failures:
            rows = sorted({each.row for each in table.failures if each.row is not None})
            given = sum(each.row is None for each in table.failures)
            if given:
                yield f"{count(given, 'score')} given on another scale than the study’s, left out."
            if not rows:
                continue
            more = f" and {len(rows) - _ROWS_SHOWN} more" if len(rows) > _ROWS_SHOWN else ""
            shown = ", ".join(map(str, rows[:_ROWS_SHOWN]))
            yield f"Rows of the {what} that do not fit and were left out: {shown}{more}."
    if asked.manifest:
        yield from (flag.detail for flag in asked.manifest.flags if flag.name == "run_mixed")


def _tell_runs(stain: str, found: RunFinding, *, tested: bool) -> Iterator[str]:
    if found.effect is None:
        yield f"Whether {stain} differs between staining runs could not be tested: {found.reason}."
    elif tested:
        test = f"P = {found.effect.test.p:.2g} (Kruskal-Wallis)"
        yield f"DAB-positive area of {stain} across staining runs: {test}; {_say_adjusted(found)}."
    if found.gains:
        yield from (f"{stain}: {flag.detail}" for flag in found.gains.flags)


def _say_adjusted(found: RunFinding) -> str:
    if found.gains is None:
        return "values are not adjusted"
    if found.adjusted is None:
        return "values could not be adjusted"
    by = "control tissue" if found.gains.by == "controls" else "the medians of runs"
    p = f"P = {found.adjusted.test.p:.2g}"
    return f"values adjusted by {by} stand beside the measured ones, and among them {p}"


def _tell_agreement(found: ReaderAgreement) -> Iterator[str]:
    if found.readers == (MEASURED, READERS):
        words = f"Measured {found.stain} and readers’ scores of {count(found.n, 'patient')}"
    else:
        words = f"{len(found.readers)} readers scored {count(found.n, 'slide')} of {found.stain}"
    icc, kappa, rank = found.icc, found.kappa, found.rank
    said = [
        *(_say("weighted kappa", kappa.kappa, kappa.low, kappa.high) if kappa else ()),
        *(_say("intraclass correlation", icc.agreement.icc, icc.agreement.low, icc.agreement.high) if icc else ()),
        *(_say("Spearman’s correlation", rank.rho, rank.low, rank.high) if rank else ()),
    ]
    if said:
        yield f"{words}: {', '.join(said)}."


def _say(name: str, value: float, low: float, high: float) -> Iterator[str]:
    """Give a number with its interval, as far as there are such."""
    if math.isfinite(value):
        interval = f" ({low:.2f} to {high:.2f})" if math.isfinite(low) and math.isfinite(high) else ""
        yield f"{name} {value:.2f}{interval}"
