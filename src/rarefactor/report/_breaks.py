"""Where a table may go on over a page, for the formats that have pages but do not tell us where they end.

Convention: a short table is never torn. In a longer one a group stays whole if it is small, a head stays with what it
opens, no row stands alone before or after a break, and the last row stays with the footnotes.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from rarefactor.report.tree import Row, Table

_SHORT = 14  # rows: a third of a page
_SMALL = 8  # rows of a group


def list_stays(table: Table) -> tuple[bool, ...]:
    """Return for each row below the head whether what follows must stand on its page.

    Examples
    --------
    >>> rows = tuple(Row(cells=(), kind="head" if place % 3 == 0 else "level") for place in range(18))
    >>> table = Table(name="t", number=1, caption="", header=(), rows=rows, widths=())
    >>> "".join("+" if stays else "|" for stays in list_stays(table))
    '++|++|++|++|++|++|'
    """
    last = len(table.rows) - 1
    if last < _SHORT:
        inside = [True] * last
    else:
        inside = [place in {0, last - 1} or stays for place, stays in enumerate(_stays_inside(table.rows))]
    return (*inside, bool(table.footnotes)) if table.rows else ()


def _stays_inside(rows: Sequence[Row]) -> Iterator[bool]:
    """Yield for each row but the last whether its group goes on, and may not be torn there."""
    sizes = _measure_groups(rows)
    for row, after, size in zip(rows, rows[1:], sizes, strict=False):
        yield after.kind == "level" and (row.kind == "head" or size <= _SMALL)


def _measure_groups(rows: Sequence[Row]) -> tuple[int, ...]:
    """Return for each row how many rows its group has."""
    starts = [place for place, row in enumerate(rows) if place == 0 or row.kind != "level"]
    ends = [*starts[1:], len(rows)]
    return tuple(end - start for start, end in zip(starts, ends, strict=True) for _ in range(end - start))
