"""What the conclusion says of markers that are steady, doubtful and open."""

import dataclasses

import pytest

from rarefactor.report._conclusion import conclude
from rarefactor.report._source import read_source
from rarefactor.report.tree import text_of
from rarefactor.results import Estimate, ModelInfo, Note


def odds(factor, method, low, high, model="m"):
    return Estimate(
        analysis="multivariable", landmark="baseline", model=model, factor=factor, method=method, term="Yes",
        measure="odds_ratio", estimate=(low * high) ** 0.5, low=low, high=high,
    )  # fmt: skip


@pytest.fixture
def conclusion(results):
    def write(rows, *, synthetic=False, notes=()):
        names = dict.fromkeys(row.factor for row in rows)
        info = next(info for info in results.factors if info.kind == "binary")
        factors = [
            dataclasses.replace(info, name=name, label=name.upper(), levels=("No", "Yes"), role="marker")
            for name in names
        ]
        models = {row.model for row in rows}
        model = [ModelInfo(name=name, label=name, landmark="baseline", factors=tuple(names)) for name in sorted(models)]
        file = {**results.study["file"], "synthetic": synthetic}
        made = dataclasses.replace(
            results,
            rows=tuple(rows),
            factors=tuple(factors),
            models=tuple(model),
            study={"file": file},
            notes=tuple(notes),
        )
        return text_of(conclude(read_source(made)))

    return write


def test_only_what_holds_by_both_methods_in_each_model_is_steady(conclusion):
    both = [odds("a", "firth", 2, 9), odds("a", "logf22", 1.5, 6)]
    assert "A went with higher odds" in conclusion(both)
    by_one_method = [*both[:1], odds("a", "logf22", 0.9, 6)]
    assert "It depends on model or method whether the interval excludes 1 for A." in conclusion(by_one_method)
    in_one_model = [*both, odds("a", "firth", 0.8, 9, "n"), odds("a", "logf22", 0.7, 6, "n")]
    assert "It depends on model or method whether the interval excludes 1 for A." in conclusion(in_one_model)


def test_an_interval_that_holds_1_is_no_evidence_of_no_association(conclusion):
    found = conclusion(
        [
            odds("b", "firth", 0.5, 9),
            odds("b", "logf22", 0.6, 6),
            odds("c", "firth", 0.1, 0.6),
            odds("c", "logf22", 0.2, 0.7),
        ]
    )
    assert "Whether in the models B went with higher or with lower odds of “Progression” these data leave open" in found
    assert "C went with lower odds" in found


def test_refused_risks_and_synthetic_patients_are_told(conclusion):
    rows = [odds("a", "firth", 2, 9), odds("a", "logf22", 1.5, 6)]
    refused = Estimate(analysis="risk_model", landmark="baseline", model="m", measure="allowed", estimate=0.0)
    told = conclusion([*rows, dataclasses.replace(refused, factor="a")], synthetic=True)
    assert "the risk of a single patient cannot be told" in told
    assert told.endswith("Nothing of this was observed in people.")
    allowed = dataclasses.replace(refused, factor="a", estimate=1.0)
    assert "cannot be told" not in conclusion([*rows, allowed])


def test_a_marker_of_one_model_is_not_told_of_each(conclusion):
    both = [odds("a", "firth", 2, 9), odds("a", "logf22", 1.5, 6)]
    assert "A went with higher odds of “Progression” in the one model that holds it, by" in conclusion(both)
    twice = [*both, odds("a", "firth", 2, 9, "n"), odds("a", "logf22", 1.5, 6, "n")]
    assert "in each model that holds it" in conclusion(twice)


def test_the_events_are_those_of_the_landmarks_of_the_models(conclusion):
    both = [odds("a", "firth", 2, 9), odds("a", "logf22", 1.5, 6)]
    assert "The intervals rest on 102 events from baseline and do not exclude sizes outside them" in conclusion(both)


def test_a_marker_coupled_with_the_outcome_is_told_where_it_is_found(conclusion):
    both = [odds("a", "firth", 2, 9), odds("a", "logf22", 1.5, 6)]
    coupled = [Note(about="coupling", factor="a", landmark="baseline", text="A and the outcome share it.")]
    expected = "As A and the outcome are made of the same variable, part of this association is to be expected"
    assert expected in conclusion(both, notes=coupled)
    assert "same variable" not in conclusion(both)
    open_ended = [odds("a", "firth", 0.5, 9), odds("a", "logf22", 0.7, 6)]
    assert "same variable" not in conclusion(open_ended, notes=coupled)


def test_a_factor_is_named_once_where_the_same_is_open_for_each_of_its_levels(results):
    info = next(info for info in results.factors if info.kind == "categorical")
    first, second = info.compared
    rows = [
        dataclasses.replace(odds(info.name, method, low, 9), term=term)
        for method in ("firth", "logf22")
        for term, low in ((first, 0.5), (second, 0.7))
    ]
    model = ModelInfo(name="m", label="m", landmark="baseline", factors=(info.name,))
    told = text_of(conclude(read_source(dataclasses.replace(results, rows=tuple(rows), models=(model,)))))
    assert f"Whether in the models {info.label.lower()} went with higher or with lower odds" in told
    rows[0], rows[2] = (dataclasses.replace(row, low=1.5, estimate=3.0) for row in (rows[0], rows[2]))
    told = text_of(conclude(read_source(dataclasses.replace(results, rows=tuple(rows), models=(model,)))))
    assert f"Whether in the models {info.label.lower()}: {second}" in told
    assert f"{info.label}: {first}" in told
