"""What stands behind each number that is shown: analysis, method, patients, events, flags and sources."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping

from rarefactor.report._origins import list_origins
from rarefactor.report._source import Source
from rarefactor.report.format import format_count, format_p
from rarefactor.report.tree import Document, Number
from rarefactor.results import Estimate, FlowStep

_METHODS = {
    "firth": "Firth, penalised likelihood-ratio test, profile penalised-likelihood interval",
    "fisher": "Fisher’s exact test",
    "welch_t": "Welch’s t test",
    "wilcoxon": "Wilcoxon rank-sum test, Hodges–Lehmann shift",
    "wilson": "Wilson interval",
    "apparent": "in the patients from whom the model was made",
    "optimism": "mean over the resamples",
    "optimism_corrected": "apparent less the optimism, interval moved by it",
    "plus632": ".632+ bootstrap",
    "shrunken": "slopes shrunken, intercept fitted anew",
    "r2_default": "supposing 15% of the largest possible R²",
    "r2_corrected": "supposing the R² that goes with the corrected AUC",
    "kaplan_meier": "Kaplan–Meier, log(−log) interval",
    "reverse_kaplan_meier": "reverse Kaplan–Meier",
    "aalen_johansen": "Aalen–Johansen, log(−log) interval",
    "logrank": "log-rank test",
    "schoenfeld": "test of scaled Schoenfeld residuals",
    "reml": "linear mixed model, restricted maximum likelihood, Satterthwaite’s degrees of freedom",
    "blup": "patients’ own lines in the mixed model",
    "repeatability": "from the repeatability of one measurement",
}
_GROUPS = {"all": "all patients", "event": "with the outcome", "no_event": "without the outcome"}


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
    return _filled({"Step of the flow": step.label, "Landmark": landmark, "n": format_count(step.n), "Events": events})


def _describe_row(source: Source, row: Estimate) -> Mapping[str, str]:
    models = {model.name: model.label for model in source.results.models}
    files = {item.id: item.path for item in source.results.inputs}
    fields = {
        "Analysis": {"table1": "description", "univariable": "one by one"}.get(row.analysis, row.analysis),
        "Landmark": source.visit(row.landmark) if row.landmark else "",
        "Model": models.get(row.model or "", row.model or ""),
        "Factor": source.factor(row.factor).label if row.factor else "",
        "Term": row.term or "",
        "Group": _GROUPS.get(row.group or "", row.group or ""),
        "Measure": row.measure.replace("_", " "),
        "Method": _method(row),
        "Value": _value(row),
        "P": format_p(row.p) if row.p is not None else "",
        "n": format_count(row.n) if row.n is not None else "",
        "Events": format_count(row.events) if row.events is not None else "",
        "Flags": ", ".join(flag.replace("_", " ") for flag in row.flags),
        "Sources": ", ".join(files.get(name, name) for name in row.source),
    }
    return _filled(fields)


def _method(row: Estimate) -> str:
    if row.method == "ml":
        wald = row.analysis == "univariable"
        return "maximum likelihood, " + (
            "Wald interval and test" if wald else "profile interval, likelihood-ratio test"
        )
    return _METHODS.get(row.method or "", row.method or "")


def _value(row: Estimate) -> str:
    if row.estimate is None:
        return ""
    shown = f"{row.estimate:.6g}".replace("-", "−")
    if row.low is None or row.high is None:
        return shown
    low, high = (f"{bound:.6g}".replace("-", "−").replace("inf", "∞") for bound in (row.low, row.high))
    return f"{shown} ({low} to {high})"


def _filled(fields: Mapping[str, str]) -> Mapping[str, str]:
    return {name: text for name, text in fields.items() if text}
