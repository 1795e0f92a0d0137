"""How scans are measured, whether a study or a command asks for it, and the files of one patient.

Convention: everything here can be sent to another machine and made into a key by content.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Literal

from rarefactor.imaging._fat_fraction import Estimator
from rarefactor.imaging._rate import PUBLISHED, Repeatability
from rarefactor.imaging._scan import Kind

Sequence = Literal["dixon", "t1"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Settings:
    """How scans are measured.

    Attributes
    ----------
    sequence
        ``dixon`` or ``t1``; None takes Dixon where a scan has it, else T1.
    patterns
        File name patterns of kinds of series that cannot be told from the files.
    names
        What each label of a reader's mask means; labels 1 to 11 in the order of the muscles if None.
    segmenter
        A network to ask where no reader drew a mask.
    repeatability
        SD of one measurement repeated, in percentage points; published data if None.
    allow
        Changes of the protocol that are not to refuse a rate.
    level
        Of the minimal detectable change.
    """

    sequence: Sequence | None = None
    patterns: Mapping[Kind, str] = field(default_factory=dict[Kind, str])
    names: Mapping[int, str] | None = None
    segmenter: str | None = None
    estimator: Estimator = Estimator.VOXEL_MEAN
    repeatability: float | None = None
    allow: tuple[str, ...] = ()
    level: float = 0.95

    @property
    def error(self) -> Repeatability:
        """The error of one measurement."""
        if self.repeatability is None:
            return PUBLISHED
        return Repeatability(absolute=self.repeatability / 100.0, relative=0.0, source="given for this study")

    def content(self) -> Any:
        """Everything that decides the numbers, for a key by content."""
        names = None if self.names is None else {str(label): name for label, name in self.names.items()}
        patterns = {kind.value: pattern for kind, pattern in self.patterns.items()}
        words = (self.sequence, self.segmenter, self.estimator.value)
        return [*words, patterns, names, self.repeatability, list(self.allow), self.level]


@dataclass(frozen=True, slots=True, kw_only=True)
class Corrected:
    """A mask that a reader has corrected: its file, what its labels mean, and who drew which version."""

    path: Path
    names: Mapping[int, str]
    source: str


@dataclass(frozen=True, slots=True, kw_only=True)
class VisitFiles:
    """The files of one visit: a folder or files, a reader's mask, and the month where it is known.

    A corrected mask goes before every other of its visit. It does not make the visit the one whose regions are carried.
    """

    visit: str
    paths: tuple[Path, ...]
    mask: Path | None = None
    month: float | None = None
    corrected: Corrected | None = None

    @property
    def places(self) -> tuple[Path, ...]:
        """The paths and the masks."""
        masks = (self.mask, self.corrected and self.corrected.path)
        return (*self.paths, *(mask for mask in masks if mask))

    @property
    def place(self) -> Path | tuple[Path, ...]:
        """The folder or file, or the files that belong together."""
        first, *others = self.paths
        return self.paths if others else first


@dataclass(frozen=True, slots=True, kw_only=True)
class PatientFiles:
    """The visits of one patient in their order.

    ``patient`` is the name under which numbers are kept, ``own_id`` the id that may stand in names of files.
    """

    patient: str
    visits: tuple[VisitFiles, ...]
    own_id: str | None = None


def list_files(place: Path) -> list[Path]:
    """Return a file, or all files below a folder, in the order of their names."""
    return [place] if place.is_file() else sorted(path for path in place.rglob("*") if path.is_file())
