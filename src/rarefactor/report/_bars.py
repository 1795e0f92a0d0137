"""How the values of a variable are spread, as a small drawing for a page, and in words.

Convention: no words stand in the drawing, and its colours can be seen on light and on dark; what it shows is said in
the words beside it.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence

from rarefactor.report._words import Words
from rarefactor.report.format import decimals_for, format_count, format_fixed

_WORDS = Words("bars")
WIDTH, HEIGHT = 240, 56
_BAR, _YES, _CUT, _BASE = "#6390bd", "#c4703a", "#d9541e", "#8a949e"


def draw_bars(edges: Sequence[float], counts: Sequence[int], cut: str | None = None) -> bytes:
    """Return the bars between ``edges`` as SVG; ``cut``, such as ``<= 56``, is a line, and its side another colour.

    Examples
    --------
    >>> draw_bars([0, 1, 2], [3, 1], cut="> 1").count(b"<rect")
    2
    """
    start, end = edges[0], edges[-1]
    scale = WIDTH / (end - start)
    places = [(edge - start) * scale for edge in edges]
    tall = max(counts, default=0) or 1
    shapes = [
        f'<rect x="{left + 0.5:.2f}" y="{HEIGHT - 2 - height:.2f}" width="{max(right - left - 1, 0.5):.2f}" '
        f'height="{height:.2f}" fill="{_YES if _is_met(cut, (low + high) / 2) else _BAR}"/>'
        for left, right, low, high, height in zip(
            places, places[1:], edges, edges[1:], (count / tall * (HEIGHT - 6) for count in counts), strict=False
        )
    ]
    base = f'<path d="M0 {HEIGHT - 1.5}H{WIDTH}" stroke="{_BASE}"/>'
    return f"{_head()}{''.join(shapes)}{base}{''.join(_cut_line(cut, start, end, scale))}</svg>".encode()


def _head() -> str:
    return f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {WIDTH} {HEIGHT}" width="{WIDTH}" height="{HEIGHT}">'


def _cut_line(cut: str | None, start: float, end: float, scale: float) -> Iterator[str]:
    threshold = _read_cut(cut)[1]
    if threshold is not None and start <= threshold <= end:
        place = (threshold - start) * scale
        yield f'<path d="M{place:.2f} 0V{HEIGHT}" stroke="{_CUT}" stroke-width="2" stroke-dasharray="4 2"/>'


def _read_cut(cut: str | None) -> tuple[str, float | None]:
    found = re.fullmatch(r"(<=|>=|<|>)\s*(-?\d+(?:\.\d+)?)", (cut or "").strip())
    return (found[1], float(found[2])) if found else ("", None)


def _is_met(cut: str | None, value: float) -> bool:
    comparison, threshold = _read_cut(cut)
    if threshold is None:
        return False
    return value < threshold if comparison.startswith("<") else value > threshold


def describe_spread(quartiles: Sequence[float], unit: str | None = None) -> str:
    """Return least, quartiles and most in words.

    Examples
    --------
    >>> describe_spread([26.28, 42.24, 49.79, 56.71, 78.44], "years")
    'median 49.8 (quartiles 42.2 and 56.7), from 26.3 to 78.4 years'
    """
    least, low, middle, high, most = quartiles
    decimals = decimals_for((high - low) / 1.35 or abs(middle) or 1.0)
    places = {"least": least, "low": low, "median": middle, "high": high, "most": most}
    text = _WORDS.text("spread", **{name: format_fixed(value, decimals) for name, value in places.items()})
    return f"{text} {unit}" if unit else text


def describe_known(n: int, missing: int) -> str:
    """Return how many values are known.

    Examples
    --------
    >>> describe_known(40, 8), describe_known(48, 0)
    ('40 of 48 patients', 'all 48 patients')
    """
    every = format_count(n + missing)
    return _WORDS.text("some", n=format_count(n), every=every) if missing else _WORDS.text("all", every=every)
