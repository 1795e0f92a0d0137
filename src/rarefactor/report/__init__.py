"""The report: shows results and computes none.

Convention: content modules turn :class:`rarefactor.results.Results` into one tree (:mod:`rarefactor.report.tree`);
three writers turn the tree into HTML, Word and PDF. All numbers are formatted in :mod:`rarefactor.report.format`.
"""

from rarefactor.report._bars import describe_known, describe_spread, draw_bars
from rarefactor.report._citation import describe_software, describe_study, find_entries, write_citation
from rarefactor.report._flow_card import Flow, draw_flow_chart
from rarefactor.report._trace import Told, tell_origin
from rarefactor.report.stage import (
    PROVENANCE,
    Card,
    Part,
    darken,
    draw_model,
    draw_patient,
    draw_patient_inline,
    list_cards,
    tell_patient,
    write_card,
    write_provenance,
    write_report,
)

__all__ = [
    "PROVENANCE",
    "Card",
    "Flow",
    "Part",
    "Told",
    "darken",
    "describe_known",
    "describe_software",
    "describe_spread",
    "describe_study",
    "draw_bars",
    "draw_flow_chart",
    "draw_model",
    "draw_patient",
    "draw_patient_inline",
    "find_entries",
    "list_cards",
    "tell_origin",
    "tell_patient",
    "write_card",
    "write_citation",
    "write_provenance",
    "write_report",
]
