"""The report: shows results and computes none.

Convention: content modules turn :class:`rarefactor.results.Results` into one tree (:mod:`rarefactor.report.tree`);
three writers turn the tree into HTML, Word and PDF. All numbers are formatted in :mod:`rarefactor.report.format`.
"""

from rarefactor.report.stage import PROVENANCE, write_provenance, write_report

__all__ = ["PROVENANCE", "write_provenance", "write_report"]
