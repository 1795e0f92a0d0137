"""The study file, mistake by mistake: what is written, and what the reader is told.

Each row changes one line of a study that is right, and says where the mistake is found, what is found there and what
to do about it.
"""

from pathlib import Path

import pytest

from rarefactor.errors import StudyFileError
from rarefactor.spec import DataField, Scope, Study, check_study, load

RIGHT = """\
id: small
title: A small study
cohort:
  records: {patients: p.csv, visits: {file: v.csv, day: day}}
  subject: id
  fields:
    age: {type: number, unit: years, min: 0, max: 100}
    bili: {type: number}
    alk.phos: {type: number}
    city: {type: text}
    sex: {type: choice, choices: {f: female, m: male}}
    oedema: {type: choice, choices: {0: none, 0.5: treated, 1: despite}}
    ascites: {type: yesno}
    death: {type: number}
  visits:
    baseline: {month: 0}
    month_3: {month: 3, window: [2, 5]}
    month_12: {month: 12, window: [10, 15]}
  eligibility:
    - {name: adults, keep: "age >= 18"}
outcome:
  worse:
    label: Worse
    at: month_12
    when: "visits.bili > 2 * visits.bili[baseline]"
    before:
      - {name: death, when: "ascites == yes", day: death}
factors:
  age: {from: age, label: Age, per: 10, role: adjuster}
  male: {from: sex, equals: male, label: Male sex}
  old: {from: age, cut: ">= 60", reason: the usual limit, label: Old age}
  rise: {from: visits.bili, rate_between: [baseline, month_3], label: Rise}
analysis:
  landmarks: [baseline, month_3]
  models:
    clinic: [age, male]
    early: {factors: [age, rise], landmark: month_3}
"""


def write(folder: Path, text: str) -> Path:
    path = folder / "study.yaml"
    path.write_text(text, encoding="utf-8")
    return path


def told(folder: Path, text: str) -> list[tuple[int | None, str | None, str, str]]:
    with pytest.raises(StudyFileError) as caught:
        load(write(folder, text))
    assert all(problem.file == str(folder / "study.yaml") for problem in caught.value.problems)
    return [(item.line, item.key, item.found, item.next_step) for item in caught.value.problems]


def test_a_right_study_knows_its_keys_and_its_folder(tmp_path):
    study = load(write(tmp_path, RIGHT))
    assert study.folder == tmp_path
    assert study.outcome_name == "worse"
    problem = study.problem("factors", "male", "equals", found="a", expected="b", next_step="c")
    assert (problem.file, problem.line, problem.key) == (study.file, 30, "factors.male.equals")


