"""What travels along the road after the analysis: one tidy table of numbers with its provenance.

Convention: a :class:`Estimate` is one number with its interval; fractions are 0 to 1; odds ratios are on the ratio
scale; a bound that does not exist is infinite and the row is flagged. Nothing here computes.
"""

from rarefactor.results._flag import Flag, Severity
from rarefactor.results._json import read_analysed, read_results, write_analysed, write_results
from rarefactor.results._limits import (
    DEFAULT_NAGELKERKE,
    FEW_EVENTS,
    FEW_EVENTS_PER_PARAMETER,
    FEW_IN_CELL,
    FEWEST_EVENTS_IN_MEAN,
    FEWEST_IMPUTED,
    FEWEST_IN_CURVE,
    LEAST_SHRINKAGE,
    TIPPING_SHARES,
)
from rarefactor.results._measured import CHANGES, ORIGINS, Measured, MeasuredTable, Picture
from rarefactor.results._measured_file import read_measured, write_measured
from rarefactor.results._model import (
    OUTCOME_UNKNOWN,
    SCHEMA,
    Analysed,
    Estimate,
    Exclusion,
    FactorInfo,
    FlowStep,
    ImageFile,
    InputFile,
    Kind,
    ModelInfo,
    Note,
    Quantity,
    Results,
)
from rarefactor.results._pairs import DIFFERENCE_OF_PAIR, MEAN_OF_PAIR, list_pairs
from rarefactor.results._risk_model import (
    RISK_SCHEMA,
    RiskAlias,
    RiskFactor,
    RiskMeasure,
    RiskModel,
    RiskOutcome,
    RiskPopulation,
    RiskProvenance,
    RiskReason,
    RiskSize,
    RiskTerm,
)
from rarefactor.results._trace import Trace, find_row, trace_row

__all__ = [
    "CHANGES",
    "DEFAULT_NAGELKERKE",
    "DIFFERENCE_OF_PAIR",
    "FEWEST_EVENTS_IN_MEAN",
    "FEWEST_IMPUTED",
    "FEWEST_IN_CURVE",
    "FEW_EVENTS",
    "FEW_EVENTS_PER_PARAMETER",
    "FEW_IN_CELL",
    "LEAST_SHRINKAGE",
    "MEAN_OF_PAIR",
    "ORIGINS",
    "OUTCOME_UNKNOWN",
    "RISK_SCHEMA",
    "SCHEMA",
    "TIPPING_SHARES",
    "Analysed",
    "Estimate",
    "Exclusion",
    "FactorInfo",
    "Flag",
    "FlowStep",
    "ImageFile",
    "InputFile",
    "Kind",
    "Measured",
    "MeasuredTable",
    "ModelInfo",
    "Note",
    "Picture",
    "Quantity",
    "Results",
    "RiskAlias",
    "RiskFactor",
    "RiskMeasure",
    "RiskModel",
    "RiskOutcome",
    "RiskPopulation",
    "RiskProvenance",
    "RiskReason",
    "RiskSize",
    "RiskTerm",
    "Severity",
    "Trace",
    "find_row",
    "list_pairs",
    "read_analysed",
    "read_measured",
    "read_results",
    "trace_row",
    "write_analysed",
    "write_measured",
    "write_results",
]
