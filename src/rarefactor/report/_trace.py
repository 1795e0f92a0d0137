"""Where one number of the results comes from: in words, patients by study id, scans and slides, files by content."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from rarefactor.report._details import describe_number
from rarefactor.report._source import read_source
from rarefactor.results import ImageFile, InputFile, Results, find_row, trace_row


@dataclass(frozen=True, slots=True, kw_only=True)
class Told:
    """All that is known of where a number comes from.

    ``fields`` says it in words, ``inputs`` names the files that were read, ``patients`` is None where the results do
    not list them, ``images`` holds the scans and slides of these patients.
    """

    address: str
    fields: Mapping[str, str]
    inputs: tuple[InputFile, ...]
    patients: tuple[str, ...] | None
    images: tuple[ImageFile, ...]


def tell_origin(results: Results, address: str) -> Told:
    """Return where the number with this address comes from.

    Raises
    ------
    InputError
        There is no such number; or the results do not hold the study file that they answer.
    """
    row = find_row(results, address)
    found = trace_row(results, row)
    names = getattr(row, "source", ())
    return Told(
        address=address,
        fields=describe_number(read_source(results), row),
        inputs=tuple(item for item in results.inputs if item.id in names),
        patients=found.patients,
        images=found.images,
    )
