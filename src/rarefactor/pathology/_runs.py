"""Staining runs: the manifest, whether runs differ, and how strongly each stained.

Convention: a run is what was stained together with one antibody; runs of different antibodies are never compared.
DAB is not stoichiometric and its strength changes from run to run: densities are compared within a run, or after an
adjustment that is named. Control tissue is the same in every run, so that what differs between controls is the run.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from typing import Final, Literal

import numpy as np
from numpy.typing import NDArray

from rarefactor.errors import InputError, Problem
from rarefactor.pathology._flag import note, warn
from rarefactor.pathology._table import Table, read_table
from rarefactor.results import Flag
from rarefactor.stats import ChiSquareTest, compare_many

Floats = NDArray[np.float64]
AdjustBy = Literal["controls", "medians"]
COLUMNS: Final = ("slide", "run", "date", "antibody", "dilution", "control")
FEW_IN_RUN: Final = 5
"""A run with fewer slides is flagged: its median is mostly chance."""
GAINS: Final = (0.5, 2.0)
"""A run outside is not adjusted."""
FAINTEST: Final = 0.01
"""Mean DAB density below which nothing stains."""
_YES: Final = {"yes": True, "y": True, "true": True, "1": True, "no": False, "n": False, "false": False, "0": False}


@dataclass(frozen=True, slots=True, kw_only=True)
class StainedSlide:
    """A row of the manifest: which slide was stained in which run, with what, and whether it is control tissue."""

    slide: str
    run: str
    antibody: str
    day: date | None = None
    dilution: str = ""
    control: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Manifest:
    """Good rows, a problem for each row that is not, and what is doubtful about the runs."""

    slides: tuple[StainedSlide, ...]
    failures: tuple[Problem, ...] = ()
    flags: tuple[Flag, ...] = ()

    def find(self, slide: str) -> StainedSlide | None:
        """Return the row of a slide, or None."""
        return next((each for each in self.slides if each.slide == slide), None)

    def list_runs(self, antibody: str) -> tuple[str, ...]:
        """Return the runs of an antibody in order of their date, then of their name."""
        of_antibody = [each for each in self.slides if each.antibody == antibody]
        first = {each.run: each.day or date.max for each in reversed(of_antibody)}
        return tuple(sorted(first, key=lambda run: (first[run], run)))


@dataclass(frozen=True, slots=True, kw_only=True)
class RunEffect:
    """Whether a value differs between the runs of one antibody.

    Attributes
    ----------
    test
        Kruskal-Wallis over runs; NaN for one run.
    share
        Of the variance that lies between runs (0 to 1), by analysis of variance; NaN where it cannot be estimated.
    counts, medians
        Slides with a value and their median, by run.
    """

    test: ChiSquareTest
    share: float
    counts: Mapping[str, int]
    medians: Mapping[str, float]
    flags: tuple[Flag, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class RunGains:
    """How strongly each run stained.

    Attributes
    ----------
    gains
        Of the runs that can be judged; 1 is the middle run. A run that is not here is left as it was measured.
    densities
        The mean DAB density that each rests on: of control tissue, or the median of its slides.
    by
        Which of the two.
    """

    gains: Mapping[str, float]
    densities: Mapping[str, float]
    by: AdjustBy
    flags: tuple[Flag, ...] = ()


def read_manifest(path: Path) -> Manifest:
    r"""Read the manifest of staining runs.

    Parameters
    ----------
    path
        CSV with the columns slide (file name), run, date (YYYY-MM-DD, may be empty), antibody, dilution, control (yes
        or no; empty is no).

    Raises
    ------
    DataError
        There is no such file, it is no table, or a column is missing. Rows that do not fit are in ``failures``.

    Examples
    --------
    >>> import tempfile
    >>> file = Path(tempfile.mkdtemp()) / "runs.csv"
    >>> head = "slide,run,date,antibody,dilution,control"
    >>> _ = file.write_text(f"{head}\na.tif,R1,2020-03-02,CD20,1:200,no\nt.tif,R1,2020-03-02,CD20,1:200,yes\n")
    >>> [(each.slide, each.control) for each in read_manifest(file).slides]
    [('a.tif', False), ('t.tif', True)]
    """
    table = read_table(path, COLUMNS, "a manifest of staining runs")
    slides: list[StainedSlide] = []
    failures: list[Problem] = []
    seen: set[str] = set()
    for number, row in table.rows:
        problems = tuple(_check_row(table, number, row, seen))
        seen.add(row["slide"])
        failures += problems
        if not problems:
            slides.append(_build(row))
    return Manifest(slides=tuple(slides), failures=tuple(failures), flags=tuple(_find_mixed(slides)))


def compute_run_effect(values: Sequence[float] | Floats, runs: Sequence[str], *, alpha: float = 0.05) -> RunEffect:
    """Test whether a value differs between staining runs of one antibody.

    Parameters
    ----------
    values
        One per slide (n,), controls left out; NaN is missing.
    runs
        The run of each slide (n,).
    alpha
        A P value below it sets the flag ``run_effect``.

    Raises
    ------
    InputError
        Different lengths.

    References
    ----------
    Kruskal WH, Wallis WA. Use of ranks in one-criterion variance analysis. J Am Stat Assoc 1952;47:583-621.

    Examples
    --------
    >>> effect = compute_run_effect([1, 2, 3, 7, 8, 9], ["a", "a", "a", "b", "b", "b"])
    >>> round(effect.test.p, 3), round(effect.share, 2)
    (0.05, 0.95)
    """
    groups = _group(values, runs)
    test = compare_many(list(groups.values()))
    counts = {run: int(group.size) for run, group in groups.items()}
    return RunEffect(
        test=test,
        share=_compute_share([group for group in groups.values() if group.size]),
        counts=counts,
        medians={run: float(np.median(group)) if group.size else np.nan for run, group in groups.items()},
        flags=tuple(_find_effect_flags(test, counts, alpha)),
    )


def compute_run_gains(densities: Mapping[str, Sequence[float]], runs: Sequence[str], *, by: AdjustBy) -> RunGains:
    """Return how strongly each staining run of one antibody stained, 1 being the middle run.

    A threshold of density times the gain is the same threshold for that run, and a mean density over the gain the same
    density; with a histogram of densities the area is read again without the slide.

    Parameters
    ----------
    densities
        By run, the mean DAB densities of its control tissue or, by medians, of its slides; NaN is missing.
    runs
        The run of each slide that is to be adjusted.
    by
        What the densities are of.

    Notes
    -----
    By medians, real differences between the patients of two runs are taken out with the runs'. A gain outside
    ``GAINS`` is refused: such a run cannot be mended by a threshold.

    Examples
    --------
    >>> found = compute_run_gains({"a": [0.6], "b": [0.3], "c": [0.4]}, ["a", "b", "c"], by="controls")
    >>> {run: round(gain, 2) for run, gain in found.gains.items()}
    {'a': 1.5, 'b': 0.75, 'c': 1.0}
    """
    known = {run: [value for value in held if np.isfinite(value)] for run, held in densities.items()}
    medians = {run: float(np.median(held)) for run, held in known.items() if held}
    usable = {run: value for run, value in medians.items() if value >= FAINTEST}
    middle = float(np.median(list(usable.values()))) if usable else 1.0
    all_gains = {run: value / middle for run, value in usable.items()}
    gains = {run: gain for run, gain in all_gains.items() if GAINS[0] <= gain <= GAINS[1]}
    counts = {run: len(held) for run, held in known.items()}
    return RunGains(
        gains=gains,
        densities=medians,
        by=by,
        flags=tuple(_find_gain_flags(by, counts, (medians, all_gains, gains), runs)),
    )


def _check_row(table: Table, number: int, row: Mapping[str, str], seen: set[str]) -> Iterator[Problem]:
    def say(column: str, found: str, expected: str, next_step: str) -> Problem:
        return Problem(file=table.file, row=number, column=column, found=found, expected=expected, next_step=next_step)

    for column in ("slide", "run", "antibody"):
        if not row[column]:
            yield say(column, "nothing", "a value", "Fill it in.")
    if row["slide"] and row["slide"] in seen:
        yield say("slide", "a slide that stands above already", "one row per slide", "Remove one of the rows.")
    if row["date"] and _read_day(row["date"]) is None:
        yield say("date", "no date", "YYYY-MM-DD, or nothing", "Write the day of staining so.")
    if row["control"] and row["control"].casefold() not in _YES:
        next_step = "Give the control slide a row of its own, with yes."
        yield say("control", "neither yes nor no", "yes for control tissue, else no", next_step)


def _read_day(text: str) -> date | None:
    try:
        return date.fromisoformat(text)
    except ValueError:
        return None


def _build(row: Mapping[str, str]) -> StainedSlide:
    return StainedSlide(
        slide=row["slide"],
        run=row["run"],
        antibody=row["antibody"],
        day=_read_day(row["date"]),
        dilution=row["dilution"],
        control=_YES.get(row["control"].casefold(), False),
    )


def _find_mixed(slides: Sequence[StainedSlide]) -> Iterator[Flag]:
    """Runs that are not one: several days or dilutions under one name; runs without a control."""
    runs = dict.fromkeys((each.antibody, each.run) for each in slides)
    for antibody, run in runs:
        held = [each for each in slides if (each.antibody, each.run) == (antibody, run)]
        days, dilutions = {each.day for each in held if each.day}, {each.dilution for each in held}
        if len(days) > 1 or len(dilutions) > 1:
            detail = f"Run {run} of {antibody} has {len(days)} days and {len(dilutions)} dilutions: it is not one run."
            yield warn("run_mixed", detail)
        if not any(each.control for each in held):
            yield note("run_without_control", f"Run {run} of {antibody} has no control tissue.")


def _group(values: Sequence[float] | Floats, runs: Sequence[str]) -> dict[str, Floats]:
    array = np.asarray(values, np.float64)
    if array.shape != (len(runs),):
        raise InputError(
            Problem(
                key="runs",
                found=f"{len(runs)} runs for values of shape {array.shape}",
                expected="one run per value",
                next_step="Name the run of each slide.",
            )
        )
    named = np.asarray(runs, object)
    return {run: array[(named == run) & np.isfinite(array)] for run in dict.fromkeys(runs)}


def _compute_share(groups: Sequence[Floats]) -> float:
    """Variance between runs over all variance; runs may differ in size."""
    sizes = np.array([group.size for group in groups], np.float64)
    total = float(sizes.sum())
    if len(groups) < 2 or total <= len(groups):
        return float("nan")
    means = np.array([group.mean() for group in groups])
    middle = float(sizes @ means) / total
    between = float(sizes @ np.square(means - middle)) / (len(groups) - 1)
    within = sum(float(np.square(group - group.mean()).sum()) for group in groups) / (total - len(groups))
    usual = (total - float(sizes @ sizes) / total) / (len(groups) - 1)
    of_runs = max(0.0, (between - within) / usual)
    return of_runs / (of_runs + within) if of_runs + within > 0 else float("nan")


def _find_effect_flags(test: ChiSquareTest, counts: Mapping[str, int], alpha: float) -> Iterator[Flag]:
    if len(counts) < 2:
        yield note("single_run", "All slides were stained in one run.")
    elif test.p < alpha:
        yield warn("run_effect", f"Values differ between staining runs (Kruskal-Wallis P = {test.p:.2g}).")
    elif sum(counts.values()) < FEW_IN_RUN * len(counts):
        yield note("few_per_run", "So few slides per run hide all but large differences: no difference is not shown.")


def _find_gain_flags(
    by: AdjustBy,
    counts: Mapping[str, int],
    found: tuple[Mapping[str, float], Mapping[str, float], Mapping[str, float]],
    runs: Sequence[str],
) -> Iterator[Flag]:
    medians, all_gains, gains = found
    faint = [run for run in medians if run not in all_gains]
    if faint:
        yield warn("run_without_dab", f"Nothing stains in run {', '.join(faint)}: it cannot be judged.")
    extreme = [f"{run} ({gain:.2g})" for run, gain in all_gains.items() if run not in gains]
    if extreme:
        detail = f"Stained too differently for any threshold: run {', '.join(extreme)}."
        yield warn("run_gain_extreme", detail)
    left = sorted(set(runs) - set(gains))
    if left:
        detail = f"Nothing to adjust against in run {', '.join(left)}; its values are as measured."
        yield warn("run_not_adjusted", detail)
    if by == "medians":
        yield note("adjusted_by_median", "Differences between the patients of two runs were taken out with the runs'.")
        few = [run for run in gains if counts[run] < FEW_IN_RUN]
        if few:
            detail = f"Fewer than {FEW_IN_RUN} slides in run {', '.join(few)}: its median is mostly chance."
            yield warn("few_in_run", detail)
