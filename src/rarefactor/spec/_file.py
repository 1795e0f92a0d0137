"""The study file as text: everything that can be wrong before it is YAML."""

from __future__ import annotations

import re
from pathlib import Path

from rarefactor.errors import Problem, StudyFileError, nearest

LARGEST = 4_000_000
CONTROL = re.compile("[\x00-\x08\x0b\x0c\x0e-\x1f\x7f\ufffe\uffff]")
_TOO_LARGE = ("more than 4 MB", "a study file", "Name the study file here, and the data in it.")
UTF_16 = (b"\xff\xfe", b"\xfe\xff")


def read_text(path: Path) -> str:
    """Read a study file as UTF-8 text.

    Raises
    ------
    StudyFileError
        There is no such file, or it is a folder, cannot be opened, is too large or is no UTF-8 text.
    """
    data = _read_bytes(path)
    if data.startswith(UTF_16):
        raise _refuse(path, "text in UTF-16", "text in UTF-8", "Save the file as UTF-8.")
    try:
        text = data.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        raise _not_text(path, data, error.start, "a character that is not UTF-8 text") from None
    refuse_control(text, path)
    return text


def refuse_control(text: str, path: Path) -> None:
    """Refuse a text with a character that no text file holds.

    Raises
    ------
    StudyFileError
        There is one; or the text is larger than a study file may be.
    """
    data = text.encode()
    if len(data) > LARGEST:
        raise _refuse(path, *_TOO_LARGE)
    binary = CONTROL.search(text)
    if binary:
        raise _not_text(path, data, len(text[: binary.start()].encode()), "a control character")


def _read_bytes(path: Path) -> bytes:
    if path.is_dir():
        raise _refuse(path, "a folder", "a study file", _offer(path, "study.yaml"))
    try:
        with path.open("rb") as file:
            data = file.read(LARGEST + 1)
    except FileNotFoundError:
        raise _refuse(path, "no such file", "a study file", _offer(path.parent, path.name)) from None
    except (OSError, ValueError) as error:
        reason = getattr(error, "strerror", None) or "not a path"
        raise _refuse(path, f"a file that cannot be opened ({reason})", "a file to read", "Check its rights.") from None
    if len(data) > LARGEST:
        raise _refuse(path, *_TOO_LARGE)
    return data


def _offer(folder: Path, name: str) -> str:
    """Return the next step where a file is not there: the study files that are."""
    if not folder.is_dir():
        return "Check the path: there is no such folder."
    known = sorted(item.name for item in folder.iterdir() if item.suffix in {".yaml", ".yml"})
    match = nearest(name, known)
    if match:
        return f"Did you mean {folder / match}?"
    return f"Use one of: {', '.join(str(folder / item) for item in known[:10])}." if known else "Check the path."


def _not_text(path: Path, data: bytes, place: int, found: str) -> StudyFileError:
    before = data[:place]
    line, byte = before.count(b"\n") + 1, place - (before.rfind(b"\n") + 1) + 1
    if b"\x00" in data:
        return _refuse(path, "binary data", "a text file in YAML", "Name the study file, not a data file.", line)
    return _refuse(
        path,
        f"{found} (byte {byte} of the line)",
        "text in UTF-8",
        "Save the file as UTF-8 in your editor.",
        line,
    )


def _refuse(path: Path, found: str, expected: str, next_step: str, line: int | None = None) -> StudyFileError:
    return StudyFileError(Problem(file=str(path), line=line, found=found, expected=expected, next_step=next_step))
