"""What images gave, as bytes and back: tables as Arrow files, rows and words as JSON, without pictures and outputs.

Convention: what is written is for the program itself, under a key that names the images; it is read as written or not
at all.
"""

from __future__ import annotations

import dataclasses
import io
import json
from collections.abc import Mapping, Sequence
from typing import Any

import polars as pl

from rarefactor.results._json import read_analysed, write_analysed
from rarefactor.results._measured import Measured, MeasuredTable
from rarefactor.results._model import Analysed, InputFile, Quantity

_FRAMES = ("frame", "changes", "origins")


def write_measured(measured: Sequence[Measured]) -> Mapping[str, bytes]:
    """Return the tables, rows, notes and inputs of measurements by names; pictures and outputs are left out.

    Examples
    --------
    >>> frame = pl.DataFrame({"subject": ["a"], "visit": ["baseline"], "area": [1.5]})
    >>> table = MeasuredTable(name="biopsy", frame=frame, quantities={"area": Quantity(label="Area", unit="%")})
    >>> (again,) = read_measured(write_measured([Measured(tables=(table,))]))
    >>> again.tables[0].quantities["area"].unit, again.tables[0].frame["area"].item()
    ('%', 1.5)
    """
    files: dict[str, bytes] = {}
    for place, each in enumerate(measured):
        files[f"{place}/analysed"] = write_analysed(Analysed(rows=each.rows, notes=each.notes))
        told = {
            "inputs": [dataclasses.asdict(item) for item in each.inputs],
            "tables": [_describe(table) for table in each.tables],
        }
        files[f"{place}/told"] = json.dumps(told).encode()
        for table in each.tables:
            files |= {f"{place}/{table.name}/{name}": data for name, data in _frames(table).items()}
    return files


def read_measured(files: Mapping[str, bytes]) -> tuple[Measured, ...]:
    """Return what :func:`write_measured` wrote."""
    count = sum(name.endswith("/told") for name in files)
    return tuple(_read(files, place) for place in range(count))


def _describe(table: MeasuredTable) -> Mapping[str, Any]:
    quantities = {name: dataclasses.asdict(item) for name, item in table.quantities.items()}
    return {"name": table.name, "quantities": quantities}


def _frames(table: MeasuredTable) -> Mapping[str, bytes]:
    found = {name: getattr(table, name) for name in _FRAMES}
    return {name: _to_arrow(frame) for name, frame in found.items() if frame is not None}


def _to_arrow(frame: pl.DataFrame) -> bytes:
    buffer = io.BytesIO()
    frame.write_ipc(buffer)
    return buffer.getvalue()


def _read(files: Mapping[str, bytes], place: int) -> Measured:
    told, analysed = json.loads(files[f"{place}/told"]), read_analysed(files[f"{place}/analysed"])
    return Measured(
        tables=tuple(_read_table(files, place, item) for item in told["tables"]),
        notes=analysed.notes,
        rows=analysed.rows,
        inputs=tuple(InputFile(**item) for item in told["inputs"]),
    )


def _read_table(files: Mapping[str, bytes], place: int, told: Mapping[str, Any]) -> MeasuredTable:
    paths = {name: f"{place}/{told['name']}/{name}" for name in _FRAMES}
    frames = {name: pl.read_ipc(io.BytesIO(files[path])) for name, path in paths.items() if path in files}
    quantities = {name: Quantity(**item) for name, item in told["quantities"].items()}
    return MeasuredTable(name=told["name"], quantities=quantities, **frames)
