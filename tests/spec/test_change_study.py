"""Changes of a study file as text: what is changed, and all that is not.

Each case is a text, a change and the text that comes out, byte for byte.
"""

import pytest

from rarefactor.errors import StudyFileError
from rarefactor.spec import Drop, Move, Put, Rename, change_study

FILE = """\
# what we ask
factors:
  # as the paper names them
  male: {from: sex, equals: male, label: Male sex}   # by records
  weak:
    from: mmt8          # 0 to 80
    cut: "<= 56"
    reason: >-
      a grade of 7
      on average
    label: Weak
  # from images
  fat: {from: thigh.fat, label: Fat}
analysis:
  models:
    clinical: [male, weak]   # planned
    imaging:
      label: Imaging
      factors:
        - fat      # the new one
        - male
  selection: {method: backward, keep: [male]}
follow_up:
  death: {label: Death, when: "dead", day: time, by: [weak], models: {one: [weak], two: [male, weak]}}
trajectories:
  mmt8: {label: MMT8, from: mmt8, until: 12, by: weak}
evidence:
  - {factor: weak, source: A 2020, p: "0.01"}
  - {factor: male, source: A 2020, p: "0.02"}
"""


def changed_lines(*changes):
    """The lines that go and the lines that come."""
    before, after = FILE.splitlines(), change_study(FILE, *changes).splitlines()
    return [line for line in before if line not in after], [line for line in after if line not in before]


def test_a_value_keeps_its_quotes_and_the_comment_beside_it() -> None:
    assert changed_lines(Put(("factors", "weak", "cut"), "<= 40")) == (['    cut: "<= 56"'], ['    cut: "<= 40"'])
    gone, come = changed_lines(Put(("factors", "weak", "from"), "mmt12"))
    assert (gone, come) == (["    from: mmt8          # 0 to 80"], ["    from: mmt12          # 0 to 80"])


def test_a_folded_text_is_folded_again() -> None:
    gone, come = changed_lines(Put(("factors", "weak", "reason"), "half of the scale"))
    assert (gone, come) == (["      a grade of 7", "      on average"], ["      half of the scale"])


def test_a_new_key_stands_after_the_others_in_their_form() -> None:
    assert changed_lines(Put(("factors", "fat", "per"), 5.0))[1] == ["  fat: {from: thigh.fat, label: Fat, per: 5}"]
    assert changed_lines(Put(("factors", "weak", "role"), "adjuster"))[1] == ["    role: adjuster"]
    assert changed_lines(Put(("analysis", "missing", "imputations"), 50))[1] == ["  missing: {imputations: 50}"]


def test_a_list_changes_by_what_differs_and_keeps_its_comments() -> None:
    models = ("analysis", "models")
    assert changed_lines(Put((*models, "clinical", "factors"), ["male", "fat"]))[1] == [
        "    clinical: [male, fat]   # planned"
    ]
    gone, come = changed_lines(Put((*models, "imaging", "factors"), ["male", "fat", "weak"]))
    assert (gone, come) == ([], ["        - weak"])
    after = change_study(FILE, Put((*models, "imaging", "factors"), ["male", "fat"]))
    assert after.index("- male\n        - fat      # the new one") > 0


def test_a_model_that_is_a_list_is_written_out_when_it_gets_a_label() -> None:
    put = Put(("analysis", "models", "clinical", "label"), "Clinical")
    assert changed_lines(put)[1] == ["    clinical: {label: Clinical, factors: [male, weak]}   # planned"]


def test_a_factor_is_renamed_wherever_it_is_named() -> None:
    after = change_study(FILE, Rename(("factors", "weak"), "severe"))
    assert after == FILE.replace("  weak:\n", "  severe:\n").replace("weak]", "severe]").replace(
        "by: weak", "by: severe"
    ).replace("factor: weak", "factor: severe")


def test_a_dropped_factor_goes_with_the_models_that_only_it_was_in() -> None:
    after = change_study(FILE, Drop(("factors", "weak")))
    assert "weak" not in after.replace("Weak", "")
    assert '  death: {label: Death, when: "dead", day: time, models: {two: [male]}}\n' in after
    assert after.splitlines()[-1] == '  - {factor: male, source: A 2020, p: "0.02"}'
    assert "  # from images\n" in after


def test_entries_change_places_and_headings_stay() -> None:
    after = change_study(FILE, Move(("factors", "fat"), 0))
    head = "  # as the paper names them\n  fat: {from: thigh.fat, label: Fat}\n  male: {from: sex"
    assert head in after
    assert "  # from images\n  weak:\n" in after


@pytest.mark.parametrize(
    ("text", "change", "expected"),
    [
        ("a: {\n  b: 1, # one\n  c: 2  # two\n}\n", Drop(("a", "c")), "a: {\n  b: 1, # one\n    # two\n}\n"),
        ("a: {b: 1, c: 2}\n", Drop(("a", "b")), "a: {c: 2}\n"),
        ("a:\n  b: 1\nc: 2\n", Drop(("a", "b")), "c: 2\n"),
        ("a: 1", Put(("b",), True), "a: 1\nb: true"),
        ("a: 1\nb: 2", Drop(("b",)), "a: 1"),
        ("a:\n", Put(("a", "b"), "x"), "a:\n  b: x\n"),
        ("a: {}\n", Put(("a", "b"), "no: 1"), 'a: {b: "no: 1"}\n'),
        ("a: [1]\n", Put(("a",), "it's"), 'a: "it\'s"\n'),
        ("a: 'x'\n", Put(("a",), "it's"), "a: 'it''s'\n"),
        ("a:\n- b\n- c\n", Put(("a", 2), "d"), "a:\n- b\n- c\n- d\n"),
        ("", Put(("a",), 1), "a: 1"),
    ],
)  # fmt: skip
def test_every_form_of_yaml(text: str, change: object, expected: str) -> None:
    assert change_study(text, change) == expected  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("text", "change", "found"),
    [
        ("a: &x {b: 1}\nc: *x\n", Put(("c", "b"), 2), "an alias of another value"),
        ("a: [1\n", Put(("b",), 2), "text that is no YAML"),
        ("a: 1\n", Drop(("b",)), "no such key"),
        ("a: 1\n", Put(("a", "b"), 2), "one value"),
    ],
)
def test_what_cannot_be_changed_says_so(text: str, change: object, found: str) -> None:
    with pytest.raises(StudyFileError, match=found):
        change_study(text, change)  # type: ignore[arg-type]
