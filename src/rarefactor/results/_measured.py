"""What was measured in images: tables by patient and visit that factors can be made from.

Convention: ``subject`` is the hash that stands for a patient; a fat fraction or an area is in per cent here, where it
becomes a factor. A measurement that is not there, or was refused, is null.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

import polars as pl

from rarefactor.results._model import Estimate, InputFile, Note, Quantity

CHANGES = pl.Schema(
    {
        "subject": pl.String,
        "first": pl.String,
        "last": pl.String,
        "column": pl.String,
        "change": pl.Float64,
    }
)
ORIGINS = pl.Schema(dict.fromkeys(("subject", "visit", "column", "name", "sha256"), pl.String))


@dataclass(frozen=True, slots=True, kw_only=True)
class MeasuredTable:
    """One table of measurements.

    Attributes
    ----------
    frame
        ``subject``, ``visit`` and a Float64 column for each of ``quantities``.
    changes
        ``subject``, ``first``, ``last`` (visits), ``column``, ``change``: pairs that may be compared, such as two scans
        in their common field of view; null where a change was refused. Where it is None any two rows may be compared.
    origins
        The files behind a row: ``subject``, ``visit``, ``column`` (what its columns start with: a stain; empty for
        all), ``name`` and ``sha256``.
    """

    name: str
    frame: pl.DataFrame
    quantities: Mapping[str, Quantity]
    changes: pl.DataFrame | None = None
    origins: pl.DataFrame = field(default_factory=lambda: pl.DataFrame(schema=ORIGINS))


@dataclass(frozen=True, slots=True, kw_only=True)
class Picture:
    """A picture of one patient that a report may choose to show.

    Attributes
    ----------
    table, column
        What was measured in it: the name of the table, and what its columns start with (a stain; empty for the whole).
    subject, visit
        Whose it is, and when; the later visit where it shows two.
    path, png
        Where it stands in the output folder, and its bytes.
    box
        The part to show: left, top, right and bottom as shares of width and height.
    seen
        What is to be seen, for those who cannot see it.
    """

    table: str
    column: str
    subject: str
    visit: str
    path: str
    png: bytes
    seen: str
    box: tuple[float, float, float, float] = (0.0, 0.0, 1.0, 1.0)


@dataclass(frozen=True, slots=True, kw_only=True)
class Measured:
    """Everything that one kind of images gave: tables, what a reader must know, the files behind it.

    ``rows`` count what was measured and what was doubtful about it. ``files`` are the outputs of the measurement by
    their path in the output folder, ``pictures`` those of them that a report may show.
    """

    tables: tuple[MeasuredTable, ...] = ()
    notes: tuple[Note, ...] = ()
    rows: tuple[Estimate, ...] = ()
    inputs: tuple[InputFile, ...] = ()
    files: Mapping[str, bytes] = field(default_factory=dict[str, bytes])
    pictures: tuple[Picture, ...] = ()
