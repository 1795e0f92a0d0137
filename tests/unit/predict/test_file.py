"""Risk models as files: the same bytes for the same model, and clear words where a file is not one."""

import json

import pytest

from rarefactor.errors import DataError
from rarefactor.predict import FOLDER, read_model, write_model


@pytest.fixture
def file(clinical, tmp_path):
    path = tmp_path / "clinical.json"
    path.write_bytes(write_model(clinical))
    return path


def problem(path, name=None):
    with pytest.raises(DataError) as refused:
        read_model(path, name)
    return refused.value.problems[0]


def test_a_model_reads_back_as_it_was(built, few, tmp_path):
    for model in (*built.models, *few.models):
        path = tmp_path / "model.json"
        path.write_bytes(write_model(model))
        assert read_model(path) == model
        assert write_model(read_model(path)) == path.read_bytes()


def test_a_file_says_its_schema_first_and_its_digest_last(file):
    keys = list(json.loads(file.read_bytes()))
    assert (keys[0], keys[-1]) == ("schema", "sha256")


@pytest.mark.parametrize(
    ("old", "new", "key", "found", "expected"),
    [
        ('"schema": 1', '"schema": 2', "schema", "schema 2", "schema 1"),
        ('"level": 0.95', '"level": "high"', "level", "a str", "a valid number"),
        ('"kind": "binary"', '"kind": "odd"', "factors.0.kind", "a str", "'binary', 'continuous' or 'categorical'"),
        ('"method": "flic",\n', "", "method", "nothing", "this key"),
        ('"factor": "age"', '"factor": "sex"', "factors", "other factors than in terms: age, sex", "the factors of"),
        ('"use": "prediction"', '"use": "research only"', "use", "research only", "reasons where"),
        ('"level": 0.95', '"level": 0.9', "sha256", "a model that was changed after it was written", "the model as"),
        ('"level": 0.95', '"level": NaN', None, "no JSON with keys and finite numbers", "the file of a risk model"),
        ("{", "[", None, "no JSON with keys and finite numbers", "the file of a risk model"),
    ],
)
def test_each_change_by_hand_is_told_by_its_key(file, old, new, key, found, expected):
    text = file.read_text(encoding="utf-8")
    assert old in text
    file.write_text(text.replace(old, new, 1), encoding="utf-8")
    told = problem(file)
    assert (told.file, told.key, told.found) == (str(file), key, found)
    assert told.expected.startswith(expected)


def test_a_covariance_of_another_shape_is_told(file):
    content = json.loads(file.read_bytes())
    content["covariance"].pop()
    file.write_text(json.dumps(content), encoding="utf-8")
    assert (problem(file).key, problem(file).expected) == (
        "covariance",
        "4 rows of 4 numbers, as there are terms and the intercept",
    )


def test_a_folder_stands_for_its_model_or_asks_which(built, tmp_path):
    inside = tmp_path / FOLDER
    inside.mkdir()
    one, two = built.models
    (inside / "clinical.json").write_bytes(write_model(one))
    assert read_model(tmp_path) == read_model(inside) == one
    (inside / "whole.json").write_bytes(write_model(two))
    assert problem(tmp_path).found == "2 models: clinical, whole"
    assert read_model(tmp_path, "whole") == two
    assert problem(tmp_path, "whol").next_step == "Did you mean whole?"


def test_a_place_without_a_model_says_so(tmp_path):
    assert problem(tmp_path).found == "no risk model"
    assert problem(tmp_path / "none.json").found == "no such file or directory"
