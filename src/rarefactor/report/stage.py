"""The door of the report: results in, files out as bytes."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, datetime

from rarefactor.results import Results

FIXED_DATE = datetime(1980, 1, 1, tzinfo=UTC)


def write_report(results: Results, *, created: datetime | None = None) -> Mapping[str, bytes]:
    """Return every file of the report by its path from the output folder.

    ``report.html``, ``report.pdf``, the tables, figures and references depend on the results alone. ``created`` (the
    time of the run) goes only to the properties of ``report.docx`` and to the provenance; without it, both hold a
    fixed date.

    Raises
    ------
    InputError
        The results do not hold the study file that they answer.
    OutputError
        The report cannot be set as PDF.
    """
    from rarefactor.report import _files  # noqa: PLC0415 - importing the report must stay light

    return _files.write_files(results, created or FIXED_DATE)
