"""One patient: every visit measured, later visits carried from the first, pairs of visits compared.

Convention: the regions of the reference visit (the first with a reader's mask, else the first) are carried to visits
without a mask; a mask that was corrected later counts for its own visit, and is carried where that is the reference.
Any two visits are compared within what both show, in the order of time.
A visit that cannot be measured is told with its reason, and the others go on.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from itertools import combinations

import numpy as np
from numpy.typing import NDArray

from rarefactor.errors import ImageError, Problem
from rarefactor.imaging._change_picture import ChangeView, RegionChange, draw_visits
from rarefactor.imaging._common_view import CommonView, compute_common_view
from rarefactor.imaging._contact_sheet import Thumbnail, make_thumbnail
from rarefactor.imaging._drift import Drift, check_drift
from rarefactor.imaging._first_picture import draw_first
from rarefactor.imaging._measure import Measurement, Origin, measure_regions
from rarefactor.imaging._motion_found import Motion
from rarefactor.imaging._oedema import Oedema, compute_oedema
from rarefactor.imaging._propagate import compute_moved, propagate
from rarefactor.imaging._rate import Rate, compute_rate
from rarefactor.imaging._regions import MUSCLES, SITES, LabelMap, Region, Side
from rarefactor.imaging._register import register
from rarefactor.imaging._regrid import compute_on_grid
from rarefactor.imaging._scan import Kind, SourceFile
from rarefactor.imaging._settings import PatientFiles, Settings
from rarefactor.imaging._slice_picture import draw_slice, name_slice
from rarefactor.imaging._visit import Visit, compute_percent, find_labels, read_visit, refine
from rarefactor.imaging._visit_picture import VisitView, draw_visit
from rarefactor.imaging._write import write_percent
from rarefactor.results import Flag, Severity


@dataclass(frozen=True, slots=True, kw_only=True)
class Labelled:
    """A visit with its regions; ``motion`` is from the reference visit, None for that visit itself."""

    visit: Visit
    labels: LabelMap
    motion: Motion | None
    flags: tuple[Flag, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Failure:
    """A visit that was not measured, and why."""

    patient: str
    visit: str
    problem: Problem


@dataclass(frozen=True, slots=True, kw_only=True)
class Patient:
    """Everything that was measured in one patient."""

    patient: str
    measurements: tuple[Measurement, ...] = ()
    rates: tuple[Rate, ...] = ()
    failures: tuple[Failure, ...] = ()
    pictures: Mapping[str, bytes] = field(default_factory=dict[str, bytes])
    thumbnails: tuple[Thumbnail, ...] = ()
    labels: Mapping[str, LabelMap] = field(default_factory=dict[str, LabelMap])
    first: Mapping[str, bytes] = field(default_factory=dict[str, bytes])
    """What a viewer shows first of each visit."""
    fractions: Mapping[str, bytes] = field(default_factory=dict[str, bytes])
    """The fat fraction of each visit, as a viewer takes it."""


@dataclass(frozen=True, slots=True, kw_only=True)
class _Compared:
    """Two visits within what both show, and the rate of each region."""

    first: Labelled
    last: Labelled
    motion: Motion
    view: CommonView
    rates: tuple[Rate, ...]


def measure_patient(files: PatientFiles, settings: Settings) -> Patient:
    """Return the measurements, rates and pictures of one patient."""
    visits, failures = _read_visits(files, settings)
    labelled, more = _label_visits(files.patient, visits, settings)
    rows = [_measure(each, settings) for each in labelled]
    compared = [_compare(*pair, settings) for pair in combinations(labelled, 2)]
    pictures = {
        f"{files.patient}_{each.visit.name}.png": _picture(files.patient, each, found)
        for each, found in zip(labelled, rows, strict=True)
    }
    for pair in compared:
        name = f"{files.patient}_{pair.first.visit.name}_{pair.last.visit.name}.png"
        before, common = _on_last(pair)
        pictures[name] = _picture_change(files.patient, pair, before, common)
        after = pair.last.visit.fraction.values.values
        name = name_slice(files.patient, pair.first.visit.name, pair.last.visit.name)
        pictures[name] = draw_slice((before, after), common, pair.last.labels)
    if len(labelled) == 1:
        pictures[name_slice(files.patient, labelled[0].visit.name)] = _picture_slice(labelled[0])
    percents = {each.visit.name: compute_percent(each.visit) for each in labelled}
    return Patient(
        patient=files.patient,
        measurements=tuple(row for found in rows for row in found),
        rates=tuple(_told(rate, pair) for pair in compared for rate in pair.rates),
        failures=(*failures, *more),
        pictures=pictures,
        thumbnails=tuple(_thumbnail(each) for each in (*labelled[:1], *labelled[1:][-1:])),
        labels={each.visit.name: each.labels for each in labelled},
        first={each.visit.name: draw_first(percents[each.visit.name], each.labels) for each in labelled},
        fractions={visit: write_percent(percent) for visit, percent in percents.items()},
    )


def _read_visits(files: PatientFiles, settings: Settings) -> tuple[list[Visit], list[Failure]]:
    visits: list[Visit] = []
    failures: list[Failure] = []
    for each in files.visits:
        try:
            visits.append(read_visit(each, settings))
        except ImageError as error:
            failures += _list_failures(files.patient, each.visit, error, each.paths[0].name)
    return visits, failures


def _list_failures(patient: str, visit: str, error: ImageError, place: str) -> list[Failure]:
    """The problems of a visit; what names no file is of the whole scan."""
    return [
        Failure(patient=patient, visit=visit, problem=replace(item, file=item.file or place)) for item in error.problems
    ]


def _label_visits(patient: str, visits: Sequence[Visit], settings: Settings) -> tuple[list[Labelled], list[Failure]]:
    if not visits:
        return [], []
    reference = next((each for each in visits if each.leads), visits[0])
    failures: list[Failure] = []
    try:
        labels, flags = find_labels(reference, settings)
    except ImageError as error:
        return [], _list_failures(patient, reference.name, error, _name_images(reference))
    start = Labelled(visit=refine(reference, labels), labels=labels, motion=None, flags=flags)
    found: list[Labelled] = []
    for each in visits:
        try:
            found.append(start if each is reference else _follow(start, each))
        except ImageError as error:
            failures += _list_failures(patient, each.name, error, _name_images(each))
    return found, failures


def _name_images(visit: Visit) -> str:
    return ", ".join(
        dict.fromkeys(source.path.partition("/")[0] for source in _sources(visit) if source not in visit.mask_files)
    )


def _follow(start: Labelled, visit: Visit) -> Labelled:
    """Carry the regions to another visit, unless it has a reader's own."""
    motion = register(start.visit.shape, visit.shape, legs_baseline=start.visit.legs, legs_follow_up=visit.legs)
    labels = visit.mask or propagate(start.labels, motion)
    return Labelled(visit=refine(visit, labels), labels=labels, motion=motion, flags=motion.flags)


