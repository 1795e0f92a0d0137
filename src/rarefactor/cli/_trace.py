"""``rarefactor trace``: where a number of a report comes from."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

EPILOG = (
    "\b\nExamples:\n"
    "  rarefactor trace mystudy/out multivariable/baseline/clinical/male/Yes/firth/odds_ratio\n"
    "  rarefactor trace mystudy/out/report.html flow/records\n"
    '  rarefactor trace mystudy/out --list "univariable/*/age/*"'
)


def trace(
    out: Annotated[
        Path,
        typer.Argument(metavar="OUT", help="A run's folder, its results.json or a report in it.", show_default=False),
    ],
    row: Annotated[
        str | None,
        typer.Argument(metavar="ROW", help="The address of the number, as the report gives it.", show_default=False),
    ] = None,
    *,
    show: Annotated[
        bool, typer.Option("--list", help="List addresses: all, or those that fit ROW (words, or a pattern with *).")
    ] = False,
) -> None:
    """Say where a number of a report comes from.

    Analysis, method, patients and events, flags; the files that were read, with their SHA-256; the patients by their
    study ids; and the scans and slides that were measured.
    """
    from rarefactor.cli import _origin  # noqa: PLC0415 - late: --help stays quick

    if show:
        _origin.show_addresses(out, row or "")
    elif row is None:
        raise typer.BadParameter("say which number, by its address; --list shows them", param_hint="ROW")
    else:
        _origin.show_origin(out, row)
