"""The risk of the next patient: a model that travels as a file, or the reason why there is none.

Convention: a model predicts with shrunken coefficients, in the units of its definitions, inside the ranges of its
cohort. One that its data cannot carry is written all the same, marked as for research only, and answers only if asked
for research.
"""

from rarefactor.predict._apply import (
    Contribution,
    PatientRisk,
    compute_risk,
    compute_risks,
    require_use,
)
from rarefactor.predict._file import FOLDER, read_model, write_model
from rarefactor.predict._values import Warned, find_unknown, known_names
from rarefactor.predict.stage import STEP, RiskModels, build

__all__ = [
    "FOLDER",
    "STEP",
    "Contribution",
    "PatientRisk",
    "RiskModels",
    "Warned",
    "build",
    "compute_risk",
    "compute_risks",
    "find_unknown",
    "known_names",
    "read_model",
    "require_use",
    "write_model",
]
