"""Statistics for few patients and fewer events: arrays in, frozen values out.

Knows no study, no file and no state; imports NumPy only until a SciPy routine is called for. See the modules for their
conventions: `logistic` (fits), `screen` (every factor alone), `separation`, `compare`, `contingency`, `describe` and
`multiplicity`.
"""

from rarefactor.stats.compare import (
    ChiSquareTest,
    MeanComparison,
    RankComparison,
    compare_many,
    compare_means,
    compare_ranks,
)
from rarefactor.stats.contingency import (
    ExactTest,
    compare_exactly,
    compare_shares,
    compare_trend,
    compute_expected,
)
from rarefactor.stats.curves import ProfileCurves, compute_profiles
from rarefactor.stats.describe import Difference, Summary, compute_smd, compute_smd_of_counts, compute_summary
from rarefactor.stats.impute import Derived, Imputations, ManyImputations, Variable, impute, impute_many
from rarefactor.stats.logistic import (
    LogisticFit,
    ManyFits,
    TermTest,
    compute_term_tests,
    fit_logistic,
    fit_many,
)
from rarefactor.stats.multiplicity import compute_benjamini_hochberg, compute_holm
from rarefactor.stats.pool import (
    PooledEstimates,
    PooledProfiles,
    PooledTest,
    pool_chisq,
    pool_likelihoods,
    pool_profiles,
    pool_rubin,
    pool_wald,
)
from rarefactor.stats.proportion import compute_risk
from rarefactor.stats.screen import ScreenedFactor, ScreenedFit, fit_screen
from rarefactor.stats.separation import Separation, detect_separation

__all__ = [
    "ChiSquareTest",
    "Derived",
    "Difference",
    "ExactTest",
    "Imputations",
    "LogisticFit",
    "ManyFits",
    "ManyImputations",
    "MeanComparison",
    "PooledEstimates",
    "PooledProfiles",
    "PooledTest",
    "ProfileCurves",
    "RankComparison",
    "ScreenedFactor",
    "ScreenedFit",
    "Separation",
    "Summary",
    "TermTest",
    "Variable",
    "compare_exactly",
    "compare_many",
    "compare_means",
    "compare_ranks",
    "compare_shares",
    "compare_trend",
    "compute_benjamini_hochberg",
    "compute_expected",
    "compute_holm",
    "compute_profiles",
    "compute_risk",
    "compute_smd",
    "compute_smd_of_counts",
    "compute_summary",
    "compute_term_tests",
    "detect_separation",
    "fit_logistic",
    "fit_many",
    "fit_screen",
    "impute",
    "impute_many",
    "pool_chisq",
    "pool_likelihoods",
    "pool_profiles",
    "pool_rubin",
    "pool_wald",
]
