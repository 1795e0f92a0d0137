"""The command line: thin, and quick to answer.

Convention: results go to standard output, progress and problems to standard error. A command imports what it needs when
it runs, so that ``rarefactor --help`` loads nothing but the command line itself.
"""

from rarefactor.cli._main import main

__all__ = ["main"]
