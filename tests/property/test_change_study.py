"""Whatever is changed in a study file and changed back leaves every byte as it was."""

from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import Phase, given, settings
from hypothesis import strategies as st

from rarefactor.spec import Drop, Move, Put, Rename, change_study, load_text

EXAMPLES = Path(__file__).parents[2] / "examples"
TEXTS = {name: (EXAMPLES / name / "study.yaml").read_text() for name in ("anm-srp", "pbc")}
STUDIES = {name: load_text(text, Path("study.yaml")) for name, text in TEXTS.items()}

names = st.sampled_from(sorted(TEXTS))
FIND = (Phase.explicit, Phase.reuse, Phase.generate)  # an example takes too long for many of them
LETTERS = st.characters(codec="utf-8", exclude_categories=["C", "Z"], exclude_characters="\ufeff#")
words = st.text(LETTERS | st.just(" "), min_size=1, max_size=30).map(lambda text: " ".join(text.split()))


def _comments(text: str) -> list[str]:
    return [line.split("# ", 1)[1] for line in text.splitlines() if "# " in line]


@settings(max_examples=12, deadline=None, phases=FIND)
@given(data=st.data(), name=names, words=words.filter(bool))
def test_a_text_put_for_another_is_read_back_and_can_be_put_back(data: st.DataObject, name: str, words: str) -> None:
    text, study = TEXTS[name], STUDIES[name]
    factor = data.draw(st.sampled_from(sorted(study.factors)))
    key = ("factors", factor, "label")
    changed = change_study(text, Put(key, words))
    assert load_text(changed, Path("study.yaml")).factors[factor].label == words
    assert _comments(changed) == _comments(text)
    label = study.factors[factor].label
    back = change_study(changed, Put(key, label))
    assert back.replace(f'label: "{label}"', f"label: {label}") == text  # what needed quotes keeps them


@settings(max_examples=12, deadline=None, phases=FIND)
@given(data=st.data(), name=names)
def test_keys_factors_and_models_come_and_go_without_a_trace(data: st.DataObject, name: str) -> None:
    text, study = TEXTS[name], STUDIES[name]
    factor = data.draw(st.sampled_from(sorted(study.factors)))
    model = data.draw(st.sampled_from(sorted(study.analysis.models)))
    new = data.draw(st.sampled_from(sorted({"reason", "repeatability"} - study.factors[factor].model_fields_set)))
    members = list(study.analysis.models[model].factors)
    others = [other for other in study.factors if other not in members]
    both_ways = [
        (Put(("factors", factor, new), 3), Drop(("factors", factor, new))),
        (Put(("factors", "extra"), {"from": "age", "label": "Extra: # 1", "per": 5}), Drop(("factors", "extra"))),
        (Put(("analysis", "models", "extra"), {"factors": [factor]}), Drop(("analysis", "models", "extra"))),
        (Put(("analysis", "models", model, "factors"), [*members, others[0]]),
         Put(("analysis", "models", model, "factors"), members)),
        (Put(("report", "language"), "en"), Drop(("report", "language"))),
        (Rename(("factors", factor), "another"), Rename(("factors", "another"), factor)),
    ]  # fmt: skip
    there, back = data.draw(st.sampled_from(both_ways))
    changed = change_study(text, there)
    assert changed != text
    assert change_study(changed, back) == text


@settings(max_examples=12, deadline=None, phases=FIND)
@given(data=st.data(), name=names)
def test_a_factor_moves_among_the_others_and_back(data: st.DataObject, name: str) -> None:
    text, study = TEXTS[name], STUDIES[name]
    order = list(study.factors)
    moved = data.draw(st.sampled_from(order))
    to = data.draw(st.integers(0, len(order) - 1))
    changed = change_study(text, Move(("factors", moved), to))
    found = load_text(changed, Path("study.yaml"))
    assert list(found.factors).index(moved) == to
    assert found.factors == study.factors
    assert sorted(_comments(changed)) == sorted(_comments(text))
    assert change_study(changed, Move(("factors", moved), order.index(moved))) == text


@pytest.mark.parametrize(("name", "factor"), [("anm-srp", "ild"), ("anm-srp", "fat_rate"), ("pbc", "bilirubin")])
def test_a_factor_can_be_dropped_and_nothing_names_it_any_more(name: str, factor: str) -> None:
    study = STUDIES[name]
    left = load_text(change_study(TEXTS[name], Drop(("factors", factor))), Path("study.yaml"))
    assert list(left.factors) == [other for other in study.factors if other != factor]
    for model, found in left.analysis.models.items():
        assert list(found.factors) == [each for each in study.analysis.models[model].factors if each != factor]


def test_the_lines_of_a_file_from_windows_keep_their_ends() -> None:
    text = TEXTS["pbc"].replace("\n", "\r\n")
    changed = change_study(text, Put(("factors", "new"), {"from": "patients.age", "label": "New"}))
    assert changed.count("\n") == changed.count("\r\n") == text.count("\r\n") + 1
    assert change_study(changed, Drop(("factors", "new"))) == text
