"""A log that only grows: what counts, what was, and what survives two programs and a power cut."""

from concurrent.futures import ProcessPoolExecutor
from datetime import UTC, datetime
from pathlib import Path

import pytest

from rarefactor.errors import DataError, InputError, StaleError
from rarefactor.readings import (
    FOLDER,
    Draft,
    add_reading,
    read_file,
    read_readings,
    restore_reading,
    withdraw_reading,
)

NOON = datetime(2026, 3, 1, 12, tzinfo=UTC)


def _draft(reader: str = "Ada", *, visit: str = "month_3", **more: object) -> Draft:
    return Draft(kind="mask", reader=reader, when=NOON, subject="s1", place=visit, **more)  # type: ignore[arg-type]


def test_the_newest_version_counts_and_the_others_stay(tmp_path: Path) -> None:
    first = add_reading(tmp_path, _draft(reason="leak into fat"), data=b"one", ending=".nii.gz")
    second = add_reading(tmp_path, _draft("Bea"), data=b"two", ending=".nii.gz", seen=1)
    log = read_readings(tmp_path)
    assert [each.version for each in log.history(first.key)] == [1, 2]
    assert log.current("mask") == (second,)
    assert read_file(tmp_path, log.history(first.key)[0]) == b"one"
    assert log.entries[0] == first


def test_an_earlier_version_comes_back_as_a_new_one_of_whoever_asks(tmp_path: Path) -> None:
    first = add_reading(tmp_path, _draft(content={"muscle": "VL"}), data=b"one")
    add_reading(tmp_path, _draft(), data=b"two")
    add_reading(tmp_path, _draft(visit="baseline"), data=b"three")
    back = restore_reading(tmp_path, first, reader="Cem", when=NOON)
    assert (back.version, back.restores, back.reader, back.content) == (3, 1, "Cem", {"muscle": "VL"})
    assert back.file == first.file
    withdraw_reading(tmp_path, back, reader="Cem", when=NOON)
    assert [each.place for each in read_readings(tmp_path).current("mask")] == ["baseline"]


def test_readers_own_readings_stand_beside_each_other(tmp_path: Path) -> None:
    for reader in ("Ada", "Bea"):
        for grade in (1, 2):
            draft = Draft(
                kind="grade",
                reader=reader,
                when=NOON,
                subject="s1",
                place="baseline",
                item="VL.right",
                content={"grade": grade},
                own=True,
            )
            add_reading(tmp_path, draft)
    found = read_readings(tmp_path).current("grade")
    assert [(each.reader, each.content["grade"], each.version) for each in found] == [("Ada", 2, 2), ("Bea", 2, 2)]


def test_a_change_of_what_was_changed_meanwhile_is_refused_and_leaves_no_line(tmp_path: Path) -> None:
    add_reading(tmp_path, _draft("Ada"), data=b"one", seen=0)
    with pytest.raises(StaleError, match=r"version 1, which Ada saved meanwhile; expected no version"):
        add_reading(tmp_path, _draft("Bea"), data=b"two", seen=0)
    assert len(read_readings(tmp_path).entries) == 1


def test_damaged_lines_are_told_with_their_number_and_the_others_count(tmp_path: Path) -> None:
    for visit in ("baseline", "month_3", "month_12"):
        add_reading(tmp_path, _draft(visit=visit))
    path = tmp_path / FOLDER / "log.jsonl"
    lines = path.read_bytes().splitlines(keepends=True)
    path.write_bytes(lines[0] + lines[1].replace(b'"Ada"', b'"Eve"') + lines[2][:-40])  # changed by hand; cut off
    log = read_readings(tmp_path)
    assert [each.place for each in log.entries] == ["baseline"]
    assert [problem.line for problem in log.damaged] == [2, 3]
    add_reading(tmp_path, _draft(visit="month_12"))  # goes on a line of its own
    log = read_readings(tmp_path)
    assert [each.place for each in log.entries] == ["baseline", "month_12"]
    assert [problem.line for problem in log.damaged] == [2, 3]


def test_a_changed_file_is_no_reading(tmp_path: Path) -> None:
    reading = add_reading(tmp_path, _draft(), data=b"one", ending=".nii.gz")
    (tmp_path / FOLDER / "files" / (reading.file or "")).write_bytes(b"other")
    with pytest.raises(DataError, match="missing or was changed"):
        read_file(tmp_path, reading)
    again = add_reading(tmp_path, _draft(), data=b"one", ending=".nii.gz")  # the same content mends the file
    assert read_file(tmp_path, again) == b"one"


def _add_many(folder: Path, reader: str) -> None:
    for _ in range(10):
        add_reading(folder, _draft(reader), data=reader.encode())


def test_two_programs_write_one_log(tmp_path: Path) -> None:
    with ProcessPoolExecutor(2) as pool:
        list(pool.map(_add_many, [tmp_path] * 2, ["Ada", "Bea"]))
    log = read_readings(tmp_path)
    assert not log.damaged
    assert [each.version for each in log.entries] == list(range(1, 21))


@pytest.mark.parametrize("wrong", [{"reader": " "}, {"visit": "two\nlines"}, {"item": "x" * 300}])
def test_names_that_a_line_cannot_hold_are_refused(wrong: dict[str, str]) -> None:
    with pytest.raises(InputError, match="cannot be written down"):
        _draft(**wrong)  # type: ignore[arg-type]
