"""Response and images in the report: what is said, what is shown to those who cannot see, and which patients."""

import dataclasses
import io
from dataclasses import replace

import numpy as np
import pytest
from matplotlib.image import imsave

from rarefactor.report._measured import write_measured
from rarefactor.report._panels import choose, write_panels
from rarefactor.report._pathology import write_pathology
from rarefactor.report._response import write_response
from rarefactor.report._source import Source, read_source
from rarefactor.report.tree import Figure, Paragraph, Table, text_of
from rarefactor.results import Estimate, Picture, Quantity, list_pairs

STUDY = {"folder": "ihc", "stains": {"CD20": "cells"}}
COLUMN = "CD20.positive_per_mm2"
QUANTITIES = {
    "tis": Quantity(label="Total Improvement Score"),
    "tis.haq": Quantity(label="Health Assessment Questionnaire"),
    f"biopsy.{COLUMN}": Quantity(label="CD20-positive cells per mm²", unit="1/mm²"),
}
VALUES = {"S-1": 30.0, "S-2": 10.0, "S-3": 50.0, "S-4": 20.0, "S-5": 40.0}


def response_rows():
    base = Estimate(analysis="response", measure="", estimate=None, model="tis", landmark="month_12")
    yield Estimate(analysis="response", landmark="baseline", measure="risk", estimate=0.4, low=0.1, high=0.8, n=5,
                   events=2)  # fmt: skip
    for measure, value in (("visits", 5.0), ("unknown", 1.0), ("incomplete", 1.0)):
        yield dataclasses.replace(base, measure=measure, estimate=value, n=5)
    for term, count in {"none": 1, "minimal": 1, "moderate": 1, "major": 1, "moderate or better": 2,
                        "minimal or better": 3}.items():  # fmt: skip
        row = dataclasses.replace(base, term=term, n=4)
        yield dataclasses.replace(row, measure="count", estimate=float(count))
        yield dataclasses.replace(row, measure="proportion", estimate=count / 4, low=0.1, high=0.9, events=count)
    for place, (term, score) in enumerate({"major": 80.0, "moderate": 50.0, "minimal": 30.0, "none": 0.0}.items()):
        yield dataclasses.replace(
            base,
            measure="score",
            term=term,
            group=f"S-{place}",
            estimate=score,
            low=score,
            high=score,
            flags=("event",),
        )
    yield dataclasses.replace(base, measure="score", group="S-9", low=10.0, high=70.0, flags=("incomplete",))
    for group in ("event", "no_event"):
        row = dataclasses.replace(base, measure="median", term="haq", group=group, estimate=1.5, low=1.0, high=2.0, n=2)
        yield from (row, dataclasses.replace(row, landmark="baseline", estimate=2.0))


def slide_rows():
    base = Estimate(analysis="pathology", measure="value", estimate=None, model="biopsy", landmark="baseline",
                    term=COLUMN)  # fmt: skip
    for subject, value in sorted(VALUES.items(), key=lambda item: item[1]):
        yield dataclasses.replace(base, group=subject, estimate=value, flags=("event" if value > 25 else "no_event",))
    for group, value in (("all", 30.0), ("event", 40.0), ("no_event", 15.0)):
        yield dataclasses.replace(
            base, measure="median_value", group=group, estimate=value, low=value - 5, high=value + 5, n=3
        )
    yield dataclasses.replace(base, measure="weighted_kappa", term="CD20.score", group="A / B", estimate=0.71, low=0.5,
                              high=0.9, n=5)  # fmt: skip
    yield dataclasses.replace(base, measure="kruskal_wallis", estimate=3.2, p=0.07, n=5)


def picture(subject: str) -> Picture:
    buffer = io.BytesIO()
    imsave(buffer, np.full((30, 60, 3), 90, np.uint8), format="png")
    who = {"table": "biopsy", "column": "CD20", "subject": subject, "visit": "baseline"}
    return Picture(**who, path=f"overlays/{subject}.png", png=buffer.getvalue(), seen="Stained section")


@pytest.fixture(scope="module")
def shown(study, results) -> Source:
    file = study.model_dump(mode="json", by_alias=True) | {"pathology": {"biopsy": STUDY}}
    rows = (*response_rows(), *slide_rows())
    made = dataclasses.replace(results, study={"file": file}, rows=rows, quantities=QUANTITIES)
    return read_source(made, pictures=[picture(subject) for subject in ("S-1", "S-2", "S-4", "S-5")])


