"""Several files as one: a zip archive without dates, the same bytes for the same files."""

from __future__ import annotations

import io
import zipfile
from collections.abc import Container, Mapping


def write_packed(files: Mapping[str, bytes]) -> bytes:
    """Return the files as one archive.

    Examples
    --------
    >>> read_packed(write_packed({"a.txt": b"one"}))
    {'a.txt': b'one'}
    """
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", zipfile.ZIP_STORED) as archive:
        for name, data in files.items():
            archive.writestr(zipfile.ZipInfo(name), data)
    return buffer.getvalue()


def read_packed(data: bytes, names: Container[str] | None = None) -> dict[str, bytes]:
    """Return the files of an archive of :func:`write_packed`, or those of them that are named."""
    with zipfile.ZipFile(io.BytesIO(data)) as archive:
        return {name: archive.read(name) for name in archive.namelist() if names is None or name in names}
