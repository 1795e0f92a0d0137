"""Whole synthetic studies with known truth: patients, records, scans and slides.

Convention: everything that is written says that it is synthetic; the same study, truth and seed give the same bytes.
"""

from rarefactor.simulate._cohort import SimulatedCohort, compute_intercept, simulate_cohort
from rarefactor.simulate._measured import tabulate_measured
from rarefactor.simulate._table import tabulate_truth
from rarefactor.simulate._truth import Truth, read_truth
from rarefactor.simulate.stage import change_patients, write_records, write_study

__all__ = [
    "SimulatedCohort",
    "Truth",
    "change_patients",
    "compute_intercept",
    "read_truth",
    "simulate_cohort",
    "tabulate_measured",
    "tabulate_truth",
    "write_records",
    "write_study",
]