# what is written -> what is written instead -> line, key, found, the beginning of the next step
ONE_MISTAKE = [
    # keys
    ("title: A", "titel: A", 2, "titel", "an unknown key", "Did you mean title?"),
    ("subject: id", "subjekt: id", 5, "cohort.subjekt", "an unknown key", "Did you mean subject?"),
    ("male: {from:", "male: {form:", 30, "factors.male.form", "an unknown key", "Did you mean from?"),
    (
        "  models:",
        "  visits: {}\n  models:",
        35,
        "analysis.visits",
        "an unknown key",
        "Move it: visits belongs to cohort",
    ),
    ("day: death}", "}", 27, "outcome.worse.before[1].day", "no key day", "Add day: days_to_death."),
    ("title: A small study\n", "", 1, "title", "no key title", "Add title: Factors associated"),
    ("  male: {", "  1male: {", 30, "factors.1male", '"1male"', "Rename it, such as v_1male."),
    ("  month_3: {", "  month 3: {", 17, "cohort.visits.month 3", '"month 3"', "Rename it, such as month_3."),
    ("id: small", "id: Small Study", 1, "id", '"Small Study"', "Write it such as anm-srp."),
    # types
    ("per: 10", "per: ten", 29, "factors.age.per", '"ten"', "Write digits only."),
    ("per: 10", "per: 1,5", 29, "factors.age.5", "a comma before 5", "A comma separates keys: write a decimal point"),
    ("per: 10", "per: -1", 29, "factors.age.per", '"-1"', "Correct the number."),
    ("per: 10", "per: .nan", 29, "factors.age.per", '".nan"', "Write digits only."),
    ("label: Age,", "label: ,", 29, "factors.age.label", "nothing", "Write the text behind the key"),
    ("label: Age,", "label: [Age],", 29, "factors.age.label", "a list of 1", "Write the text behind the key"),
    ("type: text", "type: txt", 10, "cohort.fields.city.type", '"txt"', "Did you mean text?"),
    ("role: adjuster", "role: covariate", 29, "factors.age.role", '"covariate"', "Use one of: adjuster, marker"),
    ("[10, 15]", "[10]", 18, "cohort.visits.month_12.window", "a list of 1", "Write both, such as [10, 15]."),
    ("[10, 15]", "[1, 5]", 18, "cohort.visits.month_12.window", "a window from 1 to 5", "Give the first and the last"),
    ("[baseline, month_3]\n", "baseline\n", 34, "analysis.landmarks", '"baseline"', "Write it in square brackets"),
    ("  models:", "  level: 0,9\n  models:", 35, "analysis.level", '"0,9"', "Write it with a decimal point: 0.9."),
    ("  models:", "  seed: 1.5\n  models:", 35, "analysis.seed", '"1.5"', "Write digits only."),
    ("  models:", "  missing: {imputations: 1}\n  models:", 35, "analysis.missing.imputations", "1 imp", "Write 20"),
    (
        "male: {from: sex, equals: male, label: Male sex}",
        "male: sex",
        30,
        "factors.male",
        '"sex"',
        "Indent `key: value`",
    ),
    ("reason: the usual limit, ", "", 31, "factors.old.cut", "a cut without a reason", "Add reason:"),
    ('cut: ">= 60"', "cut: 60", 31, "factors.old.cut", '"60"', 'Write it in quotes: cut: "<= 56".'),
    ('keep: "age >= 18"', "x: 1", 20, "cohort.eligibility[1].x", "an unknown key", "Use one of: drop, keep, name"),
    # visits and landmarks
    (
        "at: month_12",
        "at: mnth_12",
        24,
        "outcome.worse.at",
        "the visit mnth_12, which is not known",
        "Did you mean month_12?",
    ),
    (
        "[baseline, month_3]\n",
        "[baseline, month_3, month_12]\n",
        34,
        "analysis.landmarks[3]",
        "month_12 (month 12), but",
        "Remove",
    ),
    (
        "[2, 5]",
        "[2, 12]",
        17,
        "cohort.visits.month_3.window",
        "2 to 12, in which month 12 of visit month_12 lies",
        "Narrow",
    ),
    (
        "age: {from: age, ",
        "age: {from: age, measured_at: screening, ",
        29,
        "factors.age.measured_at",
        "the visit screening",
        "Use",
    ),
    (
        "rate_between: [baseline, month_3]",
        "rate_between: [month_3, baseline]",
        32,
        "factors.rise.rate_between",
        "month_3 (m",
        "Turn",
    ),
    (
        "label: Rise",
        "measured_at: baseline, label: Rise",
        32,
        "factors.rise.measured_at",
        "baseline, but the factor needs",
        "Write",
    ),
    # models
    (
        "clinic: [age, male]",
        "clinic: [age, mael]",
        36,
        "analysis.models.clinic[2]",
        "the factor mael",
        "Did you mean male?",
    ),
    ("clinic: [age, male]", "clinic: [age, age]", 36, "analysis.models.clinic[2]", "age twice", "Remove one."),
    (
        "landmark: month_3}",
        "landmark: baseline}",
        37,
        "analysis.models.early.factors[2]",
        "rise, which is measured at month_3, after the landmark baseline",
        "Write landmark: month_3, or remove rise",
    ),
    (
        "landmark: month_3}",
        "landmark: month_12}",
        37,
        "analysis.models.early.landmark",
        "month_12, which is no landmark",
        "Add",
    ),
    ("label: Male sex", "label: age", 30, "factors.male.label", "the label age, which age has too", "Say"),
    # factors
    ("equals: male,", "equals: male, per: 2,", 30, "factors.male.per", "per beside equals", "Remove per"),
    (
        "equals: male,",
        "equals: male, cut: '> 1', reason: x,",
        30,
        "factors.male.cut",
        "equals and cut",
        "Make one factor",
    ),
    ("  worse:", "  age:", 29, "factors.age", "age, which is the outcome too", "Rename the factor."),
    # the dictionary
    ("type: yesno", "type: choice", 13, "cohort.fields.ascites", "a choice without choices", "Add choices"),
    (
        "type: yesno",
        "type: yesno, choices: {1: a}",
        13,
        "cohort.fields.ascites.choices",
        "choices of a column",
        "Write type",
    ),
    ("max: 100", "max: -1", 7, "cohort.fields.age.min", "a range from 0 to -1", "Turn them round."),
    (
        "{0: none, 0.5",
        "{0: none, 0.0: zero, 0.5",
        12,
        "cohort.fields.oedema.choices.0.0",
        "the code 0.0",
        "Keep one of them.",
    ),
    (
        "day: day}",
        "day: day, date: visit}",
        4,
        "cohort.records.visits.day",
        "a column of days beside",
        "Keep the dates",
    ),
    # names in expressions
    (
        "from: visits.bili",
        "from: visits.billi",
        32,
        "factors.rise.from",
        "the column billi, which is not described",
        "Did you mean bili?",
    ),
    (
        "from: visits.bili",
        "from: visit.bili",
        32,
        "factors.rise.from",
        "the table visit, which is not known",
        "Did you mean visits?",
    ),
    (
        "from: visits.bili",
        "from: 'visits.bili[month_3]'",
        32,
        "factors.rise.from",
        "the visit month_3 in brackets",
        "Write measured_at: month_3",
    ),
    (
        "bili[baseline]",
        "bili[bseline]",
        25,
        "outcome.worse.when",
        "the visit bseline, which is not known",
        "Did you mean baseline?",
    ),
    ("age >= 18", "age = 18", 20, "cohort.eligibility[1].keep", '"="', "Use == to compare."),
    ("age >= 18", "agee >= 18", 20, "cohort.eligibility[1].keep", "the column agee", "Did you mean age?"),
    # YAML
    (
        "subject: id",
        "subject: id\n  subject: id",
        6,
        "cohort.subject",
        "the key subject for the second time (first in line 5)",
        "Keep",
    ),
    (
        "subject: id",
        "subject: !!python/object:os.system id",
        5,
        "cohort.subject",
        "the tag !!python/object:os.system",
        "Remove",
    ),
    ("subject: id", "subject: 'id", 5, None, "a quotation mark that is never closed", "Close the text"),
    ("  subject: id", "\tsubject: id", 5, None, "a tab", "Indent with spaces"),
    ("[baseline, month_3]\n", "[baseline, month_3\n", 34, None, "a list that is never closed", "Close the bracket"),
    ("subject: id", "subject: a: b", 5, None, "a colon where none can be", "Put a text that holds a colon in quotes"),
    ("from: sex", "from: `sex`", 30, None, "a backtick at the start of a value", "Put the whole value in quotes"),
    (
        'cut: ">= 60"',
        "cut: >= 60",
        31,
        None,
        "a character that no value may start with",
        "Put the whole value in quotes",
    ),
]


