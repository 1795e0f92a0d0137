"""What is wrong with a file that is no YAML, in the words of someone who never read its specification."""

from __future__ import annotations

from typing import Any

from rarefactor.errors import Problem

Words = tuple[str, str, str]

# Fragment of what the parser was doing or found -> found, expected, next step. The first that fits is used.
KNOWN: tuple[tuple[str, Words], ...] = (
    (r"character '\t'", ("a tab", "spaces", "Indent with spaces: YAML allows no tabs there.")),
    (
        "character '`'",
        ("a backtick at the start of a value", "a value in quotes", 'Put the whole value in quotes: "`alk.phos` > 2".'),
    ),
    (
        "cannot start any token",
        ("a character that no value may start with", "a value in quotes", "Put the whole value in quotes."),
    ),
    (
        "while scanning a quoted scalar",
        (
            "a quotation mark that is never closed",
            "a closing quotation mark",
            "Close the text that starts in this line.",
        ),
    ),
    (
        "unknown escape",
        ("a backslash in double quotes", "plain text", "Use single quotes, in which a backslash is just a backslash."),
    ),
    (
        "while parsing a flow sequence",
        ("a list that is never closed", "a comma or ]", "Close the bracket [ that is opened in this line."),
    ),
    (
        "while parsing a flow mapping",
        ("a brace that is never closed", "a comma or }", "Close the brace { that is opened in this line."),
    ),
    (
        "mapping values are not allowed",
        (
            "a colon where none can be, or a line that is indented too far",
            "one `key: value` in a line, keys of one part one below the other",
            "Put a text that holds a colon in quotes, or move the line to the left.",
        ),
    ),
    (
        "could not find expected ':'",
        (
            "a line without a colon",
            "`key: value`",
            "Add the colon, or indent the line if it goes on from the one above.",
        ),
    ),
    ("undefined alias", ("an alias that nothing is named by", "a value", "Put the text in quotes if * belongs to it.")),
    ("while scanning an alias", ("a * at the start", "a value in quotes", "Put the whole value in quotes.")),
    ("while scanning an anchor", ("an & at the start", "a value in quotes", "Put the whole value in quotes.")),
    ("parsing a tag", ("a ! at the start", "a value in quotes", "Put the whole value in quotes.")),
    ("scanning a tag", ("a ! at the start", "a value in quotes", "Put the whole value in quotes.")),
    (
        "while scanning a block scalar",
        ("a value that starts with > or |", "a value in quotes", 'Put the whole value in quotes, such as cut: "> 56".'),
    ),
    (
        "single document",
        ("a second document (after ---)", "one study in one file", "Remove the line ---, or make two files of it."),
    ),
    (
        "while parsing a block",
        (
            "a line that does not fit what stands before it",
            "keys of one part one below the other, and text that is closed by the quotation mark it began with",
            "Check the indentation and the quotation marks of this line.",
        ),
    ),
)
UNKNOWN: Words = ("something that is not YAML", "valid YAML", "Check quotation marks, colons and indentation here.")
OPENED = ("while scanning a quoted scalar", "while scanning a simple key", "while parsing a flow")


def describe_syntax(file: str, error: Exception, text: str) -> Problem:
    """Return the located problem that an error of the YAML parser stands for."""
    said = f"{getattr(error, 'context', None) or ''}; {getattr(error, 'problem', None) or ''}"
    found, expected, next_step = next((words for part, words in KNOWN if part in said), UNKNOWN)
    line = _line(error, said, text)
    return Problem(file=file, line=line, found=found, expected=expected, next_step=next_step)


def _line(error: Any, said: str, text: str) -> int | None:
    """Return the line to look at: where a bracket or quotation mark was opened, else where the parser gave up."""
    mark = getattr(error, "context_mark", None) if said.startswith(OPENED) else getattr(error, "problem_mark", None)
    return None if mark is None else min(int(mark.line) + 1, len(text.splitlines()))
