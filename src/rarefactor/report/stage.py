"""The door of the report: results in, files out as bytes."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from datetime import datetime

from rarefactor.derive import PatientRecord
from rarefactor.report._card import Card, Part
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


def list_cards() -> tuple[Card, ...]:
    """Return the sections of the report that may be shown one by one, in the order of a paper.

    Examples
    --------
    >>> [card.name for card in list_cards()][:4]
    ['table1', 'response', 'images', 'univariable']
    """
    from rarefactor.report import _cards  # noqa: PLC0415 - importing the report must stay light

    return _cards.list_cards()


def write_card(
    name: str,
    results: Results,
    *,
    address: Callable[[str], str],
    risk_models: Sequence[RiskModel] = (),
    only: str | None = None,
) -> Part:
    """Return one section of the report for inside a page, empty where the results hold nothing for it.

    Parameters
    ----------
    name
        See :func:`list_cards`.
    results
        As far as they are known.
    address
        The address of a figure by its name.
    risk_models
        Those of the study.
    only
        The one figure to draw, by its name: the others are left undrawn, all of them where it is empty. None: draw all.

    Raises
    ------
    InputError
        The results do not hold the study file that they answer.
    """
    from rarefactor.report import _cards  # noqa: PLC0415 - importing the report must stay light

    return _cards.write_card(name, results, address=address, risk_models=risk_models, only=only)


def draw_model(model: RiskModel) -> bytes:
    """Return the nomogram of a risk model as SVG."""
    from rarefactor.report import _cards  # noqa: PLC0415 - importing the report must stay light

    return _cards.draw_model(model)


def darken(svg: bytes) -> bytes:
    """Return a drawing of the report, as SVG, for a dark page."""
    from rarefactor.report import _cards  # noqa: PLC0415 - importing the report must stay light

    return _cards.darken(svg)


def draw_patient(record: PatientRecord) -> bytes:
    """Return one patient over time as SVG, a file of its own."""
    from rarefactor.report import _timeline  # noqa: PLC0415 - importing the report must stay light
    from rarefactor.report._plot import open_sheet, write_svg  # noqa: PLC0415 - as above

    return write_svg(_timeline.draw_timeline(record, open_sheet), "timeline")


def draw_patient_inline(record: PatientRecord) -> str:
    """Return the figure of :func:`draw_patient` as SVG for inside a page, in its letters and its colours."""
    from rarefactor.report import _timeline  # noqa: PLC0415 - importing the report must stay light
    from rarefactor.report._html import recolour  # noqa: PLC0415 - as above
    from rarefactor.report._inline import Inline  # noqa: PLC0415 - as above

    drawn = _timeline.draw_timeline(record, Inline).write(_timeline.tell_timeline(record))
    colours = {each: f"var(--{each})" for each in ("ink", "muted", "rule", "firth", "ml")}
    return recolour(drawn.encode(), colours).decode()


def tell_patient(record: PatientRecord) -> str:
    """Return the figure of :func:`draw_patient` in words, for those who cannot see it."""
    from rarefactor.report import _timeline  # noqa: PLC0415 - importing the report must stay light

    return _timeline.tell_timeline(record)