@pytest.mark.parametrize("row", ONE_MISTAKE, ids=[row[1].strip() for row in ONE_MISTAKE])
def test_one_mistake_is_told_once_with_its_place(tmp_path, row):
    written, instead, line, key, found, next_step = row
    assert written in RIGHT
    (problem,) = told(tmp_path, RIGHT.replace(written, instead, 1))
    assert problem[:2] == (line, key)
    assert problem[2].startswith(found)
    assert problem[3].startswith(next_step)


def test_all_mistakes_are_told_at_once_in_the_order_of_the_file(tmp_path):
    text = (
        RIGHT.replace("title: A", "titel: A")
        .replace("type: text", "type: txt")
        .replace("age >= 18", "age = 18")
        .replace("per: 10", "per: ten")
        .replace("equals: male,", "equals: male, per: 2,")
        .replace("clinic: [age, male]", "clinic: [age, mael]")
    )
    keys = [key for _, key, _, _ in told(tmp_path, text)]
    assert keys == [
        "titel",
        "cohort.fields.city.type",
        "cohort.eligibility[1].keep",
        "factors.age.per",
        "factors.male.per",
        "analysis.models.clinic[2]",
    ]


def test_a_factor_that_no_landmark_is_late_enough_for_is_refused_by_name(tmp_path):
    text = RIGHT.replace("[baseline, month_3]\n", "[baseline]\n").replace(
        "    early: {factors: [age, rise], landmark: month_3}\n", ""
    )
    ((line, key, found, next_step),) = told(tmp_path, text)
    assert (line, key) == (32, "factors.rise.rate_between")
    assert found == "rise, which is measured at month_3, after every landmark"
    assert next_step.startswith("Add month_3 to analysis.landmarks")


