import numpy as np
import pytest

from rarefactor.errors import InputError
from rarefactor.stats import fit_logistic, fit_screen

RNG = np.random.default_rng(11)
Y = np.r_[np.ones(13), np.zeros(27)]
AGE = RNG.normal(50, 10, 40)
MALE = (RNG.random(40) < 0.5).astype(float)


def test_each_factor_is_fitted_in_its_own_complete_cases() -> None:
    holed = np.where(np.arange(40) % 7 == 0, np.nan, AGE)
    known = ~np.isnan(holed)
    screen = fit_screen({"age": holed, "male": MALE}, Y)
    assert (screen["age"].n, screen["age"].missing, screen["male"].n) == (known.sum(), 40 - known.sum(), 40)
    alone = fit_logistic(holed[known][:, None], Y[known])
    np.testing.assert_allclose(screen["age"].firth.ci, alone.ci[1:], rtol=1e-9)
    np.testing.assert_allclose(screen["age"].firth.p, alone.p[1:], rtol=1e-9)


@pytest.mark.parametrize("penalty", ["none", "firth"])
def test_a_table_of_counts_stands_for_the_patients(penalty: str) -> None:
    stage = RNG.integers(0, 3, 40)
    levels = np.column_stack([stage == 1, stage == 2]).astype(float)
    levels[::9] = np.nan
    known = np.isfinite(levels[:, 0])
    screen = fit_screen({"male": MALE + 1.0, "stage": levels}, Y)
    for name, columns, rows in (("male", MALE[:, None], np.full(40, True)), ("stage", levels, known)):
        found = screen[name].ml if penalty == "none" else screen[name].firth
        alone = fit_logistic(columns[rows], Y[rows], penalty=penalty)
        np.testing.assert_allclose(found.coef, alone.coef[1:], rtol=1e-8, atol=1e-10)
        np.testing.assert_allclose(found.ci, alone.ci[1:], rtol=1e-7)
        np.testing.assert_allclose(found.p, alone.p[1:], rtol=1e-7)


def test_factors_that_cannot_be_analysed_leave_the_others_alone() -> None:
    screen = fit_screen(
        {
            "constant": np.ones(40),
            "unknown": np.full(40, np.nan),
            "only in events": np.where(Y == 1, AGE, np.nan),
            "age": AGE,
        },
        Y,
    )
    assert [factor.reason for factor in screen.values()] == [
        "one value only",
        "no patient has a value",
        "one outcome class only among patients with a value",
        "",
    ]
    assert all(np.isnan(screen[name].firth.coef).all() for name in ("constant", "unknown", "only in events"))
    assert screen["age"].firth.converged


def test_flags_and_cells() -> None:
    marker = np.where(Y == 1, MALE, 0.0)
    levels = np.column_stack([np.arange(40) % 3 == 1, np.arange(40) % 3 == 2]).astype(float)
    screen = fit_screen({"age": AGE, "marker": marker, "stage": levels}, Y)
    assert screen["age"].cells is None
    assert screen["age"].flags == ()
    assert screen["marker"].flags == ("sparse", "separated")
    assert screen["marker"].ml.coef[0] == screen["marker"].ml.ci[0, 1] == np.inf
    assert np.isfinite(screen["marker"].ml.ci[0, 0])
    assert screen["stage"].cells.sum(axis=0).tolist() == [27.0, 13.0]
    assert screen["stage"].epv == 6.5
    assert screen["stage"].flags == ("sparse",)
    assert screen["stage"].firth.term.df == 2


def test_a_factor_of_another_length_is_named() -> None:
    with pytest.raises(InputError, match="key age: found another shape"):
        fit_screen({"age": AGE[:-1]}, Y)
