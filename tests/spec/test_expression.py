"""The expression language of ``keep``, ``drop`` and ``when``, rule by rule.

Four patients; T, F and - (not known) say for each of them whether the expression holds.
"""

import polars as pl
import pytest

from rarefactor.spec import (
    DataField,
    ExpressionError,
    Scope,
    check_expression,
    compile_expression,
    parse_column,
    parse_expression,
)

PATIENTS = {
    "age": DataField(type="integer"),
    "weight": DataField(type="number"),
    "alk.phos": DataField(type="number"),
    "sex": DataField(type="choice", choices={"f": "female", "m": "male"}),
    "oedema": DataField(type="choice", choices={"0": "none", "0.5": "treated", "1": "despite treatment"}),
    "rank": DataField(type="choice", choices={"1": "2", "2": "3"}),
    "consent": DataField(type="yesno"),
    "onset": DataField(type="date"),
    "city": DataField(type="text"),
    "day": DataField(type="number"),
}
VISITS = {"bili": DataField(type="number"), "day": DataField(type="number")}
SCOPE = Scope(tables={"patients": PATIENTS, "visits": VISITS}, visits=("baseline", "month_3"))

# age and the others as frames have them: codes for choices, days since baseline for dates
FRAME = pl.DataFrame(
    {
        "age": [17, 18, 60, None],
        "weight": [0.0, 50.0, None, 80.0],
        "alk.phos": [100.0, 200.0, 300.0, None],
        "sex": ["f", "m", "m", None],
        "oedema": ["0", "0.5", "1", None],
        "rank": ["1", "2", "1", "2"],
        "consent": [True, False, None, True],
        "onset": [-400.0, -10.0, None, 3.0],
        "city": ["Lyon", "Graz", "O'Hara", None],
        "day": [1.0, 2.0, 3.0, 4.0],
        "bili": [1.0, 2.0, 3.0, None],
        "bili[baseline]": [0.8, 2.0, None, 1.0],
    }
)

IN_FRAME = {"patients.age": "age", "`alk.phos`": "alk.phos", "patients.alk.phos": "alk.phos"}
IN_FRAME |= {"patients.day": "day", "visits.day": "day"}

HOLDS = [
    # comparisons
    ("age >= 18", "FTT-"),
    ("age == 18.0", "FTF-"),
    ("18 <= age", "FTT-"),
    ("age != 18", "TFT-"),
    ("age > -1", "TTT-"),
    ("patients.age < 18", "TFF-"),
    # a choice is named by its code or its label, a number by its value
    ("sex == 'male'", "FTT-"),
    ("sex == 'm'", "FTT-"),
    ('"female" != sex', "FTT-"),
    ("sex in ['male', 'f']", "TTT-"),
    ("sex not in ('male', 'male')", "TFF-"),
    ("oedema == 0.5", "FTF-"),
    ("oedema == 0.50", "FTF-"),
    ("oedema in [0, 'despite treatment']", "TFT-"),
    # yes or no
    ("consent", "TF-T"),
    ("not consent", "FT-F"),
    ("consent == yes", "TF-T"),
    ("consent == 'no'", "FT-F"),
    ("consent == 1", "TF-T"),
    ("consent in [true]", "TF-T"),
    # dates are days since baseline
    ("onset < -365.25", "TF-F"),
    ("onset + 30 > 0", "FT-T"),
    # texts
    ("city == 'O\\'Hara'", "FFT-"),
    ("city in ['Graz', 'Lyon']", "TTF-"),
    # names with other characters
    ("`alk.phos` > 150", "FTT-"),
    ("alk.phos > 150", "FTT-"),
    ("patients.alk.phos > 150", "FTT-"),
    ("patients.day > visits.day", "FFFF"),
    # what is missing
    ("age is missing", "FFFT"),
    ("age is not missing", "TTTF"),
    ("age + weight is missing", "FFTT"),
    ("not age is missing", "TTTF"),
    # three-valued logic: false and unknown is false, true or unknown is true
    ("consent and age > 0", "TF--"),
    ("consent and age < 0", "FFF-"),
    ("consent or age > 0", "TTTT"),
    ("weight > 0 or sex == 'male'", "FTTT"),
    ("not (consent and age > 0)", "FT--"),
    # calculation: * before +, from the left, and / of a zero is missing
    ("age - 1 - 1 == 15", "TFF-"),
    ("age + 2 * 2 == 22", "FTF-"),
    ("(age + 2) * 2 == 40", "FTF-"),
    ("-age < -17", "FTT-"),
    ("age / weight > 0", "-T--"),
    ("age / weight in [0.36]", "-T--"),
    # not, and, or in this order
    ("not consent and age < 18 or sex == 'f'", "TFF-"),
    # a value at a visit; a calculated side is compared to nine digits, not to the last bit
    ("bili >= 1.25 * bili[baseline]", "TF--"),
    ("bili > 1.25 * bili[baseline]", "FF--"),
    ("0.1 * age + 0.2 * patients.day == 1.9", "TFF-"),
]


