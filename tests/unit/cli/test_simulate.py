"""``rarefactor simulate``: a new folder that says that its patients do not exist."""

from __future__ import annotations

from pathlib import Path

import pytest

from rarefactor.cli import main

EXAMPLE = Path(__file__).parents[3] / "examples" / "anm-srp"


def test_a_study_is_made_and_says_what_it_is(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    made = tmp_path / "made"
    options = ["--patients", "60", "--no-images", "--seed", "4"]
    assert main(["simulate", str(EXAMPLE), "--out", str(made), *options]) == 0
    shown = capsys.readouterr()
    assert "patients who do not exist" in shown.out
    assert "rarefactor run" not in shown.out  # its images are not there
    assert "60 patients, 50 with outcome" in shown.err
    assert (made / "data/records.csv").is_file()
    assert "synthetic" in (made / "truth/README.txt").read_text(encoding="utf-8")


def test_a_study_without_truth_is_told_what_it_lacks(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["simulate", str(EXAMPLE.parent / "pbc"), "--out", str(tmp_path / "made")]) == 3
    assert "the truth of a synthetic study" in capsys.readouterr().err
    assert not (tmp_path / "made").exists()
