"""Shows where a number of a report comes from, as ``rarefactor trace`` asks for it."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator
from fnmatch import fnmatchcase
from pathlib import Path

from rich.console import RenderableType
from rich.text import Text

from rarefactor.cli._console import draw_pairs, read_console
from rarefactor.errors import DataError, InputError, Problem
from rarefactor.report import Told, tell_origin
from rarefactor.results import ImageFile, Results, read_results

RESULTS = "results.json"


def show_origin(out: Path, address: str) -> None:
    """Show what stands behind a number: words, patients, scans and slides, files."""
    told = tell_origin(read_results(find_results(out)), address)
    console = read_console()
    for part in _draw(told):
        console.print(part)


def show_addresses(out: Path, pattern: str) -> None:
    """Show the addresses of the numbers of a run that hold some words, or match a pattern with ``*``."""
    found = [each for each in _addresses(read_results(find_results(out))) if _is_meant(each, pattern)]
    if not found:
        raise InputError(
            Problem(
                found=f"no address with {pattern}",
                expected="words of an address, or a pattern such as univariable/*/age/*",
                next_step="Use fewer words, or none for all addresses.",
            )
        )
    console = read_console()
    for address in found:
        console.print(Text(address))


def find_results(out: Path) -> Path:
    """Return the results.json that the user means: itself, in a run's folder, or beside a report.

    Raises
    ------
    DataError
        There is none.
    """
    folder = out if out.is_dir() else out.parent
    places = [out] if out.suffix == ".json" else [folder / RESULTS, folder / "out" / RESULTS]
    for place in places:
        if place.is_file():
            return place
    raise DataError(
        Problem(
            file=str(out),
            found=f"no {RESULTS}",
            expected=f"a run's folder, its {RESULTS}, or a report beside it",
            next_step="Name the output of a run, such as mystudy/out.",
        )
    )


def _addresses(results: Results) -> Iterator[str]:
    yield from (f"flow/{step.id}" for step in results.flow)
    yield from (row.id for row in results.rows)


def _is_meant(address: str, pattern: str) -> bool:
    if "*" in pattern or "?" in pattern:
        return fnmatchcase(address, pattern)
    return all(word in address for word in pattern.split())


def _draw(told: Told) -> Iterator[RenderableType]:
    yield Text(told.address, style="bold")
    yield draw_pairs((name, text) for name, text in told.fields.items() if name != "Sources")
    if told.inputs:
        yield Text("Files that were read", style="bold")
        yield draw_pairs((item.path, f"SHA-256 {item.sha256}") for item in told.inputs)
    if told.patients is None:
        yield Text("Its patients are not listed.")
    else:
        yield Text(f"{len(told.patients)} {'patient' if len(told.patients) == 1 else 'patients'}", style="bold")
        yield Text(" ".join(told.patients))
    for what, images in _by_what(told.images).items():
        yield Text(f"{len(images)} files of {what.replace('@', ', ').replace('_', ' ')}", style="bold")
        yield draw_pairs((item.subject, f"{item.name}  SHA-256 {item.sha256}") for item in images)


def _by_what(images: Iterable[ImageFile]) -> dict[str, list[ImageFile]]:
    found: defaultdict[str, list[ImageFile]] = defaultdict(list)
    for item in images:
        found[item.of].append(item)
    return found
