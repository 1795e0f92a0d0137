"""What stands behind each number that is shown: analysis, method, patients, events, flags and sources.

Convention: what the results call otherwise than the words do follows them between backticks, ``description `table1```.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping

from rarefactor.report._origins import list_origins
from rarefactor.report._source import Source
from rarefactor.report._words import Words
from rarefactor.report.format import format_count, format_p
from rarefactor.report.tree import Document, Number
from rarefactor.results import Estimate, FlowStep

_WORDS = Words("details")


def describe_numbers(document: Document, source: Source) -> Document:
    """Return the document with the details of every number that it shows."""
    steps = {f"flow/{step.id}": step for step in source.results.flow}
    rows = {row.id: row for row in source.results.rows}
    shown = dict.fromkeys(run.row for run in document.runs() if isinstance(run, Number))
    found = {key: rows[key] if key in rows else steps[key] for key in shown}
    details = {key: describe_number(source, row) for key, row in found.items()}
    return dataclasses.replace(document, details=details, origins=list_origins(source.results, found))


def describe_number(source: Source, row: Estimate | FlowStep) -> Mapping[str, str]:
    """Return what stands behind a number, in words by their names."""
    return _describe_row(source, row) if isinstance(row, Estimate) else _describe_step(source, row)


def _describe_step(source: Source, step: FlowStep) -> Mapping[str, str]:
    events = format_count(step.events) if step.events is not None else ""
    landmark = source.visit(step.landmark) if step.landmark else ""
    return _filled({"step": step.label, "landmark": landmark, "n": format_count(step.n), "events": events})


def _describe_row(source: Source, row: Estimate) -> Mapping[str, str]:
    models = {model.name: model.label for model in source.results.models}
    files = {item.id: item.path for item in source.results.inputs}
    fields = {
        "analysis": _named("analyses", row.analysis),
        "landmark": source.visit(row.landmark) if row.landmark else "",
        "model": models.get(row.model or "", row.model or ""),
        "factor": source.factor(row.factor).label if row.factor else "",
        "term": row.term or "",
        "group": _WORDS.names("groups").get(row.group or "", row.group or ""),
        "measure": _named("measures", row.measure),
        "method": _method(row),
        "value": _value(row),
        "p": format_p(row.p) if row.p is not None else "",
        "n": format_count(row.n) if row.n is not None else "",
        "events": format_count(row.events) if row.events is not None else "",
        "flags": ", ".join(_named("flags", flag) for flag in row.flags),
        "sources": ", ".join(files.get(name, name) for name in row.source),
    }
    return _filled(fields)


def _named(kind: str, name: str) -> str:
    """Return what the results call ``name`` in words, with the name where the words are others."""
    plain = name.replace("_", " ")
    words = _WORDS.names(kind).get(name, plain)
    return words if words == plain else f"{words} `{name}`"


def _method(row: Estimate) -> str:
    if row.method == "ml":
        wald = row.analysis == "univariable"
        return _WORDS.text("maximum_likelihood_wald" if wald else "maximum_likelihood_profile")
    return _WORDS.names("methods").get(row.method or "", row.method or "")


def _value(row: Estimate) -> str:
    if row.estimate is None:
        return ""
    shown = f"{row.estimate:.6g}".replace("-", "−")
    if row.low is None or row.high is None:
        return shown
    low, high = (f"{bound:.6g}".replace("-", "−").replace("inf", "∞") for bound in (row.low, row.high))
    return f"{shown} ({low}{Words('words').text('to')}{high})"


def _filled(fields: Mapping[str, str]) -> Mapping[str, str]:
    names = _WORDS.names("fields")
    return {names[field]: text for field, text in fields.items() if text}
