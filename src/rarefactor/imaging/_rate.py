"""From two visits to a rate, with the error of measurement that it carries.

Convention: fat fractions are 0 to 1, changes percentage points, rates percentage points per month, negative where fat
became less. The SD of one measurement repeated is absolute + relative parts added in squares; the noise of the voxels
of both scans is added to it.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

from rarefactor.errors import InputError, Problem
from rarefactor.imaging._drift import Drift
from rarefactor.imaging._measure import Measurement
from rarefactor.imaging._propagate import PROPAGATED
from rarefactor.imaging._regions import CORRECTED, READER, Side
from rarefactor.results import Flag, Severity

_FAST_PER_YEAR = 5.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Repeatability:
    """SD of a fat fraction measured again: ``absolute`` (0 to 1), ``relative`` to the fat fraction, and whence known.

    Examples
    --------
    >>> round(PUBLISHED.compute_sd(0.30), 4)
    0.0075
    """

    absolute: float
    relative: float
    source: str

    def compute_sd(self, fat_fraction: float) -> float:
        """Return the SD of one measurement, 0 to 1."""
        return math.hypot(self.absolute, self.relative * fat_fraction)


PUBLISHED = Repeatability(
    absolute=0.004,
    relative=0.021,
    source="scan and rescan of thigh muscle, coefficient of variation 2.1% of the fat fraction (Grimm et al. 2018), "
    "and 0.4 points for outlines carried from baseline (simulated follow-ups with known truth)",
)
"""The default, where a study has no scan and rescan of its own.