def _measure(each: Labelled, settings: Settings) -> tuple[Measurement, ...]:
    oedema, flags = _measure_oedema(each)
    rows = measure_regions(each.visit.fraction, each.labels, _origin(each, flags), estimator=settings.estimator)
    return tuple(replace(row, oedema=oedema.get((row.site, row.side))) for row in rows)


def _measure_oedema(each: Labelled) -> tuple[Mapping[tuple[str, Side | None], float], tuple[Flag, ...]]:
    """Return the ratio of each region by site and side, where the visit has a fat-suppressed image."""
    series = each.visit.scan.first([Kind.STIR, Kind.T2])
    if series is None:
        return {}, ()
    labels = compute_on_grid(each.labels, series.volume.grid)
    fraction = each.visit.fraction if labels is each.labels else None
    try:
        found = compute_oedema(series.volume, labels, fraction=fraction)
    except ImageError as error:
        detail = f"Oedema was not measured: {error.problems[0].found}."
        return {}, (Flag(name="oedema_not_measured", severity=Severity.NOTE, detail=detail),)
    return dict(_list_oedema(found)), found.flags


def _list_oedema(found: Oedema) -> Iterator[tuple[tuple[str, Side | None], float]]:
    """Each site and side as the mean of its muscles, by the voxels that were measured."""
    for site, names in SITES.items():
        for side in (None, *Side):
            held = [
                each
                for region, each in found.regions.items()
                if (region.name in names or region.name == site) and side in (None, region.side)
            ]
            if held:
                weights = [each.voxels for each in held]
                yield (site, side), float(np.average([each.ratio for each in held], weights=weights))


def _origin(each: Labelled, flags: tuple[Flag, ...] = ()) -> Origin:
    visit = each.visit
    return Origin(
        visit=visit.name, sequence=visit.sequence, sources=_sources(visit), flags=(*visit.flags, *each.flags, *flags)
    )


def _sources(visit: Visit) -> tuple[SourceFile, ...]:
    """The files behind a visit's numbers: images, and the mask that a reader has corrected."""
    return (*(file for series in visit.scan.series for file in series.files), *visit.mask_files)


def _compare(first: Labelled, last: Labelled, settings: Settings) -> _Compared:
    motion = _find_motion(first, last)
    view = compute_common_view(motion)
    drift = check_drift(first.visit.series, last.visit.series, motion=motion, allow=settings.allow)
    return _Compared(first=first, last=last, motion=motion, view=view, rates=_rates(first, last, view, drift, settings))


def _find_motion(first: Labelled, last: Labelled) -> Motion:
    if first.motion is None and last.motion is not None:
        return last.motion
    return register(first.visit.shape, last.visit.shape, legs_baseline=first.visit.legs, legs_follow_up=last.visit.legs)


