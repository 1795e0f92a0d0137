"""From what the user typed to an exit code: the one place where an error becomes a message."""

from __future__ import annotations

import contextlib
import os
import signal
import sys
import threading
import traceback
from collections.abc import Generator, Sequence
from typing import TextIO

from rarefactor.errors import RarefactorError

BUG = 1
INTERRUPTED, ENDED = 130, 143


def main(arguments: Sequence[str] | None = None) -> int:
    """Run a command and return its exit code.

    Parameters
    ----------
    arguments
        What follows ``rarefactor`` on the command line; by default what the process was started with.

    Returns
    -------
    int
        0 done; 1 a bug; 2 a command that cannot be understood; 3 the study file, 4 the data, 5 findings in the data;
        6 the analysis; 7 the output; 10 a risk model for research only; 130 interrupted; 143 told to end.

    Examples
    --------
    >>> main(["--version"])
    rarefactor 0.1.0
    0
    """
    given = list(sys.argv[1:] if arguments is None else arguments)
    _tolerate_odd_characters(sys.stdout, sys.stderr)
    try:
        from rarefactor.cli._app import app  # noqa: PLC0415 - late, so that an interrupt is met from here on

        with _end_cleanly():
            app(args=[each for each in given if each != "--debug"], prog_name="rarefactor")
    except SystemExit as leaving:
        return leaving.code if isinstance(leaving.code, int) else 0
    except KeyboardInterrupt:
        return INTERRUPTED
    except BrokenPipeError:
        return _leave_pipe()
    except RarefactorError as error:
        return _show_problems(error, debug="--debug" in given)
    except Exception as error:  # noqa: BLE001 - whatever else it is, the user reads one line
        return _show_bug(error, debug="--debug" in given)
    return 0


@contextlib.contextmanager
def _end_cleanly() -> Generator[None]:
    """Take leave of what is open, processes at work too, when the process is told to end."""

    def leave(*_: object) -> None:
        raise SystemExit(ENDED)

    if threading.current_thread() is not threading.main_thread():
        yield
        return
    before = signal.signal(signal.SIGTERM, leave)
    try:
        yield
    finally:
        signal.signal(signal.SIGTERM, before)


def _show_problems(error: RarefactorError, *, debug: bool) -> int:
    from rarefactor.cli._console import draw_problems, read_console  # noqa: PLC0415 - only where there is a problem

    if debug:
        traceback.print_exc()
    with contextlib.suppress(BrokenPipeError):
        read_console(stderr=True).print(draw_problems(error.problems))
    return error.exit_code


def _show_bug(error: Exception, *, debug: bool) -> int:
    """Say that it is a bug and where; what the error itself says may hold a patient's value and stays away."""
    if debug:
        traceback.print_exc()
        return BUG
    last = traceback.extract_tb(error.__traceback__)[-1]
    place = f"{type(error).__name__} in {os.path.basename(last.filename)}, line {last.lineno}"  # noqa: PTH119 - may be no path
    sys.stderr.write(f"This is a bug in rarefactor, not a mistake of yours: {place}. Add --debug to see more.\n")
    return BUG


def _leave_pipe() -> int:
    """Whoever read the output has gone: say nothing, not even when Python closes the stream."""
    os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
    return BUG


def _tolerate_odd_characters(*streams: TextIO) -> None:
    """A terminal that knows no µ or em dash shows a question mark instead of failing."""
    for stream in streams:
        with contextlib.suppress(AttributeError, OSError):
            stream.reconfigure(errors="replace")  # type: ignore[attr-defined]  # a captured stream may not have it
