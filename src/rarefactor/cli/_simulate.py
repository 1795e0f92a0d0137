"""``rarefactor simulate``: a whole synthetic study from a study file and the truth beside it."""

from __future__ import annotations

from functools import partial
from pathlib import Path
from typing import Annotated

import typer

EPILOG = (
    "\b\nExamples:\n"
    "  rarefactor simulate mystudy --out made\n"
    "  rarefactor simulate mystudy --out large --patients 480 --no-images"
)


def simulate(  # noqa: PLR0913 - one parameter for each option
    study: Annotated[
        Path,
        typer.Argument(
            metavar="STUDY",
            help="The study file, or the folder that holds study.yaml; truth.yaml stands beside it.",
            show_default=False,
        ),
    ],
    *,
    out: Annotated[
        Path, typer.Option(metavar="DIR", help="The new folder of the synthetic study.", show_default=False)
    ],
    seed: Annotated[
        int | None, typer.Option(metavar="N", min=0, help="The seed of all that is random; else that of the truth.")
    ] = None,
    patients: Annotated[
        int | None,
        typer.Option(metavar="N", min=10, max=100_000, help="Another number of patients than that of the truth."),
    ] = None,
    images: Annotated[bool, typer.Option("--images/--no-images", help="Make scans and slides too.")] = True,
    imaged: Annotated[
        int | None, typer.Option(metavar="N", min=1, help="Make them of the first N patients only, which is quicker.")
    ] = None,
    workers: Annotated[int, typer.Option(metavar="N", min=1, max=1024, help="How many images are made at once.")] = 1,
    quiet: Annotated[bool, typer.Option("--quiet", "-q", help="Show nothing but problems.")] = False,
) -> None:
    """Make a whole synthetic study whose truth is known: records, scans and slides.

    The patients of the new folder follow truth.yaml: prevalences, odds ratios, courses, losses, missing values and
    errors of measurement. truth/patients.csv tells what is true of each. With another number of patients the cohort is
    drawn freely: what the truth expects of it is left aside.
    """
    from rarefactor.cli._commands import find_study  # noqa: PLC0415 - late: --help stays quick
    from rarefactor.cli._console import read_console  # noqa: PLC0415 - as above
    from rarefactor.cli._watch import Terminal  # noqa: PLC0415 - as above
    from rarefactor.simulate import write_study  # noqa: PLC0415 - as above
    from rarefactor.work import Silent, Workers  # noqa: PLC0415 - as above

    file = find_study(study)
    make = partial(
        write_study,
        file,
        out,
        seed=seed,
        patients=patients,
        images=images,
        imaged=imaged,
        workers=Workers(processes=workers),
    )
    if quiet:
        make(progress=Silent())
        return
    with Terminal(read_console(stderr=True)) as watcher:
        made = make(progress=watcher)
    console = read_console()
    console.print(f"A synthetic study, of patients who do not exist, is in {made.parent}.")
    console.print(f"What is true of each is in {made.parent / 'truth'}.")
    if images:
        console.print(f"Next: rarefactor run {made.parent}")
