"""Agreement of readers, against psych and base R."""

import json
import math
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from rarefactor.errors import InputError
from rarefactor.stats import compute_bland_altman, compute_icc, compute_weighted_kappa

R = json.loads((Path(__file__).parent / "fixtures/agreement.json").read_text())


@pytest.mark.parametrize("r", R["icc"], ids=["shrout-fleiss", "made", "five", "negative"])
def test_icc(r: dict[str, Any]) -> None:
    found = compute_icc(r["ratings"], level=r["level"])
    for ours, theirs in ((found.agreement, r["agreement"]), (found.consistency, r["consistency"])):
        assert (ours.icc, ours.low, ours.high) == pytest.approx(
            (theirs["icc"], theirs["low"], theirs["high"]), rel=1e-8
        )
    assert found.f == pytest.approx(r["consistency"]["f"], rel=1e-9)
    assert found.df == (r["consistency"]["df1"], r["consistency"]["df2"])
    assert found.p == pytest.approx(r["consistency"]["p"], rel=1e-8)


@pytest.mark.parametrize("r", R["kappa"], ids=["linear", "quadratic", "two categories"])
def test_weighted_kappa(r: dict[str, Any]) -> None:
    found = compute_weighted_kappa(r["first"], r["second"], categories=r["categories"], weights=r["weights"])
    names = ("kappa", "se", "low", "high", "seen")
    assert [getattr(found, name) for name in names] == pytest.approx([r[name] for name in names], rel=1e-12)
    assert found.by_chance == pytest.approx(r["chance"], rel=1e-12)


@pytest.mark.parametrize("r", R["limits"], ids=["forty", "eight"])
def test_limits_of_agreement(r: dict[str, Any]) -> None:
    found = compute_bland_altman(r["first"], r["second"])
    ours = {
        name + part: getattr(limit, field)
        for name, limit in (("bias", found.bias), ("lower", found.lower), ("upper", found.upper))
        for part, field in (("", "estimate"), ("_low", "low"), ("_high", "high"))
    } | {"sd": found.sd, "slope": found.slope, "slope_p": found.slope_p}
    assert ours == pytest.approx({name: r[name] for name in ours}, rel=1e-8)


def test_limits_of_agreement_of_many_pairs_are_near_their_limits() -> None:
    rng = np.random.default_rng(1)
    found = compute_bland_altman(rng.normal(0, 1, 4000), np.zeros(4000))
    wald = math.sqrt(1 / 4000 + 1.96**2 / (2 * 3999)) * 1.96 * found.sd
    assert found.upper.high - found.upper.estimate == pytest.approx(wald, rel=0.03)


def test_what_cannot_be_estimated_has_a_reason() -> None:
    assert compute_icc([[1.0, 2.0]]).reason == "fewer than two rows"
    assert compute_icc([[2.0, 2.0], [2.0, 2.0]]).reason == "all values are the same"
    assert compute_weighted_kappa([1, 1], [1, 1], categories=4).reason == "both readers used one category only"
    alone = compute_weighted_kappa([2, 2, 2], [0, 2, 3], categories=4)
    assert np.isnan([alone.kappa, alone.p]).all()
    assert alone.reason == "one reader used one category only"
    assert compute_bland_altman([1, 2], [2, 3]).reason == "fewer than three pairs"


def test_full_agreement() -> None:
    found = compute_icc([[1, 1], [2, 2], [5, 5]])
    assert (found.agreement.icc, found.consistency.icc) == (1.0, 1.0)
    shifted = compute_icc([[1, 2], [2, 3], [5, 6]])
    assert shifted.consistency.icc == 1.0
    assert shifted.agreement.icc < 1.0
    assert compute_weighted_kappa([0, 1, 2], [0, 1, 2], categories=3).kappa == 1.0


def test_rows_with_a_missing_reading_are_left_out() -> None:
    full = [[1.0, 2], [4, 3], [6, 8], [2, 2]]
    assert compute_icc([*full, [np.nan, 3]]) == compute_icc(full)
    with pytest.raises(InputError, match="categories"):
        compute_weighted_kappa([1, 4], [1, 2], categories=4)
