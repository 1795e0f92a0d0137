"""What images showed: median and quartiles of each measurement by visit and outcome, rates, and patients' own values.

Groups: ``all`` the patients of the first landmark who were measured, ``event`` and ``no_event`` those with and without
the outcome. Groups are described and not compared: the factors that a study names are, among its factors. A patient is
named by the keyed hash that stands for the id.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator
from dataclasses import replace

import polars as pl

from rarefactor.analyse._response import describe, flag_outcome
from rarefactor.derive import ImageTable
from rarefactor.results import Analysed, Estimate


def analyse_images(table: ImageTable, patients: Collection[str]) -> Analysed:
    """Return the numbers of one kind of images; of the columns in ``patients`` every patient's value is told."""
    base = Estimate(analysis=table.kind, measure="", estimate=None, model=table.name)
    rows: list[Estimate] = []
    for measure, found in (("value", table.values), ("rate", table.rates)):
        for (visit, column), own in found.group_by("visit", "column", maintain_order=True):
            row = replace(base, landmark=str(visit), term=str(column))
            rows.extend(describe(replace(row, measure=f"median_{measure}"), own))
            if column in patients:
                rows.extend(_patients(replace(row, measure=measure), own))
    return Analysed(rows=tuple(rows))


def _patients(base: Estimate, rows: pl.DataFrame) -> Iterator[Estimate]:
    for row in rows.sort("value", "subject").iter_rows(named=True):
        yield replace(base, group=row["subject"], estimate=row["value"], flags=(flag_outcome(row["outcome"]),))
