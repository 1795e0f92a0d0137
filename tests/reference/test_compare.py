"""Table 1 and the two-group tests against R."""

import csv
import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from rarefactor.stats import (
    compare_exactly,
    compare_many,
    compare_means,
    compare_ranks,
    compare_shares,
    compare_trend,
    compute_benjamini_hochberg,
    compute_holm,
    compute_smd,
    compute_smd_of_counts,
    compute_summary,
)

FIXTURES = Path(__file__).parent / "fixtures"
R = json.loads((FIXTURES / "univariable.json").read_text())
EXTRA = json.loads((FIXTURES / "compare_extra.json").read_text())
TOLERANCE = 1e-9
SHIFT_TOLERANCE = 1e-6


def list_factors(kind: str) -> list[Any]:
    return [
        pytest.param(study, factor, id=f"{study}-{factor}")
        for study, reference in R.items()
        for factor, entry in reference["factors"].items()
        if (entry["type"] == "continuous") == (kind == "continuous")
    ]


def read_groups(study: str, factor: str) -> tuple[np.ndarray, np.ndarray]:
    reference = R[study]
    with (FIXTURES / "data" / ("birthwt.csv" if study == "birthwt" else "pbc.csv")).open() as file:
        rows = list(csv.DictReader(file))[: reference["n"]]
    values = np.array([float(row[factor] or "nan") for row in rows])
    event = np.array([row[reference["outcome"]] == "1" for row in rows])
    return values[event], values[~event]


def expect(found: float, reference: float | str | None, tolerance: float = TOLERANCE) -> None:
    assert found == pytest.approx(np.nan if reference is None else float(reference), rel=tolerance, abs=tolerance)


@pytest.mark.parametrize(("study", "factor"), list_factors("continuous"))
def test_values(study: str, factor: str) -> None:
    one, zero = read_groups(study, factor)
    entry = R[study]["factors"][factor]
    expect_summary(np.concatenate([one, zero]), entry["all"])
    expect_summary(one, entry["group1"])
    welch, reference = compare_means(one, zero), entry["welch_t"]
    for name, key in (("t", "statistic"), ("df", "df"), ("p", "p"), ("low", "ci_lower"), ("high", "ci_upper")):
        expect(getattr(welch, name), reference[key])
    expect(compute_smd(one, zero).estimate, entry["smd"]["value"])
    expect_ranks(one, zero, entry)


def expect_summary(values: np.ndarray, reference: Mapping[str, Any]) -> None:
    found = compute_summary(values)
    names = {"q1": "q1_type7", "q3": "q3_type7", "low": "min", "high": "max"}
    for name in ("n", "missing", "mean", "sd", "median", "q1", "q3", "low", "high"):
        expect(getattr(found, name), reference[names.get(name, name)])


def expect_ranks(one: np.ndarray, zero: np.ndarray, entry: Mapping[str, Any]) -> None:
    found, reference, shift = compare_ranks(one, zero), entry["wilcoxon_default"], entry["hodges_lehmann"]
    expect(found.statistic, reference["statistic"])
    expect(found.p, reference["p"])
    assert found.exact == reference["is_exact"]
    expect(found.low, shift["ci_lower"], SHIFT_TOLERANCE)
    expect(found.high, shift["ci_upper"], SHIFT_TOLERANCE)
    # with an even number of pairs any shift between the two middle ones solves R's equation; ours is their mean
    pairs = np.sort((one[~np.isnan(one)][:, None] - zero[~np.isnan(zero)]).ravel())
    low, high = pairs[(pairs.size - 1) // 2], pairs[pairs.size // 2]
    assert low - SHIFT_TOLERANCE <= shift["estimate"] <= high + SHIFT_TOLERANCE
    expect(found.shift, (low + high) / 2)


@pytest.mark.parametrize(("study", "factor"), list_factors("categorical"))
def test_counts(study: str, factor: str) -> None:
    entry = R[study]["factors"][factor]
    table = np.column_stack([entry["counts_group0"], entry["counts_group1"]])
    fisher = compare_exactly(table)
    expect(fisher.p, entry["fisher"]["p"])
    for key, yates in (("chisq_no_cc", False), ("chisq_cc", True)):
        found = compare_shares(table, yates=yates)
        expect(found.statistic, entry[key]["statistic"])
        expect(found.p, entry[key]["p"])
    expect(compute_smd_of_counts(table[:, 1], table[:, 0]).estimate, entry["smd"]["value"])
    if "or_conditional_exact" in entry:
        odds = entry["or_conditional_exact"]
        for name, key in (("odds_ratio", "estimate"), ("low", "ci_lower"), ("high", "ci_upper")):
            expect(getattr(fisher, name), odds[key])
    if "trend_cochran_armitage" in entry:
        trend = compare_trend(table, [float(level) for level in entry["levels"]])
        expect(trend.p, entry["trend_cochran_armitage"]["p"])


@pytest.mark.parametrize("study", sorted(R))
@pytest.mark.parametrize("family", ["test_p", "glm_lr_p", "firth_p"])
def test_families(study: str, family: str) -> None:
    entry = R[study]["multiplicity"][family]
    raw = [np.nan if p is None else p for p in entry["raw"].values()]
    for adjust, key in ((compute_holm, "holm"), (compute_benjamini_hochberg, "bh")):
        for found, reference in zip(adjust(raw), entry[key].values(), strict=True):
            expect(float(found), reference)


@pytest.mark.parametrize("entry", EXTRA["fisher"], ids=lambda entry: entry["name"])
def test_larger_tables(entry: Mapping[str, Any]) -> None:
    expect(compare_exactly(entry["table"]).p, entry["p"])


@pytest.mark.parametrize("entry", EXTRA["kruskal"], ids=lambda entry: entry["name"])
def test_several_groups(entry: Mapping[str, Any]) -> None:
    found = compare_many(entry["groups"])
    expect(found.statistic, entry["statistic"])
    expect(found.p, entry["p"])


@pytest.mark.parametrize("entry", EXTRA["wilcoxon_exact"], ids=lambda entry: entry["name"])
def test_ranks_without_ties(entry: Mapping[str, Any]) -> None:
    found = compare_ranks(entry["x"], entry["y"])
    assert found.exact
    for name in ("statistic", "p", "shift", "low", "high"):
        expect(getattr(found, name), entry[name])
