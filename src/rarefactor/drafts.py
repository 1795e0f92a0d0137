"""A first study file for a user's own data: it can be read, and says what a person has to fill in.

Convention: what is not known is a value that works, marked by :data:`GAP` in a comment on its line. A draft proposes
what columns are; it decides nothing about outcome, factors and visits.
"""

from __future__ import annotations

import json
import re
import shutil
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

from rarefactor import cohort
from rarefactor.cohort import Proposal
from rarefactor.errors import OutputError, Problem
from rarefactor.spec import DataField
from rarefactor.templates import STUDY_FILE
from rarefactor.work import Progress, write_file

GAP = "FILL IN"
_MONTH = re.compile(r"(\d+)")
_FACTORS = 6
_MEASURED = frozenset({"number", "integer", "yesno"})


@dataclass(frozen=True, slots=True, kw_only=True)
class Gap:
    """A line of a study file that a person has to fill in, and what is asked."""

    line: int
    text: str


def write_draft(upload: Path, target: Path, records: str, dictionary: str | None, *, progress: Progress) -> str:
    """Describe a user's files in a draft of a study file, and put all into a new study folder.

    Parameters
    ----------
    upload
        A folder with the files in ``data``; it becomes ``target``.
    target
        The new folder; it does not exist yet.
    records, dictionary
        Paths of the files from the folder.

    Returns
    -------
    str
        The name of the study.

    Raises
    ------
    DataError
        A file cannot be read.
    OutputError
        The folder exists.
    """
    try:
        _draft(upload, target, (records, dictionary), progress)
    finally:
        shutil.rmtree(upload, ignore_errors=True)  # nothing is there any more where it went well
    return target.name


def _draft(upload: Path, target: Path, files: tuple[str, str | None], progress: Progress) -> None:
    records, dictionary = files
    progress.start("Read the files")
    proposal = cohort.propose_fields(upload, records, dictionary)
    progress.finish("Read the files", f"{len(proposal.columns)} variables")
    progress.start("Draft the study file")
    text = "\n".join(_write(target.name, proposal, records, dictionary)) + "\n"
    write_file(upload / STUDY_FILE, text.encode())
    if target.exists():
        raise OutputError(_taken(target))
    upload.rename(target)
    progress.finish("Draft the study file", f"{text.count(GAP) - 1} places to fill in")


def list_gaps(file: Path) -> tuple[Gap, ...]:
    """Return what is left to fill in."""
    try:
        lines = file.read_text(encoding="utf-8").splitlines()
    except (OSError, UnicodeDecodeError):
        return ()
    marked = ((number, line) for number, line in enumerate(lines, 1) if f"# {GAP}: " in line)
    return tuple(Gap(line=number, text=line.split(f"# {GAP}: ", 1)[1].strip()) for number, line in marked)


def _write(name: str, proposal: Proposal, records: str, dictionary: str | None) -> Iterator[str]:
    """Yield the lines of the study file."""
    visits = _name_visits(proposal)
    last = next(reversed(visits))
    yield f"# A draft made from {Path(records).name}. Look at each line marked {GAP}, mend it and take the mark away."
    yield f"id: {re.sub(r'[^a-z0-9]+', '-', name.casefold()).strip('-') or 'study'}"
    yield f"title: {_text(name)}  # {GAP}: what the study asks, as the title of its paper"
    yield ""
    yield from _write_cohort(proposal, records, dictionary, visits)
    yield ""
    yield from _write_outcome(proposal.columns, last)
    yield ""
    yield from _write_factors(proposal.columns, next(iter(visits)))


