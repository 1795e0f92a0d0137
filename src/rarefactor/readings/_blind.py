"""Reading blind: which image comes next, under a name that says nothing.

Convention: each reader gets the images in an order of his own, drawn by the study's seed, his name and the round; a
second round, read to see how far a reader agrees with himself, has another order and other names. An image that is
added later takes its place without moving the others. An image's code is made of its key, which must hold no id of the
records.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable
from dataclasses import dataclass

_LENGTH = 12


@dataclass(frozen=True, slots=True, kw_only=True)
class Coded:
    """An image to read: its key, for the log, and its code, for the reader."""

    key: str
    code: str


def derive_order(keys: Iterable[str], *, seed: int, reader: str, number: int) -> tuple[Coded, ...]:
    """Return images in the order in which a reader sees them.

    Parameters
    ----------
    keys
        What tells images apart, made of pseudonyms.
    seed
        Of the study.
    reader, number
        Who reads, and the round, from 1.

    Examples
    --------
    >>> first = derive_order(["a", "b", "c", "d"], seed=1, reader="Ada", number=1)
    >>> again = derive_order(["d", "c", "b", "a"], seed=1, reader="Ada", number=1)
    >>> other = derive_order(["a", "b", "c", "d"], seed=1, reader="Bea", number=1)
    >>> first == again, [each.key for each in first] == [each.key for each in other]
    (True, False)
    >>> {each.code for each in first} & {each.code for each in other}
    set()
    """
    coded = (Coded(key=key, code=_hash("code", seed, reader, number, key)[:_LENGTH]) for key in set(keys))
    return tuple(sorted(coded, key=lambda each: _hash("order", seed, reader, number, each.key)))


def _hash(*parts: str | int) -> str:
    return hashlib.sha256("\0".join(map(str, parts)).encode()).hexdigest()
