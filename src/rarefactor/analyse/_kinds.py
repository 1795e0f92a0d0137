"""How many events were of which kind, where an event is made of several.

Convention: a row of a kind is about the patients with it, who are its ``n``; its term is what the kind is called.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

from rarefactor.derive import Kinds
from rarefactor.results import Estimate, Note

KINDS = "events_of_kind"


def count_kinds(base: Estimate, kinds: Kinds | None) -> Iterator[Estimate]:
    """Yield a row for each kind of event, of which nobody may have had some."""
    for label in kinds.labels if kinds else ():
        n = int((kinds.frame["kind"] == label).sum()) if kinds else 0
        yield replace(base, measure=KINDS, term=label, estimate=float(n), n=n, events=n)


def note_kinds(note: Note, kinds: Kinds | None) -> Iterator[Note]:
    """Yield the note that some had events of several kinds at once."""
    several = int(kinds.frame["several"].sum()) if kinds else 0
    if several:
        count = "1 patient with several kinds of event at once counts" if several == 1 else None
        told = count or f"{several} patients with several kinds of event at once count"
        yield replace(note, text=f"{told} under the first of them in the study file.")
