"""Mistakes in the study file, through the command: place, what was found, next step; no traceback, nothing written."""

import pytest

from rarefactor.cli import main

MISTAKES = [
    # what is wrong, the edit, exit code, words of the message
    ("an unknown key", ("title: A", "titel: A"), 3, ["line 2", "titel", "Did you mean title?"]),
    ("an unknown key of a factor", ("reason: x", "reson: x"), 3, ["factors.age.reson", "Did you mean reason?"]),
    ("a word for a number", ("per: 10", "per: ten"), 3, ["line 22", "factors.age.per", "a number"]),
    (
        "a list for a mapping",
        ("factors:\n  male: {label: Male sex, from: sex, equals: male}", "factors:\n  - male"),
        3,
        [],
    ),
    ("a missing key", ("  subject: id\n", ""), 3, ["cohort", "subject"]),
    ("a tab", ("  subject: id", "\tsubject: id"), 3, ["line 5", "tab"]),
    ("an unclosed bracket", ("[male, age]", "[male, age"), 3, ["line"]),
    ("a key twice", ("  subject: id", "  subject: id\n  subject: id"), 3, ["line 6", "subject"]),
    ("a column that does not exist", ("from: age", "from: aeg"), 3, ["factors.age.from", "Did you mean age?"]),
    ("a factor that does not exist", ("[male, age]", "[male, aeg]"), 3, ["line 26", "aeg", "Did you mean age?"]),
    ("a visit that does not exist", ("at: month_12", "at: month_21"), 3, ["month_21", "month_12"]),
    ("a choice that does not exist", ("equals: male", "equals: mael"), 3, ["factors.male", "male"]),
    ("an expression that is none", ('"score < 40"', '"score <"'), 3, ["outcome.refractory.when"]),
    ("a text compared with a number", ('"score < 40"', "\"score < 'low'\""), 3, ["outcome.refractory.when"]),
    ("a factor known too late", ("from: marker", "from: marker, measured_at: month_12"), 3, ["marker"]),
    ("a cut without a reason", ("unit: years, per: 10", 'cut: "> 60"'), 3, ["factors.age", "reason"]),
    ("data that are not there", ("file: records.csv", "file: record.csv"), 4, ["record.csv", "records.csv"]),
    ("a subject column that is not there", ("subject: id", "subject: idd"), 4, ["idd", "Did you mean id?"]),
]


def refuse(clinic, capsys, code, words):
    clinic.out.mkdir()
    assert main(["run", str(clinic.study), "--out", str(clinic.out)]) == code
    shown = capsys.readouterr().err
    assert "next step" in shown
    assert "Traceback" not in shown
    assert "bug" not in shown
    for word in words:
        assert word in shown, f"{word!r} is not in:\n{shown}"
    assert list(clinic.out.iterdir()) == []


@pytest.mark.parametrize(("edit", "code", "words"), [pytest.param(*each[1:], id=each[0]) for each in MISTAKES])
def test_a_mistake_is_located(clinic, capsys, edit, code, words):
    if edit[0] == "reason: x":
        clinic.edit("per: 10", 'cut: "> 60", reason: x')
    clinic.edit(*edit)
    refuse(clinic, capsys, code, words)


def test_all_mistakes_are_shown_at_once(clinic, capsys):
    for edit in [("title: A", "titel: A"), ("per: 10", "per: ten"), ("label: Marker", "lable: Marker")]:
        clinic.edit(*edit)
    refuse(clinic, capsys, 3, ["titel", "factors.age.per", "lable"])


@pytest.mark.parametrize(
    ("content", "words"),
    [
        pytest.param(b"", ["empty"], id="empty"),
        pytest.param(b"\x00\x01\x02\xff" * 300, ["binary"], id="binary garbage"),
        pytest.param("id: ä".encode("latin-1"), ["UTF-8"], id="Latin-1"),
        pytest.param("id: ä".encode("utf-16"), ["UTF-16", "UTF-8"], id="UTF-16"),
        pytest.param(b"- a\n- b\n", ["list"], id="a list"),
    ],
)
def test_a_file_that_is_no_study_is_refused(clinic, capsys, content, words):
    clinic.study.write_bytes(content)
    refuse(clinic, capsys, 3, words)


def test_a_study_file_that_is_not_there_is_answered_with_the_one_that_is(clinic, capsys):
    assert main(["check", str(clinic.folder / "stduy.yaml")]) == 3
    assert "Did you mean" in capsys.readouterr().err


def test_a_folder_stands_for_the_study_in_it(clinic, capsys):
    assert main(["check", str(clinic.folder)]) == 0
    assert "A small study of invented patients" in capsys.readouterr().out
