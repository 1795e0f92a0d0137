"""Single patients and prediction in the report: what is said of whom, and that nothing is said of nothing."""

import dataclasses
import math

import pytest

from rarefactor.report._effects import model_effects
from rarefactor.report._patients import write_patients
from rarefactor.report._source import read_source
from rarefactor.report._summary import summarise
from rarefactor.report.tree import Figure, Paragraph, text_of
from rarefactor.results import Estimate

WHERE = {"analysis": "sensitivity", "landmark": "baseline", "model": "clinical", "method": "firth"}
ALBUMIN = {"factor": "albumin", "term": "per 1 g/dl"}


def row(measure, estimate, **more):
    return Estimate(measure=measure, estimate=estimate, **(WHERE | more))


def invented():
    yield row("cooks_distance", math.inf, group="S-alone")
    yield row("cooks_distance", 0.42, group="S-far")
    yield row("cooks_distance", 0.01, group="others", n=38)
    for group, flags, values in (
        ("nobody", (), (0.5, 0.2, 1.1)),
        ("S-low", ("changed",), (0.3, 0.1, 0.9)),
        ("S-high", (), (0.7, 0.3, 1.9)),
    ):
        estimate, low, high = values
        yield row("odds_ratio_without", estimate, low=low, high=high, group=group, flags=flags, **ALBUMIN)
    yield row("patients_changing", 2.0, group="leave_one_out", **ALBUMIN)


def with_rows(results, *rows):
    return read_source(dataclasses.replace(results, rows=(*results.rows, *rows)))


@pytest.fixture(scope="module")
def told(results):
    source = with_rows(results, *invented())
    model = source.results.models[0]
    return list(write_patients(source, model, model_effects(source, model)))


def test_who_decides_is_named_with_both_odds_ratios(told):
    text = text_of(next(block for block in told if isinstance(block, Paragraph)).runs)
    assert "0.30 (0.10–0.90) without S-low (one of 2 such patients), instead of 0.50 (0.20–1.10)" in text
    assert "S-high" not in text
    assert "S-alone alone decides a coefficient" in text
    assert "that of S-far (0.42)" in text


def test_the_figure_stands_infinite_distances_and_tells_them(told):
    figure = next(block for block in told if isinstance(block, Figure))
    assert "S-alone ∞; S-far 0.42" in figure.alt
    assert figure.png.startswith(b"\x89PNG")


def test_without_distances_nothing_is_said(source):
    model = source.results.models[0]
    assert not list(write_patients(source, model, model_effects(source, model)))


def test_the_first_page_says_what_hangs_on_one_patient_and_how_the_model_predicts(results):
    performance = WHERE | {"analysis": "performance"}
    source = with_rows(
        results,
        *invented(),
        Estimate(measure="parameters", estimate=3.0, **(performance | {"method": None})),
        Estimate(measure="auc", estimate=0.61, low=0.5, high=0.72, **(performance | {"method": "optimism_corrected"})),
        Estimate(measure="calibration_slope", estimate=0.7, **(performance | {"method": "optimism_corrected"})),
    )
    lines = [text_of(line) for line in summarise(source)]
    assert any("AUC 0.61 (95% CI 0.50–0.72), calibration slope 0.70. " in line for line in lines)
    assert any("no interval is computed for it" in line for line in lines)
    assert "a single patient changes whether the interval excludes 1 for serum albumin" in lines[-2]


def test_a_model_without_risks_says_so_on_the_first_page(results):
    parameters = Estimate(measure="parameters", estimate=3.0, **(WHERE | {"analysis": "performance", "method": None}))
    lines = [text_of(line) for line in summarise(with_rows(results, parameters))]
    assert any("not known, as its risks could not be predicted" in line for line in lines)
