"""Published clinical instruments as pure functions: arrays in, arrays or frozen values out.

Convention: one element per patient (or patient and visit), NaN where a value is missing; nothing is filled in or
prorated. Totals and grades only: questionnaires and forms are their owners' and are not here.
"""

from rarefactor.instruments._classification import (
    BIOPSY_FINDINGS,
    EULAR_ACR_CATEGORIES,
    EULAR_ACR_CUTOFFS,
    EULAR_ACR_WEIGHTS,
    Classification,
    compute_eular_acr,
)
from rarefactor.instruments._core_set import MEASURES, SLOTS, Measure, Version
from rarefactor.instruments._disability import (
    HAQ_CATEGORIES,
    HAQ_ITEMS,
    compute_haq_categories,
    compute_haq_di,
    compute_mrs,
)
from rarefactor.instruments._enzymes import (
    ENZYME_RANGES,
    UNITS,
    Censored,
    compute_multiples,
    compute_unit,
    read_censored,
)
from rarefactor.instruments._imacs import (
    IMACS_OUTCOMES,
    compute_confirmed,
    compute_imacs_improvement,
    compute_imacs_outcome,
    compute_imacs_worsening,
)
from rarefactor.instruments._strength import (
    MMT8_BILATERAL,
    MMT8_MUSCLES,
    MRC_COLUMNS,
    MRC_MOVEMENTS,
    MRC_TO_MMT,
    WEAKNESS,
    compute_mmt8,
    compute_mmt_from_mrc,
    compute_mrc_sum,
    compute_mrc_weakness,
)
from rarefactor.instruments._tis import (
    TIS_CATEGORIES,
    TIS_EDGES,
    TIS_POINTS,
    TIS_THRESHOLDS,
    TotalImprovement,
    compute_tis,
    compute_tis_category,
    compute_tis_points,
)

__all__ = [
    "BIOPSY_FINDINGS",
    "ENZYME_RANGES",
    "EULAR_ACR_CATEGORIES",
    "EULAR_ACR_CUTOFFS",
    "EULAR_ACR_WEIGHTS",
    "HAQ_CATEGORIES",
    "HAQ_ITEMS",
    "IMACS_OUTCOMES",
    "MEASURES",
    "MMT8_BILATERAL",
    "MMT8_MUSCLES",
    "MRC_COLUMNS",
    "MRC_MOVEMENTS",
    "MRC_TO_MMT",
    "SLOTS",
    "TIS_CATEGORIES",
    "TIS_EDGES",
    "TIS_POINTS",
    "TIS_THRESHOLDS",
    "UNITS",
    "WEAKNESS",
    "Censored",
    "Classification",
    "Measure",
    "TotalImprovement",
    "Version",
    "compute_confirmed",
    "compute_eular_acr",
    "compute_haq_categories",
    "compute_haq_di",
    "compute_imacs_improvement",
    "compute_imacs_outcome",
    "compute_imacs_worsening",
    "compute_mmt8",
    "compute_mmt_from_mrc",
    "compute_mrc_sum",
    "compute_mrc_weakness",
    "compute_mrs",
    "compute_multiples",
    "compute_tis",
    "compute_tis_category",
    "compute_tis_points",
    "compute_unit",
    "read_censored",
]
