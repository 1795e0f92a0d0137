"""Models of chosen columns, thousands of different ones in one batch: the columns left out take no part in the penalty.

Holding a coefficient at 0 tests it within a model, with the penalty of all of the model's columns; leaving a column out
makes another model, with a penalty of its own. Here every problem has its own set of columns (``active``), and the
information is that of the active ones.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from rarefactor.stats._arrays import (
    Bools,
    Floats,
    Ints,
    Inverse,
    compute_inverse,
    get_namespace,
    send,
    take_rows,
)
from rarefactor.stats._likelihood import Logistic
from rarefactor.stats._penalty import MaximumLikelihood, Objective, Point, derive_penalty_bend, derive_penalty_slope


@dataclass(frozen=True, slots=True)
class ActiveFirth:
    """Firth's objective in the ``active`` (B, k) columns of each problem; the others must be held at 0."""

    likelihood: Logistic
    active: Bools

    def evaluate(self, beta: Floats) -> Point:
        """Return value, gradient, curvature and information at ``beta`` (B, k)."""
        sums = self.likelihood.evaluate(beta)
        both = self.active[:, :, None] & self.active[:, None, :]
        xp = get_namespace(beta)
        information = xp.where(both, sums.information, send(np.eye(beta.shape[1]), beta))
        inverse = compute_inverse(information)
        inside = Inverse(xp.where(both, inverse.matrix, 0.0), inverse.log_determinant, inverse.positive)
        form = self.likelihood.spread_form(inside.matrix)
        bend = derive_penalty_bend(self.likelihood, sums, inside, form)
        return Point(
            value=xp.where(inverse.positive, sums.loglik + 0.5 * inverse.log_determinant, -np.inf),
            gradient=sums.score + derive_penalty_slope(self.likelihood, sums, form),
            curvature=sums.information - bend,
            information=information,
        )

    def take(self, rows: Ints) -> ActiveFirth:
        """Return the problems at these positions."""
        return ActiveFirth(self.likelihood.take(rows), take_rows(self.active, rows))

    def constant(self) -> Floats:
        """Return zero: only models of the same columns are compared."""
        return 0.0 * self.likelihood.scale[:, 0]


def choose_active(likelihood: Logistic, penalty: str, active: Bools) -> Objective[Logistic]:
    """Return what is maximised in the active columns; without a penalty the held ones play no part anyway."""
    return ActiveFirth(likelihood, active) if penalty == "firth" else MaximumLikelihood(likelihood)
