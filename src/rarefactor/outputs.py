"""What a run has left in its output folder, and whether the study has changed since.

Convention: only files that the folder lists as ours count. A study has changed when a file in its folder is younger
than the start of the run, hidden files and outputs aside; readings of images are files like others.
"""

from __future__ import annotations

import contextlib
import os
import stat
import zipfile
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path
from tempfile import TemporaryFile
from typing import IO

from rarefactor.study import run
from rarefactor.work import MANIFEST, Progress, Workers, read_manifest, read_stat, walk_folders

_STAMP = "%Y-%m-%d %H:%M:%S %z"
_BESIDE = frozenset({".md", ".py", ".r", ".ipynb", ".docx", ".pdf", ".html"})  # what no run reads
_STAMPED = timedelta(seconds=1)  # how exact the time in run.log is


@dataclass(frozen=True, slots=True, kw_only=True)
class Output:
    """The output of a run.

    ``files`` gives the size in bytes of each, by its path from the folder; ``started`` and ``version`` are None where
    the folder has no log that says so.
    """

    folder: Path
    files: Mapping[str, int]
    started: datetime | None = None
    version: str | None = None


def write_output(study: Path, folder: Path, processes: int, *, progress: Progress) -> None:
    """Run a study into a folder; like :func:`rarefactor.study.run` without handing over the results.

    Raises
    ------
    RarefactorError
        The study, the data or the folder need mending.
    """
    run(study, folder, workers=Workers(processes=processes), progress=progress)


def read_output(folder: Path) -> Output | None:
    """Return what a run has left in a folder, None where there is nothing of a run.

    Examples
    --------
    >>> read_output(Path("no/such/folder"))
    """
    if not (folder / MANIFEST).is_file():
        return None
    version, started = _read_log(folder / "run.log")
    files = dict(_measure(str(folder), (*read_manifest(folder), MANIFEST)))
    return Output(folder=folder, files=files, started=started, version=version)


def _measure(folder: str, names: Iterable[str]) -> Iterator[tuple[str, int]]:
    """Yield the size of each file that is there."""
    for name in names:
        with contextlib.suppress(OSError):
            found = os.stat(f"{folder}/{name}")  # noqa: PTH116 - thousands of files in milliseconds
            if stat.S_ISREG(found.st_mode):
                yield name, found.st_size


def list_changed(study: Path, output: Output) -> tuple[str, ...]:
    """Return which files of a study's folder are younger than an output, by their paths from the folder.

    Parameters
    ----------
    study
        The study file.
    output
        What a run of it has left; one that does not say when it started is older than everything.
    """
    after = (output.started + _STAMPED).timestamp() if output.started else 0.0
    start = len(str(study.parent)) + 1
    return tuple(sorted(path[start:] for path in _walk_younger(str(study.parent), after)))


def open_zip(output: Output) -> IO[bytes]:
    """Return an open file that holds the whole output as a ZIP archive; it vanishes when it is closed."""
    made = TemporaryFile()  # noqa: SIM115 - whoever sends it closes it
    with zipfile.ZipFile(made, "w") as archive:
        for name in output.files:
            packed = zipfile.ZIP_STORED if name.endswith((".png", ".docx", ".parquet")) else zipfile.ZIP_DEFLATED
            archive.write(output.folder / name, f"{output.folder.resolve().parent.name}/{name}", packed)
    made.seek(0)
    return made


def _read_log(path: Path) -> tuple[str | None, datetime | None]:
    """Return the version that ran, and when it started, from the first line of a log."""
    try:
        line = path.read_text(encoding="utf-8").split("\n", 1)[0]
        program, _, stamp = line.split(", ", 2)
        started = datetime.strptime(stamp, _STAMP)  # noqa: DTZ007 - the stamp holds its zone
        return program.removeprefix("rarefactor "), started
    except (OSError, ValueError):
        return None, None


def _walk_younger(folder: str, after: float) -> Iterator[str]:
    for place, held in walk_folders(folder):
        for path in (f"{place}{os.sep}{name}" for name in held.files if _is_read(name)):
            found = read_stat(path)
            if found is not None and max(found.st_mtime, found.st_ctime) > after:
                yield path


def _is_read(name: str) -> bool:
    return name[name.rfind(".") :].lower() not in _BESIDE
