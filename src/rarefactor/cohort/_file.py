"""Which file is meant, and in which letters it is written.

Convention: a file is named in messages as the study file names it. UTF-8, and UTF-16 with its mark, are read as they
are; anything else has to be declared, because a wrong guess changes letters without a word.
"""

from __future__ import annotations

import codecs
import csv
import io
import os
from dataclasses import dataclass
from pathlib import Path

from rarefactor.errors import DataError, Problem, nearest

_CHUNK = 1 << 20
_HEAD = 1 << 16
_MARKS = (
    (codecs.BOM_UTF8, "utf-8-sig"),
    (codecs.BOM_UTF32_LE, "utf-32"),
    (codecs.BOM_UTF16_LE, "utf-16"),
    (codecs.BOM_UTF16_BE, "utf-16"),
)
_ZIP = b"PK\x03\x04"
_SIGNATURES = (
    (b"\xd0\xcf\x11\xe0", "an old Excel workbook (.xls)", "Save it as .xlsx or as CSV UTF-8."),
    (b"\x1f\x8b", "a gzip file", "Unpack it first."),
    (b"%PDF", "a PDF file", "Export the data as CSV."),
    (b"$FL", "an SPSS file", "Export the data as CSV."),
    (b"<stata", "a Stata file", "Export the data as CSV."),
    (b"PAR1", "a Parquet file", "Export the data as CSV."),
)


@dataclass(frozen=True, slots=True, kw_only=True)
class DataFile:
    """A file that exists and can be read: its name in the study file, its path, and whether it is a workbook."""

    name: str
    path: Path
    is_workbook: bool


def read_file(folder: Path, name: str) -> DataFile:
    """Return the file that a study means.

    Raises
    ------
    DataError
        It is missing (the nearest name is offered), a folder, unreadable, empty or not a table.
    """
    path = folder / name
    if not path.exists():
        raise DataError(_missing(folder, name))
    if not path.is_file():
        raise _refuse(name, "a folder" if path.is_dir() else "no regular file", "Name the file in it.")
    head = _read_head(path, name)
    if not head.strip():
        raise _refuse(name, "an empty file", "Export the data again.")
    for signature, kind, next_step in _SIGNATURES:
        if head.startswith(signature):
            raise _refuse(name, kind, next_step)
    if path.suffix.lower() in {".xlsx", ".xlsm"} and not head.startswith(_ZIP):
        raise _refuse(name, "a file that is called .xlsx but is no workbook", "Save it again from Excel as .xlsx.")
    return DataFile(name=name, path=path, is_workbook=head.startswith(_ZIP))


def _refuse(name: str, found: str, next_step: str) -> DataError:
    return DataError(Problem(file=name, found=found, expected="a table as CSV or .xlsx", next_step=next_step))


def _missing(folder: Path, name: str) -> Problem:
    parent = (folder / name).parent
    near = nearest(Path(name).name, [item.name for item in parent.iterdir()]) if parent.is_dir() else None
    offer = Path(name).parent / near if near else None
    return Problem(
        file=name,
        found="no such file",
        expected="a file in the folder of the study file",
        next_step=f"Did you mean {offer}?" if offer else "Put the file there or correct its name.",
    )


def _read_head(path: Path, name: str) -> bytes:
    try:
        with path.open("rb") as file:
            return file.read(_HEAD)
    except OSError as error:
        reason = os.strerror(error.errno or 0).lower()
        raise _refuse(name, f"a file that cannot be read ({reason})", "Check its permissions.") from error


def check_encoding(file: DataFile, declared: str | None) -> str:
    """Return the name of the codec that reads all of a text file.

    A byte-order mark tells; without one it is ``declared``, or UTF-8.

    Raises
    ------
    DataError
        The codec is not known, the file is binary, or a byte does not fit (with row and byte offset).
    """
    head = _read_head(file.path, file.name)
    codec = next((codec for mark, codec in _MARKS if head.startswith(mark)), declared or "utf-8")
    try:
        decoder = codecs.getincrementaldecoder(codec)()
    except LookupError as error:
        found = f"the encoding {codec}, which is not known"
        raise _refuse(file.name, found, "Use utf-8, windows-1252, iso-8859-1 or utf-16.") from error
    if not codec.lower().startswith(("utf-16", "utf_16", "utf-32")) and b"\0" in head:
        raise _refuse(file.name, f"binary content (byte {head.index(0)} is zero)", "Export the data as CSV UTF-8.")
    _decode_all(file, codec, decoder)
    return codec


def _decode_all(file: DataFile, codec: str, decoder: codecs.IncrementalDecoder) -> None:
    """Read the whole file once, so that a wrong byte is found where it stands and not half-way through the rows."""
    read = 0
    with file.path.open("rb") as stream:
        while chunk := stream.read(_CHUNK):
            held = len(decoder.getstate()[0])
            try:
                text = decoder.decode(chunk)
            except UnicodeDecodeError as error:
                raise DataError(_bad_byte(file, codec, read - held + error.start)) from error
            if "\0" in text:
                found = f"binary content (a zero between bytes {read} and {read + len(chunk)})"
                raise _refuse(file.name, found, "Export the data again.")
            read += len(chunk)


def _bad_byte(file: DataFile, codec: str, offset: int) -> Problem:
    with file.path.open("rb") as stream:
        before = stream.read(offset).decode(codec, "replace")
    row = max(1, sum(1 for _ in csv.reader(io.StringIO(before, newline=""))))
    return Problem(
        file=file.name,
        row=row,
        found=f"a byte that is not {codec.upper()} (byte offset {offset})",
        expected=f"text in {codec.upper()}",
        next_step="Add `encoding: windows-1252` (or what it is) to this file in the study, or save it as CSV UTF-8.",
    )
