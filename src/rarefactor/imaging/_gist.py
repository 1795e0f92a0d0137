"""What was measured in one patient, without pictures: small enough to be read for a whole study at once.

Convention: fat fractions are in per cent, rates in percentage points per month; a site and side are named as in the
tables of measurements. It is made from what a measurement kept, and kept beside it.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import Any

import polars as pl

from rarefactor.errors import Problem
from rarefactor.imaging._flag_words import FLAGS
from rarefactor.imaging._job import Hasher, PatientResult, make_job, read_result
from rarefactor.imaging._plan import Plan
from rarefactor.imaging._settings import PatientFiles
from rarefactor.work import Cache, content_key, hash_file, remember


@dataclass(frozen=True, slots=True, kw_only=True)
class Doubt:
    """A flag in words: what it means and what to do."""

    name: str
    severity: str
    meaning: str
    next_step: str


@dataclass(frozen=True, slots=True, kw_only=True)
class SiteFat:
    """The fat of one site and side ("both" for both) at one visit."""

    site: str
    side: str
    fat_percent: float | None
    volume_ml: float
    voxels: int


@dataclass(frozen=True, slots=True, kw_only=True)
class SiteRate:
    """How the fat of a site changed between two visits."""

    site: str
    side: str
    first: str
    last: str
    change: float | None
    rate: float | None
    se: float | None
    beyond_error: bool | None


@dataclass(frozen=True, slots=True, kw_only=True)
class VisitGist:
    """What was measured at one visit."""

    visit: str
    mask_source: str
    doubts: tuple[Doubt, ...]
    sites: tuple[SiteFat, ...]

    def find(self, site: str, side: str = "both") -> SiteFat | None:
        """The fat of a site and side, where it was measured."""
        return next((each for each in self.sites if (each.site, each.side) == (site, side)), None)


@dataclass(frozen=True, slots=True, kw_only=True)
class Gist:
    """What was measured in one patient."""

    patient: str
    visits: Mapping[str, VisitGist]
    rates: tuple[SiteRate, ...]
    failures: Mapping[str, Problem]

    def find_rate(self, visit: str, site: str = "thigh", side: str = "both") -> SiteRate | None:
        """The rate of a site from the earliest visit to this one."""
        return next((each for each in self.rates if (each.site, each.side, each.last) == (site, side, visit)), None)


def read_gist(files: PatientFiles, asked: Plan, cache: Cache, *, code: str, hasher: Hasher = hash_file) -> Gist | None:
    """Return what is known of a patient, None where nothing was measured since files or masks changed.

    Parameters
    ----------
    files, asked
        A patient of a plan.
    cache
        Where measurements are kept; nothing is measured here.
    code
        The key of this part's source, as the measurement was asked for with.
    hasher
        Gives the SHA-256 of a file; who asks often may remember it.
    """
    key = make_job(files, asked.settings, code=code, hasher=hasher).key
    small = cache.get(content_key("mri gist", key))
    if small is not None:
        return _read(small)
    whole = cache.get(key)
    if whole is None:
        return None
    return remember(cache, content_key("mri gist", key), lambda: _make(read_result(whole)), write=_write, read=_read)[0]


def _make(found: PatientResult) -> Gist:
    return Gist(
        patient=found.patient,
        visits={
            str(visit): _visit(str(visit), rows)
            for (visit,), rows in found.measurements.group_by("visit", maintain_order=True)
        },
        rates=tuple(_rate(row) for row in found.rates.iter_rows(named=True)),
        failures={each.visit: each.problem for each in found.failures},
    )


def _visit(visit: str, rows: pl.DataFrame) -> VisitGist:
    names = dict.fromkeys(name for each in rows["flags"].to_list() for name in each.split("; ") if name)
    return VisitGist(
        visit=visit,
        mask_source=rows["mask_source"][0],
        doubts=tuple(_doubt(name) for name in names if name in FLAGS),
        sites=tuple(_site(row) for row in rows.iter_rows(named=True)),
    )


def _doubt(name: str) -> Doubt:
    words = FLAGS[name]
    return Doubt(name=name, severity=words.severity.value, meaning=words.meaning, next_step=words.next_step)


def _site(row: Mapping[str, Any]) -> SiteFat:
    fat = row["fat_fraction"]
    return SiteFat(
        site=row["muscle"],
        side=row["side"],
        fat_percent=None if fat is None else 100.0 * fat,
        volume_ml=row["volume_ml"],
        voxels=row["voxels"],
    )


def _rate(row: Mapping[str, Any]) -> SiteRate:
    return SiteRate(
        site=row["muscle"],
        side=row["side"],
        first=row["baseline"],
        last=row["follow_up"],
        change=row["change"],
        rate=row["rate_per_month"],
        se=row["se"],
        beyond_error=row["beyond_error"],
    )


def _write(gist: Gist) -> bytes:
    return json.dumps(asdict(gist)).encode()


def _read(data: bytes) -> Gist:
    held = json.loads(data)
    return Gist(
        patient=held["patient"],
        visits={name: _read_visit(each) for name, each in held["visits"].items()},
        rates=tuple(SiteRate(**each) for each in held["rates"]),
        failures={visit: Problem(**each) for visit, each in held["failures"].items()},
    )


def _read_visit(held: Mapping[str, Any]) -> VisitGist:
    doubts, sites = (Doubt(**each) for each in held["doubts"]), (SiteFat(**each) for each in held["sites"])
    return VisitGist(visit=held["visit"], mask_source=held["mask_source"], doubts=tuple(doubts), sites=tuple(sites))
