"""What the report may tell of single patients, and whose manners it follows.

Convention: patients are named by their study ids, which are keyed hashes; no key here changes a number.
"""

from __future__ import annotations

from typing import Literal

from rarefactor.spec._part import Part


class Report(Part):
    """What the report shows.

    Attributes
    ----------
    patients
        ``listed``: each number names its patients, scans and slides. ``counted``: it gives their number alone, so that
        a group of few patients cannot be followed from number to number where the report goes to others.
    style
        The journal whose manners of P values, ranges and rules in tables the report follows; ``plain`` is our own: P
        with three decimals, an en dash in ranges, three rules in a table.
    """

    patients: Literal["listed", "counted"] = "listed"
    style: Literal["plain", "bmj", "jama", "nature"] = "plain"
