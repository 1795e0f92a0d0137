"""Files found by a layout: a path with names in braces where the words stand.

Convention: ``{subject}/{visit}`` and ``{subject}_{stain}.tif`` are layouts; ``*`` is anything within one name. Hidden
files are not looked at.
"""

from __future__ import annotations

import glob
import re
from collections.abc import Collection, Iterator, Mapping
from pathlib import Path

_PLACE = re.compile(r"(\{[a-z]+\}|\*)")


def find_by_layout(
    folder: Path, layout: str, *, known: Mapping[str, Collection[str]] | None = None
) -> Iterator[tuple[dict[str, str], Path]]:
    """Yield the words and the path of everything below a folder that fits a layout, in the order of the paths.

    Parameters
    ----------
    folder
        Where the layout starts.
    layout
        Such as ``{subject}/{visit}``.
    known
        The only words that a name in braces may stand for; others may stand for any word within one name.

    Examples
    --------
    >>> import tempfile
    >>> root = Path(tempfile.mkdtemp())
    >>> for name in ("P_1_BAFF-R.tif", "P_1_CD20.tif", "notes.txt"):
    ...     (root / name).touch()
    >>> [words for words, _ in find_by_layout(root, "{subject}_{stain}.tif")]
    [{'subject': 'P_1', 'stain': 'BAFF-R'}, {'subject': 'P_1', 'stain': 'CD20'}]
    """
    pattern = _compile(layout, known or {})
    for path in sorted(folder.glob(_globbed(layout))):
        match = pattern.fullmatch(path.relative_to(folder).as_posix())
        if match and not path.name.startswith("."):
            yield match.groupdict(), path


def _compile(layout: str, known: Mapping[str, Collection[str]]) -> re.Pattern[str]:
    return re.compile("".join(_part(part, known) for part in _PLACE.split(layout)))


def _part(part: str, known: Mapping[str, Collection[str]]) -> str:
    if part == "*":
        return "[^/]*"
    if not _PLACE.fullmatch(part):
        return re.escape(part)
    name = part[1:-1]
    words = sorted(known.get(name, ()), key=len, reverse=True)
    return f"(?P<{name}>{'|'.join(map(re.escape, words)) or '[^/]+'})"


def _globbed(layout: str) -> str:
    return "".join("*" if _PLACE.fullmatch(part) else glob.escape(part) for part in _PLACE.split(layout))
