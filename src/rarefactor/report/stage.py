"""The door of the report: results in, files out as bytes."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime

from rarefactor.results import Picture, Results, RiskModel

PROVENANCE = "provenance/ro-crate-metadata.json"
"""Where the provenance stands in the output folder."""


def write_report(
    results: Results,
    *,
    risk_models: Sequence[RiskModel] = (),
    pictures: Sequence[Picture] = (),
    created: datetime | None = None,
) -> Mapping[str, bytes]:
    """Return every file of the report by its path from the output folder.

    ``report.html``, ``report.pdf``, the tables, figures and references depend on the results, the risk models made from
    them and ``pictures`` (of which a few are chosen by their patients' values) alone. ``created`` (the time of the run)
    goes only to the properties of ``report.docx``, which hold a fixed date without it, and to the provenance, which
    then names no time.

    Raises
    ------
    InputError
        The results do not hold the study file that they answer.
    OutputError
        The report cannot be set as PDF.
    """
    from rarefactor.report import _files  # noqa: PLC0415 - importing the report must stay light

    return _files.write_files(results, created, risk_models, pictures)


def write_provenance(results: Results, outputs: Mapping[str, bytes], *, created: datetime) -> bytes:
    """Return ``provenance/ro-crate-metadata.json`` for a run that ended at ``created`` with these outputs.

    :func:`write_report` already gives one for its own files; this one is for a road that reuses reports from a cache
    and knows the time of the run and the other files beside them. ``outputs`` holds the files by their path from the
    output folder.

    Raises
    ------
    InputError
        The results do not hold the study file that they answer.
    """
    from rarefactor.report import _files  # noqa: PLC0415 - importing the report must stay light

    return _files.write_run(results, outputs, created)
