"""The commands of the pages: serving studies, and naming users."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Literal

import typer

SERVE_EPILOG = (
    "\b\nExamples:\n  rarefactor serve mystudy\n  rarefactor serve studies --port 9000 --no-browser\n"
    "  rarefactor serve studies --host 10.0.0.5 --auth users.txt --origin https://study.example"
)
USER_EPILOG = "\b\nExample:\n  rarefactor user users.txt zhao --role analyst"


def serve(
    home: Annotated[
        Path, typer.Argument(metavar="STUDY", help="A study file, a study folder, or a folder of studies, maybe empty.")
    ] = Path(),
    *,
    port: Annotated[int, typer.Option(metavar="N", min=0, max=65535, help="The port; 0 takes a free one.")] = 8765,
    host: Annotated[str, typer.Option(metavar="NAME", help="Where to listen; all but this machine demand --auth.")] = (
        "127.0.0.1"
    ),
    auth: Annotated[
        Path | None, typer.Option(metavar="FILE", help="Named users, see `rarefactor user`; they log in.")
    ] = None,
    origin: Annotated[
        list[str] | None, typer.Option("--origin", metavar="URL", help="Under which address a proxy shows it.")
    ] = None,
    browser: Annotated[bool, typer.Option(help="Open the page in the browser.")] = True,
) -> None:
    """Open a study in the browser: build the study file, see the data, look at images, run, and take the report.

    It listens to this machine alone; the address that it prints holds a secret for this session. Ctrl-C ends it.
    """
    from rarefactor.web import Address  # noqa: PLC0415 - late: --help stays quick
    from rarefactor.web import serve as serve_studies  # noqa: PLC0415 - late

    serve_studies(home, Address(host=host, port=port, origins=tuple(origin or ())), auth=auth, browse=browser)


def add_user(
    file: Annotated[Path, typer.Argument(metavar="FILE", help="The file of users.", show_default=False)],
    name: Annotated[str, typer.Argument(metavar="NAME", help="Who may log in.", show_default=False)],
    *,
    role: Annotated[
        Literal["reader", "analyst"], typer.Option(help="A reader may see and grade; an analyst may change the study.")
    ] = "reader",
) -> None:
    """Add a user to a file for `serve --auth`, or give one a new password or role."""
    from rarefactor.web import User  # noqa: PLC0415 - late: --help stays quick
    from rarefactor.web import add_user as write_user  # noqa: PLC0415 - late

    password = typer.prompt("Password (at least 12 characters)", hide_input=True, confirmation_prompt=True)
    write_user(file, User(name=name, role=role), password)