def _rates(first: Labelled, last: Labelled, view: CommonView, drift: Drift, settings: Settings) -> tuple[Rate, ...]:
    months = _months(first.visit, last.visit) or 1.0  # of a change without a time only the change is told
    before, after = (
        measure_regions(
            each.visit.fraction, each.labels, _origin(each, view.flags), estimator=settings.estimator, view=common
        )
        for each, common in ((first, view.baseline), (last, view.follow_up))
    )
    later = {(row.site, row.side): row for row in after}
    pairs = ((row, later[row.site, row.side]) for row in before if (row.site, row.side) in later)
    return tuple(
        compute_rate(*pair, months, drift=drift, repeatability=settings.error, level=settings.level) for pair in pairs
    )


def _months(first: Visit, last: Visit) -> float | None:
    """Months between two visits, where they are known and in order."""
    if first.month is None or last.month is None or last.month <= first.month:
        return None
    return last.month - first.month


def _told(rate: Rate, pair: _Compared) -> Rate:
    """A change without a rate, where the time between the visits is not known."""
    if _months(pair.first.visit, pair.last.visit) is not None:
        return rate
    return replace(rate, months=None, rate_per_month=None, se=None, detectable=None)


def _picture(patient: str, each: Labelled, rows: Sequence[Measurement]) -> bytes:
    visit = each.visit
    flags = dict.fromkeys((*visit.flags, *each.flags, *(flag for row in rows for flag in row.flags)))
    return draw_visit(
        VisitView(
            title=f"{patient}, {_say(visit.name)}",
            images=visit.images,
            fraction=visit.fraction.values,
            valid=visit.fraction.valid & (visit.legs > 0),
            labels=each.labels,
            sentence=_describe_thigh(rows),
            flags=tuple(flags),
        )
    )


def _describe_thigh(rows: Sequence[Measurement]) -> str:
    found = [row for row in rows if row.site == "thigh" and row.fat_fraction is not None]
    words = (f"{row.side or 'both sides'} {100 * (row.fat_fraction or 0.0):.1f}%" for row in found)
    return f"Fat fraction of the thigh muscles: {', '.join(words)}" if found else "No region was measured"


def _picture_change(patient: str, pair: _Compared, before: NDArray[np.float32], common: NDArray[np.bool_]) -> bytes:
    first, last = pair.first.visit, pair.last.visit
    return draw_visits(
        ChangeView(
            title=f"{patient}, {_say(first.name)} to {_say(last.name)}",
            sentence=_describe_change([_told(rate, pair) for rate in pair.rates]),
            visits=(_say(first.name), _say(last.name)),
            before=before,
            after=last.fraction.values.values,
            common=common,
            labels=pair.last.labels,
            changes=_list_changes(pair.rates),
        )
    )


def _on_last(pair: _Compared) -> tuple[NDArray[np.float32], NDArray[np.bool_]]:
    """Return the earlier fat fraction on the later grid, and where both are known."""
    before = compute_moved(pair.first.visit.fraction.values, pair.motion).values
    common = pair.view.follow_up & pair.last.visit.fraction.valid & np.isfinite(before)
    return np.nan_to_num(before), common


def _picture_slice(each: Labelled) -> bytes:
    fraction = each.visit.fraction
    return draw_slice((fraction.values.values,), fraction.valid & (each.visit.legs > 0), each.labels)


def _describe_change(rates: Sequence[Rate]) -> str:
    thigh = next((rate for rate in rates if rate.site == "thigh" and rate.side is None), None)
    if thigh is None or thigh.change is None:
        refused = [flag.detail for flag in (thigh.flags if thigh else ()) if flag.severity is Severity.REFUSED]
        return " ".join(["No rate is given.", *refused])
    known = thigh.rate_per_month is not None and thigh.se is not None
    rate = f", {thigh.rate_per_month:+.2f} per month (SE {thigh.se:.2f})" if known else ""
    beyond = "beyond" if thigh.beyond_error else "within"
    return f"Thigh {thigh.change:+.1f} percentage points{rate}, {beyond} the error of measurement"


def _list_changes(rates: Sequence[Rate]) -> tuple[RegionChange, ...]:
    """The bars: muscles by side, or what stands for them where no muscles are told apart."""
    sided = [rate for rate in rates if rate.side is not None and rate.change is not None]
    shown = [rate for rate in sided if rate.site in MUSCLES] or sided
    return tuple(
        RegionChange(
            region=Region(name=rate.site, side=rate.side),
            change=rate.change or 0.0,
            se=(rate.se or 0.0) * (rate.months or 1.0),
            beyond=bool(rate.beyond_error),
        )
        for rate in shown
    )


def _thumbnail(each: Labelled) -> Thumbnail:
    valid = each.visit.fraction.valid & (each.visit.legs > 0)
    return make_thumbnail(each.visit.fraction.values, valid, each.labels)


def _say(visit: str) -> str:
    return visit.replace("_", " ")
