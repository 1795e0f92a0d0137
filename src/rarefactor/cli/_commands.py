"""What the commands do. This module is imported when one of them runs."""

from __future__ import annotations

from collections.abc import Generator, Sequence
from contextlib import contextmanager
from pathlib import Path

import polars as pl
from rich.console import RenderableType
from rich.text import Text

from rarefactor import study
from rarefactor.cli._console import draw_pairs, draw_table, read_console
from rarefactor.cli._findings import draw_failures, draw_notes, draw_study
from rarefactor.cli._found import draw_images
from rarefactor.cli._watch import Terminal
from rarefactor.cohort import check_data
from rarefactor.errors import DataError
from rarefactor.findings import find_problems, write_failures
from rarefactor.results import Results
from rarefactor.spec import load
from rarefactor.templates import STUDY_FILE, read_template, write_demo
from rarefactor.work import Progress, Silent, Workers, write_file

REPORTS = ("report.html", "report.docx", "report.pdf")
FIRST = ("anm-srp",)


def check_study(path: Path, table: Path | None) -> bool:
    """Show what is in the data and return whether anything does not fit.

    ``table`` is where the failures go with their values, readable by their owner only.

    Raises
    ------
    StudyFileError, DataError
        Something has to be mended before a run; what was found elsewhere is shown first.
    """
    file = find_study(path)
    try:
        checked = study.check(file)
    except DataError:
        _show_what_was_read(file, table)
        raise
    failures, notes = checked.cohort.failures, [note.text for note in checked.table.notes]
    _show(*draw_study(checked), *draw_failures(failures), *draw_images(checked), draw_notes(notes))
    _write_failures(table, failures)
    return bool(failures.height or find_problems(checked))


def _write_failures(table: Path | None, failures: pl.DataFrame) -> None:
    if table:
        write_file(table, write_failures(failures))
        table.chmod(0o600)
        _show(Text(f"What failed, with its values: {table}. It holds patients' data: keep it where they are."))


def _show_what_was_read(file: Path, table: Path | None) -> None:
    findings = check_data(load(file))
    if findings.failures.height:
        _show(*draw_failures(findings.failures))
    _write_failures(table, findings.failures)


def _show(*parts: RenderableType) -> None:
    console = read_console()
    for part in parts:
        console.print(part)


def show_plan(path: Path) -> None:
    """Show the steps that a run would take."""
    rows = ([step.name, "unchanged" if step.reused else "to do", step.detail] for step in study.plan(find_study(path)))
    _show(draw_table(["step", "state", "what"], rows), "Nothing was run or written.")


def run_study(path: Path, out: Path | None, *, workers: int, cluster: str | None, quiet: bool) -> None:
    """Run a study and say where the report is."""
    file = find_study(path)
    folder = out or file.parent / "out"
    _run(file, folder, workers=Workers(processes=workers, cluster=cluster), quiet=quiet)
    if not quiet:
        _show_reports(folder)


def run_demo(names: Sequence[str], out: Path, *, workers: int, quiet: bool) -> None:
    """Run examples, each in a folder of its own: those named, or the first."""
    for name in [read_template(name).name for name in names or FIRST]:
        folder = out / name
        if not quiet:
            read_console(stderr=True).print(Text(name, style="bold"))
        with _watched(quiet=quiet) as watcher:
            file = write_demo(name, folder, workers=Workers(processes=workers), progress=watcher)
        _run(file, folder / "out", workers=Workers(processes=workers), quiet=quiet)
        _show_reports(folder / "out")


def find_study(path: Path) -> Path:
    """Return the study file that the user means: a folder stands for the study.yaml in it."""
    return path / STUDY_FILE if path.is_dir() else path


def _run(file: Path, out: Path, *, quiet: bool, workers: Workers | None = None) -> Results:
    with _watched(quiet=quiet) as watcher:
        return study.run(file, out, workers=workers, progress=watcher)


@contextmanager
def _watched(*, quiet: bool) -> Generator[Progress]:
    if quiet:
        yield Silent()
        return
    with Terminal(read_console(stderr=True)) as watcher:
        yield watcher


def _show_reports(out: Path) -> None:
    pairs = (("report" if index == 0 else "", str((out / name).absolute())) for index, name in enumerate(REPORTS))
    read_console().print(draw_pairs(pairs))
