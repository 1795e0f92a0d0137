"""The analyses of the study file: landmark tables in, one tidy table of results out.

Convention: every analysis is a task that depends on nothing but its landmark table, its factors and the level, so that
it is known by its content and reused while that is unchanged.
"""

from rarefactor.analyse._equation import FittedRisk, fit_risk_model
from rarefactor.analyse._trace import trace_results
from rarefactor.analyse.stage import Task, collect, run, run_shortest_first, simulate, tasks

__all__ = [
    "FittedRisk",
    "Task",
    "collect",
    "fit_risk_model",
    "run",
    "run_shortest_first",
    "simulate",
    "tasks",
    "trace_results",
]
