"""``rarefactor trace`` and ``rarefactor cite`` on the output of a run, and what they say where it is not one."""

import dataclasses
import json
from pathlib import Path

import pytest
import yaml

from rarefactor.cli import main
from rarefactor.results import Estimate, FactorInfo, FlowStep, ImageFile, InputFile, Results, write_results

EXAMPLES = Path(__file__).parents[3] / "examples"
ADDRESS = "univariable/month_6/albumin/per_1_g|dl/firth/odds_ratio"


@pytest.fixture
def out(tmp_path):
    written = yaml.safe_load((EXAMPLES / "pbc" / "study.yaml").read_text("utf-8"))
    study = written | {"authors": [{"family": "Doe", "given": "Jane"}]}
    parts = {"landmark": "month_6", "factor": "albumin", "term": "per 1 g/dl", "method": "firth", "n": 2, "events": 1}
    row = Estimate(
        analysis="univariable", measure="odds_ratio", estimate=2.0, patients="p1", source=("records",), **parts
    )
    shown = {"label": "Albumin", "kind": "continuous", "role": "marker", "measured_at": "baseline"}
    results = Results(
        study={"file": study},
        flow=(FlowStep(id="records", label="Patients in the records", n=3),),
        rows=(row, dataclasses.replace(row, method="ml", patients=None)),
        factors=(FactorInfo(name="albumin", images=("thigh@baseline",), **shown),),
        inputs=(InputFile(id="records", path="data/records.csv", sha256="a" * 64, bytes=1),),
        sets={"p1": ("S-1", "S-2")},
        images=tuple(
            ImageFile(of="thigh@baseline", subject=f"S-{i}", name=f"{i}_fat.dcm", sha256=str(i) * 64) for i in (1, 2, 3)
        ),
    )
    (tmp_path / "results.json").write_bytes(write_results(results))
    (tmp_path / "references.json").write_text(json.dumps([{"id": "firth1993"}]))
    return tmp_path


@pytest.mark.parametrize("name", ["", "results.json", "report.html"])
def test_a_number_is_traced_to_files_patients_and_scans(out, name, capsys):
    assert main(["trace", str(out / name), ADDRESS]) == 0
    shown = capsys.readouterr().out
    assert "Firth, penalised likelihood-ratio test" in shown
    assert "data/records.csv" in shown
    assert "a" * 64 in shown
    assert "S-1 S-2" in shown
    assert "2_fat.dcm" in shown
    assert "3_fat.dcm" not in shown


def test_what_is_not_known_is_said(out, capsys):
    assert main(["trace", str(out), ADDRESS.replace("firth", "ml")]) == 0
    assert "Its patients are not listed." in capsys.readouterr().out


def test_addresses_are_listed_by_words_or_pattern(out, capsys):
    for pattern in ("albumin firth", "univariable/*/firth/*"):
        assert main(["trace", str(out), "--list", pattern]) == 0
        assert capsys.readouterr().out.split() == [ADDRESS]
    assert main(["trace", str(out), "--list", "nothing like it"]) == 8
    assert main(["trace", str(out), "--list"]) == 0
    assert capsys.readouterr().out.split()[0] == "flow/records"


def test_a_slip_of_the_pen_is_met_with_the_address_that_was_meant(out, capsys):
    assert main(["trace", str(out), ADDRESS.replace("albumin", "albumine")]) == 8
    assert ADDRESS in capsys.readouterr().err


def test_a_folder_without_results_is_refused(tmp_path, capsys):
    assert main(["trace", str(tmp_path), ADDRESS]) == 4
    assert "no results.json" in capsys.readouterr().err


def test_a_run_is_cited_with_its_methods(out, capsys):
    assert main(["cite", str(out), "--methods", "--style", "vancouver"]) == 0
    study, program, method = capsys.readouterr().out.splitlines()
    assert study.startswith("1. Doe J. ")
    assert program.startswith("2. The rarefactor authors.")
    assert method.startswith(
        "3. Firth D. Bias reduction of maximum likelihood estimates. Biometrika. 1993;80(1):27-38."
    )


def test_a_study_that_did_not_run_is_cited_without_methods(capsys):
    assert main(["cite", str(EXAMPLES / "pbc48")]) == 0
    assert "(n.d.)" in capsys.readouterr().out
    assert main(["cite", str(EXAMPLES / "pbc48" / "study.yaml"), "--methods"]) == 4
    assert "Run the study first" in capsys.readouterr().err