def test_response_is_told_with_counts_intervals_and_bounds(shown: Source) -> None:
    blocks = list(write_response(shown))
    said = " ".join(text_of(block.runs) for block in blocks if isinstance(block, Paragraph))
    assert "2 of 5 (40%, 95% CI 10–80%) had the outcome" in said
    assert "2 of 4 (50%, 95% CI 10–90%) had moderate or better improvement" in said
    assert "1 missed a measure" in said
    waterfall, measures = (block for block in blocks if isinstance(block, Figure))
    assert "from 80 down to 10: 1 none, 1 minimal, 1 moderate, 1 major, 1 between categories" in waterfall.alt
    assert "median 2.0 at month 0" in measures.alt
    assert "caus" not in said


def test_the_lowest_middle_and_highest_of_those_with_a_picture_are_shown(shown: Source) -> None:
    (figure,) = (block for block in write_panels(shown, "biopsy", shown.pictures) if isinstance(block, Figure))
    assert "lowest 10.0 per mm² in S-2, baseline; middle 20.0 per mm² in S-4, baseline; highest 40.0" in figure.alt
    assert figure.svg.count(b"<image ") == 3
    (again,) = (block for block in write_panels(shown, "biopsy", shown.pictures) if isinstance(block, Figure))
    assert (figure.svg, figure.png) == (again.svg, again.png)
    one = {("S-1", "baseline"): shown.pictures[0]}
    assert [each.row.group for each in choose(shown.results.rows, one)] == ["S-1"]


def test_slides_are_told_by_outcome_with_readers_and_runs(shown: Source) -> None:
    blocks = list(write_pathology(shown, "biopsy"))
    described, agreement = (block for block in blocks if isinstance(block, Table))
    cells = [text_of(cell.runs) for cell in described.rows[0].cells]
    assert cells == ["CD20-positive cells per mm²", "30.0 (25.0–35.0), 3", "40.0 (35.0–45.0), 3", "15.0 (10.0–20.0), 3"]
    assert text_of(agreement.rows[1].cells[1].runs) == "0.71 (0.50–0.90)"
    (figure,) = (block for block in blocks if isinstance(block, Figure))
    assert "n = 2, 10.0 to 20.0, median 15.0" in figure.alt
    said = " ".join(text_of(block.runs) for block in blocks if isinstance(block, Paragraph))
    assert "Kruskal–Wallis H = 3.20, P = 0.070 (n = 5)" in said
    assert any(getattr(block, "text", "") == "Stained sections" for block in write_measured(shown))


def readings(method: str, group: str, pairs: list[tuple[float, float]]) -> list[Estimate]:
    base = Estimate(
        analysis="pathology", model="biopsy", term="CD20.score", group=group, method=method, measure="", estimate=None
    )
    limits = {"limit_lower": -9.0, "bias": -1.0, "limit_upper": 7.0}
    rows = [
        replace(base, measure=name, estimate=value, low=value - 2, high=value + 2) for name, value in limits.items()
    ]
    return [*rows, *list_pairs(base, pairs)]


def test_two_readings_are_drawn_by_their_differences_and_blind_ones_apart(shown: Source) -> None:
    pairs = [(10.0, 12.0), (30.0, 28.0), (30.0, 28.0), (60.0, 66.0)]
    rows = [*readings("readers_blind", "A / B", pairs), *readings("readers", "A / B", pairs[:2])]
    blocks = list(write_pathology(replace(shown, results=replace(shown.results, rows=tuple(rows))), "biopsy"))
    (table,) = (block for block in blocks if isinstance(block, Table))
    heads = [text_of(row.cells[0].runs) for row in table.rows if row.kind == "head"]
    assert heads == ["CD20: A / B, scored blind", "CD20: A / B"]
    assert "neither whose slide it was" in text_of(table.footnotes[0])
    (figure,) = (block for block in blocks if isinstance(block, Figure))
    told = "mean difference −1.00, limits of agreement −9.00 and 7.00."
    assert f"CD20, blind: 4 pairs, {told} CD20: 2 pairs, {told}" in figure.alt
