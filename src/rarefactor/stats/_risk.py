"""Log odds and risks of patients from coefficients.

Convention: patients with the same factors get the same number to the last bit, because ranks (AUC) depend on ties; a
matrix product does not promise that, so columns are added one by one.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike

from rarefactor.stats._arrays import Floats
from rarefactor.stats._inputs import check_outcome, raise_input, read_array


def compute_log_odds(coef: Floats, columns: Floats, offset: Floats | float = 0.0) -> Floats:
    """Return the log odds (B, n) from coefficients (B, p + 1) and columns (n, p) or (B, n, p); NaN where not finite."""
    lead = np.where(np.isfinite(coef).all(axis=1), 1.0, np.nan)[:, None]
    log_odds = np.zeros((len(coef), columns.shape[-2])) + coef[:, :1] * lead + offset
    for place in range(columns.shape[-1]):
        share = np.where(np.isfinite(coef[:, place + 1, None]), coef[:, place + 1, None], 0.0)
        log_odds += share * columns[..., place]
    return log_odds


def compute_logistic(log_odds: Floats) -> Floats:
    """Return the risks of log odds, without overflow."""
    small = np.exp(-np.abs(log_odds))
    return np.where(log_odds >= 0.0, 1.0, small) / (1.0 + small)


def compute_logit(risk: Floats) -> Floats:
    """Return the log odds of risks strictly between 0 and 1."""
    return np.log(risk) - np.log1p(-risk)


def read_predictions(y: ArrayLike, risk: ArrayLike) -> tuple[Floats, Floats]:
    """Return outcome (n,) and predicted risks (n,), checked."""
    outcome, risks = read_array(y, "y"), read_array(risk, "risk")
    check_outcome(outcome)
    if outcome.ndim != 1 or risks.shape != outcome.shape:
        raise_input("risk", f"shape {risks.shape}", f"shape {outcome.shape}, as y", "Give one risk per patient.")
    if not ((risks > 0.0) & (risks < 1.0)).all():
        raise_input(
            "risk", "values outside 0 to 1, at its ends, or missing", "risks between 0 and 1", "Use FLIC risks."
        )
    return outcome, risks
