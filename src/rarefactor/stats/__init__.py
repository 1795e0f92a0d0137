"""Statistics for few patients and fewer events: arrays in, frozen values out.

Knows no study, no file and no state; imports NumPy only until a SciPy routine is called for. See the modules for their
conventions: `logistic` (fits), `screen` (every factor alone), `separation`, `compare`, `contingency`, `describe` and
`multiplicity`; for predicting, `flic`, `performance`, `optimism`, `select` and `samplesize`.
"""

from rarefactor.stats._kernel import ENGINE
from rarefactor.stats.agreement import (
    BlandAltman,
    Icc,
    WeightedKappa,
    compute_bland_altman,
    compute_icc,
    compute_weighted_kappa,
)
from rarefactor.stats.calibration import Calibration, CalibrationCurve, compute_calibration, compute_calibration_curve
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
from rarefactor.stats.cox import CoxFit, fit_cox
from rarefactor.stats.cox_pool import (
    PooledCox,
    PooledHazards,
    compute_cumulative_hazard,
    pool_cox,
    pool_hazards_check,
)
from rarefactor.stats.curves import ProfileCurves, compute_profiles
from rarefactor.stats.decision import CorrectedBenefit, DecisionCurve, compute_net_benefit, correct_net_benefit
from rarefactor.stats.describe import Difference, Summary, compute_smd, compute_smd_of_counts, compute_summary
from rarefactor.stats.design import Design, MethodDesign, simulate_design
from rarefactor.stats.discrimination import Auc, AucComparison, compare_auc, compute_auc, correct_auc
from rarefactor.stats.equation import Equation, PredictedRisks, fit_equation, predict_risks
from rarefactor.stats.evidence import (
    Attainable,
    Contradiction,
    Published,
    check_percent,
    check_published,
    compute_attainable,
    compute_e_value,
    compute_log_odds,
    derive_published,
)
from rarefactor.stats.flic import ManyRiskFits, RiskFit, fit_many_risks, fit_risk
from rarefactor.stats.hazards import HazardsCheck, HazardsSmooth, compute_hazards_check, compute_hazards_smooth
from rarefactor.stats.imputation import Derived, Imputations, ManyImputations, Variable, impute, impute_many
from rarefactor.stats.imputed_selection import ImputedSelectionProcedure
from rarefactor.stats.influence import Distances, Influence, compute_distances, compute_influence
from rarefactor.stats.instability import (
    CalibrationInstability,
    Instability,
    compute_calibration_instability,
    compute_instability,
)
from rarefactor.stats.logistic import (
    LogisticFit,
    ManyFits,
    TermTest,
    compute_term_tests,
    fit_logistic,
    fit_many,
)
from rarefactor.stats.meta import Pooled, pool_studies
from rarefactor.stats.mixed import MixedFit, fit_mixed
from rarefactor.stats.multiplicity import compute_benjamini_hochberg, compute_holm
from rarefactor.stats.optimism import CorrectedMeasure, Estimate632, Optimism, compute_optimism
from rarefactor.stats.performance import Measures, Performance, compute_measures, compute_performance
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
from rarefactor.stats.prior import PriorRows, derive_prior_rows, fit_with_prior
from rarefactor.stats.procedure import ImputedProcedure, Imputer, ModelProcedure, Predictions, Procedure
from rarefactor.stats.proportion import compute_risk
from rarefactor.stats.rank_correlation import RankCorrelation, compute_rank_correlation
from rarefactor.stats.rate import Rates, compute_rates
from rarefactor.stats.resampling import count_resamples, draw_resamples
from rarefactor.stats.roc import compute_sensitivities
from rarefactor.stats.samplesize import (
    Criteria,
    ModelSize,
    SampleSize,
    compute_model_size,
    compute_r2_max,
    compute_sample_size,
    compute_shrinkage,
    derive_r2_of_auc,
    derive_r2_of_nagelkerke,
)
from rarefactor.stats.screen import ScreenedFactor, ScreenedFit, fit_screen
from rarefactor.stats.select import SelectionProcedure, SelectionRule, Selections, fit_selection
from rarefactor.stats.sensitivity import (
    CutScan,
    OutcomeScan,
    PenaltyScan,
    compare_penalties,
    compute_selected_tail,
    scan_cuts,
    scan_missing_outcomes,
)
from rarefactor.stats.separation import Separation, detect_separation
from rarefactor.stats.stability import ColumnStability, ModelFrequency, Stability, compute_stability
from rarefactor.stats.survival import (
    IncidenceCurves,
    LogRank,
    SurvivalAt,
    SurvivalCurve,
    TimeEstimate,
    compare_survival,
    compute_restricted_mean,
    compute_survival_at,
    compute_survival_time,
    fit_aalen_johansen,
    fit_kaplan_meier,
)

