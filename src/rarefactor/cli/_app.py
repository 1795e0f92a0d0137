"""The commands. Each says what it does, and imports what it needs when it runs."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Literal

import typer

from rarefactor import __version__
from rarefactor.cli._cite import EPILOG as CITE_EPILOG
from rarefactor.cli._cite import cite
from rarefactor.cli._serve import SERVE_EPILOG, USER_EPILOG, add_user, serve
from rarefactor.cli._simulate import EPILOG, simulate
from rarefactor.cli._trace import EPILOG as TRACE_EPILOG
from rarefactor.cli._trace import trace

FINDINGS = 5

app = typer.Typer(
    name="rarefactor",
    help="Prognostic-factor studies in rare diseases, from raw data to a paper-ready answer.",
    epilog="\b\nStart with:\n  rarefactor init mystudy\n  rarefactor check mystudy\n  rarefactor run mystudy\n"
    "In the browser:\n  rarefactor serve studies",
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

Workers = Annotated[
    int, typer.Option("--workers", metavar="N", min=1, max=1024, help="How many images are worked on at once.")
]
Cluster = Annotated[
    str | None,
    typer.Option(metavar="ADDRESS", help="A running Dask scheduler that does the measuring, such as tcp://host:8786."),
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


@app.command(
    epilog="\b\nExamples:\n  rarefactor init mystudy\n  rarefactor init mystudy --template anm-srp --workers 2"
)
def init(
    folder: Annotated[Path | None, typer.Argument(metavar="DIR", help="The new folder.", show_default=False)] = None,
    *,
    template: Annotated[str, typer.Option(help="Which example to start from.")] = "pbc",
    workers: Workers = 1,
    show: Annotated[bool, typer.Option("--list", help="Say which templates there are.")] = False,
) -> None:
    """Make a study folder that runs as it is.

    The patients of anm-srp are synthetic: their records, scans and slides are made.
    """
    from rarefactor.cli import _templates  # noqa: PLC0415 - late: --help stays quick

    if show:
        _templates.show_templates()
    elif folder is None:
        raise typer.BadParameter("say which folder to make, such as mystudy", param_hint="DIR")
    else:
        _templates.make_study(folder, template, workers=workers)


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
    workers: Workers = 1,
    cluster: Cluster = None,
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
        _commands.run_study(study, out, workers=workers, cluster=cluster, quiet=quiet)


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


@app.command(
    "predict",
    short_help="Predict the risk of a next patient by a risk model.",
    epilog="\b\nExamples:\n"
    "  rarefactor predict mystudy/out --list\n"
    "  rarefactor predict mystudy/out --model clinical --set male=yes --set mmt8=40 --set age=52\n"
    "  rarefactor predict clinical.json patients.csv --out risks.csv",
)
def predict_risk(  # noqa: PLR0913 - one parameter for each option
    path: Annotated[
        Path, typer.Argument(metavar="MODEL", help="The file of a model, or the output of a run.", show_default=False)
    ],
    table: Annotated[
        Path | None, typer.Argument(metavar="FILE", help="A CSV file, one patient per row.", show_default=False)
    ] = None,
    *,
    given: Annotated[
        list[str] | None, typer.Option("--set", metavar="NAME=VALUE", help="A value of one patient; once for each.")
    ] = None,
    model: Annotated[
        str | None, typer.Option("--model", metavar="NAME", help="Which model, where a run wrote several.")
    ] = None,
    out: Annotated[
        Path | None, typer.Option(metavar="FILE", help="Write the table with its risks; else they are shown.")
    ] = None,
    research: Annotated[
        bool, typer.Option("--research", help="Let a model answer that its data cannot carry; every number is marked.")
    ] = False,
    show: Annotated[
        bool, typer.Option("--list", help="Say what the model wants: names, units, levels, ranges.")
    ] = False,
) -> None:
    """Predict the risk of one patient, or of a table with one patient per row, with its interval.

    Values are in the units of the model, levels by their label. A missing value means no risk; nothing is filled in.
    Exit code 10: the model is for research only, and why.
    """
    from rarefactor.cli import _predict  # noqa: PLC0415 - late: --help stays quick

    wanted = _predict.Wanted(path=path, name=model, research=research)
    if show:
        _predict.show_model(wanted)
        return
    if (table is None) == (not given):
        raise typer.BadParameter(
            "give a CSV file, or one patient's values by --set; --list shows them", param_hint="FILE"
        )
    if table is None:
        _predict.predict_patient(wanted, given or [])
    else:
        _predict.predict_table(wanted, table, out)


app.command(short_help="Open a study, or a folder of studies, in the browser.", epilog=SERVE_EPILOG)(serve)
app.command("user", short_help="Name a user for `serve --auth`.", epilog=USER_EPILOG)(add_user)

measure = typer.Typer(help="Measure images without a study.", no_args_is_help=True, rich_markup_mode=None)
app.add_typer(measure, name="measure")


@measure.command(
    "mri",
    short_help="Fat fraction of the thigh muscles.",
    epilog="\b\nExamples:\n"
    "  rarefactor measure mri scans --out measured\n"
    '  rarefactor measure mri scans --masks "{subject}/baseline/masks.nii.gz" --month baseline=0 --month month_3=3 '
    "--out measured\n"
    '  rarefactor measure mri scans --layout "{subject}_*.nii.gz" --fat "*_0000.nii.gz" --water "*_0001.nii.gz" '
    '--masks "{subject}_seg.nii.gz" --out measured',
)
def mri(  # noqa: PLR0913 - one parameter for each option
    folder: Annotated[
        Path, typer.Argument(metavar="PATH", help="The folder of the scans: DICOM or NIfTI.", show_default=False)
    ],
    *,
    out: Annotated[Path, typer.Option(metavar="DIR", help="Where tables and pictures go.", show_default=False)],
    layout: Annotated[
        str | None,
        typer.Option(help="How scans are filed, such as {subject}/{visit}; else seen from the folder."),
    ] = None,
    masks: Annotated[
        str | None, typer.Option(help="How a reader's masks are filed; else the muscle compartment.")
    ] = None,
    labels: Annotated[
        Path | None, typer.Option(metavar="FILE", help="What the labels of the masks mean: .label, .csv or .json.")
    ] = None,
    fat: Annotated[str | None, typer.Option(metavar="PATTERN", help="Which files are fat images.")] = None,
    water: Annotated[str | None, typer.Option(metavar="PATTERN", help="Which files are water images.")] = None,
    t1: Annotated[str | None, typer.Option("--t1", metavar="PATTERN", help="Which files are T1-weighted.")] = None,
    month: Annotated[
        list[str] | None, typer.Option(metavar="VISIT=MONTH", help="When a visit was, for a rate; once for each visit.")
    ] = None,
    segmenter: Annotated[
        str | None, typer.Option(metavar="NAME", help="A network of yours that draws the muscles where no reader did.")
    ] = None,
    repeatability: Annotated[
        float | None,
        typer.Option(metavar="POINTS", min=0.01, max=50, help="SD of one measurement repeated; else published."),
    ] = None,
    workers: Workers = 1,
    cluster: Cluster = None,
    quiet: Annotated[bool, typer.Option("--quiet", "-q", help="Show nothing but problems.")] = False,
) -> None:
    """Measure the fat fraction of the thigh muscles, and its rate between visits.

    Writes measurements/mri.parquet and .csv (a row per patient, visit, muscle and side), measurements/mri_rates.csv,
    and pictures of every visit and change to overlays. Exit code 0: all measured; 5: some scans failed and are told.
    """
    from rarefactor.cli import _measure  # noqa: PLC0415 - late: --help stays quick
    from rarefactor.imaging import Kind, Settings, read_label_names  # noqa: PLC0415 - late

    given = {Kind.FAT: fat, Kind.WATER: water, Kind.T1: t1}
    settings = Settings(
        patterns={kind: pattern for kind, pattern in given.items() if pattern},
        names=read_label_names(labels) if labels else None,
        segmenter=segmenter,
        repeatability=repeatability,
    )
    asked = _measure.Asked(
        folder=folder,
        layout=layout,
        masks=masks,
        months=month or [],
        workers=workers,
        cluster=cluster,
        quiet=quiet,
    )
    if _measure.measure_mri(asked, settings, out):
        raise typer.Exit(FINDINGS)


@app.command(
    short_help="Compute a published instrument, such as the Total Improvement Score.",
    epilog="\b\nExamples:\n"
    "  rarefactor score --list\n"
    "  rarefactor score tis --mmt-maximum 150 --limit ck=200 "
    "--baseline physician_global=6,patient_global=7,mmt=100,haq=1.5,ck=6000,extramuscular=3 "
    "--final physician_global=2,patient_global=3,mmt=135,haq=0.5,ck=600,extramuscular=1\n"
    "  rarefactor score tis patients.csv --mmt-maximum 150 --limit ck=200 --out scored.csv\n"
    "  rarefactor score mmt8 --set neck_flexors=6,deltoid=5,biceps=8,wrist_extensors=10,gluteus_maximus=4,"
    "gluteus_medius=5,quadriceps=6,ankle_dorsiflexors=10",
)
def score(  # noqa: PLR0913 - one parameter for each option
    name: Annotated[str | None, typer.Argument(metavar="NAME", help="Which instrument.", show_default=False)] = None,
    table: Annotated[
        Path | None, typer.Argument(metavar="FILE", help="A CSV file, one patient per row.", show_default=False)
    ] = None,
    *,
    baseline: Annotated[
        list[str] | None, typer.Option(metavar="NAME=VALUE,...", help="One patient's measures at baseline.")
    ] = None,
    final: Annotated[
        list[str] | None, typer.Option(metavar="NAME=VALUE,...", help="The same measures at the later visit.")
    ] = None,
    given: Annotated[
        list[str] | None,
        typer.Option("--set", metavar="NAME=VALUE,...", help="One patient's values, for instruments of one visit."),
    ] = None,
    out: Annotated[
        Path | None, typer.Option(metavar="FILE", help="Write the table with its scores; else they are shown.")
    ] = None,
    mmt_maximum: Annotated[
        float | None,
        typer.Option("--mmt-maximum", metavar="N", help="The maximum of the muscle testing form: 80 or 150."),
    ] = None,
    limit: Annotated[
        list[str] | None, typer.Option(metavar="ENZYME=N", help="Upper limit of normal, in the unit of the values.")
    ] = None,
    ranges: Annotated[
        list[str] | None,
        typer.Option("--range", metavar="MEASURE=N", help="How far a measure ranges, where it is not the usual."),
    ] = None,
    juvenile: Annotated[bool, typer.Option("--juvenile", help="The score and its categories for children.")] = False,
    show: Annotated[bool, typer.Option("--list", help="Say which instruments there are and what they take.")] = False,
) -> None:
    """Compute a published instrument for one patient, or for a table with one patient per row.

    In a table of two visits, columns end in _baseline and _final (mmt_baseline, mmt_final); an empty cell is missing.
    A score with a missing measure is bounded, never filled in.
    """
    from rarefactor.cli import _score  # noqa: PLC0415 - late: --help stays quick

    if show:
        _score.show_instruments()
        return
    if name is None:
        raise typer.BadParameter("say which instrument, such as tis; --list shows them", param_hint="NAME")
    values = {"baseline": baseline or [], "final": final or [], "": given or []}
    if (table is None) == (not any(values.values())):
        raise typer.BadParameter("give a CSV file, or one patient's values", param_hint="FILE")
    options = _score.Options(
        mmt_maximum=mmt_maximum,
        limits=_score.read_limits(limit or [], "enzyme=limit"),
        ranges=_score.read_limits(ranges or [], "measure=range"),
        juvenile=juvenile,
    )
    if table is None:
        _score.score_patient(name, values, options)
    else:
        _score.score_table(name, table, out, options)


@measure.command(
    "ihc",
    short_help="DAB-positive area and positive cells of stained sections.",
    epilog="\b\nExamples:\n"
    "  rarefactor measure ihc slides --stain BAFF-R --out measured\n"
    '  rarefactor measure ihc slides --layout "{subject}_{stain}.svs" --measure cells --out measured\n'
    "  rarefactor measure ihc biopsy.ome.tif --regions roi.geojson --out measured\n"
    '  rarefactor measure ihc slides --layout "{subject}_{stain}.svs" --measure cells --cells --out measured\n'
    '  rarefactor measure ihc slides --layout "{subject}_{stain}.tif" --manifest runs.csv --runs controls '
    "--scores scores.csv --out measured",
)
def ihc(  # noqa: PLR0913 - one parameter for each option
    place: Annotated[
        Path, typer.Argument(metavar="PATH", help="A slide or field, or a folder of them.", show_default=False)
    ],
    *,
    out: Annotated[Path, typer.Option(metavar="DIR", help="Where tables and pictures go.", show_default=False)],
    stain: Annotated[
        str | None, typer.Option(metavar="NAME", help="What the slides are stained for, such as BAFF-R.")
    ] = None,
    threshold: Annotated[
        float, typer.Option(min=0.1, max=1.5, help="DAB density from which a pixel or cell is positive.")
    ] = 0.2,
    read: Annotated[
        Literal["area", "cells"], typer.Option("--measure", help="The area alone, or the cells too.")
    ] = "area",
    compartment: Annotated[
        Literal["nucleus", "ring", "max"],
        typer.Option(help="Where a cell's stain is read: nucleus, ring around it, or the greater."),
    ] = "max",
    denominator: Annotated[
        Literal["section", "dense"], typer.Option(help="What shares are of: the whole section, or dense pixels.")
    ] = "section",
    detector: Annotated[
        str,
        typer.Option(metavar="NAME", help="Who finds nuclei: a plug-in, or instanseg:, stardist:, cellpose: and PATH."),
    ] = "log_watershed",
    cells: Annotated[
        bool, typer.Option("--cells", help="Write the counted cells of each slide as GeoJSON, for QuPath.")
    ] = False,
    regions: Annotated[
        str | None, typer.Option(metavar="FILE", help="Regions as GeoJSON, or the layout of one for each slide.")
    ] = None,
    layout: Annotated[
        str | None,
        typer.Option(help="How slides are filed, such as {subject}_{stain}.tif; else each is called by its file."),
    ] = None,
    um_per_px: Annotated[
        float | None,
        typer.Option("--um-per-px", metavar="X", min=0.05, max=20, help="µm per pixel where the files do not say it."),
    ] = None,
    manifest: Annotated[
        Path | None,
        typer.Option(metavar="FILE", help="Staining runs: slide, run, date, antibody, dilution, control."),
    ] = None,
    runs: Annotated[
        Literal["none", "controls", "medians"],
        typer.Option(help="Give values adjusted for the staining run too: by its control tissue, or its median."),
    ] = "none",
    scores: Annotated[
        Path | None, typer.Option(metavar="FILE", help="Readers' scores: patient, stain, reader, scale, score.")
    ] = None,
    workers: Workers = 1,
    cluster: Cluster = None,
    quiet: Annotated[bool, typer.Option("--quiet", "-q", help="Show nothing but problems.")] = False,
) -> None:
    """Measure the DAB-positive area of stained sections, and their cells.

    Writes measurements/ihc.parquet and .csv (a row per slide and region), ihc_biopsies.csv (a row per patient and
    stain), ihc_failures.csv, and pictures of every slide to overlays. A manifest adds ihc_runs.csv and takes control
    tissue out, scores add ihc_agreement.csv. Exit code 0: all measured; 5: some slides or rows failed and are told.
    """
    if cells and read == "area":
        raise typer.BadParameter("cells are found with --measure cells", param_hint="--cells")
    if runs != "none" and manifest is None:
        raise typer.BadParameter("runs are known from --manifest", param_hint="--runs")
    from rarefactor.cli import _measure, _measure_ihc  # noqa: PLC0415 - late: --help stays quick
    from rarefactor.pathology import Beside, Compartment, Denominator, Reading  # noqa: PLC0415 - late

    asked = _measure.Asked(folder=place, layout=layout, workers=workers, cluster=cluster, quiet=quiet)
    reading = Reading(
        measure=read,
        threshold=threshold,
        compartment=Compartment(compartment),
        denominator=Denominator[denominator.upper()],
        detector=detector,
    )
    drawn = _measure_ihc.Stained(
        stain=stain,
        regions=regions,
        reading=reading,
        um_per_px=um_per_px,
        cells=cells,
        beside=Beside(manifest=manifest, scores=scores, runs=runs),
    )
    if _measure_ihc.measure_ihc(asked, drawn, out):
        raise typer.Exit(FINDINGS)


app.command(short_help="Make a whole synthetic study whose truth is known.", epilog=EPILOG)(simulate)
app.command(short_help="Say where a number of a report comes from.", epilog=TRACE_EPILOG)(trace)
app.command(short_help="Say how to cite a study and its methods.", epilog=CITE_EPILOG)(cite)


@app.command(
    short_help="Run an example from nothing to its report.",
    epilog="\b\nExamples:\n  rarefactor demo\n  rarefactor demo pbc48 --out demo",
)
def demo(
    examples: Annotated[
        list[str] | None, typer.Argument(metavar="[NAME]...", help="Which examples.", show_default=False)
    ] = None,
    *,
    every: Annotated[bool, typer.Option("--all", help="Run every example.")] = False,
    out: Annotated[Path, typer.Option(metavar="DIR", help="Where the studies and reports go.")] = Path(
        "rarefactor-demo"
    ),
    workers: Workers = 2,
    quiet: Annotated[bool, typer.Option("--quiet", "-q", help="Show nothing but problems.")] = False,
) -> None:
    """Make the patients of the example anm-srp, which are synthetic, and run it, images and slides included.

    With names, or --all, run other examples: the patients of pbc and pbc48 are real. A second run reuses what is
    unchanged.
    """
    from rarefactor.cli import _commands  # noqa: PLC0415 - late: --help stays quick
    from rarefactor.templates import read_templates  # noqa: PLC0415 - late

    names = list(read_templates()) if every else examples or []
    _commands.run_demo(names, out, workers=workers, quiet=quiet)
