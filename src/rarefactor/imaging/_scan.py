"""What was scanned at one visit: series with their acquisition, their files and what is doubtful about them.

Convention: times in milliseconds, angles in degrees, field strength in tesla; None where the files do not say. No name,
number or date of birth of a patient is kept.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum

from rarefactor.imaging._volume import Volume
from rarefactor.results import Flag


class Kind(StrEnum):
    """What a series shows."""

    FAT = "fat"
    WATER = "water"
    IN_PHASE = "in_phase"
    OPPOSED_PHASE = "opposed_phase"
    FAT_FRACTION = "fat_fraction"
    T1 = "t1"
    T2 = "t2"
    STIR = "stir"
    PHASE = "phase"
    UNKNOWN = "unknown"


@dataclass(frozen=True, slots=True, kw_only=True)
class SourceFile:
    """A file that a number comes from; ``sha256`` in hexadecimal digits."""

    path: str
    sha256: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Acquisition:
    """How a series was scanned; what decides whether two visits can be compared."""

    sequence: str | None = None
    repetition_ms: float | None = None
    echo_ms: float | None = None
    inversion_ms: float | None = None
    flip_degrees: float | None = None
    field_tesla: float | None = None
    coil: str | None = None
    scanner: str | None = None
    software: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Series:
    """One volume of a visit; ``reason`` says in words why it was taken for its ``kind``."""

    kind: Kind
    reason: str
    volume: Volume
    acquisition: Acquisition
    files: tuple[SourceFile, ...]
    description: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Scan:
    """All series of one visit."""

    series: tuple[Series, ...]
    flags: tuple[Flag, ...] = ()

    def first(self, kinds: Sequence[Kind]) -> Series | None:
        """The first series of one of ``kinds``, in their order, or None."""
        return next((each for kind in kinds for each in self.series if each.kind == kind), None)
