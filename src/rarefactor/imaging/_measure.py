"""One row per region and side: what a visit's scan says about the fat in it.

Convention: a fat fraction is 0 to 1. A site of several muscles (compartment, hamstrings, thigh) and both sides together
are measured over all their voxels, which weights each muscle by its volume. The volume is that of all voxels of the
region, gaps between slices counted as if they were filled. A row says by which estimator, sequence and mask its number
came about, and from which files.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from rarefactor.imaging._fat_fraction import Estimator, FatFraction, RegionFat, compute_region_fat
from rarefactor.imaging._regions import SITES, LabelMap, Side
from rarefactor.imaging._scan import SourceFile
from rarefactor.results import Flag, Severity

_FEW_VOXELS = 100
_MANY_LEFT_OUT = 0.2


@dataclass(frozen=True, slots=True, kw_only=True)
class Measurement:
    """The fat in one region at one visit.

    Attributes
    ----------
    visit, site : str
        The visit; a muscle's code, a compartment, "hamstrings" or "thigh".
    side : Side or None
        None for both sides together.
    fat_fraction, sd, noise_se : float or None
        Mean, 0 to 1; its spread between voxels; its standard error by the noise of the images alone.
    voxels, left_out : int
        Voxels measured, and voxels of the region that were below the noise or refused.
    volume_ml : float
        Of all voxels of the region.
    estimator, sequence, mask_source : str
        How voxels became one number; "dixon" or "t1_estimate"; who drew the region.
    oedema : float or None
        Signal on STIR or T2 relative to the reference, where it was measured.
    """

    visit: str
    site: str
    side: Side | None
    fat_fraction: float | None
    sd: float | None
    noise_se: float | None
    voxels: int
    left_out: int
    volume_ml: float
    estimator: str
    sequence: str
    mask_source: str
    flags: tuple[Flag, ...] = ()
    sources: tuple[SourceFile, ...] = ()
    oedema: float | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Origin:
    """What all rows of a visit share: visit, sequence, files, flags of the scan."""

    visit: str
    sequence: str = "dixon"
    sources: tuple[SourceFile, ...] = ()
    flags: tuple[Flag, ...] = field(default=())


def measure_regions(
    fraction: FatFraction,
    labels: LabelMap,
    origin: Origin,
    *,
    estimator: Estimator = Estimator.VOXEL_MEAN,
    view: NDArray[np.bool_] | None = None,
    oedema: NDArray[np.float32] | None = None,
) -> tuple[Measurement, ...]:
    """Return a row per muscle, compartment and thigh: right, left and both sides.

    Parameters
    ----------
    fraction
        Fat fraction of each voxel.
    labels
        Regions on the same grid. A region that is listed but has no voxel gets a row that says so.
    origin
        Visit, sequence, files, and flags that go into every row.
    estimator
        How the voxels of a region become one number.
    view
        Voxels that count, in the grid's shape: the common field of view of two visits. All where not given.
    oedema
        Relative signal on STIR or T2, in the grid's shape; its mean goes into each row.

    Examples
    --------
    >>> from rarefactor.imaging._regions import Region
    >>> from rarefactor.imaging._volume import Grid, Volume
    >>> grid = Grid(shape=(1, 1, 4), spacing_mm=(10.0, 10.0, 10.0))
    >>> line = lambda *values: Volume(values=np.array([[values]], np.float32), grid=grid)
    >>> fraction = FatFraction(values=line(0.1, 0.3, 0.5, 0), total=line(9, 9, 9, 9), valid=line(1, 1, 1, 0).values > 0,
    ...                        noise_sd=0.1)
    >>> labels = LabelMap(values=np.array([[[1, 1, 2, 2]]], np.int16), grid=grid, source="reader",
    ...                   regions={1: Region(name="GR", side=Side.RIGHT), 2: Region(name="GR", side=Side.LEFT)})
    >>> for row in measure_regions(fraction, labels, Origin(visit="baseline")):
    ...     if row.site in ("GR", "thigh"):
    ...         print(row.site, row.side, round(row.fat_fraction, 3), row.voxels, row.left_out, row.volume_ml)
    thigh right 0.2 2 0 2.0
    thigh left 0.5 1 1 2.0
    thigh None 0.3 3 1 4.0
    GR right 0.2 2 0 2.0
    GR left 0.5 1 1 2.0
    GR None 0.3 3 1 4.0
    """
    seen = labels.values if view is None else np.where(view, labels.values, np.int16(0))
    counts = np.bincount(seen.ravel(), minlength=max(labels.regions, default=0) + 1)
    rows: list[Measurement] = []
    for site, side, members in _list_sites(labels):
        found = compute_region_fat(fraction, np.isin(seen, members), estimator=estimator)
        flags = (*origin.flags, *_flag_region(found, members, counts, site))
        rows.append(
            Measurement(
                visit=origin.visit,
                site=site,
                side=side,
                fat_fraction=found.fat_fraction,
                sd=found.sd,
                noise_se=found.noise_se,
                voxels=found.voxels,
                left_out=found.left_out,
                volume_ml=float(counts[members].sum()) * labels.grid.voxel_ml,
                estimator=estimator.value,
                sequence=origin.sequence,
                mask_source=labels.source,
                flags=flags,
                sources=origin.sources,
                oedema=_compute_mean(oedema, np.isin(seen, members)),
            )
        )
    return tuple(rows)


def _list_sites(labels: LabelMap) -> Iterator[tuple[str, Side | None, list[int]]]:
    """Every site and side that the label map has regions for, with their labels."""
    others = tuple({region.name: (region.name,) for region in labels.regions.values() if region.name not in SITES})
    names = {region.name for region in labels.regions.values()}
    sites = {**SITES, **{name: (name,) for name in others}, "thigh": tuple(names)}
    for site, parts in sites.items():
        wanted = {site, *parts}
        for side in (*Side, None):
            members = [
                label
                for label, region in labels.regions.items()
                if region.name in wanted and (side is None or region.side == side)
            ]
            if members:
                yield site, side, members


def _flag_region(found: RegionFat, members: list[int], counts: NDArray[np.intp], site: str) -> tuple[Flag, ...]:
    empty = [label for label in members if not counts[label]]
    flags: list[Flag] = []
    if not found.voxels:
        flags.append(_make_flag("empty_mask", Severity.REFUSED, f"{site}: the mask has no voxel that can be measured."))
    elif empty:
        flags.append(_make_flag("incomplete", Severity.WARNING, f"{site}: {len(empty)} of {len(members)} masks empty."))
    if 0 < found.voxels < _FEW_VOXELS:
        flags.append(_make_flag("few_voxels", Severity.WARNING, f"{site}: {found.voxels} voxels only."))
    if found.voxels and found.left_out > _MANY_LEFT_OUT * (found.voxels + found.left_out):
        share = 100 * found.left_out / (found.voxels + found.left_out)
        flags.append(_make_flag("many_left_out", Severity.WARNING, f"{site}: {share:.0f}% of the voxels left out."))
    return tuple(flags)


def _make_flag(name: str, severity: Severity, detail: str) -> Flag:
    return Flag(name=name, severity=severity, detail=detail)


def _compute_mean(values: NDArray[np.float32] | None, region: NDArray[np.bool_]) -> float | None:
    """Mean of the finite values, None without one."""
    if values is None:
        return None
    inside = values[region]
    known = inside[np.isfinite(inside)]
    return float(known.mean()) if len(known) else None
