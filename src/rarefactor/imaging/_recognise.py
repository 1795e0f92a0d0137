"""What an image shows, from what its header, sidecar or file name says, and why.

Convention: the surest sign decides, and the reason names it: Complex Image Component, then Image Type, then the words
of the description or file name, then the acquisition. A reason quotes words of our own list only, never a free text.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

from rarefactor.imaging._scan import Acquisition, Kind
from rarefactor.imaging._words import (
    BEFORE_ENHANCED,
    DERIVED,
    DIXON,
    ENHANCED,
    MAPS,
    MASKS,
    OVERVIEWS,
    PHRASES,
    SUPPRESSED,
    WEAK,
    find_first,
    find_phrases,
    split_words,
)

_FAT_SHIFT_HZ_PER_TESLA = 3.4 * 42.577  # of the main fat peak from water, parts per million times MHz per tesla


@dataclass(frozen=True, slots=True, kw_only=True)
class Clues:
    """What a file says about its image.

    Attributes
    ----------
    image_type
        DICOM's Image Type (or Frame Type), all values.
    component
        Complex Image Component: MAGNITUDE, PHASE, REAL, IMAGINARY or MIXED; None where the file does not say.
    contrast
        Acquisition Contrast of enhanced files, such as T1 or STIR.
    description
        Series description, or the file's name without its ending.
    source
        What ``description`` is, for the reason: "description" or "file name".
    context
        Protocol and sequence names, which may name a Dixon sequence but never the image.
    technique
        Scanning Sequence: SE, GR, IR, EP.
    agent
        Whether the header names a contrast agent.
    """

    image_type: tuple[str, ...] = ()
    component: str | None = None
    contrast: str | None = None
    description: str = ""
    source: str = "description"
    context: str = ""
    technique: tuple[str, ...] = ()
    agent: bool = False
    acquisition: Acquisition = field(default_factory=Acquisition)


@dataclass(frozen=True, slots=True, kw_only=True)
class Recognised:
    """A kind and the reason in words."""

    kind: Kind
    reason: str


def derive_kind(clues: Clues) -> Recognised:
    """Return what an image shows and why; Kind.UNKNOWN carries the reason why it is not measured.

    Examples
    --------
    >>> derive_kind(Clues(image_type=("DERIVED", "PRIMARY", "M", "DIXON", "IN", "PHASE"))).kind
    <Kind.IN_PHASE: 'in_phase'>
    >>> derive_kind(Clues(image_type=("ORIGINAL", "PRIMARY", "P", "FAT"))).reason
    'Image Type says P (phase)'
    >>> derive_kind(Clues(description="t1_vibe_dixon_tra_W")).reason
    'the description says “w”'
    """
    signs: tuple[Callable[[Clues], Recognised | None], ...] = (
        _by_component,
        _by_image_type,
        _by_exclusion,
        _by_description,
        _by_contrast,
        _by_weighting,
        _by_echo,
        _by_times,
    )
    found = (sign(clues) for sign in signs)
    return next((each for each in found if each), Recognised(kind=Kind.UNKNOWN, reason="nothing names its contrast"))


def is_mask(clues: Clues) -> bool:
    """Whether the name says that a file holds labels, not an image."""
    return find_first(split_words(clues.description), MASKS) is not None


def _by_component(clues: Clues) -> Recognised | None:
    component = (clues.component or "").upper()
    if component == "PHASE":
        return Recognised(kind=Kind.PHASE, reason="Complex Image Component says PHASE")
    if component in {"REAL", "IMAGINARY"}:
        return Recognised(kind=Kind.UNKNOWN, reason=f"Complex Image Component says {component}, not a magnitude")
    parts = {value.upper() for value in clues.image_type[2:4]}
    if "P" in parts and component != "MAGNITUDE":
        return Recognised(kind=Kind.PHASE, reason="Image Type says P (phase)")
    if parts & {"R", "I", "REAL", "IMAGINARY"} and component != "MAGNITUDE":
        return Recognised(kind=Kind.UNKNOWN, reason="Image Type says real or imaginary part, not a magnitude")
    return None


def _by_image_type(clues: Clues) -> Recognised | None:
    words = split_words(" ".join(value.upper() for value in clues.image_type[2:]))
    unfit = find_first(words, (*OVERVIEWS, *DERIVED, "sub", "projection image"))
    if unfit:
        return Recognised(kind=Kind.UNKNOWN, reason=f"Image Type says {unfit.upper()}")
    found = next(iter(_named_kinds(clues, words)), None)
    if found:
        phrase, kind, _ = found
        return Recognised(kind=kind, reason=f"Image Type says {phrase.upper()}")
    maps = find_first(words, MAPS)
    return Recognised(kind=Kind.UNKNOWN, reason=f"Image Type says {maps.upper()}, a map") if maps else None


def _named_kinds(clues: Clues, words: Sequence[str]) -> list[tuple[str, Kind, int]]:
    """Phrases that name a kind, their kinds, and how many words follow; no phase where a magnitude is declared."""
    magnitude = clues.component == "MAGNITUDE" or "M" in {value.upper() for value in clues.image_type[2:4]}
    named = ((phrase, PHRASES[phrase], following) for phrase, following in find_phrases(words))
    return [
        (phrase, kind, following)
        for phrase, kind, following in named
        if kind and not (magnitude and kind is Kind.PHASE)
    ]


def _by_exclusion(clues: Clues) -> Recognised | None:
    unfit = find_first(split_words(clues.description), (*OVERVIEWS, *DERIVED))
    return Recognised(kind=Kind.UNKNOWN, reason=f"the {clues.source} says “{unfit}”") if unfit else None


def _by_description(clues: Clues) -> Recognised | None:
    words = split_words(clues.description)
    named = _named_kinds(clues, words)
    strong = [(phrase, kind) for phrase, kind, _ in named if phrase not in WEAK]
    dixon = _names_dixon(clues)
    weak = [(phrase, kind) for phrase, kind, following in named if phrase in WEAK and (dixon or following == 0)]
    for phrase, kind in (*strong, *reversed(weak)):  # a letter names the image where it stands last
        return Recognised(kind=kind, reason=f"the {clues.source} says “{phrase}”")
    unfit = find_first(words, MAPS)
    return Recognised(kind=Kind.UNKNOWN, reason=f"the {clues.source} says “{unfit}”, a map") if unfit else None


def _names_dixon(clues: Clues) -> bool:
    words = {*split_words(clues.description), *split_words(clues.context), *split_words(" ".join(clues.image_type))}
    return bool(words & DIXON)


def _by_contrast(clues: Clues) -> Recognised | None:
    kind = {"T1": Kind.T1, "T2": Kind.T2, "STIR": Kind.STIR}.get((clues.contrast or "").upper())
    return _unless_unfit(clues, kind, f"Acquisition Contrast says {clues.contrast}") if kind else None


def _by_weighting(clues: Clues) -> Recognised | None:
    if _names_dixon(clues):  # an echo or a composite of a Dixon sequence is no T1-weighted spin echo
        return None
    words = split_words(clues.description)
    for kind, starts in ((Kind.STIR, ("stir", "tirm")), (Kind.T1, ("t1",)), (Kind.T2, ("t2",))):
        word = next((word for word in words if word.startswith(starts)), None)
        if word:
            return _unless_unfit(clues, kind, f"the {clues.source} says “{word[:4]}”")
    return None


def _unless_unfit(clues: Clues, kind: Kind, reason: str) -> Recognised:
    """T1 with the fat suppressed or a contrast agent looks T1-weighted and cannot give a fat fraction."""
    if kind is not Kind.T1:
        return Recognised(kind=kind, reason=reason)
    words = split_words(clues.description)
    suppressed = find_first(words, SUPPRESSED)
    agent = find_first(words, ENHANCED) and not find_first(words, BEFORE_ENHANCED)
    if suppressed:
        return Recognised(kind=Kind.UNKNOWN, reason=f"{reason}, but also “{suppressed}”: its fat is suppressed")
    if agent or clues.agent:
        return Recognised(kind=Kind.UNKNOWN, reason=f"{reason}, but it was taken after a contrast agent")
    return Recognised(kind=kind, reason=reason)


def _by_echo(clues: Clues) -> Recognised | None:
    echo, field_tesla = clues.acquisition.echo_ms, clues.acquisition.field_tesla
    if not (_names_dixon(clues) and echo and field_tesla):
        return None
    turns = echo / 1000.0 * _FAT_SHIFT_HZ_PER_TESLA * field_tesla
    reason = f"an echo of {echo:.2f} ms at {field_tesla:g} T in a Dixon sequence"
    if abs(turns - round(turns)) < 0.12 and turns > 0.5:
        return Recognised(kind=Kind.IN_PHASE, reason=f"{reason} has fat and water in phase")
    if abs(turns % 1 - 0.5) < 0.12:
        return Recognised(kind=Kind.OPPOSED_PHASE, reason=f"{reason} has fat and water opposed")
    return None


def _by_times(clues: Clues) -> Recognised | None:
    times = clues.acquisition
    repetition, echo, inversion = times.repetition_ms, times.echo_ms, times.inversion_ms
    if "IR" in clues.technique and inversion and 80 <= inversion <= 300:
        return Recognised(kind=Kind.STIR, reason=f"an inversion time of {inversion:g} ms suppresses fat")
    if "SE" not in clues.technique or not repetition or not echo:
        return None
    said = f"a spin echo of TR {repetition:g} ms and TE {echo:g} ms is"
    if repetition < 1200 and echo < 30:
        return _unless_unfit(clues, Kind.T1, f"{said} T1-weighted")
    if repetition >= 1800 and echo >= 50:
        return Recognised(kind=Kind.T2, reason=f"{said} T2-weighted")
    return None


def check_words(text: str, phrases: Sequence[str]) -> bool:
    """Whether one of ``phrases`` stands in ``text``.

    Examples
    --------
    >>> check_words("Lower_Leg t1_dixon", ("lower leg",))
    True
    """
    return find_first(split_words(text), phrases) is not None
