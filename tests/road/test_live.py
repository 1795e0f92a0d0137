"""A study as it stands: what is known after a change, what is done again, and that a run finds and gives the same."""

import shutil
from collections import Counter
from pathlib import Path
from typing import Any

import pytest

from rarefactor import live, study
from rarefactor.results import read_results

QUICK = "analysis:\n  resamples: 8\n  missing: {imputations: 2}\n  design: {data_sets: 4}\n"


@pytest.fixture
def quick(clinic: Any) -> Any:
    clinic.edit("analysis:\n", QUICK)
    return clinic


def count_unknown(path: Path) -> Counter[str]:
    found = live.read_live(path)
    known = found.known
    return Counter(task.part for task in found.tasks if task.key not in known)


def test_a_change_of_a_model_leaves_what_it_does_not_touch(quick: Any) -> None:
    assert count_unknown(quick.study)["univariable"] == 1
    live.compute(quick.study)
    assert not count_unknown(quick.study)
    quick.edit("clinical: [male, age]", "clinical: [male, marker]")
    unknown = count_unknown(quick.study)
    assert unknown["multivariable"] == 1
    assert not {"table1", "univariable", "imputation"} & set(unknown)
    quick.edit("clinical: [male, marker]", "clinical: [male, age]")
    assert not count_unknown(quick.study)


def test_a_change_of_one_model_leaves_what_the_others_gave(quick: Any) -> None:
    quick.edit("    clinical: [male, age]\n", "    clinical: [male, age]\n    other: [marker]\n")
    live.compute(quick.study)
    quick.edit("clinical: [male, age]", "clinical: [male, marker]")
    assert count_unknown(quick.study) == dict.fromkeys(("multivariable", "performance", "sensitivity", "design"), 1)


def test_what_is_not_known_is_left_out_and_the_rest_is_that_of_a_run(quick: Any) -> None:
    whole = study.run(quick.study, quick.out)
    found = live.read_live(quick.study)
    (model,) = live.build_models(found, live.collect_results(found)).models
    coefficients = {row.estimate for row in whole.select(analysis="risk_model", measure="coefficient")}
    assert coefficients >= {model.intercept, *(term.shrunken for term in model.terms)}
    quick.edit("clinical: [male, age]", "clinical: [male, marker]")
    found = live.read_live(quick.study)
    rows = live.collect_results(found).rows
    assert {row.analysis for row in rows} >= {"table1", "univariable"}
    assert not any(row.analysis == "multivariable" for row in rows)
    results = live.trace_number(found, live.collect_results(found), rows[0].id)
    assert results.rows[0].patients in results.sets
    known = {row.id: (row.estimate, row.low, row.high) for row in whole.rows}
    assert all(known[row.id] == (row.estimate, row.low, row.high) for row in rows if row.analysis != "imputation")


def test_images_are_known_until_one_of_their_files_changes(small_study: Path) -> None:
    path = small_study / "study.yaml"
    found = live.read_live(path)  # of a study that a run has finished
    assert found.measured is not None
    assert found.known == {task.key for task in found.tasks}
    fat = {row.id: row.estimate for row in read_results(small_study / "out" / "results.json").select(factor="fat")}
    assert {row.id: row.estimate for row in live.collect_results(found).select(factor="fat")}.items() <= fat.items()
    scan = next((small_study / "data" / "mri").rglob("*.nii.gz"))
    shutil.copy(scan, scan.with_name("copy"))
    shutil.move(scan.with_name("copy"), scan)
    assert live.read_live(path).measured is None
