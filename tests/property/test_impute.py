"""What imputation must keep: what was observed, the levels, the definitions, and the coverage of what is pooled."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from rarefactor.errors import InputError
from rarefactor.stats import Derived, Variable, fit_many, impute, impute_many, pool_rubin
from rarefactor.stats._impute_binary import build_binary
from rarefactor.stats._impute_categories import (
    build_multinomial,
    build_proportional_odds,
    compute_shares,
    draw_coefficients,
)

FEW = settings(max_examples=12, deadline=None, derandomize=True)
seeds = st.integers(0, 10_000)
VARIABLES = (
    Variable(name="x"),
    Variable(name="z"),
    Variable(name="sex", kind="binary", levels=(1, 2)),
    Variable(name="stage", kind="ordered", levels=(1, 2, 3, 4)),
    Variable(name="site", kind="categorical", levels=(3, 1, 2)),
)
RATE = Derived(name="rate", parts=("x", "z"), compute=lambda x, z: (x - z) / 3.0, predictor=True)
HIGH = Derived(name="high", parts=("stage",), compute=lambda stage: (stage >= 3.0).astype(float))


def draw_data(seed: int, n: int = 50, share: float = 0.2) -> np.ndarray:
    rng = np.random.default_rng(seed)
    x = rng.normal(size=n)
    columns = [x, 0.6 * x + rng.normal(size=n), 1 + (rng.random(n) < 0.4), np.clip(np.round(2.5 + x), 1, 4)]
    data = np.column_stack([*columns, rng.integers(1, 4, size=n)]).astype(float)
    data[rng.random(data.shape) < share] = np.nan
    data[:4, 2:] = [[1, 1, 1], [2, 2, 2], [1, 3, 3], [2, 4, 1]]
    return data


@given(seeds)
@FEW
def test_observed_values_levels_and_definitions_hold(seed: int) -> None:
    data = draw_data(seed)
    found = impute(data, VARIABLES, m=3, iterations=3, derived=[RATE, HIGH], rng=np.random.default_rng(seed))
    observed = ~np.isnan(data)
    assert (found.values[:, :, :5][:, observed] == data[observed]).all()
    assert not np.isnan(found.values).any()
    for place in range(5):
        assert np.isin(found.values[:, :, place], data[observed[:, place], place]).all()
    np.testing.assert_array_equal(found.take(["rate"])[..., 0], (found.values[..., 0] - found.values[..., 1]) / 3.0)
    np.testing.assert_array_equal(found.take(["high"])[..., 0], found.values[..., 3] >= 3.0)
    assert (found.imputed[:, 5] == ~(observed[:, 0] & observed[:, 1])).all()
    assert found.trace_mean.shape == (3, 3, len(found.traced))
    assert not found.unsettled


@given(seeds)
@FEW
def test_nothing_missing_is_the_complete_case(seed: int) -> None:
    data = draw_data(seed, share=0.0)
    found = impute(data, VARIABLES, m=1, rng=np.random.default_rng(seed))
    assert found.complete
    np.testing.assert_array_equal(found.values[0], data)


@given(seeds)
@FEW
def test_units_do_not_matter_and_the_seed_decides(seed: int) -> None:
    data = draw_data(seed)
    units = np.array([1000.0, 1.0, 1.0, 1.0, 1.0])
    shift = np.array([50_000.0, 0.0, 0.0, 0.0, 0.0])
    first, again, other = (
        impute(table, VARIABLES, m=2, iterations=2, rng=np.random.default_rng(seed)).values
        for table in (data, data, data * units + shift)
    )
    np.testing.assert_array_equal(first, again)
    np.testing.assert_allclose((other - shift) / units, first, atol=1e-9)


def test_perfect_prediction_does_no_harm() -> None:
    rng = np.random.default_rng(4)
    x = np.linspace(-2.0, 2.0, 60)
    data = np.column_stack([x, x > 0.0, np.digitize(x, [-0.7, 0.7])]).astype(float)
    data[rng.random(60) < 0.3, 1] = np.nan
    data[rng.random(60) < 0.3, 2] = np.nan
    for kind in ("categorical", "ordered"):
        variables = [Variable(name="x"), Variable(name="side", kind="binary"), Variable(name="third", kind=kind)]
        found = impute(data, variables, m=20, iterations=5, rng=rng)
        far = found.imputed[:, 1] & (np.abs(x) > 1.0)
        assert (found.values[:, far, 1] == (x > 0.0)[far]).mean() > 0.9
        assert not found.unsettled


def test_pseudo_patients_do_not_draw_a_rare_category_towards_one_half() -> None:
    rng = np.random.default_rng(8)
    data = rng.normal(size=(200, 240, 11))
    data[..., 0] = np.arange(240) % 10 == 0
    data[:, 160:, 0] = np.nan
    variables = [Variable(name="rare", kind="binary"), *(Variable(name=f"x{j}") for j in range(10))]
    shares = {
        pseudo: impute_many(data, variables, m=2, iterations=1, pseudo=pseudo, rng=rng).values[:, :, 160:, 0].mean()
        for pseudo in ("observed", "equal")
    }
    assert shares["observed"] < 0.137 < shares["equal"]


def test_missing_at_random_is_covered_where_complete_cases_are_biased() -> None:
    rng = np.random.default_rng(12)
    studies, n, m = 300, 60, 10
    x = rng.normal(size=(studies, n))
    y = (rng.random((studies, n)) < 1.0 / (1.0 + np.exp(0.5 - x))).astype(float)
    z = x + rng.normal(size=x.shape)
    seen = np.where(rng.random(x.shape) < 0.1 + 0.5 * y, np.nan, x)
    variables = [Variable(name="x"), Variable(name="z"), Variable(name="y", kind="binary")]
    found = impute_many(np.stack([seen, z, y], axis=2), variables, m=m, iterations=2, rng=rng)
    completed = found.values[..., :1]
    means = pool_rubin(completed.mean(axis=2), completed.var(axis=2, ddof=1) / n, df_complete=n - 1)
    assert np.nanmean(seen) < -0.1
    assert abs(means.estimate.mean()) < 0.04
    assert 0.92 <= ((means.ci[..., 0] <= 0.0) & (means.ci[..., 1] >= 0.0)).mean() <= 0.98
    fits = fit_many(completed.reshape(-1, n, 1), np.repeat(y, m, axis=0))
    slopes = pool_rubin(fits.coef.reshape(studies, m, 2), fits.se.reshape(studies, m, 2) ** 2, df_complete=n - 2)
    assert 0.92 <= ((slopes.ci[:, 1, 0] <= 1.0) & (slopes.ci[:, 1, 1] >= 1.0)).mean() <= 0.99


def test_resamples_are_imputed_or_say_why_not() -> None:
    data = draw_data(1)
    data[:, 0] = np.where(np.arange(50) == 7, 0.5, np.nan)
    rows = np.array([np.arange(50), np.where(np.arange(50) == 7, 8, np.arange(50))])
    many = impute_many(data, VARIABLES, rows=rows, m=3, iterations=2, rng=np.random.default_rng(1))
    assert many.reason == ("", "nothing observed: x")
    none = impute_many(data, VARIABLES, rows=rows[1:], m=3, rng=np.random.default_rng(1))
    assert np.isnan(none.values).all()
    assert not np.isnan(many.values[0]).any()
    assert np.isnan(many.values[1]).all()


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"x": np.nan}, "column x: found nothing observed"),
        ({"x": np.inf}, "column x: found infinite values"),
        ({"sex": 3.0}, "column sex: found 50 values that are no level"),
        ({"variables": VARIABLES[:4]}, "found 4 variables; expected 5"),
        ({"order": ["z", "sex", "stage", "site"]}, "found x left out"),
        ({"allowed": 0.01}, "expected at most 1%"),
        ({"m": 0}, "key m: found 0"),
        ({"derived": [Derived(name="d", parts=("y",), compute=np.abs)]}, "found the part y"),
        ({"derived": [Derived(name="d", parts=("x",), compute=np.sum)]}, "key d: found a result of shape"),
        ({"variables": (Variable(name="x", kind="number"), *VARIABLES[1:])}, "found the kind 'number'"),
    ],
)
def test_what_cannot_be_imputed_is_named(change: dict[str, object], message: str) -> None:
    data = draw_data(2)
    arguments: dict[str, object] = {"variables": VARIABLES, "rng": np.random.default_rng(0)} | change
    for place, variable in enumerate(VARIABLES):
        if variable.name in arguments:
            data[:, place] = arguments.pop(variable.name)
    with pytest.raises(InputError, match=message):
        impute(data, **arguments)


@pytest.mark.parametrize("build", [build_multinomial, build_proportional_odds])
def test_slopes_and_curvature_are_those_of_the_value(build: object) -> None:
    rng = np.random.default_rng(3)
    design = np.insert(rng.normal(size=(2, 30, 3)), 0, 1.0, axis=2)
    codes, observed = rng.integers(0, 4, size=(2, 30)), rng.random((2, 30)) < 0.8
    model = build(design, codes, observed, compute_shares(codes, observed, 4, equal=False))
    size = 12 if build is build_multinomial else 6
    beta = np.concatenate([[-1.0, 0.2, 1.1], 0.3 * rng.normal(size=size - 3)])[None].repeat(2, axis=0)
    point = model.evaluate(beta)
    for place, unit in enumerate(1e-5 * np.eye(size)):
        up, down = model.evaluate(beta + unit), model.evaluate(beta - unit)
        np.testing.assert_allclose((up.value - down.value) / 2e-5, point.gradient[:, place], rtol=1e-6, atol=1e-6)
        np.testing.assert_allclose(
            (down.gradient - up.gradient) / 2e-5, point.curvature[:, place], rtol=1e-6, atol=1e-6
        )


def test_two_categories_are_one_logit_however_they_are_climbed() -> None:
    rng = np.random.default_rng(4)
    design = np.insert(rng.normal(size=(3, 30, 4)), 0, 1.0, axis=2)
    codes, observed = rng.integers(0, 2, size=(3, 30)), rng.random((3, 30)) < 0.8
    data = (design, codes, observed, compute_shares(codes, observed, 2, equal=False))
    beta = rng.normal(size=(3, 5))
    binary, multinomial = (build(*data).evaluate(beta) for build in (build_binary, build_multinomial))
    for name in ("value", "gradient", "curvature"):
        np.testing.assert_allclose(getattr(binary, name), getattr(multinomial, name), rtol=1e-10, err_msg=name)
    start = np.zeros((3, 5))
    draws = [
        draw_coefficients(build(*data), start, np.random.default_rng(1)) for build in (build_binary, build_multinomial)
    ]
    for one, other in zip(*draws, strict=True):
        np.testing.assert_allclose(one, other, rtol=1e-6)


@pytest.mark.parametrize("kind", ["continuous", "binary", "categorical", "ordered"])
def test_what_is_imputed_from_nothing_keeps_its_shares(kind: str) -> None:
    levels = 2 if kind == "binary" else 3
    x = np.arange(60.0) % levels
    x[:20] = np.nan
    data, variables = (
        np.column_stack([x, np.arange(60.0)]),
        [Variable(name="x", kind=kind, predictors=()), Variable(name="z")],
    )
    found = impute(data, variables, m=40, rng=np.random.default_rng(1))
    assert abs(found.values[:, :20, 0].mean() - np.nanmean(x)) < 0.15
    assert not found.unsettled
