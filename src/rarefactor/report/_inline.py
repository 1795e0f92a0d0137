"""Drawings for inside a page, written at once: words in the page's own letters, colours by their names in the page.

Convention: as :mod:`rarefactor.report._plot`, millimetres from the upper left corner, letters and lines in points. What
is drawn on a :class:`Paper` can be drawn on either; this one is a hundred times faster and no file of its own.
"""

from __future__ import annotations

import math
from dataclasses import dataclass, field
from html import escape
from typing import Any, Protocol

from rarefactor.report._plot import INK

_MM = 25.4 / 72
_MIDDLE = 0.2535
"""From the middle of a line (from the top of an l to the foot of a p) of the page's letters to where they stand, em."""
_ANCHORS = {"left": "start", "center": "middle", "right": "end"}
_DOT, _EDGE = 4.6, 1.0


class Paper(Protocol):
    """What can be drawn on: words, lines, marks."""

    def text(self, x: float, y: float, words: str, *, size: float = 8, **style: Any) -> None:
        """Write words whose middle is at ``y``: ``ha`` (left, center, right) and ``color``."""
        ...

    def line(self, xs: tuple[float, ...], ys: tuple[float, ...], **style: Any) -> None:
        """Draw a line through points: ``color``, ``lw`` and ``ls`` as matplotlib has them."""
        ...

    def dot(self, x: float, y: float, marker: str, color: str) -> None:
        """Draw a round mark (o) or a diamond (D)."""
        ...


@dataclass(frozen=True, slots=True)
class Inline:
    """A paper that writes SVG for a page, ``width`` by ``height`` millimetres.

    Examples
    --------
    >>> paper = Inline(20, 10)
    >>> paper.line((0, 20), (5, 5), lw=1)
    >>> print(paper.write("A <line>"))
    <svg viewBox="0 0 20 10" role="img" aria-label="A &lt;line&gt;"><path d="M0 5L20 5" fill="none" stroke="#1b1f24"\
 stroke-width="0.353"/></svg>
    """

    width: float
    height: float
    _shapes: list[str] = field(default_factory=list[str])

    def text(self, x: float, y: float, words: str, *, size: float = 8, **style: Any) -> None:
        """Write words whose middle is at ``y``."""
        tall, anchor = size * _MM, _ANCHORS[style.get("ha", "left")]
        place = f'x="{x:.5g}" y="{y + _MIDDLE * tall:.5g}"' + (f' text-anchor="{anchor}"' if anchor != "start" else "")
        colour = style.get("color", INK)
        self._shapes.append(f'<text {place} font-size="{tall:.4g}" fill="{colour}">{escape(words)}</text>')

    def line(self, xs: tuple[float, ...], ys: tuple[float, ...], **style: Any) -> None:
        """Draw a line through points."""
        wide = style.get("lw", 0.8) * _MM
        _, dashes = style.get("ls", (0, ()))
        dashed = " ".join(f"{wide * each:.3g}" for each in dashes)
        path = "L".join(f"{x:.5g} {y:.5g}" for x, y in zip(xs, ys, strict=True))
        stroke = f'stroke="{style.get("color", INK)}" stroke-width="{wide:.3g}"'
        dashing = f' stroke-dasharray="{dashed}"' if dashed else ""
        self._shapes.append(f'<path d="M{path}" fill="none" {stroke}{dashing}/>')

    def dot(self, x: float, y: float, marker: str, color: str) -> None:
        """Draw a round mark (o) or a diamond (D)."""
        half = _DOT * _MM / 2
        look = f'fill="{color}" stroke="{color}" stroke-width="{_EDGE * _MM:.3g}"'
        if marker == "o":
            self._shapes.append(f'<circle cx="{x:.5g}" cy="{y:.5g}" r="{half:.3g}" {look}/>')
        else:
            far = half * math.sqrt(2)
            turned = f"M{x:.5g} {y - far:.5g}l{far:.3g} {far:.3g} {-far:.3g} {far:.3g} {-far:.3g} {-far:.3g}z"
            self._shapes.append(f'<path d="{turned}" {look}/>')

    def write(self, words: str) -> str:
        """Return the drawing; ``words`` tell it to those who cannot see it."""
        head = f'<svg viewBox="0 0 {self.width:.5g} {self.height:.5g}" role="img" aria-label="{escape(words)}">'
        return f"{head}{''.join(self._shapes)}</svg>"
