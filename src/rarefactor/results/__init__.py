"""What travels along the road after the analysis: one tidy table of numbers with its provenance.

Convention: a :class:`Estimate` is one number with its interval; fractions are 0 to 1; odds ratios are on the ratio
scale; a bound that does not exist is infinite and the row is flagged. Nothing here computes.
"""

from rarefactor.results._json import read_findings, read_results, write_findings, write_results
from rarefactor.results._model import (
    SCHEMA,
    Estimate,
    Exclusion,
    FactorInfo,
    Findings,
    FlowStep,
    InputFile,
    ModelInfo,
    Note,
    Results,
)

__all__ = [
    "SCHEMA",
    "Estimate",
    "Exclusion",
    "FactorInfo",
    "Findings",
    "FlowStep",
    "InputFile",
    "ModelInfo",
    "Note",
    "Results",
    "read_findings",
    "read_results",
    "write_findings",
    "write_results",
]
