"""Progress is a bar in a terminal and plain lines in a log."""

import io
from pathlib import Path

import pytest
from rich.console import Console

from rarefactor.cli._watch import Terminal
from rarefactor.errors import OutputError
from rarefactor.work import write_file


def test_a_log_gets_one_plain_line_for_each_step_that_is_done():
    log = io.StringIO()
    with Terminal(Console(file=log, width=80)) as watcher:
        watcher.start("Read", total=2)
        watcher.advance("Read")
        assert log.getvalue() == ""
        watcher.finish("Read", "418 rows")
        watcher.finish("Write", reused=True)
    first, second = log.getvalue().splitlines()
    assert first.startswith("  Read  418 rows (0.")
    assert second == "  Write  (unchanged)"


def test_a_step_that_was_never_started_does_no_harm():
    with Terminal(Console(file=io.StringIO())) as watcher:
        watcher.advance("Read")


def test_a_failure_takes_the_bars_away():
    terminal = Console(file=io.StringIO(), force_terminal=True, force_interactive=True, width=60)
    with pytest.raises(OutputError), Terminal(terminal):
        write_file(Path("/proc/none"), b"")
    assert "\x1b[?25h" in terminal.file.getvalue()  # the cursor is shown again
