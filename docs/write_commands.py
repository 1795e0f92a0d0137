"""Write commands.md: the help of each command, as it is shown."""

import contextlib
import io
import os
from pathlib import Path

from rarefactor.cli import main

COMMANDS = (
    *("", "init", "check", "run", "design", "measure mri", "measure ihc"),
    *("serve", "user", "score", "predict", "trace", "cite", "simulate", "demo"),
)
CODES = """## Exit codes

| code | means |
|--:|---|
| 0 | done; for `check`: nothing found |
| 1 | a bug in rarefactor |
| 2 | a command that cannot be understood |
| 3 | the study file needs mending |
| 4 | a data file needs mending |
| 5 | `check` found values that do not fit their dictionary; `measure` could not measure every image |
| 6 | the analysis cannot be done with these data |
| 7 | the output cannot be written |
| 8 | an argument that is not what it should be |
| 9 | an image cannot be read or measured |
| 10 | a risk model is for research only |
| 130 | interrupted |
| 143 | told to end |
"""


def read_help(command: str) -> str:
    """Return what ``rarefactor COMMAND --help`` shows."""
    shown = io.StringIO()
    with contextlib.redirect_stdout(shown):
        main([*command.split(), "--help"])
    return "\n".join(line.rstrip() for line in shown.getvalue().strip().splitlines())


def write_commands(path: Path) -> None:
    """Write the page."""
    os.environ["COLUMNS"] = "100"
    parts = [f"## rarefactor {name}".rstrip() + f"\n\n```\n{read_help(name)}\n```\n" for name in COMMANDS]
    note = "A STUDY is a study file or the folder that holds `study.yaml`. This page is written by `make docs`."
    path.write_text("\n".join(["# Commands\n", note + "\n", *parts, CODES]), encoding="utf-8")


if __name__ == "__main__":
    write_commands(Path(__file__).with_name("commands.md"))
