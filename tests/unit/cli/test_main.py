"""One place turns an error into a message and an exit code; what a patient's value is stays out of it."""

import signal
import subprocess
import sys

import pytest

from rarefactor.cli import main
from rarefactor.errors import (
    AnalysisError,
    DataError,
    InputError,
    OutputError,
    Problem,
    RefusalError,
    StudyFileError,
)

HEAVY = {"scipy", "matplotlib", "polars", "numpy", "typst", "docx", "openpyxl", "jinja2", "pydantic", "yaml"}


def fail_with(monkeypatch, error):
    def fail(**_):
        raise error

    monkeypatch.setattr("rarefactor.cli._app.app", fail)


@pytest.mark.parametrize(
    ("kind", "code"),
    [(StudyFileError, 3), (DataError, 4), (AnalysisError, 6), (OutputError, 7), (InputError, 8), (RefusalError, 10)],
)
def test_each_problem_is_a_block_with_its_place_and_next_step(monkeypatch, capsys, kind, code):
    problems = (
        Problem(
            file="study.yaml", line=3, key="outcom", found="one [red]thing[/red]", expected="another", next_step="Do."
        ),
        Problem(file="data.csv", row=7, column="age", found="a text", expected="a number", next_step="Mend."),
    )
    fail_with(monkeypatch, kind(*problems))
    assert main(["check", "x"]) == code
    shown = capsys.readouterr()
    assert shown.out == ""
    assert [line.rstrip() for line in shown.err.splitlines()] == [
        "study.yaml, line 3, key outcom",
        "  found      one [red]thing[/red]",
        "  expected   another",
        "  next step  Do.",
        "",
        "data.csv, row 7, column age",
        "  found      a text",
        "  expected   a number",
        "  next step  Mend.",
        "",
        "2 problems",
    ]


def test_a_bug_is_one_line_without_what_the_error_says(monkeypatch, capsys):
    fail_with(monkeypatch, ValueError("bilirubin of Jane Doe is 14.5"))
    assert main(["run", "x"]) == 1
    shown = capsys.readouterr().err
    assert shown.startswith("This is a bug in rarefactor, not a mistake of yours: ValueError in test_main.py, line ")
    assert shown.count("\n") == 1
    assert "Jane" not in shown


def test_debug_shows_where_wherever_it_stands(monkeypatch, capsys):
    fail_with(monkeypatch, ValueError("odd"))
    assert main(["run", "x", "--debug"]) == 1
    assert "Traceback" in capsys.readouterr().err


@pytest.mark.parametrize(("error", "code"), [(KeyboardInterrupt(), 130), (SystemExit(5), 5), (SystemExit(None), 0)])
def test_leaving_early_has_its_code(monkeypatch, capsys, error, code):
    fail_with(monkeypatch, error)
    assert main(["run", "x"]) == code
    assert capsys.readouterr().err == ""


def test_an_unknown_command_is_answered_with_the_nearest(capsys):
    assert main(["rum"]) == 2
    assert "Did you mean 'run'?" in capsys.readouterr().err


def test_a_reader_who_has_gone_is_no_error():
    script = "import sys; from rarefactor.cli import main; sys.exit(main(['init', '--list']))"
    with subprocess.Popen([sys.executable, "-c", script], stdout=subprocess.PIPE, stderr=subprocess.PIPE) as process:
        process.stdout.close()
        assert process.stderr.read() == b""


def test_a_terminal_of_few_characters_shows_what_it_can():
    script = "import sys; from rarefactor.cli import main; sys.exit(main(['check', 'ä/µ.yaml']))"
    environment = {"PYTHONIOENCODING": "ascii", "PATH": "", "PYTHONUTF8": "0"}
    done = subprocess.run(
        [sys.executable, "-c", script], env=environment, capture_output=True, text=True, encoding="ascii", check=False
    )
    assert done.returncode == 3
    assert "?/?.yaml" in done.stderr


@pytest.mark.parametrize("code", ["import rarefactor", "from rarefactor.cli import main; main(['--help'])"])
def test_help_loads_nothing_heavy(code):
    code = f"{code}\nimport sys\nprint(*{{name.split('.')[0] for name in sys.modules}}, file=sys.stderr)"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert not HEAVY & set(done.stderr.split())


def test_the_road_itself_loads_no_plotting_or_typesetting():
    code = "import rarefactor.study, sys; print(*sys.modules)"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert not {"scipy.stats", "matplotlib", "typst", "docx", "openpyxl"} & set(done.stdout.split())


def test_who_is_told_to_end_takes_leave_first(monkeypatch):
    left = []

    def work(**_):
        try:
            signal.raise_signal(signal.SIGTERM)
        finally:
            left.append("tidied")

    monkeypatch.setattr("rarefactor.cli._app.app", work)
    before = signal.getsignal(signal.SIGTERM)
    assert main([]) == 143
    assert left == ["tidied"]
    assert signal.getsignal(signal.SIGTERM) is before
