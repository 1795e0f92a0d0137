"""The commands. Each says what it does, and imports what it needs when it runs."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from rarefactor import __version__

FINDINGS = 5

app = typer.Typer(
    name="rarefactor",
    help="Prognostic-factor studies in rare diseases, from raw data to a paper-ready answer.",
    epilog="\b\nStart with:\n  rarefactor init mystudy\n  rarefactor check mystudy\n  rarefactor run mystudy",
    no_args_is_help=True,
    add_completion=False,
    rich_markup_mode=None,  # rich help takes three times as long to appear
    pretty_exceptions_enable=False,
    context_settings={"help_option_names": ["-h", "--help"]},
)

Study = Annotated[
    Path,
    typer.Argument(metavar="STUDY", help="The study file, or the folder that holds study.yaml.", show_default=False),
]


def _show_version(wanted: bool) -> None:  # noqa: FBT001 - typer calls it with the value of the option
    if wanted:
        typer.echo(f"rarefactor {__version__}")
        raise typer.Exit


@app.callback()
def options(
    *,
    version: Annotated[
        bool, typer.Option("--version", callback=_show_version, is_eager=True, help="Show the version and leave.")
    ] = False,
    debug: Annotated[bool, typer.Option("--debug", help="Show where in the program an error arose.")] = False,
) -> None:
    """Options that every command has."""


@app.command(epilog="\b\nExamples:\n  rarefactor init mystudy\n  rarefactor init small --template pbc48")
def init(
    folder: Annotated[Path | None, typer.Argument(metavar="DIR", help="The new folder.", show_default=False)] = None,
    *,
    template: Annotated[str, typer.Option(help="Which example to start from.")] = "pbc",
    show: Annotated[bool, typer.Option("--list", help="Say which templates there are.")] = False,
) -> None:
    """Make a study folder that runs as it is."""
    from rarefactor.cli import _templates  # noqa: PLC0415 - late: --help stays quick

    if show:
        _templates.show_templates()
    elif folder is None:
        raise typer.BadParameter("say which folder to make, such as mystudy", param_hint="DIR")
    else:
        _templates.make_study(folder, template)


@app.command(
    short_help="Read everything and say what does not fit.",
    epilog="\b\nExamples:\n  rarefactor check mystudy\n  rarefactor check mystudy --failures failures.csv",
)
def check(
    study: Study,
    *,
    failures: Annotated[
        Path | None,
        typer.Option(metavar="FILE", help="Write what failed as a CSV file, values included: for your eyes only."),
    ] = None,
) -> None:
    """Read everything and run nothing: what does not fit, by file, column and rule.

    Exit code 0: nothing found; 5: findings; 3: the study file needs mending; 4: the data do.
    """
    from rarefactor.cli import _commands  # noqa: PLC0415 - late: --help stays quick

    if _commands.check_study(study, failures):
        raise typer.Exit(FINDINGS)


@app.command(epilog="\b\nExamples:\n  rarefactor run mystudy --out results\n  rarefactor run mystudy --dry-run")
def run(
    study: Study,
    *,
    out: Annotated[
        Path | None,
        typer.Option(metavar="DIR", help="Where the report goes; by default the folder out beside the study file."),
    ] = None,
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Show what would be done, and do nothing.")] = False,
    quiet: Annotated[bool, typer.Option("--quiet", "-q", help="Show nothing but problems.")] = False,
) -> None:
    """Run the whole study, from the data to the report.

    What is unchanged since an earlier run is not done again. The folder holds the complete output of this run or, if
    the run does not end well, of the one before.
    """
    from rarefactor.cli import _commands  # noqa: PLC0415 - late: --help stays quick

    if dry_run:
        _commands.show_plan(study)
    else:
        _commands.run_study(study, out, quiet=quiet)


@app.command(
    short_help="Say what a study of this size can find.",
    epilog="\b\nExamples:\n  rarefactor design mystudy\n  rarefactor design mystudy --odds-ratio male=3 --n 96",
)
def design(
    study: Study,
    *,
    data_sets: Annotated[
        int | None,
        typer.Option(
            "--data-sets", metavar="N", min=10, max=100_000, help="How many studies to draw; else as in the study file."
        ),
    ] = None,
    odds_ratio: Annotated[
        list[str] | None,
        typer.Option("--odds-ratio", metavar="FACTOR=OR", help="A true odds ratio; may be given for several factors."),
    ] = None,
    n: Annotated[
        int | None, typer.Option("--n", metavar="N", min=10, max=100_000, help="Another number of patients.")
    ] = None,
) -> None:
    """Say what a study of this size can and cannot find.

    Studies with the patients, events and factors of this one are drawn many times with a known truth and analysed by
    maximum likelihood, Firth's method and log-F(2,2): bias, coverage, power, exaggeration, wrong signs, separation.
    """
    from rarefactor.cli import _commands, _design  # noqa: PLC0415 - late: --help stays quick

    _design.show_design(_commands.find_study(study), data_sets=data_sets, odds_ratios=odds_ratio or [], n=n)


@app.command(epilog="\b\nExample:\n  rarefactor demo --out demo")
def demo(
    *,
    out: Annotated[Path, typer.Option(metavar="DIR", help="Where the studies and reports go.")] = Path(
        "rarefactor-demo"
    ),
    quiet: Annotated[bool, typer.Option("--quiet", "-q", help="Show nothing but problems.")] = False,
) -> None:
    """Run the example studies on real patients."""
    from rarefactor.cli import _commands  # noqa: PLC0415 - late: --help stays quick

    _commands.run_demo(out, quiet=quiet)
