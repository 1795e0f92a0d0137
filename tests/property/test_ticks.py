"""Numbers at ticks are what they stand at, and few."""

import math
from itertools import pairwise

from hypothesis import given
from hypothesis import strategies as st

from rarefactor.report._panel import ratio_ticks, round_ticks, thin_ticks, tick_words

LOW = st.floats(-1e5, 1e5)
SPAN = st.floats(1e-3, 1e5)


def read(words: str) -> float:
    return float(words.replace("−", "-"))


@given(low=LOW, span=SPAN, most=st.integers(3, 8))
def test_round_ticks_lie_inside_and_are_told_as_they_are(low: float, span: float, most: int) -> None:
    ticks = round_ticks(low, low + span, most)
    assert 1 <= len(ticks) <= most
    for tick in ticks:
        assert low - 1e-6 * span <= tick <= low + span * (1 + 1e-6)
        assert math.isclose(read(tick_words(tick)), tick, rel_tol=1e-11, abs_tol=1e-9 * span)


@given(low=st.floats(-12, 12), span=st.floats(0.05, 20))
def test_ratios_lie_inside_and_are_told_as_they_are(low: float, span: float) -> None:
    ticks = ratio_ticks(low, low + span)
    assert 1 <= len(ticks) <= 6
    assert list(ticks) == sorted(set(ticks))
    for tick in ticks:
        assert low - 1e-6 <= math.log(tick) <= low + span + 1e-6
        assert math.isclose(read(tick_words(tick)), tick, rel_tol=1e-9)


@given(ticks=st.lists(st.floats(0, 100), unique=True, max_size=20).map(sorted), room=st.floats(0.01, 0.5))
def test_thinned_ticks_keep_their_distance_and_begin_with_the_first(ticks: list[float], room: float) -> None:
    kept = thin_ticks(ticks, (0.0, 100.0), room)
    assert list(kept[:1]) == ticks[:1]
    assert all(later - earlier >= 100 * room for earlier, later in pairwise(kept))
