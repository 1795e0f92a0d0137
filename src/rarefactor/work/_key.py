"""Content keys: SHA-256 over a canonical form that tells every type apart.

Convention: each value is a tag, a length and its bytes, so that no two different values share a form: ``1``, ``1.0``,
``"1"``, ``b"1"`` and ``True`` differ, and ``["ab"]`` differs from ``["a", "b"]``. A list equals a tuple; a mapping has
no order.
"""

from __future__ import annotations

import hashlib
import struct
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any, cast

from rarefactor.errors import DataError, InputError, Problem

_SCALARS: tuple[tuple[type, bytes, Callable[[Any], bytes]], ...] = (
    (type(None), b"0", lambda _: b""),
    (bool, b"b", lambda value: bytes([value])),  # before int, which it is one of
    (int, b"i", lambda value: str(int(value)).encode()),
    (float, b"f", lambda value: struct.pack(">d", value)),
    (str, b"s", lambda value: value.encode("utf-8", "surrogatepass")),
    (bytes, b"y", bytes),
)


def content_key(*parts: Any) -> str:
    """Return the SHA-256 of the parts as 64 hexadecimal digits.

    Parameters
    ----------
    *parts
        Text, bytes, numbers, booleans, None, and sequences and mappings of these.

    Raises
    ------
    InputError
        A part is of another type.

    Examples
    --------
    >>> content_key("fit", {"seed": 1}) == content_key("fit", {"seed": 1})
    True
    >>> content_key(1) == content_key("1")
    False
    """
    return hashlib.sha256(_canonical(parts)).hexdigest()


def hash_file(path: Path) -> str:
    """Return the SHA-256 of a file as 64 hexadecimal digits; the file is read in pieces.

    Raises
    ------
    DataError
        The file cannot be read.
    """
    try:
        with path.open("rb") as file:
            return hashlib.file_digest(file, "sha256").hexdigest()
    except OSError as error:
        raise DataError(
            Problem(
                file=str(path),
                found=(error.strerror or type(error).__name__).lower(),
                expected="a file that can be read",
                next_step="Check the path and the permissions.",
            )
        ) from error


def _canonical(value: Any) -> bytes:
    tag, body = _tagged(value)
    return tag + struct.pack(">Q", len(body)) + body


def _tagged(value: Any) -> tuple[bytes, bytes]:
    for kind, tag, encode in _SCALARS:
        if isinstance(value, kind):
            return tag, encode(value)
    return _tagged_many(value)


def _tagged_many(value: Any) -> tuple[bytes, bytes]:
    if isinstance(value, Mapping):
        items = cast("Mapping[Any, Any]", value).items()
        return b"m", b"".join(sorted(_canonical(key) + _canonical(item) for key, item in items))
    if isinstance(value, Sequence):
        return b"l", b"".join(_canonical(item) for item in cast("Sequence[Any]", value))
    raise InputError(
        Problem(
            found=f"a {type(value).__name__}",
            expected="text, bytes, numbers, booleans, None, or sequences and mappings of these",
            next_step="Turn it into one of these before it becomes part of a key.",
        )
    )
