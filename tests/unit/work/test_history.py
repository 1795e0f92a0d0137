"""Versions of a file: appended, taken back, never lost."""

from pathlib import Path

import pytest

from rarefactor.errors import OutputError
from rarefactor.work import History


def _add(history: History, text: str, kind: str = "change") -> None:
    history.add(text.encode(), kind=kind, what=text, who="me")  # type: ignore[arg-type]


def test_going_back_and_forth_and_a_new_change_after_going_back(tmp_path: Path) -> None:
    history = History(folder=tmp_path / "history")
    assert (history.undoable, history.redoable) == (None, None)
    for text in "abc":
        _add(history, text)
    _add(history, "b", "undo")
    assert (history.undoable.what, history.redoable.what) == ("a", "c")
    _add(history, "a", "undo")
    _add(history, "b", "redo")
    _add(history, "d")
    assert (history.undoable.what, history.redoable) == ("b", None)
    assert [history.read(version) for version in history.versions] == [b"a", b"b", b"c", b"b", b"a", b"b", b"d"]


def test_an_entry_is_never_written_over_another(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    history = History(folder=tmp_path)
    _add(history, "a")
    monkeypatch.setattr(Path, "glob", lambda *_: iter(()))  # another program was quicker to take the number
    with pytest.raises(OutputError):
        _add(history, "b")
    monkeypatch.undo()
    assert [version.what for version in history.versions] == ["a"]
    assert not list(tmp_path.glob(".rarefactor-*"))
