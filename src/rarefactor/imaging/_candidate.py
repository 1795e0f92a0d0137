"""A volume that a folder holds, before it is known whether it is needed.

Convention: ``name`` is how messages call it: the path below the folder that was read, which is the user's own.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from rarefactor.imaging._recognise import Clues
from rarefactor.imaging._volume import Volume


@dataclass(frozen=True, slots=True, kw_only=True)
class Candidate:
    """One volume and what its files say of it.

    Attributes
    ----------
    number
        The scanner's series number, 0 if there is none; a scan that was repeated has the higher one.
    paths
        The files that it comes from.
    description
        What the scanner's user called it, without a patient's name or number.
    read
        Reads the numbers; raises ImageError where that is not possible.
    """

    name: str
    clues: Clues
    number: int
    paths: tuple[Path, ...]
    description: str
    read: Callable[[], Volume]


def derive_name(paths: tuple[Path, ...], root: Path) -> str:
    """The file, or the folder that holds all files of a volume, as it is called below ``root``.

    Examples
    --------
    >>> derive_name((Path("/v/fat/1.dcm"), Path("/v/fat/2.dcm")), Path("/v"))
    'fat'
    """
    names = [path.relative_to(root) for path in paths]
    if len(names) == 1:
        return names[0].as_posix()
    folder = names[0].parent
    while any(folder not in name.parents for name in names):
        folder = folder.parent
    return folder.as_posix()
