"""Spearman's rank correlation, against base R."""

import json
import math
from pathlib import Path
from typing import Any

import pytest

from rarefactor.errors import InputError
from rarefactor.stats import compute_rank_correlation

R = json.loads((Path(__file__).parent / "fixtures/rank_correlation.json").read_text())


@pytest.mark.parametrize("r", R["pairs"], ids=["graded", "unrelated", "five"])
def test_rank_correlation(r: dict[str, Any]) -> None:
    found = compute_rank_correlation(r["first"], r["second"], level=r["level"])
    names = ("rho", "p", "low", "high")
    assert [getattr(found, name) for name in names] == pytest.approx([r[name] for name in names], rel=1e-9, abs=1e-12)


def test_what_has_no_rank_correlation() -> None:
    assert compute_rank_correlation([1, 2, math.nan, 4], [1, 2, 3, 4]).reason == "fewer than 4 pairs"
    assert compute_rank_correlation([1, 1, 1, 1], [1, 2, 3, 4]).reason == "all values are the same"
    assert compute_rank_correlation([1, 2, 3, 4], [4, 3, 2, 1]).high == -1.0
    with pytest.raises(InputError, match="Pair the values"):
        compute_rank_correlation([1, 2], [1])
