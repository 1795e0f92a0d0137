"""What refuses a rate, what only warns, and what a study may allow."""

from dataclasses import replace

import numpy as np
import pytest

from rarefactor.imaging._drift import check_drift
from rarefactor.imaging._motion_found import compute_stillness
from rarefactor.imaging._scan import Acquisition, Kind, Series
from rarefactor.imaging._volume import Grid, Volume
from rarefactor.results import Severity

GRID = Grid(shape=(4, 8, 8), spacing_mm=(20.0, 2.0, 2.0))
USUAL = Acquisition(
    sequence="Dixon", repetition_ms=7.0, echo_ms=2.5, flip_degrees=4.0, coil="Body", scanner="A", software="1"
)


def build(acquisition: Acquisition, grid: Grid = GRID) -> Series:
    volume = Volume(values=np.zeros(grid.shape, np.float32), grid=grid)
    return Series(kind=Kind.FAT, reason="", volume=volume, acquisition=acquisition, files=())


@pytest.mark.parametrize(
    ("change", "name", "severity"),
    [
        ({}, None, None),
        ({"repetition_ms": 7.1}, None, None),
        ({"sequence": "DIXON "}, None, None),
        ({"repetition_ms": 9.0}, "drift_repetition_ms", Severity.REFUSED),
        ({"flip_degrees": 9.0}, "drift_flip_degrees", Severity.REFUSED),
        ({"sequence": "T1 TSE"}, "drift_sequence", Severity.REFUSED),
        ({"echo_ms": 3.5}, "drift_echo_ms", Severity.WARNING),
        ({"coil": "Spine"}, "drift_coil", Severity.WARNING),
        ({"scanner": "B"}, "drift_scanner", Severity.WARNING),
        ({"software": "2"}, "drift_software", Severity.NOTE),
        ({"flip_degrees": None}, "protocol_unknown", Severity.NOTE),
    ],
)
def test_a_change_of_protocol(change, name, severity):
    drift = check_drift(build(USUAL), build(replace(USUAL, **change)))
    assert [(flag.name, flag.severity) for flag in drift.flags] == ([(name, severity)] if name else [])
    assert drift.refused == (severity is Severity.REFUSED)


def test_a_study_may_allow_a_change():
    follow_up = build(replace(USUAL, flip_degrees=9.0))
    drift = check_drift(build(USUAL), follow_up, allow=("flip_degrees",))
    assert not drift.refused
    assert drift.changes[0].allowed
    assert "allows" in drift.flags[0].detail


@pytest.mark.parametrize(
    ("shift_mm", "severity"), [(9.0, None), (-11.0, Severity.WARNING), (19.0, Severity.WARNING), (21.0, "refused")]
)
def test_a_shift_along_the_leg(shift_mm, severity):
    still = compute_stillness(GRID, np.ones(GRID.shape, np.int8))
    motion = replace(still, legs=(replace(still.legs[0], shift_mm=shift_mm),))
    found = check_drift(build(USUAL), build(USUAL), motion=motion).changes
    assert [change.severity for change in found] == ([severity] if severity else [])


def test_another_slice_spacing_is_listed():
    other = replace(GRID, spacing_mm=(10.0, 2.0, 2.0))
    (change,) = check_drift(build(USUAL), build(USUAL, other)).changes
    assert (change.name, change.baseline, change.follow_up) == ("spacing_mm", "20", "10")
