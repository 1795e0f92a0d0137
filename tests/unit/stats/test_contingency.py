import itertools
from math import comb, isclose, prod

import numpy as np
import pytest

from rarefactor.errors import InputError
from rarefactor.stats import compare_exactly, compare_shares, compare_trend


def enumerate_two_columns(table: list[list[int]]) -> tuple[float, float]:
    """Fisher's P value and the table's own probability, by listing every table with these margins."""
    sizes, total = [sum(row) for row in table], sum(row[1] for row in table)
    tables = [t for t in itertools.product(*(range(m + 1) for m in sizes)) if sum(t) == total]
    weights = {t: prod(comb(m, x) for m, x in zip(sizes, t, strict=True)) for t in tables}
    own = weights[tuple(row[1] for row in table)]
    everything = sum(weights.values())
    return sum(w for w in weights.values() if w <= own * (1 + 1e-7)) / everything, own / everything


@pytest.mark.parametrize(
    "table",
    [[[3, 1], [2, 6]], [[5, 0], [5, 5], [1, 3]], [[2, 2], [2, 2], [2, 2]], [[9, 1], [4, 4], [0, 3], [6, 1], [1, 1]]],
)
def test_exact_p_is_the_sum_over_all_tables(table: list[list[int]]) -> None:
    p, own = enumerate_two_columns(table)
    for turned in (table, np.transpose(table)):
        found = compare_exactly(turned)
        assert isclose(found.p, p, rel_tol=1e-12)
        assert isclose(found.mid_p, p - own / 2, rel_tol=1e-12)


def test_a_table_too_large_to_enumerate_is_refused_with_a_way_out() -> None:
    table = [[40, 60], [30, 70], [55, 45], [20, 30], [10, 15], [7, 9], [12, 3]]
    with pytest.raises(InputError, match="Join levels, or use compare_shares"):
        compare_exactly(np.array(table) * 3)


@pytest.mark.parametrize("counts", [[[1.5, 2], [3, 4]], [[-1, 2], [3, 4]], [1, 2], [[np.nan, 1], [1, 1]]])
def test_counts_are_whole_numbers(counts: object) -> None:
    with pytest.raises(InputError, match="a table of whole numbers"):
        compare_shares(counts)


def test_nothing_to_compare_is_a_value() -> None:
    one_row = [[3, 4], [0, 0]]
    assert compare_exactly(one_row).p == 1.0
    assert np.isnan(compare_shares(one_row).p)
    assert np.isnan(compare_trend(one_row).p)
    assert np.isnan(compare_trend([[3, 0], [4, 0]]).p)
