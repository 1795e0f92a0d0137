"""Do a thing once: what was computed from the same content by the same code is read back."""

from __future__ import annotations

from collections.abc import Callable
from functools import cache
from pathlib import Path
from typing import TypeVar

from rarefactor.work._cache import Cache
from rarefactor.work._key import content_key

Value = TypeVar("Value")


def remember(
    store: Cache,
    key: str,
    compute: Callable[[], Value],
    *,
    write: Callable[[Value], bytes],
    read: Callable[[bytes], Value],
) -> tuple[Value, bool]:
    """Return the value of a key and whether it was there already; compute and store it where it was not.

    Examples
    --------
    >>> import tempfile
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     store = Cache(Path(folder))
    ...     for _ in range(2):
    ...         print(remember(store, "answer", lambda: "42", write=str.encode, read=bytes.decode))
    ('42', False)
    ('42', True)
    """
    stored = store.get(key)
    if stored is not None:
        return read(stored), True
    value = compute()
    store.put(key, write(value))
    return value, False


@cache
def code_key(package: Path) -> str:
    """Return the key of a package's source, templates and styles included: results of other code are other results.

    Examples
    --------
    >>> len(code_key(Path(__file__).parent))
    64
    """
    files = sorted(path for path in package.rglob("*") if path.is_file() and path.suffix != ".pyc")
    return content_key([[str(path.relative_to(package)), path.read_bytes()] for path in files])
