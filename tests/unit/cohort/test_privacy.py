"""What never passes the door."""

import stat
from pathlib import Path

import polars as pl
import pytest

from rarefactor.cohort import check_data, ingest
from rarefactor.cohort._model import Variable
from rarefactor.cohort._privacy import compute_hashes, is_identifier, read_key
from rarefactor.errors import DataError
from rarefactor.spec import DataField


@pytest.mark.parametrize(
    ("name", "label", "kind"),
    [
        ("dob", "", "date"),
        ("birth_date", "", "text"),
        ("DofB", "", "date"),
        ("x1", "Date of birth", "date"),
        ("name", "", "text"),
        ("name_last", "", "text"),
        ("next_of_kin_contact_name", "", "text"),
        ("telephone_1", "", "text"),
        ("phone", "", "integer"),
        ("email", "", "text"),
        ("x2", "E-mail", "text"),
        ("address", "", "text"),
        ("zip", "", "text"),
    ],
)
def test_names_and_labels_tell_identifiers(name: str, label: str, kind) -> None:
    assert is_identifier(Variable(name=name, field=DataField(type=kind, label=label)), ())


@pytest.mark.parametrize(
    ("name", "label", "kind"),
    [
        ("drug_name", "Name of the drug", "text"),
        ("given_birth", "Has the patient given birth before?", "yesno"),
        ("phone_contact", "Was there a phone call?", "yesno"),
        ("age", "Age (years)", "number"),
        ("platelets", "Platelets", "number"),
        ("username_type", "", "choice"),
    ],
)
def test_what_only_sounds_like_an_identifier_stays(name: str, label: str, kind) -> None:
    assert not is_identifier(Variable(name=name, field=DataField(type=kind, label=label)), ())


def test_the_study_file_may_keep_or_drop_by_name() -> None:
    kept = Variable(name="city", field=DataField(type="text", identifier=False))
    assert not is_identifier(kept, ())
    assert is_identifier(kept, ("city",))


FIELDS = {
    "id": {"type": "id"},
    "age": {"type": "integer", "unit": "years"},
    "age_months": {"type": "number", "label": "Age in months"},
    "dob": {"type": "date"},
    "sample": {"type": "id"},
}


def test_no_identifier_and_no_high_age_reaches_the_tables(tmp_path: Path, make_study) -> None:
    (tmp_path / "data.csv").write_text("id,age,age_months,dob,sample\nP1,93,400,1930-01-02,S1\nP2,89,91,bad,S1\n")
    cohort = ingest(make_study(records="data.csv", subject="id", fields=FIELDS))
    table = cohort.tables["records"]
    assert list(table.fields) == ["age", "age_months", "sample"]
    assert table.frame["age"].to_list() == [90, 89]
    assert table.frame["age_months"].to_list() == [400.0, 91.0]
    assert cohort.dropped == {"records": ("dob",)}
    assert "data.csv: ages over 89 years were set to 90: 1." in cohort.notes
    everything = str(table.frame.to_dicts()) + cohort.failures.write_csv() + str(cohort.notes)
    assert not any(secret in everything for secret in ("P1", "S1'", "1930", "bad"))


def test_values_that_fail_stand_in_the_table_of_failures_only(tmp_path: Path, make_study) -> None:
    (tmp_path / "data.csv").write_text("id,age\nP1,secret\nP1,secret\n")
    findings = check_data(make_study(records="data.csv", subject="id", fields={"age": {"type": "integer"}}))
    assert findings.failures["value"].to_list() == ["secret", "secret"]
    said = str(findings.problems) + findings.counts.write_csv() + str(findings.notes)
    assert "secret" not in said
    assert "P1" not in said


def test_ids_are_text_and_the_same_patient_has_the_same_hash_everywhere(tmp_path: Path, make_study) -> None:
    (tmp_path / "a.csv").write_text("id,x\n001,1\n1,2\n")
    (tmp_path / "b.csv").write_text("id,day\n001,0\n001,9\n01,3\n")
    study = make_study(
        records={"a": "a.csv", "b": {"file": "b.csv", "day": "day"}},
        subject="id",
        fields={"x": {"type": "number"}, "day": {"type": "number"}},
    )
    cohort = ingest(study)
    first, second = cohort.tables["a"].frame["subject"].to_list()
    assert first != second
    assert cohort.tables["b"].frame["subject"].to_list()[:2] == [first, first]
    assert "b: patients without a row in a: 1 (leading zeros differ: write the ids alike)." in cohort.notes


def test_hashes_differ_between_keys_and_grow_where_they_would_collide() -> None:
    ids = pl.Series([str(number) for number in range(120_000)])  # about 1.7 pairs share 8 digits
    hashes = set(compute_hashes(ids, b"k").values())
    assert (len(hashes), {len(text) for text in hashes}) == (120_000, {26})
    assert compute_hashes(pl.Series(["1"]), b"k") != compute_hashes(pl.Series(["1"]), b"l")


def test_a_key_is_made_once_and_only_its_owner_reads_it(tmp_path: Path, monkeypatch) -> None:
    monkeypatch.delenv("RAREFACTOR_KEY", raising=False)
    key = read_key(tmp_path)
    path = tmp_path / ".rarefactor" / "key"
    assert read_key(tmp_path) == key == path.read_bytes()
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert sorted(item.name for item in path.parent.iterdir()) == [".gitignore", "key"]
    monkeypatch.setenv("RAREFACTOR_KEY", "mine")
    assert read_key(tmp_path) == b"mine"


@pytest.mark.parametrize("hindrance", ["file", "short"])
def test_a_key_that_cannot_be_made_says_what_to_do(tmp_path: Path, monkeypatch, hindrance: str) -> None:
    monkeypatch.delenv("RAREFACTOR_KEY", raising=False)
    if hindrance == "file":
        (tmp_path / ".rarefactor").write_text("in the way")
    else:
        (tmp_path / ".rarefactor").mkdir()
        (tmp_path / ".rarefactor" / "key").write_bytes(b"short")
    with pytest.raises(DataError, match="RAREFACTOR_KEY"):
        read_key(tmp_path)
