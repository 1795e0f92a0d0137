"""What the commands do. This module is imported when one of them runs."""

from __future__ import annotations

from pathlib import Path

from rich.text import Text

from rarefactor import study
from rarefactor.cli._console import draw_pairs, draw_table, read_console
from rarefactor.cli._findings import draw_findings
from rarefactor.cli._templates import STUDY_FILE, read_templates, write_demo
from rarefactor.cli._watch import Terminal
from rarefactor.results import Results
from rarefactor.work import Silent

REPORTS = ("report.html", "report.docx", "report.pdf")


def check_study(path: Path) -> bool:
    """Show what is in the data and return whether anything does not fit."""
    checked = study.check(find_study(path))
    console = read_console()
    for part in draw_findings(checked):
        console.print(part)
    count = checked.cohort.failures.height
    console.print(f"{count} findings" if count else "Nothing found: every value fits its dictionary.", style="bold")
    return bool(count)


def show_plan(path: Path) -> None:
    """Show the steps that a run would take."""
    rows = ([step.name, "unchanged" if step.reused else "to do", step.detail] for step in study.plan(find_study(path)))
    console = read_console()
    console.print(draw_table(["step", "state", "what"], rows))
    console.print("Nothing was run or written.")


def run_study(path: Path, out: Path | None, *, quiet: bool) -> None:
    """Run a study and say where the report is."""
    file = find_study(path)
    folder = out or file.parent / "out"
    _run(file, folder, quiet=quiet)
    if not quiet:
        _show_reports(folder)


def run_demo(out: Path, *, quiet: bool) -> None:
    """Run every example in a folder of its own."""
    for name in read_templates():
        folder = out / name
        if not quiet:
            read_console(stderr=True).print(Text(name, style="bold"))
        _run(write_demo(name, folder), folder / "out", quiet=quiet)
        _show_reports(folder / "out")


def find_study(path: Path) -> Path:
    """Return the study file that the user means: a folder stands for the study.yaml in it."""
    return path / STUDY_FILE if path.is_dir() else path


def _run(file: Path, out: Path, *, quiet: bool) -> Results:
    if quiet:
        return study.run(file, out, progress=Silent())
    with Terminal(read_console(stderr=True)) as watcher:
        return study.run(file, out, progress=watcher)


def _show_reports(out: Path) -> None:
    pairs = (("report" if index == 0 else "", str((out / name).absolute())) for index, name in enumerate(REPORTS))
    read_console().print(draw_pairs(pairs))
