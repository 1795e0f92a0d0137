"""The patients and images behind all numbers of a document.

Convention: a list of patients or files is kept once and named by the numbers that share it.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping

from rarefactor.report.tree import Origins
from rarefactor.results import Estimate, FlowStep, ImageFile, Results, trace_row


def list_origins(results: Results, shown: Mapping[str, Estimate | FlowStep]) -> Origins:
    """Return the patients and images behind the rows that a document shows, by their ids."""
    known = ((address, row, row.patients) for address, row in shown.items())
    traced = {address: (name, trace_row(results, row)) for address, row, name in known if name is not None}
    about = {name for _, found in traced.values() for name in found.about}
    return Origins(
        rows={address: (name, found.about) for address, (name, found) in traced.items()},
        sets={name: found.patients for name, found in traced.values() if found.patients and name in results.sets},
        images=_by_patient(item for item in results.images if item.of in about),
    )


def _by_patient(images: Iterable[ImageFile]) -> Mapping[str, Mapping[str, tuple[str, ...]]]:
    found: defaultdict[str, defaultdict[str, tuple[str, ...]]] = defaultdict(lambda: defaultdict(tuple))
    for item in images:
        found[item.of][item.subject] += (item.name,)
    return {of: dict(own) for of, own in found.items()}
