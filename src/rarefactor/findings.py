"""What a check finds, as values that a terminal and a page show alike.

Convention: counts and row numbers only. The values themselves stay in the data, and in the table of failures that
:func:`write_failures` gives to whoever may read the data.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass

import polars as pl

from rarefactor import imaging, pathology
from rarefactor.cohort import RULES
from rarefactor.errors import Problem
from rarefactor.study import Checked


@dataclass(frozen=True, slots=True, kw_only=True)
class Finding:
    """Values of one column that break one rule: how many, and in which rows (as a spreadsheet counts)."""

    file: str
    column: str
    rule: str
    expected: str
    count: int
    rows: tuple[int, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class TableRead:
    """A table of the records as it was read."""

    name: str
    rows: int
    patients: int
    columns: int


@dataclass(frozen=True, slots=True, kw_only=True)
class LandmarkRead:
    """Who is left at a landmark, with whose outcome."""

    name: str
    patients: int
    known: int
    events: int


@dataclass(frozen=True, slots=True, kw_only=True)
class ImagesFound:
    """Images of one visit and kind; a count is None where it means nothing."""

    name: str
    visit: str
    what: str
    patients: int | None
    files: int
    without: int | None


def list_findings(failures: pl.DataFrame) -> tuple[Finding, ...]:
    """Return the failures by file, column and rule.

    Parameters
    ----------
    failures
        ``file``, ``row``, ``column``, ``rule``: one line per value that breaks a rule.

    Examples
    --------
    >>> found = list_findings(pl.DataFrame({"file": ["a.csv"] * 2, "row": [9, 2], "column": ["age"] * 2,
    ...                                     "rule": ["range"] * 2}))
    >>> found[0].expected, found[0].count, found[0].rows
    ('a value within the declared limits', 2, (2, 9))
    """
    groups = failures.group_by("file", "column", "rule", maintain_order=True).agg(pl.len(), pl.col("row").sort())
    return tuple(
        Finding(
            file=file or "",
            column=column or "",
            rule=rule,
            expected=RULES.get(rule, ""),
            count=count,
            rows=tuple(row for row in rows if row is not None),
        )
        for file, column, rule, count, rows in groups.iter_rows()
    )


def write_failures(failures: pl.DataFrame) -> bytes:
    """Return the table of failures as CSV, with the values: patients' data."""
    return failures.write_csv().encode()


def list_tables(checked: Checked) -> tuple[TableRead, ...]:
    """Return the tables of the records."""
    return tuple(
        TableRead(
            name=name,
            rows=table.frame.height,
            patients=table.frame["subject"].n_unique(),
            columns=len(table.fields),
        )
        for name, table in checked.cohort.tables.items()
    )


def list_landmarks(checked: Checked) -> tuple[LandmarkRead, ...]:
    """Return who is left at each landmark."""
    return tuple(
        LandmarkRead(
            name=name,
            patients=(outcome := table.frame["outcome"]).len(),
            known=outcome.count(),
            events=int(outcome.sum() or 0),
        )
        for name, table in checked.table.landmarks.items()
    )


def find_problems(checked: Checked) -> tuple[Problem, ...]:
    """Return the rows of tables beside images that do not fit and would be left out."""
    return checked.images.slides.problems if checked.images.slides else ()


def list_images(checked: Checked) -> tuple[ImagesFound, ...]:
    """Return the scans and slides that belong to patients, by visit."""
    patients = len(set(checked.cohort.pseudonyms.values()))
    scans, slides, study = checked.images.scans, checked.images.slides, checked.study
    return (
        *(_list_scans(next(iter(study.imaging), ""), scans, patients) if scans else ()),
        *(_list_slides(next(iter(study.pathology), ""), slides, patients) if slides else ()),
    )


def tell_images(checked: Checked) -> tuple[str, ...]:
    """Return what has no patient, no image or no row, in words."""
    scans, slides = checked.images.scans, checked.images.slides
    return (*(_tell_scans(scans) if scans else ()), *(_tell_slides(slides) if slides else ()))


def _list_scans(name: str, plan: imaging.Plan, patients: int) -> Iterator[ImagesFound]:
    visits = Counter(visit.visit for each in plan.patients for visit in each.visits)
    for visit, count in visits.items():
        yield ImagesFound(name=name, visit=visit, what="scan", patients=count, files=count, without=patients - count)


def _list_slides(name: str, plan: pathology.Plan, patients: int) -> Iterator[ImagesFound]:
    for (visit, stain), (held, files) in plan.counts.items():
        yield ImagesFound(name=name, visit=visit, what=stain, patients=held, files=files, without=patients - held)
    for stain, count in sorted(Counter(each.stain for each in plan.controls).items()):
        what = f"{stain}, control tissue"
        yield ImagesFound(name=name, visit="", what=what, patients=None, files=count, without=None)
    scores = plan.scores.scores if plan.scores else ()
    for (visit, stain), count in sorted(Counter((score.visit, score.stain) for score in scores).items()):
        own = len({score.patient for score in scores if (score.visit, score.stain) == (visit, stain)})
        what = f"{stain}, scores"
        yield ImagesFound(name=name, visit=visit, what=what, patients=own, files=count, without=patients - own)


def _tell_scans(plan: imaging.Plan) -> Iterator[str]:
    yield from _tell(plan.strangers, "folder", "of scans of nobody in the records")
    yield from _tell(plan.without, "patient", "of the records without a scan")
    yield from _tell(plan.masks_left, "mask", "without a scan")


def _tell_slides(plan: pathology.Plan) -> Iterator[str]:
    yield from _tell(plan.strangers, "patient", "with slides and not in the records")
    yield from _tell(plan.without if plan.slides else 0, "patient", "of the records without a slide")
    yield from _tell(plan.scored_strangers, "patient", "with scores and not in the records")
    yield from _tell(plan.unlisted, "slide", "not named in the manifest of staining runs")
    yield from _tell(plan.missing, "row", "of the manifest of staining runs without a slide")
    if plan.manifest:
        yield from (flag.detail for flag in plan.manifest.flags)


def _tell(number: int, noun: str, rest: str) -> Iterator[str]:
    if number:
        yield f"{number} {noun}{'' if number == 1 else 's'} {rest}"
