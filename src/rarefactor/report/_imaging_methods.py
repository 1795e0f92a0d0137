"""The sentences of the methods on thigh MRI: what was measured in it and how."""

from __future__ import annotations

from collections.abc import Iterator

from rarefactor.report._bibliography import cite
from rarefactor.report._cells import runs
from rarefactor.report._source import Source
from rarefactor.report.tree import Runs
from rarefactor.spec import Thigh

_CHANGES = {
    "sequence": "another sequence",
    "repetition_ms": "another repetition time",
    "flip_degrees": "another flip angle",
    "shift": "a shift of more than a slice",
}


def describe_imaging(source: Source) -> Iterator[Runs]:
    """Yield how fat fractions and their rates were measured, nothing where the study has no scans."""
    for thigh in source.study.imaging.values():
        if thigh.grades:
            scale = thigh.grades.scale.capitalize()
            yield runs(f"Readers graded fatty infiltration by {scale}’s scale, from {thigh.grades.first}.")
        if thigh.folder is None:
            continue
        yield _fraction(thigh)
        yield _regions(thigh)
        if any(factor.rate_between or factor.change_between for factor in source.study.factors.values()):
            yield _rate(thigh)


def _fraction(thigh: Thigh) -> Runs:
    if thigh.sequence == "t1":
        return runs(
            "The fat fraction of the thigh muscles was estimated from T1-weighted images: after correction of the "
            "coil’s bias (N4) ",
            cite("tustison2010"),
            ", signal was taken as linear in fat between muscle with little fat and fat under the skin. It is an "
            "estimate, not a measurement.",
        )
    mean = {
        "voxel_mean": "the mean over the voxels of F/(F + W)",
        "ratio_of_sums": "the sum of fat over the sum of fat and water",
    }[thigh.estimator]
    return runs(
        "Fat fraction was measured in Dixon images ",
        cite("dixon1984"),
        f" as {mean} of each region, without voxels below the noise, and corrected for T1 where the header tells "
        "repetition time, flip angle and field strength ",
        cite("liu2007"),
        ". Slices in which the fat under the skin reads as water were left out.",
    )


def _regions(thigh: Thigh) -> Runs:
    ways = (
        "drawn by a reader; where a visit has none, those of another visit were carried to it by registration"
        if thigh.masks
        else f"outlined by the network {thigh.segmenter}, without a reader"
        if thigh.segmenter
        else "the muscle compartment inside the fascia lata without the femur, found without a reader; it holds the "
        "fat between the muscles too"
    )
    return runs(f"Regions were {ways}. Compartments and the thigh are weighted by volume.")


def _rate(thigh: Thigh) -> Runs:
    given = thigh.repeatability
    error = (
        (f"a standard deviation of {given:g} points of one measurement, given for this study",)
        if given is not None
        else ("published scan and rescan of the thigh ", cite("grimm2018"))
    )
    borne = " and ".join(_CHANGES[change] for change in thigh.allow)
    allowed = f" The study bears {borne}: {(thigh.reason or '').rstrip('.')}." if borne else ""
    return runs(
        "For a rate, the scans were registered leg by leg (rigid, then demons ",
        cite("vercauteren2009"),
        ", with SimpleITK ",
        cite("lowekamp2013"),
        "), both were measured in their own voxels within their common field of view, and the change in percentage "
        "points was divided by the months between them. Its error follows from ",
        *error,
        f" and the noise of both scans. Another sequence, repetition time or flip angle, or a shift along the leg of "
        f"more than a slice, leaves no rate.{allowed}",
    )