References
----------
Grimm A, Meyer H, Nickel MD, et al. Repeatability of Dixon magnetic resonance imaging and magnetic resonance
spectroscopy for quantitative muscle fat assessments in the thigh. J Cachexia Sarcopenia Muscle 2018;9:1093-1100.
Root mean square coefficients of variation of the fat fraction in consecutive examinations: 1.6 % and 2.1 %.
"""


@dataclass(frozen=True, slots=True, kw_only=True)
class Rate:
    """The change of one region between two visits; numbers are None where ``flags`` refuse them.

    Attributes
    ----------
    visits : tuple of str
        Baseline and follow-up.
    months : float or None
        Between them; None where it is not known and only the change is told.
    change : float or None
        Percentage points.
    rate_per_month, se, detectable : float or None
        Percentage points per month: the rate, its standard error by measurement alone, and the smallest rate that is
        not error at the level asked for (minimal detectable change).
    beyond_error : bool or None
        Whether the rate exceeds it.
    repeatability : str
        Whence the error is known.
    """

    site: str
    side: Side | None
    visits: tuple[str, str]
    months: float | None
    change: float | None
    rate_per_month: float | None
    se: float | None
    detectable: float | None
    beyond_error: bool | None
    repeatability: str
    estimator: str
    sequence: str
    flags: tuple[Flag, ...] = ()


def compute_rate(
    baseline: Measurement,
    follow_up: Measurement,
    months: float,
    *,
    drift: Drift | None = None,
    repeatability: Repeatability = PUBLISHED,
    level: float = 0.95,
) -> Rate:
    """Return the rate of fatty infiltration of one region between two visits.

    Parameters
    ----------
    baseline, follow_up
        One site and side, both measured in the common field of view.
    months
        Between the scans, positive.
    drift
        What changed in the protocol; a refused one leaves no rate.
    repeatability
        Error of one measurement; from published data where the study has none of its own.
    level
        Of the minimal detectable change.

    Raises
    ------
    InputError
        Two different regions, or no time between the scans.

    References
    ----------
    Bland JM, Altman DG. Measurement error. BMJ 1996;313:744.
    Morrow JM, Sinclair CDJ, Fischmann A, et al. MRI biomarker assessment of neuromuscular disease progression: a
    prospective observational cohort study. Lancet Neurol 2016;15:65-77.

    Examples
    --------
    >>> row = lambda visit, fraction: Measurement(visit=visit, site="SM", side=None, fat_fraction=fraction, sd=0.1,
    ...     noise_se=0.0005, voxels=9000, left_out=0, volume_ml=80.0, estimator="voxel_mean", sequence="dixon",
    ...     mask_source="reader")
    >>> rate = compute_rate(row("baseline", 0.30), row("month_3", 0.36), 3.0)
    >>> round(rate.rate_per_month, 2), round(rate.se, 2), round(rate.detectable, 2), rate.beyond_error
    (2.0, 0.38, 0.74, True)
    """
    _check_pair(baseline, follow_up, months)
    refusals = _refuse(baseline, follow_up, drift)
    numbers = (None, None, None, None, None)
    before, after = baseline.fat_fraction, follow_up.fat_fraction
    if before is not None and after is not None and not any(flag.severity is Severity.REFUSED for flag in refusals):
        numbers = _compute(baseline, follow_up, months, repeatability, level)
    change, rate, se, detectable, beyond = numbers
    return Rate(
        site=baseline.site,
        side=baseline.side,
        visits=(baseline.visit, follow_up.visit),
        months=months,
        change=change,
        rate_per_month=rate,
        se=se,
        detectable=detectable,
        beyond_error=beyond,
        repeatability=repeatability.source,
        estimator=baseline.estimator,
        sequence=baseline.sequence,
        flags=(*refusals, *_note_fast(rate, beyond=beyond)),
    )


def _check_pair(baseline: Measurement, follow_up: Measurement, months: float) -> None:
    if (baseline.site, baseline.side) != (follow_up.site, follow_up.side):
        raise InputError(
            Problem(
                found="measurements of two different regions",
                expected="one site and side at two visits",
                next_step="Pair the rows by site and side.",
            )
        )
    if not months > 0:
        raise InputError(
            Problem(
                found="no time, or less than none, between the scans",
                expected="months from baseline to follow-up, positive",
                next_step="Check the dates of both scans and the order of the visits.",
            )
        )


def _compute(
    baseline: Measurement, follow_up: Measurement, months: float, repeatability: Repeatability, level: float
) -> tuple[float, float, float, float, bool]:
    """Change, rate, its standard error, the smallest detectable rate, and whether the rate is beyond it."""
    from rarefactor.stats import compute_rates  # noqa: PLC0415 - loaded late: it brings its compiled kernel

    pair = [(row.fat_fraction or 0.0, row.noise_se or 0.0) for row in (baseline, follow_up)]
    variances = [repeatability.compute_sd(fraction) ** 2 + noise**2 for fraction, noise in pair]
    points = [100.0 * fraction for fraction, _ in pair]
    sd = 100.0 * math.sqrt(sum(variances) / 2.0)  # of one of two measurements, were both alike
    found = compute_rates([points[0]], [points[1]], months, repeatability_sd=sd, level=level)
    return (
        points[1] - points[0],
        float(found.rate[0]),
        float(found.se[0]),
        float(found.detectable[0]),
        bool(found.changed[0]),
    )


def _refuse(baseline: Measurement, follow_up: Measurement, drift: Drift | None) -> tuple[Flag, ...]:
    """The flags of both rows and of the drift, and what must never be compared."""
    flags = [*baseline.flags, *(flag for flag in follow_up.flags if flag not in baseline.flags)]
    flags += () if drift is None else drift.flags
    for name, words in (("sequence", "Dixon and an estimate from T1"), ("estimator", "two estimators")):
        if getattr(baseline, name) != getattr(follow_up, name):
            detail = f"The visits were measured by {words}: their difference is no change of the muscle."
            flags.append(Flag(name=f"mixed_{name}", severity=Severity.REFUSED, detail=detail))
    if PROPAGATED not in (follow_up.mask_source, baseline.mask_source) and _differs(baseline, follow_up):
        detail = "The regions of the two visits were drawn in different ways; part of the change is the drawing."
        flags.append(Flag(name="mixed_masks", severity=Severity.WARNING, detail=detail))
    return tuple(flags)


def _differs(baseline: Measurement, follow_up: Measurement) -> bool:
    """A mask that was corrected by hand is a reader's."""
    one, other = (
        READER if each.mask_source.startswith(CORRECTED) else each.mask_source for each in (baseline, follow_up)
    )
    return one != other


def _note_fast(rate: float | None, *, beyond: bool | None) -> tuple[Flag, ...]:
    """A note where the change is faster than what was published of other diseases; nothing is changed by it."""
    if rate is None or not beyond or abs(rate) * 12.0 <= _FAST_PER_YEAR:
        return ()
    detail = (
        f"{abs(rate) * 12.0:.0f} points per year. In other diseases the thigh changed by about 3 points per year "
        "(inclusion body myositis) or by 1 to 2: look at the pictures of both visits."
    )
    return (Flag(name="faster_than_published", severity=Severity.NOTE, detail=detail),)
