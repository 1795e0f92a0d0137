"""What is written of a synthetic cohort: an export as REDCap writes it, which reads clean and gives the truth back."""

from __future__ import annotations

import csv
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path

import numpy as np
import polars as pl
import pytest

from rarefactor import cohort, derive
from rarefactor.errors import DataError, OutputError
from rarefactor.imaging import describe as describe_scans
from rarefactor.pathology import describe as describe_slides
from rarefactor.simulate import (
    SimulatedCohort,
    tabulate_measured,
    tabulate_truth,
    write_records,
    write_study,
)
from rarefactor.simulate._images import list_scans, list_slides
from rarefactor.simulate._truth import Blemish
from rarefactor.spec import Factor, Study, load

Rows = list[dict[str, str]]


@pytest.fixture(scope="module")
def folder(drawn: SimulatedCohort, example: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("written")
    (folder / "study.yaml").write_bytes((example / "study.yaml").read_bytes())
    write_records(drawn, folder)
    return folder


@pytest.fixture(scope="module")
def written(folder: Path) -> Study:
    return load(folder / "study.yaml")


@pytest.fixture(scope="module")
def rows(folder: Path) -> Rows:
    with (folder / "data/records.csv").open(newline="", encoding="utf-8") as file:
        return list(csv.DictReader(file))


def by_record(rows: Rows) -> Mapping[str, Rows]:
    found: dict[str, Rows] = {}
    for row in rows:
        found.setdefault(row["record_id"], []).append(row)
    return found


def test_records_have_the_shape_of_an_export(rows: Rows) -> None:
    names = [*rows[0]]
    assert names[:4] == ["record_id", "redcap_event_name", "redcap_repeat_instrument", "redcap_repeat_instance"]
    assert {"extra___1", "extra___2", "extra___3", "visit_complete", "treatment_complete"} <= {*names}
    first = next(iter(by_record(rows).values()))
    assert [row["redcap_event_name"] for row in first] == sorted(
        (row["redcap_event_name"] for row in first),
        key=["baseline_arm_1", "month_3_arm_1", "month_6_arm_1", "month_12_arm_1"].index,
    )
    assert [row["redcap_repeat_instance"] for row in first[:2]] == ["", "1"]


def test_cells_outside_a_row_are_empty(rows: Rows) -> None:
    repeated = [row for row in rows if row["redcap_repeat_instrument"]]
    later = [row for row in rows if row["redcap_event_name"] == "month_3_arm_1"]
    assert repeated
    assert all(row["extra___1"] == row["ck"] == row["visit_complete"] == "" for row in repeated)
    assert all(row["sex"] == row["extra___1"] == row["enrolment_complete"] == "" for row in later)
    assert {row["visit_complete"] for row in later} == {"2"}
    assert {row["mri_reading_complete"] for row in rows if row["sex"]} == {"2", "0"}


def test_the_export_reads_clean(written: Study) -> None:
    found = cohort.check_data(written)
    assert found.problems == ()
    assert found.failures.is_empty()
    assert not any("nothing describes" in note or "in no table" in note for note in found.notes)


def test_the_road_finds_the_cohort_that_was_drawn(written: Study, drawn: SimulatedCohort) -> None:
    data = cohort.ingest(written)
    table = derive.build(written, data, tabulate_measured(drawn, data.pseudonyms))
    steps = {step.id: step for step in table.flow}
    assert (steps["records"].n, steps["eligible/1"].n, steps["outcome/baseline"].n) == (52, 48, 40)
    assert steps["outcome/baseline"].events == 13
    truth = tabulate_truth(drawn).with_columns(subject=pl.col.record_id.replace_strict(data.pseudonyms))
    both = table.landmarks["baseline"].frame.join(truth, on="subject").filter(pl.col.outcome.is_not_null())
    assert both["outcome"].to_list() == both["refractory"].to_list()
    assert both["ild"].to_list() == ["Yes" if each else "No" for each in both["ild_right"].to_list()]
    fat = both.drop_nulls("fat")
    assert np.abs(fat["fat"] / fat["fat_fraction"] - 1).max() < 0.25
    assert fat.height > 30


def test_a_repeating_form_is_refused_only_where_it_is_named(written: Study) -> None:
    data = cohort.ingest(written)
    told = [
        note.text for note in derive.build(written, data, [describe_scans(written), describe_slides(written)]).notes
    ]
    assert any("rows of treatment repeat within a visit" in text for text in told)
    dose = {**written.factors, "dose": Factor.model_validate({"from": "dose", "label": "Dose"})}
    with pytest.raises(DataError, match=r"treatment, row .* several rows of the same patient"):
        derive.build(
            written.model_copy(update={"factors": dose}), data, [describe_scans(written), describe_slides(written)]
        )


def test_measured_tables_have_the_columns_that_the_parts_promise(written: Study, drawn: SimulatedCohort) -> None:
    data = cohort.ingest(written)
    made = tabulate_measured(drawn, data.pseudonyms)
    for found, promised in zip(made, (describe_scans(written), describe_slides(written)), strict=True):
        assert [table.frame.schema for table in found.tables] == [table.frame.schema for table in promised.tables]
        assert all(table.frame.height for table in found.tables)


def test_the_same_seed_gives_the_same_bytes(example: Path, tmp_path: Path) -> None:
    for name, seed in (("one", 5), ("two", 5), ("other", 6)):
        write_study(example / "study.yaml", tmp_path / name, seed=seed, patients=60, images=False)
    one, two, other = ((tmp_path / name / "data/records.csv").read_bytes() for name in ("one", "two", "other"))
    assert one == two != other
    assert {path.name for path in (tmp_path / "one").iterdir()} == {"study.yaml", "truth.yaml", "data", "truth"}
    with pytest.raises(OutputError, match="something that is there already"):
        write_study(example / "study.yaml", tmp_path / "one", images=False)


def test_blemishes_are_found_by_a_check(drawn: SimulatedCohort, example: Path, tmp_path: Path) -> None:
    spoiled = (Blemish(field="ck", at="month_3", text="-99", count=2), Blemish(field="haq", text="high"))
    plan = replace(drawn.plan, truth=drawn.truth.model_copy(update={"blemishes": spoiled}))
    (tmp_path / "study.yaml").write_bytes((example / "study.yaml").read_bytes())
    write_records(replace(drawn, plan=plan), tmp_path)
    found = cohort.check_data(load(tmp_path / "study.yaml"))
    assert found.failures.select("column", "rule", "value").sort("column").rows() == [
        ("ck", "range", "-99"),
        ("ck", "range", "-99"),
        ("haq", "type", "high"),
    ]


def test_images_are_asked_for_those_who_have_them(drawn: SimulatedCohort) -> None:
    scans = list_scans(drawn, seed=1)
    eligible = {each for each, fits in zip(drawn.ids, drawn.follow_up.eligible, strict=True) if fits}
    assert {each.subject for each in scans} <= eligible
    assert len({each.seed for each in scans}) == len(scans)
    both = [each for each in scans if len(each.visits) == 2]
    assert len(both) > 30
    assert all(0 < fat < 0.7 for each in scans for fat in each.visits.values())
    source = next(iter(drawn.plan.study.pathology.values()))
    slides = list_slides(drawn, source, seed=1)
    assert {each.stain for each in slides} == {"BAFF-R", "CD20"}
    assert {each.whole for each in slides} == {True, False}
    runs = [each.run for each in slides if each.stain == "CD20"]
    assert max(runs.count(run) for run in runs) == drawn.truth.runs.slides
    assert list_scans(drawn, seed=2)[0].seed != scans[0].seed


@pytest.mark.slow
def test_patients_with_images_can_be_read(example: Path, tmp_path: Path) -> None:
    """What is written is what the study file names: every image finds its patient."""
    from rarefactor import study as road

    source = tmp_path / "source"
    source.mkdir()
    (source / "study.yaml").write_bytes((example / "study.yaml").read_bytes())
    text = (example / "truth.yaml").read_text(encoding="utf-8")
    (source / "truth.yaml").write_text(text.replace("whole: 1", "whole: 0"), encoding="utf-8")
    path = write_study(source / "study.yaml", tmp_path / "made", seed=1, patients=12, imaged=3)
    checked = road.check(path)
    assert checked.images.scans is not None
    assert checked.images.slides is not None
    assert checked.images.scans.visits >= 4
    assert len(checked.images.scans.patients) <= 3
    assert len(checked.images.slides.slides) >= 4
    assert "synthetic" in (path.parent / "truth/slides.csv").read_text()