def test_a_landmark_at_which_no_factor_is_known_is_refused(tmp_path):
    text = RIGHT.split("factors:\n", maxsplit=1)[0] + (
        "factors:\n  rise: {from: visits.bili, rate_between: [baseline, month_3], label: Rise}\n"
        "analysis: {landmarks: [baseline, month_3]}\n"
    )
    assert [(line, key) for line, key, _, _ in told(tmp_path, text)] == [(30, "analysis.landmarks[1]")]


def test_types_are_never_guessed(tmp_path):
    start, rest = RIGHT.split("  fields:\n")
    text = start + "  visits:\n" + rest.split("  visits:\n")[1]
    assert told(tmp_path, text)[0][:3] == (3, "cohort", "neither fields nor dictionary")


# what a file holds instead of a study -> what is found
NO_STUDY = [
    (b"", "an empty file"),
    (b"# nothing yet\n", "an empty file"),
    (b"- a\n- b\n", "a list of 2 at the top of the file"),
    (b"study\n", '"study" at the top of the file'),
    (b"id: a\n---\nid: b\n", "a second document (after ---)"),
    (b"\x00\x01\x02\x03PK", "binary data"),
    (b"id: a\ntitle: \xe9tude\n", "a character that is not UTF-8 text (byte 8 of the line)"),
    (b"id: a\x07\n", "a control character (byte 6 of the line)"),
    ("id: a\n".encode("utf-16"), "text in UTF-16"),
    (b"a: " + b"[" * 100_000, "values nested too deeply"),
    (b"a: &a [*a]\n", "values nested too deeply"),
    (b"x" * 4_000_001, "more than 4 MB"),
]


@pytest.mark.parametrize(("content", "found"), NO_STUDY, ids=[found for _, found in NO_STUDY])
def test_a_file_that_is_no_study(tmp_path, content, found):
    path = tmp_path / "study.yaml"
    path.write_bytes(content)
    with pytest.raises(StudyFileError) as caught:
        load(path)
    assert [problem.found for problem in caught.value.problems] == [found]
    assert caught.value.exit_code == 3


def test_a_file_that_is_not_there_offers_the_one_that_is(tmp_path):
    there = write(tmp_path, RIGHT)
    with pytest.raises(StudyFileError, match=r"found no such file.*Did you mean .*study.yaml"):
        load(tmp_path / "studdy.yaml")
    with pytest.raises(StudyFileError, match=r"found a folder.*study.yaml"):
        load(there.parent)


# what is written unquoted -> where it is read -> what must be read
AS_WRITTEN = [
    (
        "{0: none, 0.5: treated, 1: despite}",
        "{0: none, 0.5: treated, 1: despite}",
        {"0": "none", "0.5": "treated", "1": "despite"},
    ),
    ("{0: none, 0.5: treated, 1: despite}", "{no: NO, yes: on, ~x: off}", {"no": "NO", "yes": "on", "~x": "off"}),
    (
        "{0: none, 0.5: treated, 1: despite}",
        "{001: 1e3, 2020-01-01: 0x1F, 1_000: 12:30}",
        {"001": "1e3", "2020-01-01": "0x1F", "1_000": "12:30"},
    ),
]


