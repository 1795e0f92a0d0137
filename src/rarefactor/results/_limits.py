"""The bounds that decide how results are flagged, shown or refused, for whoever sets them and whoever tells them.

Convention: below a bound is few, at the bound is enough.
"""

from __future__ import annotations

FEWEST_IN_CURVE = 5
"""Patients of a group, for a curve to be shown and for its comparison by a log-rank test."""

FEWEST_IMPUTED = 3
"""Missing values of a factor, for the chains that filled them in to be drawn."""

FEW_EVENTS = 5
"""Events on either side of a factor, in time to an event: below, a hazard ratio is sparse."""

FEW_IN_CELL = 5
"""Patients in a cell of a factor with the outcome: below, an odds ratio is sparse."""

FEW_EVENTS_PER_PARAMETER = 10
"""Events (or non-events, of an outcome) per parameter: below, every estimate of a model is sparse."""

FEWEST_EVENTS_IN_MEAN = 5
"""Neighbouring events whose residuals are shown as one mean, so that no patient's own is shown."""

DEFAULT_NAGELKERKE = 0.15
"""Share of the largest R squared that a model is supposed to explain where nothing is known (Riley et al. 2020)."""

LEAST_SHRINKAGE = 0.9
"""Shrinkage to expect of a risk model: below, it is for research only."""

TIPPING_SHARES = (0.0, 0.25, 0.5, 0.75, 1.0)
"""Shares with the outcome that are assumed among patients whose outcome is not known."""