@pytest.mark.parametrize(("text", "patients"), HOLDS)
def test_an_expression_holds_for_patients(text, patients):
    expression = parse_expression(text)
    assert check_expression(expression, SCOPE) == ()
    compiled = compile_expression(expression, SCOPE, lambda column: pl.col(IN_FRAME.get(str(column), str(column))))
    held = FRAME.select(compiled.cast(pl.Boolean).alias("held"))["held"].to_list()
    assert "".join({True: "T", False: "F", None: "-"}[item] for item in held) == patients


# text -> found, the beginning of the next step, and the place in the text
NOT_UNDERSTOOD = [
    ("age = 18", '"="', "Use == to compare.", 4),
    ("age => 18", '"=>"', "Use >=.", 4),
    ("age ≥ 18", '"≥"', "Use >=.", 4),
    ("age <> 18", '"<>"', "Use !=.", 4),
    ("age > 18 && consent", '"&&"', "Use and.", 9),
    ("age > 18 | consent", '"|"', "Use or.", 9),
    ("!consent", '"!"', "Use not.", 0),
    ("age ** 2 > 4", '"**"', "Multiply with *", 4),
    ("age > 18 AND consent", '"AND"', "Write and in small letters", 9),
    ("consent == True", '"True"', "Write true in small letters", 11),
    ("18 < age < 60", 'a second "<"', "Join two comparisons with and, such as (18 < age) and (age < ...).", 9),
    ("age == NA", '"NA"', "Write `is missing`", 7),
    ("age == None", '"None"', "Write `is missing`", 7),
    ("age == missing", '"missing"', "Write `is missing`", 7),
    ("age is null", '"null"', "Write `is missing`", 7),
    ("age is 18", '"18"', "Write `is missing`", 7),
    ("sex == 'male", "' that is never closed", "Close the text", 7),
    ("sex == “male”", '"“"', "Use straight quotes", 7),
    ("`alk.phos > 3", "` that is never closed", "Close the name with a backtick.", 0),
    ("(age > 18", "the end of the expression", "Close the parenthesis", 9),
    ("age > 18)", '")"', "Remove the parenthesis", 8),
    ("sex in 'male'", "the text 'male'", "Write the values in square brackets", 7),
    ("sex in []", '"]"', "Put texts in quotes", 8),
    ("sex in [male]", '"male"', "Put texts in quotes", 8),
    ("sex in ['male' 'female']", "the text 'female'", "Close the list with ].", 15),
    ("bili[baseline > 1", '">"', "Close the visit with ].", 14),
    ("age >", "the end of the expression", "Complete the expression", 5),
    ("> 18", '">"', "Write a column before", 0),
    ("", "the end of the expression", "Complete the expression", 0),
    ("age 18", '"18"', "Join two conditions with and", 4),
    ("sqrt(age) > 2", "a call of sqrt()", "There are no functions.", 4),
    ("__import__('os')", "a call of __import__()", "There are no functions.", 10),
    ("6mwt > 300", "letters after the number 6", "Put a name that starts with a digit in backticks", 0),
    ("age > 1e999", "a number that is too large", "Write a smaller number.", 6),
    ("(" * 30 + "age" + ")" * 30 + " > 1", "an expression that is too long", "Make several rules of it.", 26),
]


@pytest.mark.parametrize("row", NOT_UNDERSTOOD, ids=[row[0] for row in NOT_UNDERSTOOD])
def test_what_is_not_understood_is_pointed_at(row):
    text, found, next_step, place = row
    with pytest.raises(ExpressionError) as caught:
        parse_expression(text)
    (problem,) = caught.value.problems
    step, shown, pointer = problem.next_step.split("\n")
    assert problem.found == found
    assert step.startswith(next_step)
    assert (shown.strip(" "), pointer) == (text, " " * (4 + place) + "^")


