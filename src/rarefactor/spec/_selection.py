"""How factors of a model are selected, where the study file asks for it."""

from __future__ import annotations

from typing import Literal

from pydantic import Field

from rarefactor.spec._part import Name, Part


class Selection(Part):
    """A rule that selects factors of each model; it is repeated inside every resample.

    ``backward`` elimination drops the factor with the largest P value above ``alpha``, one at a time; ``augmented``
    does so only where no other odds ratio changes by the share ``tau`` or more; ``univariable`` keeps the factors whose
    P value alone is at most ``alpha``. Factors in ``keep`` always stay.
    """

    method: Literal["backward", "augmented", "univariable"]
    alpha: float = Field(default=0.157, gt=0, le=1)
    tau: float = Field(default=0.05, gt=0, lt=1)
    keep: tuple[Name, ...] = ()
