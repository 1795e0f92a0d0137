"""Keys of ``pathology`` that do not fit each other, and a study whose sections were only scored."""

import json
from typing import Any

import pytest

from rarefactor import pathology, spec
from rarefactor.cli import main
from rarefactor.errors import StudyFileError


def add(clinic: Any, keys: str) -> None:
    clinic.edit("outcome:\n", f"pathology:\n  biopsy: {{{keys}}}\noutcome:\n")


@pytest.mark.parametrize(
    ("keys", "found"),
    [
        ("stains: {CD20: area}", "neither slides nor scores"),
        ("folder: slides, stains: {CD20: area}, runs: controls", "runs: controls without a manifest"),
        ("folder: slides, stains: {CD20: area}, detector: stardist:models", "a detector of nuclei where no stain"),
        ("folder: slides, stains: {CD20: area}, runs: adjust", "runs"),
        ("folder: slides, stains: {CD20: {threshold: 3}}", "threshold"),
    ],
)
def test_keys_that_do_not_fit(clinic: Any, keys: str, found: str) -> None:
    add(clinic, keys)
    with pytest.raises(StudyFileError) as error:
        spec.load(clinic.study)
    assert found in str(error.value)


def test_a_detector_that_is_not_there_is_told_by_a_check(clinic: Any, capsys: pytest.CaptureFixture[str]) -> None:
    add(clinic, "folder: slides, stains: {CD20: cells}, detector: 'cellpose:models/cpsam'")
    (clinic.folder / "slides").mkdir()
    assert main(["check", str(clinic.study)]) == 9
    assert "no usable package cellpose (not installed)" in capsys.readouterr().err


def test_the_default_denominator_is_the_section(clinic: Any) -> None:
    add(clinic, "folder: slides, stains: {CD20: cells, BAFF-R: {denominator: dense}}")
    readings = pathology._plan.make_readings(spec.load(clinic.study).pathology["biopsy"])
    assert {name: reading.denominator.value for name, reading in readings.items()} == {
        "CD20": "section",
        "BAFF-R": "dense pixels",
    }


def test_sections_that_were_only_scored(clinic: Any) -> None:
    add(clinic, "stains: {BAFF-R: area}, scores: scores.csv")
    rows = [f"{number:03},BAFF-R,{who},%,{number}" for number in range(1, 50) for who in "AB"]
    (clinic.folder / "scores.csv").write_text("\n".join(["patient,stain,reader,scale,score", *rows]))
    study = spec.load(clinic.study)
    (table,) = pathology.describe(study).tables
    assert list(table.quantities) == ["BAFF-R.score"]
    asked = pathology.plan(study, {f"{number:03}": f"S{number}" for number in range(1, 49)})
    assert asked is not None
    assert asked.scored_strangers == 1
    found = pathology.measure(study, asked, code="")
    (table,) = found.tables
    assert table.quantities["BAFF-R.score"].unit == "%"
    assert table.frame.filter(subject="S7").to_dicts() == [{"subject": "S7", "visit": "baseline", "BAFF-R.score": 7.0}]
    assert list(found.files) == ["measurements/ihc_agreement.csv"]
    assert {item.id for item in found.inputs} == {"ihc_scores"}
    assert json.dumps([row.id for row in found.rows]).count("icc_agreement") == 1
