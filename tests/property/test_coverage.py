"""The 95 % intervals hold the truth in about 95 % of studies of 40 patients, also where values were missing.

The benchmarks coverage.py and coverage_mi.py are the long form. Here the Monte-Carlo error is up to 1.8 points, so that
a share is held to 93.5 to 96.5 % with three of its errors on either side.
"""

import numpy as np
import pytest

from rarefactor.stats import Variable, fit_many, impute_many, pool_profiles

N = 40
LOW, HIGH = 0.935, 0.965


def draw_studies(
    studies: int, intercept: float, slopes: tuple[float, ...], shares: tuple[float, ...], correlation: float
) -> tuple[np.ndarray, np.ndarray]:
    """Columns (R, 40, p), binary where there is a share and else continuous, and outcomes (R, 40)."""
    rng = np.random.default_rng(2020)
    p = len(slopes)
    latent = rng.normal(size=(2 * studies, N, p)) @ np.linalg.cholesky(correlation + (1.0 - correlation) * np.eye(p)).T
    X = np.stack(
        [
            latent[..., j] > np.quantile(latent[..., j], 1.0 - share) if share else latent[..., j]
            for j, share in enumerate(shares)
        ],
        axis=2,
    ).astype(float)
    y = (rng.random(X.shape[:2]) < 1.0 / (1.0 + np.exp(-intercept - X @ np.array(slopes)))).astype(float)
    varied = (np.ptp(X, axis=1) > 0.0).all(axis=1) & (np.abs(y.sum(axis=1) - N / 2) <= N / 2 - 3)
    return X[varied][:studies], y[varied][:studies]


def check_share(covered: np.ndarray) -> None:
    error = np.sqrt(0.95 * 0.05 / len(covered))
    share = covered.mean(axis=0)
    assert (share > LOW - 3.0 * error).all(), share
    assert (share < HIGH + 3.0 * error).all(), share


@pytest.mark.slow
@pytest.mark.parametrize(
    ("intercept", "slopes", "shares", "correlation"),
    [
        (-0.7, (0.0, 0.0, 0.0), (0.5, 0.4, 0.0), 0.0),
        (-2.0, (2.1, 0.7, 0.0), (0.4, 0.5, 0.5), 0.0),
        (-0.9, (0.7, 0.4, 0.0), (0.0, 0.0, 0.0), 0.6),
        (-0.5, (1.1, 0.0, 0.7), (0.5, 0.4, 0.0), 0.0),
        (-1.2, (1.4, 0.5, 0.0), (0.15, 0.0, 0.5), 0.0),
        (-1.4, (1.1, 0.0, 0.5, 0.5, 0.0), (0.4, 0.5, 0.0, 0.3, 0.0), 0.3),
    ],
    ids=["no effects", "binary", "continuous, correlated", "half events", "a rare factor", "five factors"],
)
def test_firth_intervals_cover(
    intercept: float, slopes: tuple[float, ...], shares: tuple[float, ...], correlation: float
) -> None:
    X, y = draw_studies(1500, intercept, slopes, shares, correlation)
    ci = fit_many(X, y, intervals=True).ci[:, 1:]
    check_share((ci[..., 0] <= slopes) & (np.array(slopes) <= ci[..., 1]))


@pytest.mark.slow
@pytest.mark.parametrize(
    ("intercept", "slopes"), [(-0.7, (0.0, 0.0, 0.0)), (-1.6, (1.4, 0.7, 0.5))], ids=["no effects", "effects"]
)
def test_pooled_intervals_cover_where_a_fifth_is_missing(intercept: float, slopes: tuple[float, ...]) -> None:
    X, y = draw_studies(150, intercept, slopes, (0.4, 0.0, 0.0), 0.4)
    rng = np.random.default_rng(7)
    gone = rng.random((*y.shape, 2)) < (0.15 + 0.1 * y)[..., None]  # more often missing in patients with the event
    X[..., :2] = np.where(gone, np.nan, X[..., :2])
    names = ("binary", "marker", "adjuster")
    variables = [Variable(name=name, kind="binary" if name == "binary" else "continuous") for name in names]
    variables.append(Variable(name="event", kind="binary"))
    data = np.concatenate([X, y[..., None]], axis=2)
    completed = impute_many(data, variables, m=10, iterations=5, rng=rng).take(names)
    ci = np.stack([pool_profiles(each, outcome).ci[1:] for each, outcome in zip(completed, y, strict=True)])
    check_share((ci[..., 0] <= slopes) & (np.array(slopes) <= ci[..., 1]))
