"""The risk of a next patient by a model: with its interval, what contributes to it, and what is doubtful about it.

Convention: the shrunken coefficients predict. The interval is Wald's on the log odds, as wide as before shrinking; it
knows neither the error of the shrinkage nor that of a selection of factors. A patient who lacks a value has no risk:
nothing is filled in.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

import numpy as np

from rarefactor.errors import InputError, Problem, RefusalError
from rarefactor.predict._values import Patient, Value, Warned, find_unknown, read_patient
from rarefactor.results import RiskFactor, RiskModel, RiskTerm
from rarefactor.stats import Equation, PredictedRisks, predict_risks

RESEARCH = "research only"


@dataclass(frozen=True, slots=True, kw_only=True)
class Contribution:
    """What one factor adds to the log odds, compared with the mean of the cohort; ``value`` is the patient's."""

    factor: str
    label: str
    value: float | str
    unit: str | None
    log_odds: float

    @property
    def odds_times(self) -> float:
        """By how much the factor multiplies the odds, compared with the mean of the cohort."""
        return math.exp(self.log_odds)


@dataclass(frozen=True, slots=True, kw_only=True)
class PatientRisk:
    """The risk of one patient, 0 to 1; None where ``reason`` says why there is none.

    ``low`` and ``high`` are its limits at the level of the model, ``mean_risk`` is that of the cohort. ``use`` is
    "research only" where the model is not for patients.
    """

    risk: float | None
    low: float | None
    high: float | None
    mean_risk: float
    use: str
    contributions: tuple[Contribution, ...] = ()
    warned: tuple[Warned, ...] = ()
    reason: str = ""


def require_use(model: RiskModel, *, research: bool) -> None:
    """Refuse a model that is not for patients, unless it is asked for research.

    Raises
    ------
    RefusalError
        With every reason.
    """
    if model.allowed or research:
        return
    raise RefusalError(
        *(
            Problem(
                key=model.name,
                found=f"a model for research only: {reason.text}",
                expected="a model that its data can carry",
                next_step="Do not use it for patients; --research shows its risks, each marked.",
            )
            for reason in model.reasons
        )
    )


def compute_risk(model: RiskModel, given: Mapping[str, str], *, research: bool = False) -> PatientRisk:
    """Compute the risk of one patient.

    Parameters
    ----------
    model
        See :func:`read_model`.
    given
        Texts by the name of a factor, or of the column that it is made from.
    research
        Whether a model for research only may answer.

    Raises
    ------
    RefusalError
        The model is for research only.
    InputError
        A name that the model does not know, or a text that cannot be read: each, without its value.
    """
    unknown = find_unknown(model, given)
    if unknown:
        raise InputError(*unknown)
    try:
        return compute_risks(model, [given], research=research)[0]
    except InputError as error:
        raise InputError(*(replace(problem, row=None) for problem in error.problems)) from None


def compute_risks(
    model: RiskModel, patients: Sequence[Mapping[str, str]], *, research: bool = False
) -> tuple[PatientRisk, ...]:
    """Compute the risks of several patients; names that the model does not know are not looked at.

    Raises
    ------
    RefusalError
        The model is for research only.
    InputError
        Texts that cannot be read: each with its row, counted from 0, and column.
    """
    require_use(model, research=research)
    read = [read_patient(model, given) for given in patients]
    problems = [replace(problem, row=row) for row, patient in enumerate(read) for problem in patient.problems]
    if problems:
        raise InputError(*problems)
    return tuple(_compute(model, patient) for patient in read)


def _compute(model: RiskModel, patient: Patient) -> PatientRisk:
    warned = tuple(item for value in patient.values.values() for item in value.warned)
    nothing = PatientRisk(risk=None, low=None, high=None, mean_risk=model.mean_risk, use=model.use, warned=warned)
    if patient.missing:
        return replace(nothing, reason=f"not given: {', '.join(patient.missing)}")
    columns = np.array([_column(model.factor(term.factor), term, patient.values[term.factor]) for term in model.terms])
    found = _predict(model, columns)
    return replace(
        nothing,
        risk=float(found.risk[0]),
        low=float(found.low[0]),
        high=float(found.high[0]),
        contributions=_contributions(model, patient, columns),
    )


def _predict(model: RiskModel, columns: np.ndarray) -> PredictedRisks:
    equation = Equation(
        method=model.method,
        shrinkage=model.shrinkage or 1.0,
        coef=np.array([model.intercept, *(term.coefficient for term in model.terms)]),
        shrunken=np.array([model.shrunken_intercept, *(term.shrunken for term in model.terms)]),
        covariance=np.array(model.covariance),
        centre=np.array([term.centre for term in model.terms]),
        reason="",
    )
    return predict_risks(equation, columns[None], level=model.level)


def _column(factor: RiskFactor, term: RiskTerm, given: Value) -> float:
    """Return what stands in the column of a term: steps of a number, or 1 for its level."""
    if factor.levels:
        return float(given.value == term.term)
    value = float(given.value or 0.0)
    return math.log(value) / math.log(factor.step) if factor.transform == "log" else value / factor.step


def _contributions(model: RiskModel, patient: Patient, columns: np.ndarray) -> tuple[Contribution, ...]:
    centres = np.array([term.centre for term in model.terms])
    shares = np.array([term.shrunken for term in model.terms]) * (columns - centres)
    return tuple(
        Contribution(
            factor=factor.name,
            label=factor.label,
            value=patient.values[factor.name].value or 0.0,
            unit=factor.unit,
            log_odds=float(sum(shares[place] for place, term in enumerate(model.terms) if term.factor == factor.name)),
        )
        for factor in model.factors
    )
