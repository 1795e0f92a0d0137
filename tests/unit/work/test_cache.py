"""The cache gives back what was put in, or nothing."""

import os
import shutil

import pytest

from rarefactor.work import Cache


@pytest.fixture
def cache(tmp_path):
    return Cache(tmp_path / "cache")


def entries(cache):
    return sorted(path for path in cache.folder.glob("??/*") if path.is_file())


def test_what_was_put_comes_back(cache):
    assert cache.get("key") is None
    assert cache.put("key", b"\x00data")
    assert cache.get("key") == b"\x00data"
    assert cache.put("key", b"")
    assert cache.get("key") == b""


@pytest.mark.parametrize("damage", [lambda old: old[:-1], lambda old: old + b"!", lambda _: b"", lambda old: old[::-1]])
def test_a_damaged_entry_is_no_entry_and_goes(cache, damage):
    cache.put("key", b"data")
    [path] = entries(cache)
    path.write_bytes(damage(path.read_bytes()))
    assert cache.get("key") is None
    assert entries(cache) == []


def test_an_entry_under_another_name_is_no_entry(cache):
    cache.put("one", b"data of one")
    [one] = entries(cache)
    cache.put("two", b"data of two")
    [two] = [path for path in entries(cache) if path != one]
    shutil.copy(one, two)
    assert cache.get("two") is None
    assert cache.get("one") == b"data of one"


def test_the_least_recently_used_go_first(tmp_path):
    cache = Cache(tmp_path, limit_bytes=3 * (32 + 10))
    for age, key in enumerate(["a", "b", "c"]):
        cache.put(key, b"0123456789")
        for path in entries(cache)[-1:]:
            os.utime(path, (1000 + age, 1000 + age))
    for path in entries(cache):
        os.utime(path, (1000, 1000))
    assert cache.get("a")  # a is now the most recently used
    cache.put("d", b"0123456789")
    assert cache.get("a")
    assert cache.get("d")
    assert len(entries(cache)) == 3


def test_what_cannot_be_stored_is_worked_out_again(tmp_path):
    assert not Cache(tmp_path / "small", limit_bytes=40).put("key", b"0123456789")
    (tmp_path / "file").write_bytes(b"")
    blocked = Cache(tmp_path / "file")
    assert not blocked.put("key", b"data")
    assert blocked.get("key") is None


def test_only_its_owner_may_read_it(cache):
    cache.put("key", b"data")
    assert cache.folder.stat().st_mode & 0o077 == 0
