"""The flow diagram for a page: the report's own, with its words."""

from __future__ import annotations

from dataclasses import dataclass

from rarefactor.report._flowchart import describe_flow, draw_flow
from rarefactor.report._plot import write_svg
from rarefactor.report._source import read_source
from rarefactor.results import Results


@dataclass(frozen=True, slots=True, kw_only=True)
class Flow:
    """The flow of patients as a drawing and in words."""

    svg: bytes
    words: str


def draw_flow_chart(results: Results) -> Flow:
    """Return the flow diagram of a study.

    Raises
    ------
    InputError
        The results do not hold the study file that they answer.
    """
    source = read_source(results)
    return Flow(svg=write_svg(draw_flow(source), "flow"), words=describe_flow(source))
