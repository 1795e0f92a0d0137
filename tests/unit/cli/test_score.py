"""``rarefactor score``: one patient, a table, and what cannot be scored."""

import csv

import pytest

from rarefactor.cli import main
from rarefactor.instruments import MMT8_MUSCLES, MRC_COLUMNS

BEFORE = "physician_global=6,patient_global=7,mmt=100,haq=1.5,ck=6000,extramuscular=3"
AFTER = "physician_global=2,patient_global=3,mmt=135,haq=0.5,ck=600,extramuscular=1"
OPTIONS = ["--mmt-maximum", "150", "--limit", "ck=200"]
TABLE = """\
id;physician_global_baseline;physician_global_final;patient_global_baseline;patient_global_final;mmt_baseline;mmt_final;\
haq_baseline;haq_final;ck_baseline;ck_final;extramuscular_baseline;extramuscular_final
007;6;2;7;3;100;135;1.5;0.5;6000;600;3;1
008;6;2;7;;100;135;1.5;0.5;>6000;600;0;0
"""


@pytest.fixture
def table(tmp_path):
    path = tmp_path / "patients.csv"
    path.write_text(TABLE, encoding="utf-8-sig")
    return path


def shown(capsys):
    return dict(line.split(maxsplit=1) for line in capsys.readouterr().out.splitlines() if line.startswith("  "))


def test_one_patient(capsys):
    assert main(["score", "tis", *OPTIONS, "--baseline", BEFORE, "--final", AFTER]) == 0
    found = {key: value.strip() for key, value in shown(capsys).items()}
    assert (found["tis"], found["tis_category"], found["tis_strength"]) == ("80", "major", "27.5")


def test_a_table_keeps_its_columns_and_gets_the_scores(table, capsys):
    out = table.with_name("scored.csv")
    assert main(["score", "tis", str(table), *OPTIONS, "--out", str(out)]) == 0
    first, second = csv.DictReader(out.read_text(encoding="utf-8").splitlines())
    assert (first["id"], first["tis"], first["tis_category"]) == ("007", "80", "major")
    assert (second["tis"], second["tis_lower"], second["tis_upper"], second["ck_baseline"]) == ("", "60", "70", ">6000")
    assert "2 patients scored" in capsys.readouterr().out


def test_without_an_output_the_scores_are_shown_by_row(table, capsys):
    assert main(["score", "tis", str(table), *OPTIONS]) == 0
    assert ["2", "80", "major"] in [line.split()[:3] for line in capsys.readouterr().out.splitlines()]


@pytest.mark.parametrize(
    ("name", "given", "result"),
    [
        (
            "imacs",
            ["--baseline", BEFORE, "--final", AFTER, "--limit", "ck=200"],
            {"imacs_improved": "yes", "imacs_worse": "no"},
        ),
        ("mrc", ["--set", ",".join(f"{name}=4" for name in MRC_COLUMNS)], {"mrc_sum": "48", "mrc_weakness": "none"}),
        (
            "haq",
            ["--set", "dressing=1,arising=2,eating=0,walking=1,hygiene=3,reach=0,grip=2,activities=1,dressing_aid=1"],
            {"haq_di": "1.375"},
        ),
        ("enzyme", ["--set", "ck=380", "--limit", "ck=190"], {"ck_multiple": "2"}),
        ("mmt8", ["--set", ",".join(f"{name}=7" for name in MMT8_MUSCLES)], {"mmt8": "56"}),
        ("eular-acr", ["--set", "onset_age=45,biopsy=0,heliotrope=1"], {"eular_acr_lower": "5.2"}),
    ],
)
def test_every_instrument_has_its_command(name, given, result, capsys):
    assert main(["score", name, *given]) == 0
    assert result.items() <= {key: value.strip() for key, value in shown(capsys).items()}.items()


def test_what_lacks_is_said(capsys):
    less = [text.replace("haq=1.5,", "").replace("haq=0.5,", "") for text in (BEFORE, AFTER)]
    assert main(["score", "tis", *OPTIONS, "--baseline", less[0], "--final", less[1]]) == 0
    assert "Not given: function. The score is bounded" in capsys.readouterr().out


@pytest.mark.parametrize(
    ("old", "new", "code", "said"),
    [
        ("007;6;2", "007;6;ten", 4, "patients.csv, row 2, column physician_global_final"),
        ("007;6;2", "007;6;73", 4, "patients.csv, row 2, column physician_global_final"),
        ("008;6;2;7;;100", "008;6;2;7;;151", 4, "patients.csv, row 3, column mmt_baseline"),
        ("007;6;2", "007;>6;2", 4, "Only enzymes may be given as bounds"),
        ("007;6;2", "007;2", 4, "12 cells"),
        ("haq_final", "haq_last", 8, "Give both"),
        ("id;", "mmt_final;", 4, "a column twice"),
        ("id;", "tis;", 4, "a column that the scores are called"),
    ],
)
def test_what_cannot_be_scored_is_named_by_row_and_column_only(table, capsys, old, new, code, said):
    table.write_text(TABLE.replace(old, new, 1), encoding="utf-8")
    out = table.with_name("scored.csv")
    assert main(["score", "tis", str(table), *OPTIONS, "--out", str(out)]) == code
    shown = capsys.readouterr().err
    assert said in shown
    assert not {"ten", "73", "151"} & set(shown.replace(",", " ").split())
    assert not out.exists()


@pytest.mark.parametrize(
    ("command", "code", "said"),
    [
        (["score", "tiss", "--set", "x=1"], 8, "Did you mean tis"),
        (["score"], 2, "--list shows them"),
        (["score", "tis"], 2, "one patient's values"),
        (["score", "tis", "nofile.csv"], 4, "no file that can be read"),
        (["score", "tis", "--baseline", "mmtt=3", "--final", "mmt=3"], 8, "Did you mean mmt_baseline"),
        (["score", "tis", "--baseline", "mmt", "--final", "mmt=3"], 8, "such as ck=6000"),
        (["score", "tis", "--baseline", BEFORE, "--final", AFTER, "--limit", "ck=200"], 8, "150 for both sides"),
        (["score", "enzyme", "--set", "ck=3"], 8, "--limit ck=190"),
        (["score", "mmt8", "--set", "deltoid=3"], 8, "no neck_flexors"),
    ],
)
def test_a_command_that_cannot_be_says_what_to_do(command, code, said, capsys):
    assert main(command) == code
    assert said in " ".join(capsys.readouterr().err.split())


def test_the_list_names_every_instrument(capsys):
    assert main(["score", "--list"]) == 0
    assert set(shown(capsys)) == {"tis", "imacs", "mmt8", "mrc", "haq", "enzyme", "eular-acr"}
