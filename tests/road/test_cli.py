"""The commands on a whole small study: what they write, what they say, what they do again."""

import json
import subprocess
from pathlib import Path

import pytest

from rarefactor.cli import main
from rarefactor.work import MANIFEST

REPORTS = ["report.html", "report.docx", "report.pdf"]


def names(folder):
    return {path.relative_to(folder).as_posix() for path in folder.rglob("*") if path.is_file()}


def test_a_run_writes_the_whole_output_and_the_next_does_nothing_again(clinic, capsys):
    assert main(["run", str(clinic.folder)]) == 0
    shown = capsys.readouterr()
    for name in REPORTS:
        assert str(clinic.out / name) in shown.out
    assert "(unchanged)" not in shown.err
    assert names(clinic.out) >= {*REPORTS, "results.json", "run.log", "provenance/ro-crate-metadata.json", MANIFEST}
    subprocess.run(["sha256sum", "--quiet", "-c", MANIFEST], cwd=clinic.out, check=True)
    results = (clinic.out / "results.json").read_bytes()

    assert main(["run", str(clinic.folder)]) == 0
    assert "(unchanged)" in capsys.readouterr().err
    assert (clinic.out / "results.json").read_bytes() == results


def test_an_output_elsewhere_is_the_same(clinic, tmp_path):
    for out in ["one", "two"]:
        assert main(["run", str(clinic.study), "--out", str(tmp_path / out), "--quiet"]) == 0
    one, two = tmp_path / "one", tmp_path / "two"
    assert names(one) == names(two)
    for name in ["results.json", "report.html", "report.pdf"]:
        assert (one / name).read_bytes() == (two / name).read_bytes()


def test_nothing_in_the_output_names_a_patient(clinic):
    clinic.set_column("id", lambda old: f"Jane{old}Doe")
    assert main(["run", str(clinic.folder), "--quiet"]) == 0
    for path in clinic.out.rglob("*"):
        assert path.is_dir() or b"Jane0" not in path.read_bytes()


def test_a_quiet_run_says_nothing(clinic, capsys):
    assert main(["run", str(clinic.folder), "--quiet"]) == 0
    shown = capsys.readouterr()
    assert shown.out == shown.err == ""


def test_a_plan_runs_and_writes_nothing(clinic, capsys):
    assert main(["run", str(clinic.folder), "--dry-run"]) == 0
    shown = capsys.readouterr().out
    assert "to do" in shown
    assert "unchanged" not in shown
    assert not clinic.out.exists()
    main(["run", str(clinic.folder), "--quiet"])
    capsys.readouterr()
    assert main(["run", str(clinic.folder), "--dry-run"]) == 0
    assert "unchanged" in capsys.readouterr().out


def test_a_change_of_one_factor_does_not_do_everything_again(clinic, capsys):
    main(["run", str(clinic.folder), "--quiet"])
    clinic.edit("label: Marker", "label: Antibody")
    capsys.readouterr()
    assert main(["run", str(clinic.folder)]) == 0
    assert b"Antibody" in (clinic.out / "report.html").read_bytes()


@pytest.mark.slow
def test_the_demo_ends_with_the_reports_of_the_examples_that_are_named(tmp_path, capsys):
    assert main(["demo", "pbc48", "pbc", "--out", str(tmp_path)]) == 0
    shown = capsys.readouterr().out.split()
    reports = [Path(word) for word in shown if word.endswith(tuple(REPORTS))]
    assert [path.parent.parent.name for path in reports[:: len(REPORTS)]] == ["pbc48", "pbc"]
    assert all(path.stat().st_size > 10_000 for path in reports)
    results = json.loads((tmp_path / "pbc" / "out" / "results.json").read_text(encoding="utf-8"))
    assert results["flow"][0]["n"] == 418


def test_the_demo_of_an_unknown_example_offers_the_nearest(tmp_path, capsys):
    assert main(["demo", "pbc84", "--out", str(tmp_path)]) == 8
    assert "Did you mean pbc48?" in capsys.readouterr().err
    assert list(tmp_path.iterdir()) == []
