"""``rarefactor cite``: how to cite a study, and the methods behind it."""

from __future__ import annotations

import contextlib
import json
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Literal

import typer

from rarefactor.errors import DataError, Problem

if TYPE_CHECKING:  # --help stays quick
    from rarefactor.spec import Study

EPILOG = (
    "\b\nExamples:\n"
    "  rarefactor cite mystudy --style vancouver\n"
    "  rarefactor cite mystudy/out --methods --style ama\n"
    "  rarefactor cite mystudy/out --methods --format bibtex"
)


def cite(
    place: Annotated[
        Path,
        typer.Argument(metavar="STUDY", help="The study file, its folder, or the output of a run.", show_default=False),
    ],
    *,
    style: Annotated[Literal["apa", "vancouver", "ama"], typer.Option(help="How references are written.")] = "apa",
    form: Annotated[
        Literal["text", "bibtex", "ris", "csl-json"],
        typer.Option("--format", help="Text in the style, or a file for a reference manager, which has none."),
    ] = "text",
    methods: Annotated[
        bool, typer.Option("--methods", help="This program and every method that the report cites, too.")
    ] = False,
) -> None:
    """Say how to cite a study and, after a run, the methods that its report cites.

    The year is that of the run. APA is its 7th edition, AMA its 11th; Vancouver is as the ICMJE asks for.
    """
    from rarefactor import report  # noqa: PLC0415 - late: --help stays quick

    study, out = _read_study(place)
    entries = [report.describe_study(study, _read_time(out))]
    if methods:
        entries += [report.describe_software(), *report.find_entries(_read_keys(out))]
    typer.echo(report.write_citation(entries, style, form).decode(), nl=False)


def _read_study(place: Path) -> tuple[Study, Path]:
    """Return the study and where its output is, whichever of the two was named."""
    from rarefactor.cli._commands import find_study  # noqa: PLC0415 - late: --help stays quick
    from rarefactor.results import read_results  # noqa: PLC0415 - as above
    from rarefactor.spec import Study, load  # noqa: PLC0415 - as above

    results = place if place.name == "results.json" else place / "results.json"
    if results.is_file():
        return Study.model_validate(read_results(results).study["file"]), results.parent
    file = find_study(place)
    return load(file), file.parent / "out"


def _read_time(out: Path) -> datetime | None:
    """Return when a run ended, None where that is not known."""
    with contextlib.suppress(OSError, ValueError, KeyError, StopIteration):
        graph = _read_json(out / "provenance" / "ro-crate-metadata.json")["@graph"]
        return datetime.fromisoformat(next(each["endTime"] for each in graph if each["@id"] == "#run"))
    return None


def _read_keys(out: Path) -> list[str]:
    """Return the names of the references of a report."""
    file = out / "references.json"
    try:
        return [entry["id"] for entry in _read_json(file)]
    except (OSError, ValueError, KeyError, TypeError):
        raise DataError(
            Problem(
                file=str(file),
                found="no references of a report",
                expected="the output of a run, which knows the methods that it used",
                next_step="Run the study first, or name its output folder.",
            )
        ) from None


def _read_json(file: Path) -> Any:
    return json.loads(file.read_bytes())