@pytest.mark.parametrize(("written", "instead", "read"), AS_WRITTEN)
def test_what_is_written_is_read_and_nothing_else(tmp_path, written, instead, read):
    study = load(write(tmp_path, RIGHT.replace(written, instead)))
    assert study.cohort.fields["oedema"].choices == read


def test_an_unquoted_code_stays_what_it_is(tmp_path):
    study = load(
        write(
            tmp_path, RIGHT.replace("equals: male", "equals: 001").replace("title: A small study", "title: 2020-01-01")
        )
    )
    assert study.factors["male"].equals == ("001",)
    assert study.title == "2020-01-01"


def test_the_end_of_a_line_and_a_byte_order_mark_change_nothing(tmp_path):
    path = tmp_path / "windows.yaml"
    path.write_bytes(RIGHT.replace("\n", "\r\n").encode("utf-8-sig"))
    assert load(path).model_dump() == load(write(tmp_path, RIGHT)).model_dump()


def test_a_null_label_is_not_the_text_none(tmp_path):
    ((_, key, found, _),) = told(tmp_path, RIGHT.replace("{0: none,", "{0: null,"))
    assert (key, found) == ("cohort.fields.oedema.choices.0", "nothing")


# one factor or expression -> what the data dictionary makes of it
AGAINST_THE_DATA = [
    ("from: age, label: Age", "from: city, label: Age", "factors.age.from", "city, a column of type text"),
    ("equals: male,", "equals: mael,", "factors.male.equals", "mael, which is none of the choices"),
    ("from: sex, equals: male,", "from: ascites, equals: maybe,", "factors.male.equals", "maybe"),
    (
        "from: sex, equals: male,",
        "from: age, equals: 5,",
        "factors.male.equals",
        "equals on age, a column of type number",
    ),
    (
        "from: sex, equals: male,",
        "from: sex, reference: mal,",
        "factors.male.reference",
        "mal, which is none of the choices",
    ),
    ("from: sex, equals: male,", "from: sex, per: 2,", "factors.male.per", "per on sex, a column of type choice"),
    ('from: age, cut: ">= 60"', 'from: sex, cut: ">= 60"', "factors.old.cut", "cut on sex, a column of type choice"),
    ("from: visits.bili, rate", "from: ascites, rate", "factors.rise.rate_between", "rate_between on ascites"),
    ("day: death}", "day: sex}", "outcome.worse.before[1].day", "sex, a column of type choice"),
    ("ascites == yes", "sex == 'femal'", "outcome.worse.before[1].when", "femal, which is none of the choices"),
    ("age >= 18", "age", "cohort.eligibility[1].keep", "a number alone"),
]


def scope_of(study: Study) -> Scope:
    fields = dict(study.cohort.fields)
    visits = {"bili": fields.pop("bili"), "alk.phos": DataField(type="number")}
    return Scope(tables={"patients": fields, "visits": visits}, visits=tuple(study.cohort.visits))


@pytest.mark.parametrize(("written", "instead", "key", "found"), AGAINST_THE_DATA)
def test_a_study_is_held_against_the_dictionary(tmp_path, written, instead, key, found):
    study = load(write(tmp_path, RIGHT.replace(written, instead, 1)))
    with pytest.raises(StudyFileError) as caught:
        check_study(study, scope_of(study))
    assert [(problem.key, problem.found.startswith(found)) for problem in caught.value.problems] == [(key, True)]
    assert all(problem.line for problem in caught.value.problems)


def test_a_right_study_fits_its_dictionary(tmp_path):
    study = load(write(tmp_path, RIGHT))
    check_study(study, scope_of(study))


def test_the_first_real_study_loads():
    study = load(Path(__file__).resolve().parents[2] / "examples" / "pbc" / "study.yaml")
    assert study.cohort.fields["edema"].choices["0.5"] == "untreated or resolved with diuretics"
    assert study.landmark_of(study.analysis.models["early_course"]) == "month_6"