def _write_cohort(
    proposal: Proposal, records: str, dictionary: str | None, visits: Mapping[str, tuple[str | None, float | None]]
) -> Iterator[str]:
    event = f", event: {_text(proposal.event)}" if proposal.event else ""
    yield "cohort:"
    yield f"  records: {{file: {_text(records)}{event}}}"
    if dictionary:
        yield f"  dictionary: {_text(dictionary)}"
    yield f"  subject: {_text(proposal.subject)}  # {GAP}: is this the column of the patient's id?"
    if proposal.date and proposal.repeated:
        yield f"  visit_date: {_text(proposal.date)}  # {GAP}: is this the date of the visit?"
    if proposal.missing:
        yield f"  missing_codes: [{', '.join(json.dumps(word) for word in proposal.missing)}]"
    yield "  visits:"
    for name, (found, month) in visits.items():
        tied = f"event: {_text(found)}, " if found is not None else ""
        asked = "" if month == 0 else f"  # {GAP}: the month of the visit, and its window such as window: [10, 15]"
        yield f"    {name}: {{{tied}month: {month or 0:g}}}{asked}"
    if proposal.fields:
        yield f"  fields:  # {GAP}: proposed from the values: check types, add labels, units and limits"
        yield from (f"    {_text(name)}: {_describe(field)}" for name, field in proposal.fields.items())


def _name_visits(proposal: Proposal) -> dict[str, tuple[str | None, float | None]]:
    """Return the event and month of each visit by its name; months are read from the events, else counted on."""
    if len(proposal.events) < 2:
        return {"baseline": (next(iter(proposal.events), None), 0), "month_12": (None, 12)}
    visits = dict[str, tuple[str | None, float | None]]()
    month = 0.0
    for place, event in enumerate(proposal.events):
        found = _MONTH.search(event.removesuffix("_arm_1"))
        month = 0.0 if place == 0 else max(month + 1, float(found[1]) if found else 0.0)
        visits["baseline" if place == 0 else f"month_{month:g}"] = (event, month)
    return visits


def _write_outcome(columns: Mapping[str, DataField], visit: str) -> Iterator[str]:
    yield f"outcome:  # {GAP}: what counts as the event, and at which visit"
    yield "  event:"
    yield f"    label: Event  # {GAP}: its name in tables and sentences"
    yield f"    at: {visit}"
    yield f"    when: {_text(_find_condition(columns))}"


def _find_condition(columns: Mapping[str, DataField]) -> str:
    """Return a condition that can be read: of a yes-or-no column where there is one."""
    for kind, condition in (("yesno", "{}"), ("number", "{} > 0"), ("integer", "{} > 0")):
        for name, field in columns.items():
            if field.type == kind and name.isidentifier():
                return condition.format(name)
    for name, field in columns.items():
        if field.type == "choice" and name.isidentifier() and field.choices:
            label = next(iter(field.choices.values())).replace("'", "")
            return f"{name} == '{label}'"
    return "event > 0"


def _write_factors(columns: Mapping[str, DataField], visit: str) -> Iterator[str]:
    asked = "which factors, and by which visit each is known; a marker is asked about, an adjuster is held constant"
    yield f"factors:  # {GAP}: {asked}"
    fit = [name for name, field in columns.items() if field.type in _MEASURED and name.isidentifier()]
    outcome = _find_condition(columns).split(" ")[0]
    for name in [name for name in fit if name != outcome][:_FACTORS] or fit[:1] or list(columns)[:1]:
        label = columns[name].label or name.replace("_", " ").capitalize()
        key = re.sub(r"[^a-z0-9_]", "_", name.casefold())
        yield f"  {key}: {{from: {_text(name)}, label: {_text(label)}, measured_at: {visit}}}"


def _describe(field: DataField) -> str:
    parts = [f"type: {field.type}"]
    parts += ["identifier: true"] if field.identifier else []
    if field.choices:
        parts.append(
            f"choices: {{{', '.join(f'{_text(code)}: {_text(label)}' for code, label in field.choices.items())}}}"
        )
    return f"{{{', '.join(parts)}}}"


def _text(words: str | None) -> str:
    """Return words as YAML reads them back."""
    plain = words is not None and re.fullmatch(r"[A-Za-z_][A-Za-z0-9_./-]*", words)
    reserved = {"null", "true", "false", "yes", "no", "on", "off", "y", "n"}
    return words if words and plain and words.casefold() not in reserved else json.dumps(words, ensure_ascii=False)


def _taken(folder: Path) -> Problem:
    return Problem(
        file=folder.name,
        found="a study of this name",
        expected="a new name",
        next_step="Choose another name; nothing is overwritten.",
    )
