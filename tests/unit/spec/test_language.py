"""What holds for every expression, not only for those that someone thought of."""

import re
import subprocess
import sys
from contextlib import suppress
from pathlib import Path

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from rarefactor.errors import StudyFileError
from rarefactor.spec import DataField, Scope, check_expression, load, parse_column, parse_expression
from rarefactor.spec._nodes import Column

names = st.one_of(
    st.sampled_from(["age", "alk.phos", "and", "yes", "a b", "6mwt", "é", "a`b", "x[1]", "'", "a..b", "."]),
    st.text(min_size=1, max_size=4),
)
columns = st.builds(Column, st.none() | names.filter(lambda name: "." not in name), names, st.none() | names)
texts = st.text(max_size=5).map(lambda text: "'" + text.replace("\\", "\\\\").replace("'", "\\'") + "'")
numbers = st.one_of(st.integers(0, 99).map(str), st.sampled_from(["0.5", ".5", "1.", "1e-3"]))
literals = st.one_of(numbers, texts, st.sampled_from(["yes", "no", "true", "false"]), numbers.map("-{}".format))


def combined(parts: st.SearchStrategy[str]) -> st.SearchStrategy[str]:
    signs = st.sampled_from(["or", "and", "+", "-", "*", "/"])
    options = st.lists(literals, min_size=1, max_size=3).map(", ".join)
    return st.one_of(
        st.builds("{} {} {}".format, parts, signs, parts),
        st.builds("({}) <= ({})".format, parts, parts),
        st.builds("({}) in [{}]".format, parts, options),
        parts.map("({})".format),
        parts.map("not ({})".format),
        parts.map("-({})".format),
        parts.map("({}) is not missing".format),
    )


expressions = st.recursive(columns.map(str) | literals, combined, max_leaves=8)


@given(expressions)
def test_an_expression_written_out_reads_the_same(text):
    try:
        expression = parse_expression(text)
    except StudyFileError:
        return  # such as a "not" behind a plus sign
    assert parse_expression(str(expression)).root == expression.root


@given(columns)
@example(Column(None, "TRUE"))
@example(Column("NA", "null", "Missing"))
def test_a_column_written_out_reads_the_same(column):
    assert parse_column(str(column)) == column
    assert parse_expression(f"{column} > 1").columns == (column,)


signs = [*"()[],.+-*/<>=!'\"`\\ \n\t&|\x00é²"]
words = ["and", "or", "not ", " in ", " is ", "missing", "age", "sex", "1", "yes"]
pieces = st.lists(st.sampled_from(signs + words), max_size=20).map("".join)
SCOPE = Scope(
    tables={"p": {"age": DataField(type="number"), "sex": DataField(type="choice", choices={"1": "f", "2": "m"})}},
    visits=("baseline",),
)


@given(st.one_of(st.text(max_size=30), pieces, expressions))
@settings(max_examples=300)
def test_no_text_raises_anything_but_an_error_of_the_study_file(text):
    with suppress(StudyFileError):
        parse_column(text)
    with suppress(StudyFileError):
        check_expression(parse_expression(text), SCOPE)


yaml_like = st.text(alphabet="ab:-[]{}'\"#&*!|>%@`~? \n\t01", max_size=60).map(str.encode)


@given(st.binary(max_size=60) | yaml_like)
@settings(max_examples=200)
def test_no_file_raises_anything_but_an_error_of_the_study_file(tmp_path_factory, content):
    path = tmp_path_factory.getbasetemp() / "study.yaml"
    path.write_bytes(content)
    with pytest.raises(StudyFileError):
        load(path)


STUDY = (Path(__file__).resolve().parents[3] / "examples" / "pbc" / "study.yaml").read_text(encoding="utf-8")
TOKENS = re.findall(r"[\w.]+|\s+|[^\w\s]", STUDY)


@given(st.lists(st.tuples(st.integers(0, len(TOKENS) - 1), st.sampled_from(["", *TOKENS])), min_size=1, max_size=3))
@settings(max_examples=40, deadline=None)
def test_no_damage_to_a_study_raises_anything_but_an_error_of_the_study_file(tmp_path_factory, damage):
    tokens = [*TOKENS]
    for place, token in damage:
        tokens[place] = token
    path = tmp_path_factory.getbasetemp() / "study.yaml"
    path.write_text("".join(tokens), encoding="utf-8")
    with suppress(StudyFileError):
        load(path)


def test_importing_the_study_file_is_light():
    code = "import sys, rarefactor.spec; print([name for name in ('polars', 'yaml', 'numpy') if name in sys.modules])"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"
