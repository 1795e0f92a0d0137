"""Selection against loops in R (tests/reference/R/selection.R): the same terms, and coefficients within 1e-7."""

import csv
import json
from pathlib import Path

import numpy as np
import pytest

from rarefactor.stats.select import METHODS, SelectionRule, fit_selection
from rarefactor.stats.stability import compute_stability

FIXTURES = Path(__file__).parent / "fixtures"
R = json.loads((FIXTURES / "validation/selection.json").read_text())
TERMS = {
    name: [R["columns"].index(column) for column in ([columns] if isinstance(columns, str) else columns)]
    for name, columns in R["terms"].items()
}
WEIGHTS = np.array(R["weights"], dtype=float)


@pytest.fixture(scope="module")
def births() -> tuple[np.ndarray, np.ndarray]:
    with (FIXTURES / "design/birthwt_full.csv").open(newline="") as file:
        rows = list(csv.DictReader(file))
    factors = np.array([[float(row[name]) for name in R["columns"]] for row in rows])
    return factors, np.array([float(row["y"]) for row in rows])


@pytest.mark.parametrize("penalty", ["none", "firth"])
@pytest.mark.parametrize("method", METHODS)
def test_selected_terms_are_those_of_r(births: tuple[np.ndarray, np.ndarray], method: str, penalty: str) -> None:
    rule = SelectionRule(method=method, penalty=penalty, alpha=R["alpha"][method], tau=R["tau"])
    found = fit_selection(*births, terms=TERMS, rule=rule, weights=WEIGHTS)
    for place, expected in enumerate(R["selected"][method][penalty]):
        chosen = [name for name, taken in zip(found.names, found.selected[place], strict=True) if taken]
        assert sorted(chosen) == sorted(expected["terms"])
        columns = [0, *(1 + column for name in expected["terms"] for column in TERMS[name])]
        assert found.coef[place, columns] == pytest.approx(expected["coef"], abs=1e-7)
        assert not np.delete(found.coef[place], columns).any()


def test_stability_counts_what_was_selected(births: tuple[np.ndarray, np.ndarray]) -> None:
    expected = [sorted(each["terms"]) for each in R["selected"]["backward"]["firth"]]
    found = compute_stability(*births, WEIGHTS[1:], terms=TERMS)
    share = 1.0 / (len(expected) - 1)
    inclusion = [sum(name in terms for terms in expected[1:]) * share for name in found.names]
    assert found.inclusion == pytest.approx(inclusion)
    assert sorted(found.selected) == expected[0]
    assert found.selected_share == pytest.approx(expected[1:].count(expected[0]) * share)
    both = sum("lwt" in terms and "ht" in terms for terms in expected[1:]) * share
    assert found.joint[found.names.index("lwt"), found.names.index("ht")] == pytest.approx(both)
    assert sum(model.share for model in found.models) == pytest.approx(1.0)
