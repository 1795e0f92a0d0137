"""The figure of Bland and Altman as SVG: what two readers differ by, over what they mean.

Convention: one dot for each image, larger where several fall on one place; the bias is a solid line, the limits of
agreement are dashed. It is written by hand, so that a page gets it at once; colours hold on white and on dark paper.

References
----------
Bland JM, Altman DG. Measuring agreement in method comparison studies. Stat Methods Med Res 1999;8:135-160.
"""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Iterator, Sequence
from html import escape

_WIDTH, _HEIGHT = 560, 320
_LEFT, _RIGHT, _TOP, _LOW = 64, 92, 16, 52
_TICKS = 5
_STYLE = "font-family='Segoe UI, Helvetica, Liberation Sans, sans-serif' font-size='13' fill='#1b1f24'"


def draw_bland_altman(
    pairs: Sequence[tuple[float, float]],
    lines: tuple[float, float, float],
    *,
    readers: tuple[str, str],
    unit: str,
) -> bytes:
    """Return the figure.

    Parameters
    ----------
    pairs
        What the first and the second reader gave each image.
    lines
        Lower limit of agreement, bias, upper limit.
    readers
        Their names.
    unit
        Of both, such as ``grade``.

    Examples
    --------
    >>> figure = draw_bland_altman([(1, 2), (2, 2)], (-2.0, -0.5, 1.0), readers=("Ada", "Bea"), unit="grade")
    >>> figure[:4], figure.count(b"<circle")
    (b'<svg', 2)
    """
    dots = Counter(((first + second) / 2, first - second) for first, second in pairs)
    across = _ticks(min(x for x, _ in dots), max(x for x, _ in dots))
    down = _ticks(min(*lines, *(y for _, y in dots)), max(*lines, *(y for _, y in dots)))
    parts = [
        f"<svg xmlns='http://www.w3.org/2000/svg' viewBox='0 0 {_WIDTH} {_HEIGHT}' role='img'>",
        f"<rect width='{_WIDTH}' height='{_HEIGHT}' fill='#ffffff'/><g {_STYLE}>",
        *_draw_axes(across, down, readers, unit),
        *_draw_lines(lines, down),
        *_draw_dots(dots, across, down),
        "</g></svg>",
    ]
    return "".join(parts).encode()


def _draw_axes(across: Sequence[float], down: Sequence[float], readers: tuple[str, str], unit: str) -> Iterator[str]:
    low, right = _HEIGHT - _LOW, _WIDTH - _RIGHT
    yield f"<path d='M{_LEFT} {_TOP}V{low}H{right}' fill='none' stroke='#6b7682'/>"
    for value in across:
        x = _x(value, across)
        yield f"<path d='M{x} {low}v5' stroke='#6b7682'/>"
        yield f"<text x='{x}' y='{low + 19}' text-anchor='middle'>{_say(value)}</text>"
    for value in down:
        y = _y(value, down)
        yield f"<path d='M{_LEFT} {y}h-5' stroke='#6b7682'/>"
        yield f"<text x='{_LEFT - 9}' y='{y + 4}' text-anchor='end'>{_say(value)}</text>"
    one, other = (escape(_short(name)) for name in readers)
    words = f"Mean of both ({escape(unit)})"
    yield f"<text x='{(_LEFT + right) / 2}' y='{_HEIGHT - 10}' text-anchor='middle'>{words}</text>"
    middle = (_TOP + low) / 2
    yield f"<text transform='translate(16 {middle}) rotate(-90)' text-anchor='middle'>{one} minus {other}</text>"


def _draw_lines(lines: tuple[float, float, float], down: Sequence[float]) -> Iterator[str]:
    for value, words, dash in zip(lines, ("lower limit", "bias", "upper limit"), ("6 4", "none", "6 4"), strict=True):
        y, right = _y(value, down), _WIDTH - _RIGHT
        yield f"<path d='M{_LEFT} {y}H{right}' stroke='#b34f09' stroke-width='1.5' stroke-dasharray='{dash}'/>"
        yield f"<text x='{right + 6}' y='{y + 4}' font-size='12'>{words} {_say(round(value, 2))}</text>"


def _draw_dots(dots: Counter[tuple[float, float]], across: Sequence[float], down: Sequence[float]) -> Iterator[str]:
    for (x, y), count in sorted(dots.items()):
        size = round(3.5 * math.sqrt(count), 1)
        place = f"cx='{_x(x, across)}' cy='{_y(y, down)}' r='{size}'"
        yield f"<circle {place} fill='#0b5394' fill-opacity='0.65'/>"


def _ticks(low: float, high: float) -> list[float]:
    """Return round values that hold both ends."""
    span = (high - low) or 1.0
    power = 10.0 ** math.floor(math.log10(span / _TICKS))
    step = next(each * power for each in (1, 2, 5, 10) if span / (each * power) <= _TICKS)
    first, last = math.floor(low / step + 1e-9), math.ceil(high / step - 1e-9)
    return [round(place * step, 10) for place in range(first, max(last, first + 1) + 1)]


def _x(value: float, ticks: Sequence[float]) -> float:
    return round(_LEFT + 8 + (value - ticks[0]) / (ticks[-1] - ticks[0]) * (_WIDTH - _LEFT - _RIGHT - 16), 1)


def _y(value: float, ticks: Sequence[float]) -> float:
    return round(_HEIGHT - _LOW - 8 - (value - ticks[0]) / (ticks[-1] - ticks[0]) * (_HEIGHT - _TOP - _LOW - 16), 1)


def _say(value: float) -> str:
    return f"{value:g}".replace("-", "−")


def _short(name: str, most: int = 18) -> str:
    return name if len(name) <= most else f"{name[: most - 1]}…"
