"""The words that scanners and people write on an image, and the kind of image that each stands for.

Convention: a text is cut into lower-case words at everything that is no letter or digit and where a small letter meets
a capital ("InPhase", "mDIXON"); phrases are looked up longest first, each word is used once. "IN_PHASE" is therefore a
phrase of its own, and only a "phase" that stands alone is a phase image.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from itertools import pairwise

from rarefactor.imaging._scan import Kind

PHRASES: Mapping[str, Kind | None] = {
    "fat": Kind.FAT,
    "fat only": Kind.FAT,
    "f": Kind.FAT,
    "water": Kind.WATER,
    "water only": Kind.WATER,
    "w": Kind.WATER,
    "in": Kind.IN_PHASE,
    "ip": Kind.IN_PHASE,
    "inp": Kind.IN_PHASE,
    "inphase": Kind.IN_PHASE,
    "in phase": Kind.IN_PHASE,
    "out": Kind.OPPOSED_PHASE,
    "op": Kind.OPPOSED_PHASE,
    "opp": Kind.OPPOSED_PHASE,
    "oop": Kind.OPPOSED_PHASE,
    "opposed": Kind.OPPOSED_PHASE,
    "outphase": Kind.OPPOSED_PHASE,
    "out phase": Kind.OPPOSED_PHASE,
    "opp phase": Kind.OPPOSED_PHASE,
    "opposed phase": Kind.OPPOSED_PHASE,
    "out of phase": Kind.OPPOSED_PHASE,
    "ff": Kind.FAT_FRACTION,
    "pdff": Kind.FAT_FRACTION,
    "fatfrac": Kind.FAT_FRACTION,
    "fatfraction": Kind.FAT_FRACTION,
    "fat frac": Kind.FAT_FRACTION,
    "fat fraction": Kind.FAT_FRACTION,
    "fat percentage": Kind.FAT_FRACTION,
    "phase": Kind.PHASE,
    "ph": Kind.PHASE,
    "phase map": Kind.PHASE,
    "p ffe": Kind.PHASE,
    "p se": Kind.PHASE,
    # What carries such a word and is none of these: fat-suppressed images, maps, reformats, overviews.
    "fat water": None,
    "water fat": None,
    "fat sat": None,
    "fat suppressed": None,
    "fat suppression": None,
    "fat supp": None,
    "fat saturated": None,
    "fat free": None,
    "water excitation": None,
    "water sat": None,
    "water fraction": None,
    "water frac": None,
}
"""None: the words are used up and say nothing about a kind."""

WEAK = frozenset({"f", "w", "in", "ip", "inp", "op", "out", "opp", "ph"})
"""Taken in a description or file name only at its end or where a Dixon sequence is named."""

DIXON = frozenset({"dixon", "ideal", "flex", "mdixon", "qdixon", "lavaflex", "fatwater", "wfi", "iq", "dual"})
SUPPRESSED = (
    "fs",
    "fatsat",
    "spair",
    "spir",
    "spectral",
    "we",
    "fat sat",
    "fat suppressed",
    "fat suppression",
    "fat supp",
    "fat saturated",
    "water excitation",
)
ENHANCED = ("gd", "km", "ce", "post", "contrast", "gadolinium", "gadovist", "dotarem")
OVERVIEWS = ("localizer", "localiser", "loc", "scout", "survey", "calibration", "asset", "aahscout", "shim")
BEFORE_ENHANCED = ("pre", "native", "without", "wo", "no", "ohne")
DERIVED = ("mip", "mpr", "subtraction", "adc", "screen save", "screenshot", "resampled")
MAPS = ("map", "t1map", "t1rho", "t2map", "t2*", "t2star", "t2 star", "r2", "r2*", "r2star", "b0", "b1", "fieldmap")
MASKS = ("seg", "segmentation", "mask", "masks", "label", "labels", "roi", "rois", "dseg")
OTHER_PLACES = ("calf", "calves", "shank", "lower leg", "unterschenkel", "pelvis", "becken", "shoulder", "foot")
THIGH = ("thigh", "thighs", "oberschenkel", "upper leg", "femur", "cuisse", "muslo")


def split_words(text: str) -> tuple[str, ...]:
    """Return the words of a text in small letters.

    Examples
    --------
    >>> split_words("t1_vibe_dixon_tra_F"), split_words("InPhase: Ax mDIXON")
    (('t1', 'vibe', 'dixon', 'tra', 'f'), ('in', 'phase', 'ax', 'm', 'dixon'))
    """
    return tuple(re.findall(r"[a-z0-9*]+", re.sub(r"(?<=[a-z])(?=[A-Z])", " ", text).lower()))


def find_phrases(words: Sequence[str]) -> Iterator[tuple[str, int]]:
    """Yield the phrases among ``words``, longest first at each place, with the number of words that follow.

    Examples
    --------
    >>> list(find_phrases(split_words("t1 IN_PHASE")))
    [('in phase', 0)]
    >>> list(find_phrases(("phase", "fat", "sat", "ax")))
    [('phase', 3), ('fat sat', 1)]
    """
    place = 0
    while place < len(words):
        size = next((n for n in (3, 2, 1) if " ".join(words[place : place + n]) in PHRASES), 0)
        if size:
            yield " ".join(words[place : place + size]), max(len(words) - place - size, 0)
        place += size or 1


def find_first(words: Sequence[str], phrases: Sequence[str]) -> str | None:
    """The first of ``phrases`` (one or two words each) that stands in ``words``, or None.

    Examples
    --------
    >>> find_first(("t1", "fat", "sat"), SUPPRESSED)
    'fat sat'
    """
    present = {*words, *(f"{one} {two}" for one, two in pairwise(words))}
    return next((phrase for phrase in phrases if phrase in present), None)
