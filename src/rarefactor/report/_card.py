"""What a card is: a section of the report that stands on a page of its own, known before anything is drawn."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass


@dataclass(frozen=True, slots=True, kw_only=True)
class Card:
    """A section of the report: name, title, the part of the analysis that it is about, and all parts that it shows."""

    name: str
    title: str
    part: str
    parts: frozenset[str]


@dataclass(frozen=True, slots=True, kw_only=True)
class Part:
    """A card as a piece of HTML, and its figures as SVG by name, empty where they were not drawn."""

    html: str
    figures: Mapping[str, bytes]
