"""A figure of the tree from a drawing, or its words alone where a page shows these first and draws it later."""

from __future__ import annotations

from collections.abc import Callable

from rarefactor.report._plot import Sheet, write_png, write_svg
from rarefactor.report._source import Source
from rarefactor.report.tree import Figure, Runs


def make_figure(source: Source, name: str, caption: Runs, alt: str, draw: Callable[[], Sheet]) -> Figure:
    """Return a figure; without its pictures, and undrawn, where the source asks for words or another figure alone."""
    if source.only is not None and source.only != name:
        return Figure(name=name, number=0, caption=caption, alt=alt, svg=b"", png=b"", width_mm=0.0, height_mm=0.0)
    sheet = draw()
    svg, png = write_svg(sheet, name), b"" if source.only else write_png(sheet)
    size = {"width_mm": sheet.width, "height_mm": sheet.height}
    return Figure(name=name, number=0, caption=caption, alt=alt, svg=svg, png=png, **size)
