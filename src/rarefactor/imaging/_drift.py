"""Whether two visits were scanned alike: a change of the scanner's settings can look like a change of the muscle.

Convention: a change of sequence, repetition time or flip angle changes the fat fraction by itself (by its T1 weighting)
and refuses a rate, unless the study allows that change with a reason; a shift along the leg by more than half a slice
is a warning, by more than one a refusal. What the files do not say is not a change, but is listed.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass

from rarefactor.imaging._motion_found import Motion
from rarefactor.imaging._scan import Acquisition, Series
from rarefactor.results import Flag, Severity

_PARTS: Mapping[str, tuple[str, Severity, float]] = {
    "sequence": ("sequence", Severity.REFUSED, 0.0),
    "repetition_ms": ("repetition time (ms)", Severity.REFUSED, 0.02),
    "flip_degrees": ("flip angle (degrees)", Severity.REFUSED, 0.02),
    "echo_ms": ("echo time (ms)", Severity.WARNING, 0.02),
    "inversion_ms": ("inversion time (ms)", Severity.WARNING, 0.02),
    "field_tesla": ("field strength (tesla)", Severity.WARNING, 0.05),
    "coil": ("coil", Severity.WARNING, 0.0),
    "scanner": ("scanner", Severity.WARNING, 0.0),
    "software": ("software", Severity.NOTE, 0.0),
}
"""In words, what a change of it means, and the relative difference that is none."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ProtocolChange:
    """One setting of the scanner at both visits; ``allowed`` where the study bears the change."""

    name: str
    words: str
    baseline: str
    follow_up: str
    severity: Severity
    allowed: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Drift:
    """What changed between two visits, and what the files do not say."""

    changes: tuple[ProtocolChange, ...]
    unknown: tuple[str, ...] = ()

    @property
    def refused(self) -> bool:
        """Whether no rate can be given."""
        return any(change.severity is Severity.REFUSED for change in self.changes)

    @property
    def flags(self) -> tuple[Flag, ...]:
        """A flag per change, and one for what is not known."""
        found = tuple(_build_flag(change) for change in self.changes)
        if not self.unknown:
            return found
        detail = f"The files do not say for both visits: {', '.join(_PARTS[name][0] for name in self.unknown)}."
        return (*found, Flag(name="protocol_unknown", severity=Severity.NOTE, detail=detail))


def check_drift(
    baseline: Series, follow_up: Series, *, motion: Motion | None = None, allow: Collection[str] = ()
) -> Drift:
    """Return what changed in the protocol between two visits.

    Parameters
    ----------
    baseline, follow_up
        The series that were measured: fat (or water) of Dixon, or T1.
    motion
        From `register`; tells the shift along the leg.
    allow
        Changes that the study bears: "sequence", "repetition_ms", "flip_degrees" or "shift". They become warnings.

    References
    ----------
    Liu CY, McKenzie CA, Yu H, Brittain JH, Reeder SB. Fat quantification with IDEAL gradient echo imaging: correction
    of bias from T1 and noise. Magn Reson Med 2007;58:354-364.
    """
    pair = (baseline.acquisition, follow_up.acquisition)
    found = (
        *_compare_settings(*pair, allow),
        *_compare_spacing(baseline, follow_up),
        *(() if motion is None else _compare_place(motion, allow)),
    )
    unknown = tuple(
        name
        for name, (_, severity, _) in _PARTS.items()
        if severity is Severity.REFUSED and any(getattr(each, name) is None for each in pair)
    )
    return Drift(changes=found, unknown=unknown)


def _compare_settings(one: Acquisition, other: Acquisition, allow: Collection[str]) -> Iterator[ProtocolChange]:
    for name, (words, severity, tolerance) in _PARTS.items():
        before, after = getattr(one, name), getattr(other, name)
        if before is None or after is None or _is_alike(before, after, tolerance):
            continue
        yield _build_change(name, words, (_show(before), _show(after)), severity, allow)


def _is_alike(before: str | float, after: str | float, tolerance: float) -> bool:
    if isinstance(before, str) or isinstance(after, str):
        return str(before).strip().casefold() == str(after).strip().casefold()
    return abs(after - before) <= tolerance * max(abs(before), abs(after))


def _compare_spacing(baseline: Series, follow_up: Series) -> Iterator[ProtocolChange]:
    before, after = (series.volume.grid.spacing_mm[0] for series in (baseline, follow_up))
    if not _is_alike(before, after, 0.02):
        yield _build_change("spacing_mm", "slice spacing (mm)", (_show(before), _show(after)), Severity.WARNING, ())


def _compare_place(motion: Motion, allow: Collection[str]) -> Iterator[ProtocolChange]:
    shift, slice_mm = motion.shift_mm, motion.baseline.spacing_mm[0]
    if shift is None or abs(shift) <= 0.5 * slice_mm:
        return
    severity = Severity.REFUSED if abs(shift) > slice_mm else Severity.WARNING
    seen = (f"slices every {_show(slice_mm)}", f"shifted by {shift:.0f}")
    yield _build_change("shift", "place along the leg (mm)", seen, severity, allow)


def _build_change(
    name: str, words: str, seen: tuple[str, str], severity: Severity, allow: Collection[str]
) -> ProtocolChange:
    allowed = name in allow and severity is Severity.REFUSED
    return ProtocolChange(
        name=name,
        words=words,
        baseline=seen[0],
        follow_up=seen[1],
        severity=Severity.WARNING if allowed else severity,
        allowed=allowed,
    )


def _build_flag(change: ProtocolChange) -> Flag:
    end = {Severity.REFUSED: " No rate is given.", Severity.WARNING: "", Severity.NOTE: ""}[change.severity]
    bear = " The study allows this." if change.allowed else ""
    return Flag(
        name=f"drift_{change.name}",
        severity=change.severity,
        detail=f"The visits differ in {change.words}: {change.baseline}, then {change.follow_up}.{bear}{end}",
    )


def _show(value: str | float) -> str:
    return value if isinstance(value, str) else f"{value:g}"
