"""Single patients and prediction in the report: what is said of whom, and that nothing is said of nothing."""

import dataclasses
import math

import pytest

from rarefactor.report._effects import model_effects
from rarefactor.report._patients import write_patients
from rarefactor.report._source import read_source
from rarefactor.report._summary import tell_estimates
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
    lines = [text_of(line) for line in tell_estimates(source)]
    assert any("AUC 0.61 (95% CI 0.50–0.72), calibration slope 0.70. " in line for line in lines)
    assert any("no interval is computed for it" in line for line in lines)
    assert "a single patient changes whether the interval excludes 1 for serum albumin" in lines[-1]


def test_a_model_without_risks_says_so_on_the_first_page(results):
    parameters = Estimate(measure="parameters", estimate=3.0, **(WHERE | {"analysis": "performance", "method": None}))
    lines = [text_of(line) for line in tell_estimates(with_rows(results, parameters))]
    assert any("not known, as its risks could not be predicted" in line for line in lines)


def holding(*flags):
    yield row("cooks_distance", 0.42, group="S-far")
    for group in ("S-low", "S-high"):
        yield row("odds_ratio_without", 0.8, low=0.3, high=1.9, group=group, flags=flags, **ALBUMIN)


def sentence(results, *rows):
    source = with_rows(results, *rows)
    model = source.results.models[0]
    albumin = [effect for effect in model_effects(source, model) if effect.info.name == "albumin"]
    firth = dataclasses.replace(albumin[0].firth, low=0.3, high=1.9)
    told = list(write_patients(source, model, [dataclasses.replace(albumin[0], firth=firth)]))
    return text_of(told[0].runs)


def test_where_no_interval_excludes_1_nothing_reassures(results):
    assert "No interval excludes 1, with all patients or without any one of them." in sentence(results, *holding())
    excluded = row("odds_ratio_without", 0.5, low=0.2, high=0.9, group="S-third", **ALBUMIN)
    assert "changes for no marker whether its interval excludes 1" in sentence(results, *holding(), excluded)


def test_who_alone_has_a_level_is_named(results):
    only = row("no_odds_ratio_without", None, group="S-only", flags=("only_patient",), **ALBUMIN)
    told = sentence(results, *holding(), only)
    assert "Without S-only, the only patient with it, there is no odds ratio of Serum albumin" in told
