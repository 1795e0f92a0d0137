"""What the web adds to the tree of errors: what is not there, what may not be done, what is too large.

Convention: every answer that is not the page asked for says what was found, what was expected and what to do next.
"""

from __future__ import annotations

from typing import ClassVar

from rarefactor.errors import Problem, RarefactorError, StaleError


class WebError(RarefactorError):
    """An answer with a status of its own."""

    status: ClassVar[int] = 422


class UnknownError(WebError):
    """There is no such study, page or file."""

    status = 404


class ForbiddenError(WebError):
    """Whoever asks may not do this."""

    status = 403


class TooLargeError(WebError):
    """More was sent than this place takes."""

    status = 413


def unknown(what: str) -> UnknownError:
    """Return the error for a study, page or file that is not there."""
    return UnknownError(
        Problem(
            found=f"no {what}", expected="an address that this server knows", next_step="Go to the list of studies."
        )
    )


def stale(what: str) -> StaleError:
    """Return the error for a change that was made to an earlier version than the one on the disk."""
    return StaleError(
        Problem(
            found=f"another version of {what} than the one this page was made from",
            expected="the version that the page shows",
            next_step="Reload the page, look at what has changed, and make your change again.",
        )
    )
