"""Numbers as a journal prints them: what must hold for every number."""

import math

from hypothesis import given
from hypothesis import strategies as st

from rarefactor.report.format import format_fixed, format_p, format_range, format_ratio

ratios = st.floats(min_value=0, allow_nan=False)


@given(st.floats(0, 1))
def test_p_is_never_zero_or_one(p):
    text = format_p(p)
    assert text not in {"0.000", "1.000"}
    assert len(text.lstrip("<>")) == 5


@given(ratios)
def test_a_ratio_never_shrinks_to_zero(value):
    text = format_ratio(value)
    assert (float(text.replace("\u202f", "")) > 0) == (value > 0) if "×" not in text and text != "∞" else value > 0


@given(ratios.filter(lambda value: 0.095 < value < 9e4))
def test_a_ratio_is_shown_within_half_a_percent_or_two_decimals(value):
    shown = float(format_ratio(value).replace("\u202f", ""))
    assert math.isclose(shown, value, rel_tol=0.005, abs_tol=0.005001)


@given(st.floats(-1e6, 1e6), st.integers(0, 4))
def test_nothing_is_shown_as_minus_zero(value, decimals):
    text = format_fixed(value, decimals)
    assert not (text.startswith("−") and not any(digit in text for digit in "123456789"))
    assert "-" not in text


def test_a_range_with_a_negative_bound_has_no_dash():
    assert format_range(-1.0, -0.5, lambda value: format_fixed(value, 1)) == "−1.0 to −0.5"
