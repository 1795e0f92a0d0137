"""Readers' scores: what is read, what is refused, who agrees with whom."""

from pathlib import Path

import numpy as np
import polars as pl
import pytest

from rarefactor.errors import DataError
from rarefactor.pathology._agreement import compare_measured, tabulate_agreement
from rarefactor.pathology._scores import derive_patient_scores, read_scores

HEADER = "patient,stain,reader,scale,score"


def write(tmp_path: Path, *rows: str, header: str = HEADER) -> Path:
    path = tmp_path / "scores.csv"
    path.write_text("\n".join((header, *rows)) + "\n", encoding="utf-8")
    return path


@pytest.mark.parametrize(
    ("row", "column", "expected"),
    [
        ("p,CD20,A,0-3,4", "score", "a whole number from 0 to 3"),
        ("p,CD20,A,0-3,1.5", "score", "a whole number from 0 to 3"),
        ("p,CD20,A,0-3,many", "score", "a whole number from 0 to 3"),
        ("p,BAFF-R,A,H-score,301", "score", "a number from 0 to 300"),
        ("p,CD3,A,%,-1", "score", "a number from 0 to 100"),
        ("p,CD3,A,%,nan", "score", "a number from 0 to 100"),
        ("p,CD3,A,plusses,2", "scale", "one of 0-3, percent, H-score"),
        (",CD20,A,0-3,1", "patient", "a value"),
        ("p,MHC-I,A,percent,20", "scale", "0-3, as in the rows before"),
    ],
)
def test_a_row_that_does_not_fit(tmp_path: Path, row: str, column: str, expected: str) -> None:
    table = read_scores(write(tmp_path, "q,MHC-I,A,0-3,1", row))
    (problem,) = table.failures
    assert (problem.row, problem.column, problem.expected) == (3, column, expected)
    assert len(table.scores) == 1
    assert "many" not in str(problem)


def test_spellings_decimal_commas_and_gaps(tmp_path: Path) -> None:
    path = write(
        tmp_path, "p;CD3;A;%;12,5", "p;CD3;B;Percent;", "p;CD20;A;0–3;2", "", header="Patient;Stain;Reader;Scale;Score"
    )
    table = read_scores(path)
    assert [score.score for score in table.scores] == [12.5, 2.0]
    assert {stain: scale.name for stain, scale in table.scales.items()} == {"CD3": "percent", "CD20": "0-3"}
    assert table.failures == ()


def test_a_reader_cannot_score_a_slide_twice(tmp_path: Path) -> None:
    table = read_scores(write(tmp_path, "p,CD20,A,0-3,1", "p,CD20,A,0-3,2", "p,CD20,B,0-3,2"))
    assert [problem.row for problem in table.failures] == [3]
    assert len(table.scores) == 2


@pytest.mark.parametrize(
    ("content", "found"), [(b"\xff\xfe\x00a", "cannot be read"), (b"a,b\n1,2\n", "no column patient")]
)
def test_what_is_no_table_of_scores(tmp_path: Path, content: bytes, found: str) -> None:
    path = tmp_path / "scores.csv"
    path.write_bytes(content)
    with pytest.raises(DataError, match=found):
        read_scores(path)
    with pytest.raises(DataError, match="no such file"):
        read_scores(tmp_path / "other.csv")


def make_readers(tmp_path: Path) -> Path:
    rng = np.random.default_rng(1)
    rows = []
    for number in range(24):
        truth = rng.uniform(0, 280)
        readings = {"A": truth, "B": truth + 15 + rng.normal(0, 5), "C": truth + rng.normal(0, 40)}
        rows += [f"p{number},BAFF-R,{who},H-score,{min(300, max(0, value)):.1f}" for who, value in readings.items()]
        grade = min(3, int(truth // 75))
        rows += [f"p{number},CD20,A,0-3,{grade}", f"p{number},CD20,B,0-3,{min(3, grade + (number % 5 == 0))}"]
    return write(tmp_path, *rows)


def test_agreement_by_pair_and_by_run(tmp_path: Path) -> None:
    table = read_scores(make_readers(tmp_path))
    runs = {
        (f"p{number}", stain): ("R1" if number < 12 else "R2" if number < 21 else "R3")
        for number in range(24)
        for stain in ("BAFF-R", "CD20")
    }
    found = tabulate_agreement(table, runs=runs)
    by_key = {(each.stain, each.readers, each.run): each for each in found}
    assert len(by_key) == len(found)
    assert {run for stain, readers, run in by_key if stain == "CD20"} == {None, "R1", "R2"}  # R3 has three slides
    three = by_key["BAFF-R", ("A", "B", "C"), None]
    assert three.icc is not None
    assert (three.icc.readers, three.n, three.limits, three.kappa) == (3, 24, None, None)
    shifted = by_key["BAFF-R", ("A", "B"), None]
    assert shifted.limits is not None
    assert shifted.icc is not None
    assert shifted.limits.bias.estimate == pytest.approx(-15, abs=4)
    wide = by_key["BAFF-R", ("A", "C"), None].icc
    assert wide is not None
    assert shifted.icc.consistency.icc > shifted.icc.agreement.icc > wide.agreement.icc
    graded = by_key["CD20", ("A", "B"), None]
    assert graded.limits is None
    assert graded.kappa is not None
    assert graded.kappa.weights == "quadratic"
    assert 0.8 < graded.kappa.kappa < 1
    assert [flag.name for flag in by_key["CD20", ("A", "B"), "R2"].flags] == ["few_scored_twice"]
    assert set(graded.row) == set(shifted.row)


def test_one_score_per_patient(tmp_path: Path) -> None:
    rows = ("p,s1,CD20,A,0-3,1", "p,s1,CD20,B,0-3,2", "p,s1,CD20,C,0-3,2", "p,s2,CD20,A,0-3,0")
    table = read_scores(write(tmp_path, *rows, header="patient,slide,stain,reader,scale,score"))
    (score,) = derive_patient_scores(table)
    assert (score.score, score.readers, score.apart) == (1.0, 3, 1.0)


def test_repeated_biopsies_are_told_apart_by_their_visit(tmp_path: Path) -> None:
    rows = ("p,baseline,CD20,A,0-3,1", "p,month_12,CD20,A,0-3,3", "p,month_12,CD20,A,0-3,3")
    table = read_scores(write(tmp_path, *rows, header="patient,visit,stain,reader,scale,score"))
    assert [problem.row for problem in table.failures] == [4]
    assert [(each.visit, each.score) for each in derive_patient_scores(table)] == [("baseline", 1.0), ("month_12", 3.0)]


def test_what_was_measured_is_compared_on_the_scale_of_the_readers(tmp_path: Path) -> None:
    table = read_scores(make_readers(tmp_path))
    scores = derive_patient_scores(table)
    held = {(each.patient, each.stain): each.score for each in scores}
    areas = [
        {"patient": f"p{number}", "visit": "", "stain": stain, "positive_area": held[f"p{number}", stain] / 300}
        | {"h_score": held[f"p{number}", stain] - 20, "positive_share": None}
        for number in range(20)
        for stain in ("BAFF-R", "CD20")
    ]
    graded, scored = sorted(
        compare_measured(scores, pl.DataFrame(areas, infer_schema_length=None)), key=lambda each: each.scale
    )
    assert (graded.scale, graded.readers, graded.n, graded.icc, graded.kappa) == (
        "0-3",
        ("measured", "readers"),
        20,
        None,
        None,
    )
    assert graded.rank is not None
    assert graded.rank.rho == pytest.approx(1.0)
    assert scored.limits is not None
    assert scored.limits.bias.estimate == pytest.approx(-20)
