"""What ``rarefactor init`` shows of the examples that a study may start from."""

from __future__ import annotations

from pathlib import Path

from rich.text import Text

from rarefactor.cli._console import draw_pairs, read_console
from rarefactor.cli._watch import Terminal
from rarefactor.spec import load
from rarefactor.templates import STUDY_FILE, read_templates, write_template
from rarefactor.work import Workers


def show_templates() -> None:
    """Show the examples that a study may start from."""
    pairs = ((name, load(folder / STUDY_FILE).title) for name, folder in read_templates().items())
    read_console().print(draw_pairs(pairs))


def make_study(folder: Path, template: str, *, workers: int) -> None:
    """Copy an example, make its patients where they are synthetic, and say what to do next."""
    with Terminal(read_console(stderr=True)) as watcher:
        study = load(write_template(template, folder, workers=Workers(processes=workers), progress=watcher))
    commands = (("look", f"rarefactor check {folder}"), ("run", f"rarefactor run {folder}"))
    made = " Its patients are synthetic." if study.synthetic else ""
    read_console().print(Text(f"The study is in {folder}.{made} Next:"), draw_pairs(commands), sep="\n")
