"""One visit from its files to the fat fraction of every voxel, with everything doubtful about it.

Convention: fat and water swapped in a slice leave the slice out before anything is corrected; the T1 bias is corrected
where the header tells how; what could not be corrected is flagged.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from rarefactor.errors import ImageError, Problem
from rarefactor.imaging._body import compute_depth_mm
from rarefactor.imaging._compartment import compute_compartment
from rarefactor.imaging._fat_fraction import FatFraction, compute_fat_fraction, compute_fat_fraction_two_point
from rarefactor.imaging._legs import LEG, check_legs, compute_legs
from rarefactor.imaging._masks import check_labels, read_labels
from rarefactor.imaging._read import read_scan
from rarefactor.imaging._regions import LabelMap, Region, Side
from rarefactor.imaging._scan import Kind, Scan, Series, SourceFile
from rarefactor.imaging._settings import Settings, VisitFiles
from rarefactor.imaging._swap import check_swap, derive_unswapped
from rarefactor.imaging._t1_bias import compute_t1_corrected
from rarefactor.imaging._t1_only import compute_t1_estimate
from rarefactor.imaging._volume import Grid, Volume
from rarefactor.imaging.segment import find_segmenter
from rarefactor.results import Flag, Severity
from rarefactor.work import hash_file

DIXON, T1_ESTIMATE = "dixon", "t1_estimate"
_DEEP_MM = 15.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Visit:
    """A visit that can be measured.

    Attributes
    ----------
    series : Series
        The one whose acquisition is compared between visits.
    sequence : str
        ``dixon`` or ``t1_estimate``.
    fraction : FatFraction
        Of every voxel.
    shape : Volume
        What the registration follows: fat plus water, or T1.
    images : sequence of (str, Volume)
        For pictures.
    mask : LabelMap or None
        What a reader drew, or has corrected.
    leads : bool
        Whether the visit came with a reader's mask, which is carried to others.
    mask_files : tuple of SourceFile
        The corrected mask, where there is one: a source of the numbers as the images are.
    """

    name: str
    month: float | None
    series: Series
    sequence: str
    fraction: FatFraction
    shape: Volume
    images: Sequence[tuple[str, Volume]]
    legs: NDArray[np.int8]
    mask: LabelMap | None
    scan: Scan
    flags: tuple[Flag, ...]
    leads: bool = False
    mask_files: tuple[SourceFile, ...] = ()


def read_visit(files: VisitFiles, settings: Settings) -> Visit:
    """Return a visit, measured in every voxel.

    Raises
    ------
    ImageError
        The files cannot be read, do not show what was asked for, or the mask does not fit.
    """
    scan = read_scan(files.place, patterns=settings.patterns)
    wants_t1 = settings.sequence == "t1" or (settings.sequence is None and not _has_dixon(scan))
    visit = _measure_t1(files, scan) if wants_t1 else _measure_dixon(files, scan)
    mask = _read_mask(files, settings, visit.fraction.values.grid)
    if mask is None:
        return visit
    flags = (*visit.flags, *check_labels(mask, visit.shape))
    found = replace(visit, mask=mask, flags=flags, leads=files.mask is not None, mask_files=tuple(_list_masks(files)))
    return refine(found, mask)


def _list_masks(files: VisitFiles) -> Iterator[SourceFile]:
    if files.corrected:
        yield SourceFile(path=f"mask, {files.corrected.source}", sha256=hash_file(files.corrected.path))


def _read_mask(files: VisitFiles, settings: Settings, grid: Grid) -> LabelMap | None:
    """Return what a reader has corrected, else what a reader drew."""
    if files.corrected:
        return read_labels(files.corrected.path, grid, names=files.corrected.names, source=files.corrected.source)
    return read_labels(files.mask, grid, names=settings.names) if files.mask else None


def refine(visit: Visit, labels: LabelMap) -> Visit:
    """Return a visit whose estimate from T1 starts from the muscles as they are known now; Dixon needs none."""
    if visit.sequence != T1_ESTIMATE:
        return visit
    return replace(visit, fraction=compute_t1_estimate(visit.shape, visit.legs, labels))


def compute_percent(visit: Visit) -> Volume:
    """Return the fat fraction as it is shown: in per cent, 0 where there is no leg or none is known."""
    known = visit.fraction.valid & (visit.legs > 0)
    fraction = visit.fraction.values
    return fraction.with_values(np.where(known, 100.0 * fraction.values, 0.0).astype(np.float32))


def find_labels(visit: Visit, settings: Settings) -> tuple[LabelMap, tuple[Flag, ...]]:
    """Return the regions of a visit in the order of trust: a reader's, a network's, the muscle compartment.

    Raises
    ------
    ImageError
        The network is not installed, or no leg could be outlined.
    """
    if visit.mask is not None:
        return visit.mask, ()
    if settings.segmenter is not None:
        return find_segmenter(settings.segmenter).segment(visit.shape), ()
    found = compute_compartment(visit.fraction.values, visit.fraction.total, visit.legs)
    if not found.labels.regions:
        refused = [flag for flag in visit.flags if flag.severity is Severity.REFUSED]
        raise ImageError(*([_refused(flag) for flag in refused] or [_no_region(visit.name)]))
    return found.labels, found.flags


def _has_dixon(scan: Scan) -> bool:
    pairs = ((Kind.FAT, Kind.WATER), (Kind.IN_PHASE, Kind.OPPOSED_PHASE))
    return any(all(scan.first([kind]) for kind in pair) for pair in pairs)


def _measure_dixon(files: VisitFiles, scan: Scan) -> Visit:
    fat, water = scan.first([Kind.FAT]), scan.first([Kind.WATER])
    if fat and water:
        fraction = compute_fat_fraction(fat.volume, water.volume)
        return _finish(files, scan, fraction, (fat, water))
    echoes = scan.first([Kind.IN_PHASE]), scan.first([Kind.OPPOSED_PHASE])
    if echoes[0] and echoes[1]:
        fraction = compute_fat_fraction_two_point(echoes[0].volume, echoes[1].volume)
        return _finish(files, scan, fraction, (echoes[0], echoes[1]))
    raise ImageError(_not_there(files, scan, "a fat and a water image (Dixon)"))


def _finish(files: VisitFiles, scan: Scan, found: FatFraction, pair: tuple[Series, Series]) -> Visit:
    legs = compute_legs(found.total)
    rings = check_swap(found, legs)
    corrected = compute_t1_corrected(derive_unswapped(found, legs, rings), pair[0].acquisition)
    return Visit(
        name=files.visit,
        month=files.month,
        series=pair[0],
        sequence=DIXON,
        fraction=corrected,
        shape=found.total,
        images=tuple((each.kind.replace("_", " "), each.volume) for each in pair),
        legs=legs,
        mask=None,
        scan=scan,
        flags=(*scan.flags, *corrected.flags, *check_legs(legs, found.total)),
    )


def _measure_t1(files: VisitFiles, scan: Scan) -> Visit:
    """Estimate from T1: at first from what lies deep in the leg, until the muscles are known."""
    t1 = scan.first([Kind.T1])
    if t1 is None:
        raise ImageError(_not_there(files, scan, "a T1-weighted image"))
    legs = compute_legs(t1.volume)
    fraction = compute_t1_estimate(t1.volume, legs, _compute_deep(t1.volume, legs))
    return Visit(
        name=files.visit,
        month=files.month,
        series=t1,
        sequence=T1_ESTIMATE,
        fraction=fraction,
        shape=t1.volume,
        images=(("T1-weighted", t1.volume),),
        legs=legs,
        mask=None,
        scan=scan,
        flags=(*scan.flags, *fraction.flags, *check_legs(legs, t1.volume)),
    )


def _compute_deep(image: Volume, legs: NDArray[np.int8]) -> LabelMap:
    """What lies so deep in a leg that most of it is muscle."""
    deep = compute_depth_mm(legs > 0, image.grid.spacing_mm[1:]) > _DEEP_MM
    regions = {LEG[side]: Region(name="thigh", side=side) for side in Side}
    return LabelMap(values=np.where(deep, legs, 0).astype(np.int16), grid=image.grid, regions=regions, source="depth")


def _not_there(files: VisitFiles, scan: Scan, wanted: str) -> Problem:
    held = ", ".join(f"{each.kind.replace('_', ' ')} ({each.reason})" for each in scan.series)
    return Problem(
        file=str(files.paths[0]),
        found=f"no {wanted.removeprefix('a ')}; the scan holds {held or 'nothing that is known'}",
        expected=wanted,
        next_step="Name the files with series: patterns, or set sequence: to what was scanned.",
    )


def _refused(flag: Flag) -> Problem:
    return Problem(
        found=f"nothing that may be measured: {flag.detail}",
        expected="fat under the skin in the fat image and muscle in the water image",
        next_step="Look at both images, and mend them or name them by series.",
    )


def _no_region(visit: str) -> Problem:
    return Problem(
        found=f"no muscle compartment at {visit}",
        expected="a mask, or thighs in which fat under the skin and muscle can be told apart",
        next_step="Draw a mask of this visit, or name a segmenter.",
    )
