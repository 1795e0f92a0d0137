"""Which values are missing, factor by factor and together, with or without a known outcome.

Rows, for everybody at a landmark: ``missing`` and ``share_missing`` of each factor and of the outcome (``term``
``outcome``); ``complete``, the patients who have every factor; ``pattern``, those who lack just the factors that
``term`` names, joined by ``+``. These two are counted for ``all`` and for each outcome (``event``, ``no_event``,
``outcome_unknown``), the most frequent pattern first.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

import polars as pl

from rarefactor.analyse._response import flag_outcome
from rarefactor.derive import LandmarkTable
from rarefactor.results import Analysed, Estimate

OUTCOMES = (True, False, None)
_JOINT = "+"


def describe_missing(table: LandmarkTable) -> Analysed:
    """Return what is missing at a landmark; the values themselves are not told.

    Examples
    --------
    >>> frame = pl.DataFrame({"subject": ["a", "b"], "outcome": [True, None], "ck": [None, 2.0]})
    >>> table = LandmarkTable(landmark="baseline", frame=frame, factors=("ck",), measured=frame, parts=(), recipes={})
    >>> [row.id for row in describe_missing(table).rows if row.measure == "pattern"]
    ['missing/baseline/ck/all/pattern', 'missing/baseline/ck/event/pattern']
    """
    base = Estimate(analysis="missing", measure="", estimate=None, landmark=table.landmark)
    return Analysed(rows=(*_columns(base, table), *_patterns(base, table)))


def lacking(factors: tuple[str, ...]) -> pl.Expr:
    """Return the expression that names the factors a patient lacks, joined by ``+``; empty where none is missing."""
    names = [pl.when(pl.col(name).is_null()).then(pl.lit(name)) for name in factors]
    return pl.concat_str(names, separator=_JOINT, ignore_nulls=True) if names else pl.lit("")


def _columns(base: Estimate, table: LandmarkTable) -> Iterator[Estimate]:
    """Yield how many lack the outcome, and each factor."""
    n = table.frame.height
    for name in ("outcome", *table.factors):
        own = replace(base, n=n, term=name) if name == "outcome" else replace(base, n=n, factor=name)
        count = table.frame[name].null_count()
        yield replace(own, measure="missing", estimate=float(count))
        yield replace(own, measure="share_missing", estimate=count / n if n else None)


def _patterns(base: Estimate, table: LandmarkTable) -> Iterator[Estimate]:
    found = table.frame.select("outcome", pattern=lacking(table.factors))
    counts = found.group_by("pattern").len().with_columns(lacks=pl.col.pattern.str.count_matches(_JOINT, literal=True))
    for pattern in counts.sort("len", "lacks", "pattern", descending=[True, False, False])["pattern"]:
        own = found.filter(pl.col.pattern == pattern)["outcome"]
        row = replace(base, measure="pattern" if pattern else "complete", term=pattern or None)
        yield _count(row, "all", own.len())
        for outcome in OUTCOMES:
            n = own.null_count() if outcome is None else int((own == outcome).sum())
            if n:
                yield _count(row, flag_outcome(outcome), n)


def _count(row: Estimate, group: str, n: int) -> Estimate:
    return replace(row, group=group, estimate=float(n), n=n)
