"""What the authors say of their study: the texts of the study file under ``about``, each at its place.

Convention: a text is printed as it stands after a word that names it; a place without texts is left out.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from rarefactor.report._source import Source
from rarefactor.report._words import Words
from rarefactor.report.tree import Block, Heading, Paragraph, Text

PLACES: Mapping[str, tuple[str, ...]] = {
    "background": ("background", "objectives"),
    "design-and-patients": ("setting", "dates", "recruitment", "treatments", "sample_size", "bias"),
    "outcome": ("assessment",),
    "candidate-factors": ("choice", "measurement", "specimens"),
    "discussion": ("interpretation", "limitations", "generalisability", "next_steps"),
    "declarations": (
        "ethics",
        "registration",
        "funding",
        "interests",
        "data_sharing",
        "code_sharing",
        "involvement",
    ),
}
_WORDS = Words("about")
_OWN = frozenset({"background", "declarations"})  # sections that hold nothing else


def place_of(key: str) -> str:
    """Return the anchor of the section in which a text of the authors stands.

    Examples
    --------
    >>> place_of("funding")
    'declarations'
    """
    return next(anchor for anchor, keys in PLACES.items() if key in keys)


def write_about(source: Source, anchor: str) -> Iterator[Block]:
    """Return the authors' texts of one place as paragraphs, with a heading where the place is theirs alone."""
    given = source.study.about.given
    keys = [key for key in PLACES[anchor] if key in given]
    if keys and anchor in _OWN:
        yield Heading(text=_WORDS.text(f"heading_{anchor}"), anchor=anchor)
    leads = _WORDS.names("leads")
    for key in keys:
        yield Paragraph(runs=(Text(f"{leads[key]}.", "strong"), Text(f" {given[key]}")))
