"""Numbers as a journal prints them.

Convention: ratios have two decimals and three significant digits from 10 on; P has three decimals and ends at <0.001;
percentages have one decimal from 100 patients on and none below; ranges have an en dash, or "to" where a bound is
negative; minus is a minus sign; thousands are set apart by a narrow space; a bound that does not exist is ∞.
"""

from __future__ import annotations

import math
from collections.abc import Callable

from rarefactor.report._words import Words

_WORDS = Words("format")
NARROW_SPACE = "\u202f"
MINUS = "\u2212"
INFINITY = "∞"
EMPTY = "–"
_SUPERSCRIPTS = str.maketrans("0123456789-", "⁰¹²³⁴⁵⁶⁷⁸⁹⁻")


def format_count(value: float | None) -> str:
    """Return a count with its thousands set apart.

    Examples
    --------
    >>> format_count(312), format_count(12345.0), format_count(None)
    ('312', '12\u202f345', '–')
    """
    return EMPTY if value is None else f"{round(value):,}".replace(",", NARROW_SPACE)


def format_fixed(value: float | None, decimals: int) -> str:
    """Return a number with a fixed count of decimals, ∞ for what does not exist.

    Examples
    --------
    >>> format_fixed(-0.456, 2), format_fixed(math.inf, 2), format_fixed(-0.0004, 2)
    ('−0.46', '∞', '0.00')
    """
    if value is None or math.isnan(value):
        return EMPTY
    if math.isinf(value):
        return INFINITY if value > 0 else f"{MINUS}{INFINITY}"
    text = f"{abs(value):,.{decimals}f}".replace(",", NARROW_SPACE)
    return f"{MINUS}{text}" if value < 0 and any(digit in text for digit in "123456789") else text


def format_ratio(value: float | None) -> str:
    """Return a ratio such as an odds ratio: two decimals, or three significant digits from 10 on.

    Examples
    --------
    >>> [format_ratio(value) for value in (0, 0.0123, 0.999, 1.456, 19.57, 1234.5, 2.34e8, math.inf)]
    ['0', '0.012', '1.00', '1.46', '19.6', '1\u202f234', '2.3 × 10⁸', '∞']
    """
    if value is None or math.isnan(value) or math.isinf(value):
        return format_fixed(value, 2)
    if value == 0:
        return "0"
    if value >= 1e5 or value < 1e-4:
        return _power_of_ten(value)
    return format_fixed(value, _ratio_decimals(value))


def format_p(value: float | None) -> str:
    """Return a P value.

    Examples
    --------
    >>> [format_p(value) for value in (0.00021, 0.0364, 0.9999, None)]
    ['<0.001', '0.036', '>0.999', '–']
    """
    if value is None or math.isnan(value):
        return EMPTY
    if value < 0.001:
        return "<0.001"
    return ">0.999" if value > 0.999 else f"{value:.3f}"


def format_p_in_text(value: float | None) -> str:
    """Return a P value for running text.

    Examples
    --------
    >>> format_p_in_text(0.00021), format_p_in_text(0.0364)
    ('P < 0.001', 'P = 0.036')
    """
    text = format_p(value)
    return f"P {text[0]} {text[1:]}" if text[0] in "<>" else f"P = {text}"


def format_percent(fraction: float | None, n: int | None) -> str:
    """Return a fraction (0 to 1) as a percentage without its sign: one decimal from 100 patients on.

    Examples
    --------
    >>> format_percent(0.325, 40), format_percent(0.3254, 273)
    ('32', '32.5')
    """
    return EMPTY if fraction is None else format_fixed(100 * fraction, 1 if (n or 0) >= 100 else 0)


def format_quantity(shown: str, unit: str) -> str:
    """Return a number that is shown with its unit; a percent sign follows without a space.

    Examples
    --------
    >>> format_quantity("15.5", "%"), format_quantity("1.2", "pp/month"), format_quantity("3", "")
    ('15.5%', '1.2 pp/month', '3')
    """
    return f"{shown}{unit}" if unit == "%" else f"{shown} {unit}".rstrip()


def format_range(low: float | None, high: float | None, show: Callable[[float | None], str]) -> str:
    """Return an interval.

    Examples
    --------
    >>> format_range(1.2, math.inf, format_ratio), format_range(-0.2, 0.4, lambda x: format_fixed(x, 1))
    ('1.20–∞', '−0.2 to 0.4')
    """
    if low is None or high is None:
        return EMPTY
    joint = _WORDS.text("to") if low < 0 or high < 0 else "–"
    return f"{show(low)}{joint}{show(high)}"


def decimals_for(spread: float | None) -> int:
    """Return how many decimals a mean or median needs beside a spread such as its standard deviation.

    Examples
    --------
    >>> [decimals_for(spread) for spread in (120, 10.6, 4.5, 0.42, 0.004, 0, None)]
    [0, 1, 1, 2, 4, 1, 1]
    """
    if not spread or not math.isfinite(spread):
        return 1
    return min(5, max(0 if spread >= 30 else 1, 1 - math.floor(math.log10(spread))))


def _ratio_decimals(value: float) -> int:
    if value < 0.095:
        return 1 - math.floor(math.log10(value))
    return 2 if value < 9.995 else 1 if value < 99.95 else 0


def _power_of_ten(value: float) -> str:
    mantissa, exponent = f"{value:.1e}".split("e")
    return f"{mantissa} × 10{str(int(exponent)).translate(_SUPERSCRIPTS)}"
