"""The report: shows results and computes none.

Convention: content modules turn :class:`rarefactor.results.Results` into one tree (:mod:`rarefactor.report.tree`);
three writers turn the tree into HTML, Word and PDF. All numbers are formatted in :mod:`rarefactor.report.format`.
"""

from rarefactor.report._citation import describe_software, describe_study, find_entries, write_citation
from rarefactor.report._trace import Told, tell_origin
from rarefactor.report.stage import PROVENANCE, write_provenance, write_report

__all__ = [
    "PROVENANCE",
    "Told",
    "describe_software",
    "describe_study",
    "find_entries",
    "tell_origin",
    "write_citation",
    "write_provenance",
    "write_report",
]
