"""What ``rarefactor predict`` does: the risk of one patient, or of a table with one patient per row, by a risk model.

Convention: rows are counted as a spreadsheet counts them, header included. Empty is missing. No message holds a value.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from rich.console import RenderableType
from rich.text import Text

from rarefactor import predict
from rarefactor.cli._console import draw_pairs, draw_table, read_console
from rarefactor.cli._score import Sheet, read_sheet, write_scored
from rarefactor.errors import DataError, InputError, Problem, suggest
from rarefactor.predict import PatientRisk
from rarefactor.results import RiskFactor, RiskModel
from rarefactor.work import write_file

SHOWN = 24
HEADER = 2  # the row number of the first patient
MARK = "research only"
COLUMNS = ("risk", "risk_low", "risk_high", "risk_use", "risk_warnings", "risk_missing")


@dataclass(frozen=True, slots=True, kw_only=True)
class Wanted:
    """Which model, and whether one for research only may answer."""

    path: Path
    name: str | None
    research: bool


def show_model(wanted: Wanted) -> None:
    """Print what a model wants, of whom it is valid, and whether it may be used."""
    model = predict.read_model(wanted.path, wanted.name)
    rows = (
        [_names(factor), factor.label, _takes(factor), _seen(factor), factor.measured_at] for factor in model.factors
    )
    _show(
        Text(f"Risk of {model.outcome.label}, from {model.outcome.landmark}: model {model.label}", style="bold"),
        draw_table(["name", "factor", "takes", "seen in 90%", "known at"], rows),
        *_made(model),
        *(Text(f"For research only: {reason.text}") for reason in model.reasons),
    )


def predict_patient(wanted: Wanted, given: Sequence[str]) -> None:
    """Print the risk of one patient; ``given`` holds ``name=value`` texts.

    Raises
    ------
    RefusalError
        The model is for research only, and was not asked for research.
    InputError
        A name that the model does not know, or a text that cannot be read.
    """
    model = predict.read_model(wanted.path, wanted.name)
    found = predict.compute_risk(model, read_given(given), research=wanted.research)
    _show(Text(f"{model.outcome.label}, from {model.outcome.landmark}: model {model.label}", style="bold"))
    _show(draw_pairs(_answer(model, found)))
    if found.risk is not None:
        mark = _mark(model)
        rows = [
            [item.label, _shown(item.value, item.unit), f"{item.odds_times:.2f}{mark}"] for item in found.contributions
        ]
        heads = ["factor", "value", "odds, times the cohort's mean"]
        _show(draw_table(heads, rows, right=heads[2:]))
    _show(*(Text(f"Warning. {item.text}") for item in found.warned), *_made(model))


def predict_table(wanted: Wanted, path: Path, out: Path | None) -> None:
    """Predict for every row of a CSV file, and write it with the risks beside it, or show the risks.

    Raises
    ------
    RefusalError
        The model is for research only, and was not asked for research.
    DataError
        The file cannot be read, lacks a factor, or holds what cannot be read: each with row and column.
    OutputError
        The output cannot be written.
    """
    model, sheet = predict.read_model(wanted.path, wanted.name), read_sheet(path)
    predict.require_use(model, research=wanted.research)
    _check_columns(model, sheet)
    found = _predict_rows(model, sheet, research=wanted.research)
    columns = tabulate_risks(found)
    if out is None:
        _show(*_risks(columns))
    else:
        _refuse_overwriting(sheet, path, out)
        write_file(out, write_scored(sheet, columns))
        _show(Text(f"{len(found)} patients: {out}"))
    _show(*_counted(found), *_made(model))


def read_given(texts: Iterable[str]) -> dict[str, str]:
    """Return names and values of ``name=value`` texts; several may stand in one, with commas between.

    Raises
    ------
    InputError
        A text without a name or an equals sign, or a name twice.

    Examples
    --------
    >>> read_given(["male=yes,mmt8=40", "oedema=mild, resolved"])
    {'male': 'yes', 'mmt8': '40', 'oedema': 'mild, resolved'}
    """
    found: dict[str, str] = {}
    for part in (part for text in texts for part in re.split(r",(?=\s*[A-Za-z][\w.-]*\s*=)", text)):
        name, equals, value = (piece.strip() for piece in part.partition("="))
        if not (equals and name):
            raise _unclear("a text without a name or an equals sign", "Write it such as --set male=yes.")
        if name in found:
            raise _unclear(f"{name} given twice", "Give each value once.")
        found[name] = value
    return found


def tabulate_risks(found: Sequence[PatientRisk]) -> dict[str, list[str]]:
    """Return the columns of risks as text: what is not known is empty."""
    lines = [
        [
            _fraction(item.risk),
            _fraction(item.low),
            _fraction(item.high),
            item.use,
            "; ".join(f"{warned.factor}: {warned.name}" for warned in item.warned),
            item.reason,
        ]
        for item in found
    ]
    return {name: [line[place] for line in lines] for place, name in enumerate(COLUMNS)}


def _unclear(found: str, step: str) -> InputError:
    return InputError(Problem(key="--set", found=found, expected="name=value", next_step=step))


def _answer(model: RiskModel, found: PatientRisk) -> Iterator[tuple[str, str]]:
    mark = _mark(model)
    if found.risk is None:
        yield "risk", f"not known: {found.reason}"
    else:
        yield "risk", f"{_percent(found.risk)}{mark}"
        yield f"{100 * model.level:g}% interval", f"{_percent(found.low)} to {_percent(found.high)}{mark}"
    people = model.population
    yield "cohort", f"{_percent(found.mean_risk)} ({people.events} of {people.n} patients){mark}"


def _mark(model: RiskModel) -> str:
    """Return what stands beside each number of a model that is not for patients."""
    return "" if model.allowed else f"  ({MARK})"


def _made(model: RiskModel) -> Iterator[Text]:
    yield Text(f"Valid for: {model.valid_for}")
    if model.synthetic:
        yield Text("The patients of this study were made, not observed: no risk of it is anybody's.")


def _predict_rows(model: RiskModel, sheet: Sheet, *, research: bool) -> tuple[PatientRisk, ...]:
    patients = [dict(zip(sheet.header, row, strict=True)) for row in sheet.rows]
    try:
        return predict.compute_risks(model, patients, research=research)
    except InputError as error:
        shown = [_in_sheet(sheet, problem) for problem in error.problems[:SHOWN]]
        more = len(error.problems) - len(shown)
        if more:
            found = f"{more} more of these"
            shown.append(replace(shown[-1], row=None, column=None, found=found, next_step="Mend the file."))
        raise DataError(*shown) from None


def _in_sheet(sheet: Sheet, problem: Problem) -> Problem:
    return replace(problem, file=sheet.name, row=(problem.row or 0) + HEADER)


def _check_columns(model: RiskModel, sheet: Sheet) -> None:
    """Refuse a table without a column for a factor: all of its patients would have no risk."""
    lacking = [factor for factor in model.factors if not set(_keys(factor)) & set(sheet.header)]
    if lacking:
        expected = "a column for each factor of the model; an empty cell is missing"
        raise DataError(
            *(
                Problem(
                    file=sheet.name,
                    column=factor.name,
                    found="no such column",
                    expected=expected,
                    next_step=suggest(factor.name, sheet.header),
                )
                for factor in lacking
            )
        )


def _refuse_overwriting(sheet: Sheet, path: Path, out: Path) -> None:
    taken = next((name for name in COLUMNS if name in sheet.header), None)
    found, expected, step = "the input as output", "another file", "Choose another name for --out."
    if taken:
        found, expected, step = "a column that the risks are called", "another name", "Rename or remove the column."
    if taken or (out.exists() and out.samefile(path)):
        raise DataError(Problem(file=sheet.name, column=taken, found=found, expected=expected, next_step=step))


def _risks(columns: Mapping[str, Sequence[str]]) -> Iterator[RenderableType]:
    rows = [[str(row), *cells] for row, cells in enumerate(zip(*columns.values(), strict=True), start=HEADER)]
    yield draw_table(["row", *columns], rows[:SHOWN], right=["row", *COLUMNS[:3]])
    if len(rows) > SHOWN:
        yield Text(f"and {len(rows) - SHOWN} more: --out FILE writes them all")


def _counted(found: Sequence[PatientRisk]) -> Iterator[Text]:
    nothing, doubtful = sum(item.risk is None for item in found), sum(bool(item.warned) for item in found)
    if nothing:
        yield Text(f"{nothing} of {len(found)} patients lack a value and have no risk: nothing is filled in.")
    if doubtful:
        yield Text(f"{doubtful} of {len(found)} patients have a warning: see risk_warnings.")


def _keys(factor: RiskFactor) -> tuple[str, ...]:
    return tuple(dict.fromkeys([factor.name, *([factor.alias.name] if factor.alias else [])]))


def _names(factor: RiskFactor) -> str:
    return " or ".join(_keys(factor))


def _takes(factor: RiskFactor) -> str:
    alias, unit = factor.alias, f" in {factor.unit}" if factor.unit else ""
    own = ", ".join(factor.levels) if factor.levels else f"a number{unit}"
    if alias and alias.rule == "cut":
        return f"{own}; {alias.name}: a number{unit} ({alias.comparison} {alias.threshold:g} is yes)"
    if alias and alias.rule == "level":
        return f"{own}; {alias.name}: {', '.join(alias.levels)}"
    return own


def _seen(factor: RiskFactor) -> str:
    alias = factor.alias
    low, high = (alias.low, alias.high) if alias and alias.rule == "cut" else (factor.low, factor.high)
    if low is None or high is None:
        return f"few with {', '.join(factor.rare)}" if factor.rare else ""
    return f"{low:g} to {high:g}"


def _shown(value: float | str, unit: str | None) -> str:
    return value if isinstance(value, str) else f"{value:g}{f' {unit}' if unit else ''}"


def _percent(value: float | None) -> str:
    return "" if value is None else f"{100 * value:.1f}%" if value < 0.095 else f"{100 * value:.0f}%"


def _fraction(value: float | None) -> str:
    return "" if value is None else f"{value:.4g}"


def _show(*parts: RenderableType) -> None:
    console = read_console()
    for part in parts:
        console.print(part)
