"""The words of the expression language.

Convention: places count characters from 0; a name in backticks may hold any character, a backtick doubled.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Literal

from rarefactor.errors import Problem, StudyFileError

TokenKind = Literal["number", "text", "name", "word", "sign", "end"]
KEYWORDS = frozenset({"and", "or", "not", "in", "is", "missing"})
FLAGS = frozenset({"yes", "no", "true", "false"})
LONGEST = 5_000

_NAME = r"[^\W\d]\w*"
_TOKEN = re.compile(
    rf"""(?P<space>\s+)
    |(?P<number>(?:\d+(?:\.\d*)?|\.\d+)(?:[eE][+-]?\d+)?)
    |(?P<text>'(?:[^'\\]|\\.)*'|"(?:[^"\\]|\\.)*")
    |(?P<quoted>`(?:[^`]|``)+`)
    |(?P<name>{_NAME})
    |(?P<foreign>===|&&|\|\||<>|=>|=<|\*\*|//|:=|!(?!=)|(?<![<>=!])=(?!=))
    |(?P<sign>==|!=|<=|>=|[-+*/<>()\[\],.])""",
    re.VERBOSE,
)
FOREIGN = {
    "=": "Use == to compare.",
    "===": "Use == to compare.",
    ":=": "Use == to compare.",
    "&&": "Use and.",
    "&": "Use and.",
    "||": "Use or.",
    "|": "Use or.",
    "!": "Use not.",
    "~": "Use not.",
    "<>": "Use !=.",
    "≠": "Use !=.",
    "=>": "Use >=.",
    "≥": "Use >=.",
    "=<": "Use <=.",
    "≤": "Use <=.",
    "×": "Use *.",
    "−": "Use -.",
    "–": "Use -.",
    "÷": "Use /.",
    "**": "Multiply with *; there are no powers.",
    "^": "Multiply with *; there are no powers.",
    "//": "Divide with /.",
    "%": "There are no remainders and no per cent: write 0.2 for 20%.",
    "'": "Close the text with the quotation mark that opened it.",
    '"': "Close the text with the quotation mark that opened it.",
    "`": "Close the name with a backtick.",
    "“": "Use straight quotes: '...'.",
    "”": "Use straight quotes: '...'.",
    "„": "Use straight quotes: '...'.",
    "‘": "Use straight quotes: '...'.",
    "’": "Use straight quotes: '...'.",
    "{": "Write a list in square brackets: [1, 2].",
    ";": "Write one expression; join two with and.",
}


class ExpressionError(StudyFileError):
    """An expression cannot be understood, or does not fit the data dictionary."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Token:
    """A word of an expression, its value, where it stands, and whether it is a name in backticks."""

    kind: TokenKind
    value: str
    at: int
    quoted: bool = False


def read_tokens(text: str) -> tuple[Token, ...]:
    """Return the words of an expression, an end among them.

    Raises
    ------
    ExpressionError
        A character that the language does not have, or a quotation mark that is never closed.

    Examples
    --------
    >>> [token.value for token in read_tokens("age >= 18")]
    ['age', '>=', '18', '']
    """
    if len(text) > LONGEST:
        raise refuse(text[:40], 0, f"{len(text)} characters", f"at most {LONGEST}", "Make several rules of it.")
    tokens: list[Token] = []
    place = 0
    while place < len(text):
        token, place = _next_token(text, place)
        tokens += [token] if token else []
    return (*tokens, Token(kind="end", value="", at=len(text)))


def _next_token(text: str, place: int) -> tuple[Token | None, int]:
    match = _TOKEN.match(text, place)
    group = match.lastgroup if match else None
    if match is None or group is None or group == "foreign":
        raise _foreign(text, place, match.group() if match else text[place])
    if group == "space":
        return None, match.end()
    if group == "number" and text[match.end() : match.end() + 1].isidentifier():
        step = "Put a name that starts with a digit in backticks, a text in quotes."
        raise refuse(text, place, f"letters after the number {match.group()}", "a number or a name", step)
    return _token(group, match.group(), place), match.end()


def _token(group: str, found: str, at: int) -> Token:
    if group == "quoted":
        return Token(kind="name", value=found[1:-1].replace("``", "`"), at=at, quoted=True)
    if group == "text":
        return Token(kind="text", value=re.sub(r"\\(.)", r"\1", found[1:-1], flags=re.DOTALL), at=at)
    if group == "name":
        return Token(kind="word" if found in KEYWORDS | FLAGS else "name", value=found, at=at)
    return Token(kind="number" if group == "number" else "sign", value=found, at=at)


def _foreign(text: str, place: int, found: str) -> ExpressionError:
    if found in {"'", '"', "`"}:
        return refuse(text, place, f"{found} that is never closed", f"a second {found}", FOREIGN[found])
    step = FOREIGN.get(found, f"Remove it, or put a name that holds it in backticks: `a{found}b`.")
    return refuse(text, place, f'"{found}"', "a word of the expression language", step)


def refuse(text: str, place: int, found: str, expected: str, next_step: str) -> ExpressionError:
    """Return the error for one place of an expression."""
    return ExpressionError(problem_at(text, place, found=found, expected=expected, next_step=next_step))


def problem_at(text: str, place: int, *, found: str, expected: str, next_step: str) -> Problem:
    """Return a problem that points at its place in the expression, in two lines under the sentence."""
    start = max(0, place - 60)
    shown = re.sub(r"\s", " ", text[start : place + 60])
    pointer = f"\n    {shown}\n    {' ' * (place - start)}^"
    return Problem(found=found, expected=expected, next_step=next_step + pointer)
