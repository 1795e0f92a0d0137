"""What ``rarefactor design`` shows: what studies of this size would report, for each true odds ratio."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path

from rich.console import RenderableType
from rich.text import Text

from rarefactor import study
from rarefactor.cli._console import draw_table, read_console
from rarefactor.errors import InputError, Problem
from rarefactor.results import Analysed, Estimate

_COLUMNS = {
    "method": "method",
    "median_odds_ratio": "median OR",
    "bias": "bias (log)",
    "coverage": "coverage",
    "width": "width",
    "power": "power",
    "exaggeration": "exaggeration",
    "wrong_sign": "wrong sign",
    "doubled": "twice truth",
    "separated": "separated",
}
_SHARES = {"coverage", "power", "wrong_sign", "doubled", "separated"}
_NAMES = {"ml": "maximum likelihood", "firth": "Firth", "logf22": "log-F(2,2)"}


def show_design(path: Path, *, data_sets: int | None, odds_ratios: Sequence[str], n: int | None) -> None:
    """Simulate studies like this one and print what they would report.

    Raises
    ------
    InputError
        An odds ratio that is not written as factor=number, or whose factor is in no model.
    """
    found = study.design(path, data_sets=data_sets, odds_ratios=read_odds_ratios(odds_ratios), n=n)
    console = read_console()
    for model, analysed in found.items():
        for part in draw_design(model, analysed):
            console.print(part)


def read_odds_ratios(given: Sequence[str]) -> dict[str, float]:
    """Return true odds ratios by factor.

    Examples
    --------
    >>> read_odds_ratios(["male=3"])
    {'male': 3.0}
    """
    found: dict[str, float] = {}
    for text in given:
        name, _, value = text.partition("=")
        try:
            found[name.strip()] = float(value)
        except ValueError:
            found[name.strip()] = 0.0
        if not 0 < found[name.strip()] < float("inf"):
            step = "Write it such as --odds-ratio male=3."
            raise InputError(Problem(found=f"--odds-ratio {text}", expected="factor=number above 0", next_step=step))
    return found


def draw_design(model: str, analysed: Analysed) -> Iterator[RenderableType]:
    """Yield for a model a table per factor and true odds ratio, and a sentence."""
    cases: dict[tuple[str, str, str], list[Estimate]] = {}
    for row in analysed.rows:
        if row.group:
            cases.setdefault((row.factor or "", row.term or "", row.group), []).append(row)
    for (factor, term, group), rows in cases.items():
        truth = group.removeprefix("true ")
        head = (
            f"Model {model}, {factor} ({term}), true odds ratio {truth}, {rows[0].n} patients, {rows[0].events} events"
        )
        yield Text(head, style="bold")
        yield draw_table([*_COLUMNS.values()], list(_lines(rows)), right=[*_COLUMNS.values()][1:])
        yield Text(_sentence(rows, truth))
    for note in analysed.notes:
        yield Text(note.text)


def _lines(rows: Sequence[Estimate]) -> Iterator[list[str]]:
    found = {(row.method, row.measure): row.estimate for row in rows}
    for method, name in _NAMES.items():
        yield [name, *(_shown(measure, found.get((method, measure))) for measure in [*_COLUMNS][1:])]


def _shown(measure: str, value: float | None) -> str:
    if value is None:
        return "-"
    return f"{value:.0%}" if measure in _SHARES else f"{value:.3g}"


def _sentence(rows: Sequence[Estimate], truth: str) -> str:
    firth: Mapping[str, float | None] = {row.measure: row.estimate for row in rows if row.method == "firth"}
    power, more = firth.get("power"), firth.get("exaggeration")
    text = (
        f"If the truth is {truth}, {_shown('power', power)} of studies like this one have an interval that excludes 1"
    )
    return f"{text}; these report a log odds ratio of {more:.2g} times the truth.\n" if more else f"{text}.\n"
