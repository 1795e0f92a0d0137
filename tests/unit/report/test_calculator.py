"""The section on the risk of a next patient: an equation that adds up where a model may be used, else why not."""

import dataclasses
import math

import pytest

from rarefactor.report._calculator import calculator_methods, write_calculator
from rarefactor.report._document import write_document
from rarefactor.report._nomogram import draw_nomogram, list_axes
from rarefactor.report._source import read_source
from rarefactor.report.tree import Figure, Note, Number, Paragraph, Table, text_of
from rarefactor.results import (
    Estimate,
    RiskFactor,
    RiskModel,
    RiskOutcome,
    RiskPopulation,
    RiskProvenance,
    RiskReason,
    RiskSize,
    RiskTerm,
)

WHERE = {"landmark": "baseline", "model": "clinical", "n": 273, "events": 102}
SHARED = {"role": "marker", "measured_at": "baseline", "definition": "as measured"}
STAGES = ("III", "I", "II", "IV")
FACTORS = (
    RiskFactor(name="bilirubin", label="Serum bilirubin", kind="continuous", unit="mg/dl", step=2.0, transform="log",
               low=0.5, high=12.0, typical=1.3, **SHARED),
    RiskFactor(name="age", label="Age", kind="continuous", unit="years", step=10.0, low=33.0, high=68.0, typical=50.0,
               **SHARED),
    RiskFactor(name="male", label="Male sex", kind="binary", levels=("No", "Yes"), typical="No", **SHARED),
    RiskFactor(name="stage", label="Stage", kind="categorical", levels=STAGES, typical="IV", **SHARED),
)  # fmt: skip
TERMS = (
    ("bilirubin", "per 2-fold", 0.5),
    ("age", "per 10 years", -0.3),
    ("male", "Yes", 0.7),
    *(("stage", level, value) for level, value in zip(STAGES[1:], (-0.9, -0.2, 0.4), strict=True)),
)


def invent(**changes):
    months = {"landmark_month": 0.0, "month": 12.0, "horizon_months": 12.0}
    model = {
        "use": "prediction",
        "reasons": (),
        "synthetic": False,
        "name": "clinical",
        "label": "Clinic and biopsy",
        "valid_for": "Patients (randomised) at baseline.",
        "outcome": RiskOutcome(
            name="p", label="Progression", event="Progression", when="x", at="month 12", landmark="baseline", **months
        ),
        "population": RiskPopulation(eligibility=(), n=273, events=102, incomplete=4, imputations=20),
        "method": "flic",
        "level": 0.95,
        "shrinkage": 0.9,
        "intercept": -1.2,
        "shrunken_intercept": -1.0,
        "terms": tuple(
            RiskTerm(factor=factor, term=term, coefficient=value / 0.9, shrunken=value, centre=0.0)
            for factor, term, value in TERMS
        ),
        "covariance": tuple(tuple(0.1 * (row == column) for column in range(7)) for row in range(7)),
        "factors": FACTORS,
        "performance": (),
        "size": (
            RiskSize(supposed="15% of the largest R², the default", nagelkerke_r2=0.15, n=768, events=287.0,
                     parameters=10, supported_parameters=3, expected_shrinkage=0.76, overall_risk_margin=0.06,
                     enough=False),
        ),
        "provenance": RiskProvenance(study="s", title="S", plan_sha256="0", seed=1, software={}, inputs=()),
    }  # fmt: skip
    return RiskModel(**model | changes)


def rows():
    def row(measure, estimate, **more):
        return Estimate(measure=measure, estimate=estimate, **({"analysis": "risk_model"} | WHERE | more))

    for factor, term, value in ((None, "intercept", -1.0), *TERMS):
        yield row("coefficient", value, factor=factor, term=term, method="shrunken")
        yield row("coefficient", value / 0.9, factor=factor, term=term, method="flic")
    yield row("shrinkage", 0.9)
    yield row("risk", 0.183, group="typical", low=0.1, high=0.3)
    yield row("log_odds", -1.91, group="typical")
    few = {"analysis": "performance", "method": "r2_default"}
    yield row("required_n", 768.0, flags=("too_few",), **few)
    yield row("required_events", 287.0, **few)
    yield row("expected_shrinkage", 0.76, **few)
    yield row("supported_parameters", 3.0, **few)
    yield row("parameters", 10.0, analysis="performance")


