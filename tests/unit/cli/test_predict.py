"""``rarefactor predict``: one patient, a table, what a model wants, and what keeps it from answering."""

import csv

import pytest

from rarefactor import predict
from rarefactor.cli import main
from rarefactor.results import (
    RiskFactor,
    RiskModel,
    RiskOutcome,
    RiskPopulation,
    RiskProvenance,
    RiskReason,
    RiskTerm,
)

TABLE = "id,male,age,note\n007,yes,52,x\n008,no,,y\n009,no,88,z\n"


def invent(**changes):
    outcome = {"name": "refractory", "label": "Refractory at 12 months", "event": "Refractory", "when": "score < 40"}
    months = {"at": "month 12", "landmark": "baseline", "landmark_month": 0.0, "month": 12.0, "horizon_months": 12.0}
    shared = {"role": "marker", "measured_at": "baseline", "definition": "as measured"}
    model = {
        "use": "prediction",
        "reasons": (),
        "synthetic": False,
        "name": "clinical",
        "label": "Clinic",
        "valid_for": "Patients (adults) at baseline.",
        "outcome": RiskOutcome(**outcome, **months),
        "population": RiskPopulation(eligibility=("adults",), n=400, events=130, incomplete=0, imputations=0),
        "method": "flic",
        "level": 0.95,
        "shrinkage": 1.0,
        "intercept": -2.0,
        "shrunken_intercept": -2.0,
        "terms": (
            RiskTerm(factor="male", term="Yes", coefficient=1.0, shrunken=1.0, centre=0.4),
            RiskTerm(factor="age", term="per 10 years", coefficient=0.2, shrunken=0.2, centre=5.0),
        ),
        "covariance": ((0.1, 0.0, 0.0), (0.0, 0.05, 0.0), (0.0, 0.0, 0.01)),
        "factors": (
            RiskFactor(name="male", label="Male sex", kind="binary", levels=("No", "Yes"), typical="No", **shared),
            RiskFactor(
                name="age",
                label="Age",
                kind="continuous",
                unit="years",
                step=10.0,
                low=22.0,
                high=77.0,
                typical=50.0,
                **shared,
            ),
        ),
        "performance": (),
        "size": (),
        "provenance": RiskProvenance(study="s", title="S", plan_sha256="0", seed=1, software={}, inputs=()),
    }
    return RiskModel(**model | changes)


@pytest.fixture
def model(tmp_path):
    path = tmp_path / "clinical.json"
    path.write_bytes(predict.write_model(invent()))
    return str(path)


@pytest.fixture
def refused(tmp_path):
    reason = RiskReason(name="too_few", text="2 parameters need 470 patients; there are 400.")
    path = tmp_path / "refused.json"
    path.write_bytes(predict.write_model(invent(use="research only", reasons=(reason,))))
    return str(path)


@pytest.fixture
def table(tmp_path):
    path = tmp_path / "patients.csv"
    path.write_text(TABLE, encoding="utf-8")
    return path


def test_one_patient(model, capsys):
    assert main(["predict", model, "--set", "male=yes", "--set", "age=50"]) == 0
    shown = capsys.readouterr().out
    assert "risk          50%" in shown
    assert "95% interval  22% to 78%" in shown
    assert "cohort        32% (130 of 400 patients)" in shown
    assert ["Male", "sex", "Yes", "1.82"] in [line.split() for line in shown.splitlines()]
    assert "Valid for: Patients (adults) at baseline." in shown
    assert "research" not in shown


def test_a_patient_outside_the_ranges_gets_a_warning(model, capsys):
    assert main(["predict", model, "--set", "male=yes,age=88"]) == 0
    assert "Warning. Age: above the range of 22 to 77 years" in capsys.readouterr().out


def test_what_the_model_wants(model, capsys):
    assert main(["predict", model, "--list"]) == 0
    shown = [" ".join(line.split()) for line in capsys.readouterr().out.splitlines()]
    assert "male Male sex No, Yes baseline" in shown
    assert "age Age a number in years 22 to 77 baseline" in shown


def test_a_table_keeps_its_columns_and_gets_the_risks(model, table, capsys):
    out = table.with_name("risks.csv")
    assert main(["predict", model, str(table), "--out", str(out)]) == 0
    first, second, third = csv.DictReader(out.read_text(encoding="utf-8").splitlines())
    assert (first["id"], first["note"], first["risk"], first["risk_use"]) == ("007", "x", "0.51", "prediction")
    assert (second["risk"], second["risk_missing"]) == ("", "not given: age")
    assert third["risk_warnings"] == "age: above_range"
    shown = capsys.readouterr().out
    assert "1 of 3 patients lack a value and have no risk: nothing is filled in." in shown
    assert "007" not in shown


def test_a_model_for_research_answers_only_when_asked_and_marks_each_number(refused, table, capsys):
    given = ["--set", "male=yes", "--set", "age=50"]
    assert main(["predict", refused, *given]) == 10
    assert main(["predict", refused, str(table)]) == 10
    assert "2 parameters need 470 patients; there are 400." in capsys.readouterr().err
    assert main(["predict", refused, *given, "--research"]) == 0
    numbers = [line for line in capsys.readouterr().out.splitlines() if "%" in line or line.split()[-3:-2] == ["1.82"]]
    assert len(numbers) == 4
    assert all("(research only)" in line for line in numbers)
    out = table.with_name("risks.csv")
    assert main(["predict", refused, str(table), "--out", str(out), "--research"]) == 0
    assert {row["risk_use"] for row in csv.DictReader(out.read_text().splitlines())} == {"research only"}


@pytest.mark.parametrize(
    ("arguments", "code", "said"),
    [
        (["--set", "mle=yes"], 8, "Did you mean male?"),
        (["--set", "male"], 8, "a text without a name or an equals sign"),
        (["--set", "male=secret-17"], 8, "one of No, Yes"),
        ([], 2, "give a CSV file, or one patient's values"),
    ],
)
def test_what_cannot_be_understood_is_told_without_its_value(model, capsys, arguments, code, said):
    assert main(["predict", model, *arguments]) == code
    told = capsys.readouterr().err
    assert said in told
    assert "secret-17" not in told


@pytest.mark.parametrize(
    ("old", "new", "said"),
    [
        ("008,no,,y", "008,secret-17,,y", ["patients.csv, row 3, column male", "one of No, Yes"]),
        ("id,male", "id,mael", ["patients.csv, column male", "Did you mean mael?"]),
        ("note", "risk", ["column risk", "a column that the risks are called"]),
    ],
)
def test_a_table_that_does_not_fit_is_told_by_row_and_column(model, table, capsys, old, new, said):
    table.write_text(TABLE.replace(old, new), encoding="utf-8")
    assert main(["predict", model, str(table), "--out", str(table.with_name("risks.csv"))]) == 4
    told = capsys.readouterr().err
    assert all(words in told for words in said)
    assert "secret-17" not in told
    assert not table.with_name("risks.csv").exists()


def test_the_input_is_never_overwritten(model, table):
    assert main(["predict", model, str(table), "--out", str(table)]) == 4
    assert table.read_text(encoding="utf-8") == TABLE
