"""The analyses of the study file: landmark tables in, one tidy table of results out.

Convention: every analysis is a task that depends on nothing but its landmark table, its factors and the level, so that
it is known by its content and reused while that is unchanged.
"""

from rarefactor.analyse._equation import FittedRisk, fit_risk_model
from rarefactor.analyse._trace import trace_results
from rarefactor.analyse.stage import Task, run, simulate, tasks

__all__ = ["FittedRisk", "Task", "fit_risk_model", "run", "simulate", "tasks", "trace_results"]
