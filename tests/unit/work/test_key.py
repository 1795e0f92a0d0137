"""A key tells apart everything that differs, and nothing else."""

import itertools

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from rarefactor.errors import DataError, InputError
from rarefactor.work import content_key, hash_file

scalars = st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text() | st.binary()
plain = st.recursive(scalars, lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner), max_leaves=8)

DISTINCT = [None, True, 1, 1.0, "1", b"1", "", b"", [], {}, [[]], ["ab"], ["a", "b"], {"a": "b"}, 0, False, 0.0, -0.0]


def test_every_kind_of_value_has_its_own_key():
    for one, other in itertools.combinations(DISTINCT, 2):
        assert content_key(one) != content_key(other), (one, other)


def test_parts_are_not_run_together():
    assert content_key("ab", "c") != content_key("a", "bc") != content_key(["a", "bc"])


@settings(max_examples=40)
@given(st.dictionaries(st.text(), plain))
def test_a_mapping_has_no_order_and_a_tuple_is_a_list(mapping):
    turned = dict(reversed([(key, tuple(item) if isinstance(item, list) else item) for key, item in mapping.items()]))
    assert content_key(mapping) == content_key(turned)


def test_the_key_stays_the_same_between_versions():
    known = "cc3318933912151bf02375ea8fae6008fdc78cde3e77aacba71b10d7b66bb5a0"
    assert content_key("a", 1, [2.5, None], {"b": True}) == known


def test_a_value_without_a_canonical_form_is_refused():
    with pytest.raises(InputError, match="found a set"):
        content_key({1, 2})


def test_a_file_is_hashed_by_content(tmp_path):
    (tmp_path / "one").write_bytes(b"abc")
    assert hash_file(tmp_path / "one") == "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad"
    with pytest.raises(DataError, match="no such file"):
        hash_file(tmp_path / "two")
