"""The imputation model of two categories: logistic regression with pseudo-patients, climbed by the compiled kernel.

Convention: the same model as :class:`~rarefactor.stats._impute_categories.Multinomial` with one logit. The
pseudo-patients stand behind the patients as rows with fractional weights and outcomes, so that all of it is a plain
likelihood.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from rarefactor.stats._arrays import Bools, Floats, Ints
from rarefactor.stats._impute_categories import compute_pseudo_rows
from rarefactor.stats._likelihood import Logistic, Products
from rarefactor.stats._penalty import MaximumLikelihood
from rarefactor.stats._risk import compute_logistic


@dataclass(frozen=True, slots=True, kw_only=True)
class OwnRows(Logistic):
    """A likelihood whose problems each have columns of their own, used once: products of columns are not kept."""

    def sum_pairs(self, weights: Floats) -> Floats:
        """Return sum_i weights_i x_i x_i' as (B, k, k)."""
        return (self.design * weights[..., None]).swapaxes(1, 2) @ self.design


def build_binary(design: Floats, codes: Ints, observed: Bools, shares: Floats) -> MaximumLikelihood:
    """Return the model of codes (B, n) in 0, 1 on the design (B, n, k), intercept first, with ``shares`` (B, 2)."""
    problems, n, k = design.shape
    pseudo = compute_pseudo_rows(k - 1)
    columns = np.empty((problems, k, n + len(pseudo)))  # the order in which the kernel reads them
    columns[:, :, :n], columns[:, :, n:] = design.swapaxes(1, 2), pseudo.T
    outcome = np.empty((problems, n + len(pseudo)))
    outcome[:, :n], outcome[:, n:] = codes == 1, shares[:, 1:]
    weights = np.full(outcome.shape, k / max(1, len(pseudo)))
    weights[:, :n] = observed
    return MaximumLikelihood(
        OwnRows(
            design=columns.swapaxes(1, 2),
            outcome=outcome,
            weights=weights,
            offset=np.zeros((1, n + len(pseudo))),
            scale=np.ones((1, k)),
            products=Products(columns.swapaxes(1, 2)),  # never asked for
        )
    )


def compute_binary_probabilities(design: Floats, beta: Floats) -> Floats:
    """Return the probabilities (B, n, 2) of both categories."""
    risk = compute_logistic((design @ beta[..., None])[..., 0])
    return np.stack([1.0 - risk, risk], axis=2)
