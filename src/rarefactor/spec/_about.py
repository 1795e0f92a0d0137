"""What only the authors know of their study: short texts that no data hold.

Convention: every key is free text in whole sentences, printed in the report as it stands; nothing is computed from it.
"""

from __future__ import annotations

from typing import Annotated

from pydantic import Field

from rarefactor.spec._part import Part

Words = Annotated[str, Field(min_length=1)] | None


class About(Part):
    """What a paper must say of a study beside its data; each key is optional.

    ``background`` and ``objectives`` open the report; ``setting``, ``dates``, ``recruitment``, ``treatments``,
    ``sample_size`` and ``bias`` stand with the patients, ``assessment`` (who judged the outcome, knowing what) with the
    outcome, ``measurement``, ``specimens`` and ``choice`` (why these factors and adjusters) with the factors;
    ``interpretation``, ``limitations``, ``generalisability`` and ``next_steps`` are the discussion; ``ethics``,
    ``registration``, ``funding``, ``interests``, ``data_sharing``, ``code_sharing`` and ``involvement`` (of patients)
    the declarations.

    Examples
    --------
    >>> About(setting="One hospital in one city.").given
    {'setting': 'One hospital in one city.'}
    """

    background: Words = None
    objectives: Words = None
    setting: Words = None
    dates: Words = None
    recruitment: Words = None
    treatments: Words = None
    sample_size: Words = None
    bias: Words = None
    assessment: Words = None
    measurement: Words = None
    specimens: Words = None
    choice: Words = None
    interpretation: Words = None
    limitations: Words = None
    generalisability: Words = None
    next_steps: Words = None
    ethics: Words = None
    registration: Words = None
    funding: Words = None
    interests: Words = None
    data_sharing: Words = None
    code_sharing: Words = None
    involvement: Words = None

    @property
    def given(self) -> dict[str, str]:
        """The texts that were given, by key."""
        return {key: text for key in type(self).model_fields if (text := getattr(self, key))}
