"""Labels of the study inside a sentence and at the beginning of one.

Convention: a label begins with a capital as an author writes it; only its first letter ever changes, and that of a
name such as MMT8, ALS, IgG, T1, mRNA, Raynaud’s, Child–Pugh or Total Improvement Score does not.
"""

from __future__ import annotations

import re

_WORD = re.compile(r"[^\W\d_]+")  # up to the first digit, hyphen or space
_SMALL = frozenset({"a", "and", "at", "for", "in", "of", "on", "the", "to"})
_PERSON = re.compile(r"[^\W\d_]+(?:[’']s\b|–[^\W\d_])")


def lower_first(label: str) -> str:
    """Return a label for inside a sentence.

    Examples
    --------
    >>> [lower_first(label) for label in ("Severe weakness", "MMT8 at baseline", "Anti-SRP titre", "B lymphocytes")]
    ['severe weakness', 'MMT8 at baseline', 'anti-SRP titre', 'B lymphocytes']
    >>> [lower_first(label) for label in ("Raynaud’s phenomenon", "Child–Pugh class")]
    ['Raynaud’s phenomenon', 'Child–Pugh class']
    >>> [lower_first(label) for label in ("Total Improvement Score", "Serum IgG", "Age")]
    ['Total Improvement Score', 'serum IgG', 'age']
    """
    word = _first_word(label)
    named = word != word[:1] + word[1:].lower() or _is_letter(label, word) or _PERSON.match(label)
    return label if named or _is_title(label) else label[:1].lower() + label[1:]


def upper_first(label: str) -> str:
    """Return a label for the beginning of a sentence.

    Examples
    --------
    >>> [upper_first(label) for label in ("month 6", "mRNA in muscle", "ALS death", "p62")]
    ['Month 6', 'mRNA in muscle', 'ALS death', 'p62']
    """
    word = _first_word(label)
    named = word != word.lower() or (_is_letter(label, word) and label[1:2].isdigit())
    return label if named else label[:1].upper() + label[1:]


def _first_word(label: str) -> str:
    found = _WORD.match(label)
    return found[0] if found else ""


def _is_title(label: str) -> bool:
    """Whether each of several words begins with a capital, as in the name of an instrument."""
    words = [word for word in label.split() if word not in _SMALL]
    return len(words) > 1 and all(word[:1].isupper() and word[1:].islower() for word in words)


def _is_letter(label: str, word: str) -> bool:
    return len(word) == 1 and not label.startswith("A ")  # the article; B and T are names of cells
