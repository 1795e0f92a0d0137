"""How many patients a risk model needs, and how large a model these patients support (Riley's criteria).

Convention: `r2` is the Cox-Snell R squared that the model is expected to have in new patients; parameters are the
coefficients considered (not only those kept), without the intercept; patients are rounded up, parameters down.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np

from rarefactor.stats._inputs import raise_input
from rarefactor.stats._risk import compute_logistic
from rarefactor.stats._tails import compute_normal_quantile

Z = 1.96
"""As printed in the papers, so that published examples come out to the patient."""

NODES = 200


@dataclass(frozen=True, slots=True, kw_only=True)
class SampleSize:
    """Patients needed: ``n`` is the largest of the three criteria.

    ``n_shrinkage``, ``n_optimism``, ``n_intercept`` are the criteria; ``events`` and ``events_per_parameter`` are those
    among ``n``; ``shrinkage`` is what is expected at ``n``; ``r2_max`` and ``r2_nagelkerke`` put ``r2`` into
    proportion.
    """

    n: int
    n_shrinkage: int
    n_optimism: int
    n_intercept: int
    events: float
    events_per_parameter: float
    shrinkage: float
    r2: float
    r2_max: float
    r2_nagelkerke: float


@dataclass(frozen=True, slots=True, kw_only=True)
class ModelSize:
    """What ``n`` patients support.

    ``largest`` is the largest number of parameters that meets ``by_shrinkage`` and ``by_optimism`` (0 if none does);
    ``intercept_margin`` is the half-width to which the overall risk is known; ``shrinkage`` is what a model of
    ``parameters`` is to expect (NaN where none were stated, or where there is no solution).
    """

    n: int
    largest: int
    by_shrinkage: int
    by_optimism: int
    intercept_margin: float
    parameters: int | None
    shrinkage: float
    r2: float
    r2_max: float


@dataclass(frozen=True, slots=True, kw_only=True)
class Criteria:
    """What is demanded of a model.

    Expected shrinkage of at least ``shrinkage``, an optimism in R squared of at most ``optimism`` (of its maximum), and
    an overall risk known to +- ``margin``.
    """

    shrinkage: float = 0.9
    optimism: float = 0.05
    margin: float = 0.05


RILEY = Criteria()


def compute_sample_size(parameters: int, prevalence: float, r2: float, *, criteria: Criteria = RILEY) -> SampleSize:
    """Compute how many patients a risk model of a binary outcome needs.

    Parameters
    ----------
    parameters
        Coefficients considered.
    prevalence
        Share of patients with the event, 0 to 1.
    r2
        Expected Cox-Snell R squared; see :func:`derive_r2_of_nagelkerke` and :func:`derive_r2_of_auc`.
    criteria
        What is demanded.

    Returns
    -------
    SampleSize
        The three criteria and the largest of them.

    Raises
    ------
    InputError
        No parameters, a prevalence outside 0 to 1, an R squared that the prevalence does not allow.

    References
    ----------
    Riley RD, Snell KIE, Ensor J, et al. Minimum sample size for developing a multivariable prediction model: part II.
    Stat Med 2019;38:1276-96.
    Riley RD, Ensor J, Snell KIE, et al. Calculating the sample size required for developing a clinical prediction
    model. BMJ 2020;368:m441.

    Examples
    --------
    >>> size = compute_sample_size(24, 0.174, 0.288)
    >>> size.n, size.n_shrinkage, size.n_optimism, size.n_intercept
    (662, 623, 662, 221)
    """
    _check_numbers(parameters, prevalence, r2)
    r2_max = compute_r2_max(prevalence)
    by_shrinkage = parameters / _cost_per_patient(criteria.shrinkage, r2)
    by_optimism = parameters / _cost_per_patient(_derive_needed_shrinkage(r2, r2_max, criteria), r2)
    by_intercept = (Z / criteria.margin) ** 2 * prevalence * (1.0 - prevalence)
    n = math.ceil(max(by_shrinkage, by_optimism, by_intercept))
    return SampleSize(
        n=n,
        n_shrinkage=math.ceil(by_shrinkage),
        n_optimism=math.ceil(by_optimism),
        n_intercept=math.ceil(by_intercept),
        events=n * prevalence,
        events_per_parameter=n * prevalence / parameters,
        shrinkage=compute_shrinkage(n, parameters, r2),
        r2=r2,
        r2_max=r2_max,
        r2_nagelkerke=r2 / r2_max,
    )


def compute_model_size(
    n: int, prevalence: float, r2: float, *, parameters: int | None = None, criteria: Criteria = RILEY
) -> ModelSize:
    """Compute the largest model that n patients support, and the shrinkage that a stated one is to expect.

    Parameters
    ----------
    n
        Patients.
    prevalence, r2
        As for :func:`compute_sample_size`.
    parameters
        The size of the model that is planned.
    criteria
        What is demanded.

    Returns
    -------
    ModelSize
        With ``largest`` 0 where these patients support no model.

    Raises
    ------
    InputError
        As for :func:`compute_sample_size`.

    References
    ----------
    Riley RD, Ensor J, Snell KIE, et al. Calculating the sample size required for developing a clinical prediction
    model. BMJ 2020;368:m441.

    Examples
    --------
    >>> size = compute_model_size(48, 0.325, 0.3, parameters=3)
    >>> size.largest, round(size.shrinkage, 2), round(size.intercept_margin, 2)
    (1, 0.86, 0.13)
    """
    _check_numbers(1 if parameters is None else parameters, prevalence, r2)
    if n < 1:
        raise_input("n", f"{n} patients", "at least one", "State the number of patients.")
    r2_max = compute_r2_max(prevalence)
    by_shrinkage = _round_down(n * _cost_per_patient(criteria.shrinkage, r2))
    by_optimism = _round_down(n * _cost_per_patient(_derive_needed_shrinkage(r2, r2_max, criteria), r2))
    return ModelSize(
        n=n,
        largest=min(by_shrinkage, by_optimism),
        by_shrinkage=by_shrinkage,
        by_optimism=by_optimism,
        intercept_margin=Z * math.sqrt(prevalence * (1.0 - prevalence) / n),
        parameters=parameters,
        shrinkage=math.nan if parameters is None else compute_shrinkage(n, parameters, r2),
        r2=r2,
        r2_max=r2_max,
    )


def compute_shrinkage(n: float, parameters: int, r2: float) -> float:
    """Return the uniform shrinkage S to expect: parameters = n (S - 1) log(1 - r2 / S); NaN without a solution.

    The right-hand side falls from infinity (S at r2) to 0 (S at 1), so there is one root, found by bisection.

    Examples
    --------
    >>> round(compute_shrinkage(662, 24, 0.288), 3)
    0.905
    """
    low, high = r2, 1.0
    for _ in range(200):
        middle = 0.5 * (low + high)
        if middle in (low, high):
            break
        if n * _cost_per_patient(middle, r2) > parameters:
            low = middle
        else:
            high = middle
    return 0.5 * (low + high)


def compute_r2_max(prevalence: float) -> float:
    """Return the largest Cox-Snell R squared that a prevalence allows.

    Examples
    --------
    >>> round(compute_r2_max(0.174), 4)
    0.6032
    """
    return 1.0 - math.exp(2.0 * _compute_null_loglik(prevalence))


def derive_r2_of_nagelkerke(nagelkerke: float, prevalence: float) -> float:
    """Return the Cox-Snell R squared of a Nagelkerke R squared.

    Examples
    --------
    >>> round(derive_r2_of_nagelkerke(0.3, 0.25), 3)
    0.203
    """
    return nagelkerke * compute_r2_max(prevalence)


def derive_r2_of_auc(auc: float, prevalence: float) -> float:
    """Return the Cox-Snell R squared of a model with this AUC, its log odds being normal in both outcome classes.

    The published route simulates a million patients from this very distribution; here its mean log-likelihood is
    integrated, so the answer does not depend on a seed.

    References
    ----------
    Riley RD, Van Calster B, Collins GS. A note on estimating the Cox-Snell R2 from a reported C statistic (AUROC).
    Stat Med 2021;40:859-64.

    Examples
    --------
    >>> round(derive_r2_of_auc(0.75, 0.3), 3)
    0.16
    """
    if not 0.5 <= auc < 1.0:
        raise_input("auc", f"{auc:g}", "an AUC of 0.5 to 1", "Turn the score round if its AUC is below 0.5.")
    _check_prevalence(prevalence)
    nodes, weights = np.polynomial.hermite_e.hermegauss(NODES)
    weights = weights / weights.sum()
    distance = math.sqrt(2.0) * compute_normal_quantile(auc)
    base = math.log(prevalence / (1.0 - prevalence))
    of_events = base + distance * (nodes + distance) - 0.5 * distance**2
    of_others = base + distance * nodes - 0.5 * distance**2
    loglik = float(
        prevalence * weights @ np.log(compute_logistic(of_events))
        + (1.0 - prevalence) * weights @ np.log(compute_logistic(-of_others))
    )
    return 1.0 - math.exp(2.0 * (_compute_null_loglik(prevalence) - loglik))


def _compute_null_loglik(prevalence: float) -> float:
    """Return the log-likelihood per patient when all have the same risk."""
    return prevalence * math.log(prevalence) + (1.0 - prevalence) * math.log1p(-prevalence)


def _cost_per_patient(shrinkage: float, r2: float) -> float:
    """Return the parameters that one patient pays for at this expected shrinkage."""
    return (shrinkage - 1.0) * math.log1p(-r2 / shrinkage) if r2 < shrinkage else math.inf


def _derive_needed_shrinkage(r2: float, r2_max: float, criteria: Criteria) -> float:
    """Return the shrinkage at which apparent and true R squared differ by the stated share of its maximum."""
    return r2 / (r2 + criteria.optimism * r2_max)


def _round_down(parameters: float) -> int:
    return math.floor(parameters) if math.isfinite(parameters) else 0


def _check_prevalence(prevalence: float) -> None:
    if not 0.0 < prevalence < 1.0:
        raise_input("prevalence", f"{prevalence:g}", "a share between 0 and 1", "Use 0.325 for 32.5%.")


def _check_numbers(parameters: int, prevalence: float, r2: float) -> None:
    _check_prevalence(prevalence)
    if parameters < 1:
        raise_input("parameters", f"{parameters}", "at least one", "Count the coefficients without the intercept.")
    if not 0.0 < r2 < compute_r2_max(prevalence):
        found, most = f"{r2:g}", compute_r2_max(prevalence)
        raise_input("r2", found, f"between 0 and {most:.3f} at this prevalence", "Give Cox and Snell's R squared.")
