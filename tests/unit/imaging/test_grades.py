"""A reader's grades: checked rows, change per month, agreement of readers."""

import numpy as np
import pytest

from rarefactor.errors import DataError, InputError
from rarefactor.imaging._agreement import (
    compute_agreement,
    compute_kappa,
    compute_reader_agreement,
    compute_weighted_kappa,
)
from rarefactor.imaging._grades import compute_grade_rates, find_scale, read_grades

HEADER = "patient,visit,muscle,side,reader,grade\n"
GOOD = (
    "P1,baseline,SM,right,A,1\nP1,baseline,semitendinosus,R,A,2\nP1,month_3,SM,right,A,2\nP1,month_3,ST,right,A,2\n"
    "P1,baseline,SM,right,B,1\nP1,month_3,SM,right,C,4\n"
)


@pytest.fixture
def write(tmp_path):
    def build(text: str):
        path = tmp_path / "grades.csv"
        path.write_text(text, encoding="utf-8")
        return path

    return build


def test_the_change_counts_only_what_one_reader_graded_twice(write):
    table = read_grades(write(HEADER + GOOD), find_scale("goutallier"))
    assert not table.failures
    (rate,) = compute_grade_rates(table, ("baseline", "month_3"), {"P1": 3.0}, site="hamstrings")
    assert (rate.baseline, rate.follow_up, rate.muscles) == (1.5, 2.0, 2)
    assert rate.rate_per_month == pytest.approx(0.5 / 3)
    assert [flag.name for flag in rate.flags] == ["ordinal_grades"]


@pytest.mark.parametrize(
    ("row", "column", "found"),
    [
        ("P1,baseline,ST,right,A,5", "grade", "outside the scale"),
        ("P1,baseline,ST,right,A,1.5", "grade", "outside the scale"),
        ("P1,baseline,deltoid,right,A,1", "muscle", "not known"),
        ("P1,baseline,SM,up,A,1", "side", "not known"),
        (",baseline,SM,right,A,1", "patient", "nothing"),
        ("P1,baseline,sm,RIGHT,a,0", None, "second grade"),
    ],
)
def test_a_row_that_does_not_fit_is_kept_aside_with_its_place(write, row, column, found):
    table = read_grades(write(f"{HEADER}P1,baseline,SM,right,A,0\n{row}\n"), find_scale("mercuri"))
    (problem,) = table.failures
    assert (problem.row, problem.column) == (3, column)
    assert found in problem.found
    assert len(table.grades) == 1
    assert "P1" not in str(problem)


def test_a_scale_may_start_at_one(write):
    scale = find_scale("lamminen", first=1)
    table = read_grades(write(HEADER + "P1,baseline,SM,right,A,0\nP1,baseline,ST,right,A,4\n"), scale)
    assert [problem.row for problem in table.failures] == [2]


def test_files_and_scales_that_cannot_be(write, tmp_path):
    with pytest.raises(DataError, match="no column side, reader"):
        read_grades(write("patient,visit,muscle,grade\n"), find_scale("mercuri"))
    with pytest.raises(DataError, match="no such file"):
        read_grades(tmp_path / "none.csv", find_scale("mercuri"))
    with pytest.raises(InputError, match="Did you mean mercuri"):
        find_scale("mercury")


def test_kappa_of_published_tables():
    """Cohen 1968 (own weights), and the two dermatologists of the SAS/STAT manual (FREQ, simple and weighted kappa)."""
    cohen = 200 * np.array([[0.44, 0.07, 0.09], [0.05, 0.20, 0.05], [0.01, 0.03, 0.06]])
    own = 1 - np.array([[0, 1, 3], [1, 0, 6], [3, 6, 0]]) / 6
    assert compute_kappa(cohen, own, weights="own").kappa == pytest.approx(0.348, abs=5e-4)
    assert compute_kappa(cohen, np.eye(3), weights="none").kappa == pytest.approx(0.492, abs=5e-4)
    skin = np.array([[10, 4, 1, 0], [5, 10, 12, 2], [2, 4, 12, 5], [0, 2, 6, 13.0]])
    simple = compute_kappa(skin, np.eye(4), weights="none")
    assert (simple.kappa, simple.se) == pytest.approx((0.3449, 0.0724), abs=5e-5)
    linear = compute_kappa(skin, compute_agreement(4, "linear"), weights="linear")
    assert (linear.kappa, linear.se) == pytest.approx((0.5082, 0.0655), abs=5e-5)
    assert (linear.low, linear.high) == pytest.approx((0.3798, 0.6366), abs=5e-5)


def test_two_readers_of_a_table(write):
    rows = [f"P1,baseline,{muscle},right,{reader},1\n" for muscle in ("SM", "ST", "VL") for reader in "AB"]
    table = read_grades(write(HEADER + "".join(rows) + "P1,month_3,SM,right,A,3\n"), find_scale("fischer"))
    found = compute_reader_agreement(table, ("A", "B"), weights="quadratic")
    assert (found.n, found.kappa) == (3, None)  # one grade only: agreement beyond chance cannot be told
    assert compute_weighted_kappa([0, 1, 2], [0, 1, 2], find_scale("fischer")).kappa == pytest.approx(1.0)
    with pytest.raises(InputError, match="different muscles"):
        compute_weighted_kappa([0, 1], [0], find_scale("fischer"))