__all__ = [
    "ENGINE",
    "Attainable",
    "Auc",
    "AucComparison",
    "BlandAltman",
    "Calibration",
    "CalibrationCurve",
    "CalibrationInstability",
    "ChiSquareTest",
    "ColumnStability",
    "Contradiction",
    "CorrectedBenefit",
    "CorrectedMeasure",
    "CoxFit",
    "Criteria",
    "CutScan",
    "DecisionCurve",
    "Derived",
    "Design",
    "Difference",
    "Distances",
    "Equation",
    "Estimate632",
    "ExactTest",
    "HazardsCheck",
    "HazardsSmooth",
    "Icc",
    "Imputations",
    "ImputedProcedure",
    "ImputedSelectionProcedure",
    "Imputer",
    "IncidenceCurves",
    "Influence",
    "Instability",
    "LogRank",
    "LogisticFit",
    "ManyFits",
    "ManyImputations",
    "ManyRiskFits",
    "MeanComparison",
    "Measures",
    "MethodDesign",
    "MixedFit",
    "ModelFrequency",
    "ModelProcedure",
    "ModelSize",
    "Optimism",
    "OutcomeScan",
    "PenaltyScan",
    "Performance",
    "Pooled",
    "PooledCox",
    "PooledEstimates",
    "PooledHazards",
    "PooledProfiles",
    "PooledTest",
    "PredictedRisks",
    "Predictions",
    "PriorRows",
    "Procedure",
    "ProfileCurves",
    "Published",
    "RankComparison",
    "RankCorrelation",
    "Rates",
    "RiskFit",
    "SampleSize",
    "ScreenedFactor",
    "ScreenedFit",
    "SelectionProcedure",
    "SelectionRule",
    "Selections",
    "Separation",
    "Stability",
    "Summary",
    "SurvivalAt",
    "SurvivalCurve",
    "TermTest",
    "TimeEstimate",
    "Variable",
    "WeightedKappa",
    "check_percent",
    "check_published",
    "compare_auc",
    "compare_exactly",
    "compare_many",
    "compare_means",
    "compare_penalties",
    "compare_ranks",
    "compare_shares",
    "compare_survival",
    "compare_trend",
    "compute_attainable",
    "compute_auc",
    "compute_benjamini_hochberg",
    "compute_bland_altman",
    "compute_calibration",
    "compute_calibration_curve",
    "compute_calibration_instability",
    "compute_cumulative_hazard",
    "compute_distances",
    "compute_e_value",
    "compute_expected",
    "compute_hazards_check",
    "compute_hazards_smooth",
    "compute_holm",
    "compute_icc",
    "compute_influence",
    "compute_instability",
    "compute_log_odds",
    "compute_measures",
    "compute_model_size",
    "compute_net_benefit",
    "compute_optimism",
    "compute_performance",
    "compute_profiles",
    "compute_r2_max",
    "compute_rank_correlation",
    "compute_rates",
    "compute_restricted_mean",
    "compute_risk",
    "compute_sample_size",
    "compute_selected_tail",
    "compute_sensitivities",
    "compute_shrinkage",
    "compute_smd",
    "compute_smd_of_counts",
    "compute_stability",
    "compute_summary",
    "compute_survival_at",
    "compute_survival_time",
    "compute_term_tests",
    "compute_weighted_kappa",
    "correct_auc",
    "correct_net_benefit",
    "count_resamples",
    "derive_prior_rows",
    "derive_published",
    "derive_r2_of_auc",
    "derive_r2_of_nagelkerke",
    "detect_separation",
    "draw_resamples",
    "fit_aalen_johansen",
    "fit_cox",
    "fit_equation",
    "fit_kaplan_meier",
    "fit_logistic",
    "fit_many",
    "fit_many_risks",
    "fit_mixed",
    "fit_risk",
    "fit_screen",
    "fit_selection",
    "fit_with_prior",
    "impute",
    "impute_many",
    "pool_chisq",
    "pool_cox",
    "pool_hazards_check",
    "pool_likelihoods",
    "pool_profiles",
    "pool_rubin",
    "pool_studies",
    "pool_wald",
    "predict_risks",
    "scan_cuts",
    "scan_missing_outcomes",
    "simulate_design",
]
