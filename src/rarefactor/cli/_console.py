"""How things look in a terminal: problems, findings, plans, places.

Convention: in a pipe or a log nothing is coloured, cut or wrapped. What is shown comes from files, so that it is never
read as markup.
"""

from __future__ import annotations

import sys
from collections.abc import Iterable, Sequence

from rich import box
from rich.console import Console, Group, RenderableType
from rich.table import Table
from rich.text import Text

from rarefactor.errors import Problem

_UNWRAPPED = 1000


def read_console(*, stderr: bool = False) -> Console:
    """Return the terminal as it is now: its width, colours and whether it is one at all."""
    stream = sys.stderr if stderr else sys.stdout
    width = None if stream.isatty() else _UNWRAPPED
    return Console(stderr=stderr, width=width, highlight=False, markup=False, emoji=False)


def draw_problems(problems: Sequence[Problem]) -> RenderableType:
    """Return each problem as a block: place, found, expected, next step."""
    blocks = [_draw_problem(problem) for problem in problems]
    count = [Text(f"{len(problems)} problems", style="bold red")] if len(problems) > 1 else []
    return Group(*blocks, *count)


def draw_pairs(pairs: Iterable[tuple[str, str]]) -> RenderableType:
    """Return lines of a word and what it stands for, aligned."""
    grid = Table.grid(padding=(0, 2, 0, 0))
    grid.add_column(width=0)
    grid.add_column(style="dim", no_wrap=True)
    grid.add_column(overflow="fold")
    for word, meaning in pairs:
        grid.add_row("", word, Text(meaning))
    return grid


def draw_table(columns: Sequence[str], rows: Iterable[Sequence[str]], *, right: Iterable[str] = ()) -> RenderableType:
    """Return a table; the columns named in ``right`` hold numbers."""
    table = Table(box=box.SIMPLE_HEAD, pad_edge=False)
    numbers = set(right)
    for name in columns:
        table.add_column(name, justify="right" if name in numbers else "left", overflow="fold")
    for row in rows:
        table.add_row(*(Text(cell) for cell in row))
    return table


def _draw_problem(problem: Problem) -> RenderableType:
    place = Text(problem.where or "Problem", style="bold red")
    lines = (("found", problem.found), ("expected", problem.expected), ("next step", problem.next_step))
    return Group(place, draw_pairs(lines), Text())