@pytest.fixture(scope="module")
def section(results):
    def write(**changes):
        found = dataclasses.replace(results, rows=(*results.rows, *rows()))
        return read_source(found, [invent(**changes)])

    return write


def words(blocks):
    return [text_of(block.runs) for block in blocks if isinstance(block, Paragraph)]


def test_a_model_that_may_be_used_has_its_equation_worked_out(section):
    blocks = list(write_calculator(section()))
    equation, example = words(blocks)[3:5]
    assert equation.startswith(
        "Log odds = −1.000 + 0.500 × log₂(Serum bilirubin in mg/dl) − 0.300 × (Age in years / 10) + 0.700 × [Male sex] "
        "− 0.900 × [Stage: I] − 0.200 × [Stage: II] + 0.400 × [Stage: IV]. "
    )
    assert "−1.000 + 0.500 × 0.38 − 0.300 × 5 + 0.700 × 0 − 0.900 × 0 − 0.200 × 0 + 0.400 × 1 = −1.91" in example
    assert "a risk of 18.3% (95% CI 10.0–30.0). In the cohort 37.4% had the outcome." in example
    table = next(block for block in blocks if isinstance(block, Table))
    assert [text_of(cell.runs) for cell in table.rows[2].cells] == [
        "(Age in years / 10)",
        "−0.333",
        "−0.300",
        "33–68",
        "50",
    ]
    assert next(block for block in blocks if isinstance(block, Figure)).name == "nomogram-clinical"


def test_every_coefficient_has_its_row(section):
    shown = {run.row for run in write_document(section()).runs() if isinstance(run, Number)}
    assert {row.id for row in rows() if row.analysis == "risk_model"} <= shown


def test_a_model_for_research_shows_why_and_no_equation(section):
    reasons = (
        RiskReason(name="too_few", text="There are too few."),
        RiskReason(name="separated", text="Stage separates the outcome."),
    )
    blocks = list(write_calculator(section(use="research only", reasons=reasons)))
    assert words(blocks)[0].startswith("These data carry no risk calculator")
    assert not [text for text in words(blocks) if "Log odds" in text]
    note = next(block for block in blocks if isinstance(block, Note))
    few, separated = (text_of(item) for item in note.items)
    assert "its 10 parameters need 768 patients with 287 events by Riley’s criteria" in few
    assert "there are 273 with 102, which support 3. The shrinkage to expect is 0.76 (asked: at least 0.90)." in few
    assert separated == "Stage separates the outcome."
    figure = next(block for block in blocks if isinstance(block, Figure))
    assert figure.name == "risk-models-need"
    assert "768 needed, 273 there, shrinkage 0.76" in figure.alt


def test_the_axes_of_a_nomogram_add_up_to_the_log_odds():
    axes = {axis.label: dict(axis.marks) for axis in list_axes(invent())}
    assert axes["Serum bilirubin (mg/dl)"]["2"] == pytest.approx(0.5 * math.log2(2))
    assert axes["Age (years)"]["50"] == pytest.approx(-1.5)
    assert axes["Male sex"] == {"No": 0.0, "Yes": 0.7}
    assert axes["Stage"] == {"III": 0.0, "I": -0.9, "II": -0.2, "IV": 0.4}
    assert list(axes["Serum bilirubin (mg/dl)"]) == ["0.5", "1", "2", "5", "10", "12"]
    assert draw_nomogram(invent()).height < 100


def test_the_two_risks_of_a_patient_are_told_apart_in_one_place(section):
    told = next(block for block in write_calculator(section()) if "Two risks" in text_of(getattr(block, "runs", ())))
    text = text_of(told.runs)
    assert "the risks by FLIC: those of each model as it was fitted" in text
    assert "the coefficients of “Clinic and biopsy” times 0.90." in text
    assert any(isinstance(run, Number) and run.row.endswith("shrinkage") for run in told.runs)
    same = [text_of(block.runs) for block in write_calculator(section(shrinkage=None)) if isinstance(block, Paragraph)]
    assert any("nothing in them is shrunken" in text for text in same)
    assert not any("Two risks" in text for text in same)


def test_without_models_there_is_no_section(source):
    assert not list(write_calculator(source))
    assert not list(calculator_methods(source))
