"""Scans of the study: where they lie, what they show, and how a fat fraction becomes a factor.

Convention: paths start from the folder of the study file, layouts from ``folder``; ``{subject}`` stands for the
patient's id as the records have it, ``{visit}`` for the visit's folder, ``*`` for anything within one folder.
Percentage points are of the fat fraction.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated, Literal, Self

from pydantic import Field, model_validator

from rarefactor.spec._part import Name, Part, Texts, broken

SeriesKind = Literal["fat", "water", "in_phase", "opposed_phase", "fat_fraction", "t1", "t2", "stir"]
Layout = Annotated[str, Field(min_length=1)]


class Grades(Part):
    """Readers' grades of fatty infiltration: a table with a row per patient, visit, muscle, side and reader.

    Without ``file`` the grades that readers give on the page of scans are all there are. ``first`` is the grade that
    means a normal muscle: 0 or 1.
    """

    file: str | None = None
    scale: Literal["mercuri", "goutallier", "lamminen", "fischer"]
    first: Literal[0, 1] = 0


class Thigh(Part):
    """MRI of the thighs: one scan per patient and visit.

    Attributes
    ----------
    folder, layout
        Where the scan of a patient and visit lies: a folder, or files. Without a folder only grades are read.
    visits
        How a visit's folder is called, where it does not have the visit's name.
    sequence
        ``dixon`` measures fat fraction from fat and water; ``t1`` estimates it from T1-weighted images.
    series
        A file name pattern for a kind of series, where it cannot be told from the files.
    masks, labels
        A reader's label maps, and the table that names their labels; a baseline mask is carried to later visits.
    segmenter
        A network that the user has installed, asked where no reader's mask is.
    estimator
        The mean over voxels, or the ratio of the sums of fat and of fat and water.
    repeatability
        SD of one measurement repeated, in percentage points; else that of published scan-rescan data.
    allow
        Changes of the protocol between two visits that are not to refuse a rate, with ``reason``.
    grades
        What readers graded by eye: columns such as ``grade`` and ``hamstrings.grade``.
    """

    folder: str | None = None
    layout: Layout = "{subject}/{visit}"
    visits: Mapping[Name, str] = {}
    sequence: Literal["dixon", "t1"] = "dixon"
    series: Mapping[SeriesKind, str] = {}
    masks: Layout | None = None
    labels: str | None = None
    segmenter: str | None = None
    estimator: Literal["voxel_mean", "ratio_of_sums"] = "voxel_mean"
    repeatability: float | None = Field(default=None, gt=0, lt=50)
    allow: Texts = ()
    reason: str | None = None
    grades: Grades | None = None

    @model_validator(mode="after")
    def _consistent(self) -> Self:
        if self.folder is None and self.grades is None:
            raise broken(
                "folder", "neither scans nor grades", "folder: with scans, or grades: of a reader", "Name one of them."
            )
        for key in ("layout", "masks"):
            layout = getattr(self, key)
            if layout is not None and "{subject}" not in layout:
                raise broken(
                    key, "a layout without {subject}", "where a patient's id stands", "Write {subject}/{visit}."
                )
        unknown = [change for change in self.allow if change not in ALLOWABLE]
        if unknown:
            raise broken("allow", unknown[0], " or ".join(ALLOWABLE), "Name the change that the rate is to bear.")
        if self.allow and not self.reason:
            raise broken(
                "allow",
                "a change of the protocol allowed without a reason",
                "a reason beside it",
                "Add reason: and say why the fat fractions can still be compared.",
            )
        return self


ALLOWABLE = ("sequence", "repetition_ms", "flip_degrees", "shift")
