"""The letters of a page's figures, which are drawn as outlines: each outline stands in the page once.

Convention: a drawing defines every letter that it uses (a path at 1/64 of its size) and then places it; both are
recognised as matplotlib writes them. Places are rounded to a hundredth of a point and less, which nobody sees.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping

_SCALE = 'transform="scale(0.015625)"'
_DEFINED = re.compile(rf'<path id="([^"]+)"(?: d="([^"]*)")? {re.escape(_SCALE)}/>\s*')
_PLACED = re.compile(r'<use xlink:href="#([^"]+)"(?: transform="translate\(([-\d.]+) ([-\d.]+)\)")?/>')
_NO_DEFINITIONS = re.compile(r"<defs>\s*</defs>\s*")
_NAMED_GROUP = re.compile(r'<g id="[^"]*"')
_OUTLINE = re.compile(r' d="[^"]*"')
_LONG = re.compile(r"-?\d+\.\d{3,}")


def gather_letters(drawings: Iterable[str]) -> Mapping[str, str]:
    """Return the outlines of the letters in drawings (SVG), by their names; that of a space is empty."""
    return {name: " ".join(outline.split()) for drawing in drawings for name, outline in _DEFINED.findall(drawing)}


def write_letters(letters: Mapping[str, str]) -> str:
    """Return the outlines for one place in a page, where nobody sees them."""
    paths = (f'<path id="{name}" d="{letters[old]}" {_SCALE}/>' for old, name in _name(letters).items() if letters[old])
    return f'<svg class="unseen" aria-hidden="true"><defs>{"".join(paths)}</defs></svg>' if letters else ""


def share_letters(drawing: str, letters: Mapping[str, str]) -> str:
    """Return a drawing that uses the outlines of its page, without names that nothing refers to.

    Examples
    --------
    >>> share_letters('<g id="text_1"><use xlink:href="#A-1" transform="translate(5.25 0)"/></g>', {"A-1": "M 0 0"})
    '<g><use href="#g-0" x="5.2"/></g>'
    """
    names = _name(letters)
    drawing = _NO_DEFINITIONS.sub("", _DEFINED.sub("", drawing))
    drawing = _OUTLINE.sub(lambda found: _LONG.sub(_shorten, " " + " ".join(found[0].split())), drawing)
    drawing = _PLACED.sub(lambda found: _place(found, letters, names), drawing)
    return _NAMED_GROUP.sub("<g", drawing)


def _name(letters: Iterable[str]) -> Mapping[str, str]:
    return {old: f"g-{number:x}" for number, old in enumerate(letters)}


def _place(found: re.Match[str], letters: Mapping[str, str], names: Mapping[str, str]) -> str:
    if found[1] not in letters:
        return found[0]
    shifts = zip("xy", found.groups()[1:], strict=True)
    shown = "".join(f' {axis}="{float(shift):.1f}"' for axis, shift in shifts if shift and float(shift))
    return f'<use href="#{names[found[1]]}"{shown}/>' if letters[found[1]] else ""


def _shorten(found: re.Match[str]) -> str:
    return f"{float(found[0]):.2f}".rstrip("0").rstrip(".")