# text -> what is found, and the beginning of the next step
NO_SENSE = [
    ("agee > 18", "the column agee, which is not known", "Did you mean age?"),
    ("patients.agee > 18", "agee, which table patients does not have", "Did you mean patients.age?"),
    ("patients.bili > 1", "bili, which table patients does not have", "Did you mean visits.bili?"),
    ("patient.age > 18", "the table patient, which is not known", "Did you mean patients?"),
    ("day > 1", "day, a column of patients and visits", "Write patients.day or visits.day."),
    ("bili[bseline] > 1", "the visit bseline, which is not known", "Did you mean baseline?"),
    ("age > '18'", "a number compared with the text '18'", "Remove the quotation marks."),
    ("age == 'old'", "a number compared with the text 'old'", "Write a number."),
    ("age == sex", "a number compared with a choice", "Compare values of one kind"),
    ("city == 5", "a text compared with the number 5", "Put it in quotes: '5'."),
    ("city > 'A'", '">" between what has no order', "Write == or !="),
    ("sex == 'mal'", "mal, which is none of the choices", "Did you mean male?"),
    ("sex == 'Male'", "Male, which is none of the choices", "Did you mean male?"),
    ("sex == male", "male without quotes", "Put it in quotes: 'male'."),
    ("sex in ['f', 'x']", "x, which is none of the choices", "Use one of: f (female), m (male)."),
    ("rank == 2", "2, which stands for 1 (2) and 2 (3)", "Use a code or label that only one has."),
    ("oedema >= 0.5", '">=" between what has no order', "Write == or !="),
    ("oedema + 1 > 1", "a sum with a choice", "Calculate with numbers only."),
    ("oedema == sex", "two columns with different choices", "Compare each with its own labels"),
    ("consent == 2", "yes or no compared with the number 2", "Write yes or no."),
    ("onset < '2020-01-01'", "a date compared with the text '2020-01-01'", "Write the days since baseline"),
    ("age", "a number alone", "Compare it with something"),
    ("age > 1 and weight", "a number alone", "Compare each part"),
    ("age == 1 or 2", "a number alone", "Compare each part"),
    ("(age > 1) == yes", "a condition compared", "Join conditions with and"),
    ("age / 0 > 1", "a division by zero", "Correct the number."),
    ("1 == 1", "no column", "Name a column of the data."),
]


@pytest.mark.parametrize("row", NO_SENSE, ids=[row[0] for row in NO_SENSE])
def test_what_makes_no_sense_for_the_data_is_refused(row):
    text, found, next_step = row
    (problem,) = check_expression(parse_expression(text), SCOPE)
    assert problem.found == found
    assert problem.next_step.startswith(next_step)


def test_every_mistake_of_an_expression_is_told():
    problems = check_expression(parse_expression("agee > 1 and sex == 'mal' and consent == 3"), SCOPE)
    assert [problem.found[:12] for problem in problems] == ["the column a", "mal, which i", "yes or no co"]


# what `from:` says -> table, name and visit
COLUMNS = [
    ("age", (None, "age", None)),
    ("patients.age", ("patients", "age", None)),
    ("biopsy.BAFF-R.positive_area", ("biopsy", "BAFF-R.positive_area", None)),
    ("visits.bili[baseline]", ("visits", "bili", "baseline")),
    ("Serum bilirubin (mg/dl)", (None, "Serum bilirubin (mg/dl)", None)),
    ("`alk.phos`", (None, "alk.phos", None)),
    ("patients.`bili [mg/dl]`", ("patients", "bili [mg/dl]", None)),
]


@pytest.mark.parametrize(("text", "parts"), COLUMNS)
def test_the_name_of_a_column(text, parts):
    column = parse_column(text)
    assert (column.table, column.name, column.visit) == parts
    assert parse_column(str(column)) == column
    assert parse_expression(f"{column} > 1").columns == (column,)


def test_columns_are_told_once_each_in_order():
    expression = parse_expression("visits.bili >= 1.25 * visits.bili[baseline] or visits.bili > 9 and age is missing")
    assert [str(column) for column in expression.columns] == ["visits.bili", "visits.bili[baseline]", "age"]
