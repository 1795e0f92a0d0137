"""A reader's grades: checked rows, change per month, agreement of readers."""

import pytest

from rarefactor.errors import DataError, InputError
from rarefactor.imaging._graded import compute_reader_agreement, list_grade_changes, tabulate_grades
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


def test_two_readers_of_a_table(write):
    rows = [f"P1,baseline,{muscle},right,{reader},1\n" for muscle in ("SM", "ST", "VL") for reader in "AB"]
    same = read_grades(write(HEADER + "".join(rows)), find_scale("fischer"))
    found = compute_reader_agreement(same, ("A", "B"))
    assert found is not None
    assert found.n == 3
    assert found.reason  # one grade only: agreement beyond chance cannot be told
    more = "P1,month_3,SM,right,A,3\nP1,month_3,SM,right,B,3\nP1,month_3,GR,right,A,2\n"
    found = compute_reader_agreement(
        read_grades(write(HEADER + "".join(rows) + more), find_scale("fischer")), ("A", "B")
    )
    assert found is not None
    assert (found.n, found.kappa) == (4, pytest.approx(1.0))


def test_grades_become_columns_and_their_changes_are_of_one_reader(write):
    table = read_grades(write(HEADER + GOOD), find_scale("goutallier"))
    frame = tabulate_grades(table, {"P1": "S-1"})
    baseline = frame.filter(visit="baseline")
    assert baseline.select("grade", "hamstrings.right.grade", "SM.grade").row(0) == pytest.approx((4 / 3, 4 / 3, 1.0))
    changes = list_grade_changes(table, {"P1": "S-1"}).filter(
        first="baseline", last="month_3", column="hamstrings.grade"
    )
    assert changes["change"].to_list() == [0.5]  # reader A: from 1 and 2 to 2 and 2; C graded once only
