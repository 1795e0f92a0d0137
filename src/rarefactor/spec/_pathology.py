"""Slides of the study: where they lie, what they are stained for, and how a stain becomes a factor.

Convention: paths start from the folder of the study file, layouts from ``folder``; ``{subject}`` stands for the
patient's id as the records have it, ``{stain}`` for a name of ``stains``, ``{visit}`` for a visit, ``*`` for anything
within one name. A threshold is an optical density of DAB.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated, Any, Literal, Self

from pydantic import BeforeValidator, Field, model_validator

from rarefactor.spec._part import Name, Part, broken

StainName = Annotated[str, Field(pattern=r"^[A-Za-z][A-Za-z0-9_-]*$")]


class Staining(Part):
    """How a stain is read.

    ``cells`` counts nuclei too, and reads the stain in their ``compartment``; ``threshold`` is the density of DAB from
    which a pixel or cell is positive; ``denominator`` what shares are of: the whole section, or dense pixels. ``scale``
    is the one on which readers score the stain before a screen; a table of scores says its own.
    """

    measure: Literal["area", "cells"] = "area"
    threshold: float = Field(default=0.2, ge=0.1, le=1.5)
    compartment: Literal["nucleus", "ring", "max"] = "max"
    denominator: Literal["section", "dense"] = "section"
    scale: Literal["0-3", "percent", "H-score"] | None = None


def _as_stains(value: Any) -> Any:
    """``CD20: cells`` is short for ``CD20: {measure: cells}``."""
    if not isinstance(value, Mapping):
        return value
    return {name: {"measure": item} if isinstance(item, str) else item for name, item in value.items()}


class Biopsy(Part):
    """Stained sections: one or more slides per patient, visit and stain.

    Attributes
    ----------
    folder, layout
        Where the slide of a patient and stain lies. Without a folder only scores are read.
    stains
        What is measured of each stain, under the name that stands in the layout.
    visit
        The visit of slides whose layout has no ``{visit}``.
    regions
        The layout of GeoJSON files with the regions to measure; else all tissue.
    manifest
        The table of staining runs (slide, run, date, antibody, dilution, control).
    runs
        Whether values adjusted for the staining run stand beside the measured ones: by the control tissue of each run,
        or by the median of its slides.
    scores
        The table of readers' scores (patient, stain, reader, scale, score; slide and visit where there are several).
    detector
        Who finds nuclei: a plug-in, or ``instanseg:``, ``stardist:`` or ``cellpose:`` with the path of the weights.
    um_per_px
        Micrometres per pixel of every slide, where the files do not say it.
    """

    folder: str | None = None
    layout: Annotated[str, Field(min_length=1)] = "{subject}_{stain}.tif"
    stains: Annotated[Mapping[StainName, Staining], BeforeValidator(_as_stains), Field(min_length=1)]
    visit: Name = "baseline"
    regions: Annotated[str, Field(min_length=1)] | None = None
    manifest: str | None = None
    runs: Literal["none", "controls", "medians"] = "none"
    scores: str | None = None
    detector: Annotated[str, Field(min_length=1)] | None = None
    um_per_px: float | None = Field(default=None, gt=0.05, lt=20)

    @model_validator(mode="after")
    def _consistent(self) -> Self:
        if self.folder is None and self.scores is None:
            raise broken("folder", "neither slides nor scores", "folder: with slides, or scores:", "Name one of them.")
        if self.runs != "none" and self.manifest is None:
            raise broken(
                "runs",
                f"runs: {self.runs} without a manifest",
                "the manifest that says which slide was stained in which run",
                "Add manifest:, or leave runs: out.",
            )
        if self.detector and all(stain.measure == "area" for stain in self.stains.values()):
            raise broken(
                "detector",
                "a detector of nuclei where no stain has its cells counted",
                "measure: cells for a stain",
                "Leave detector: out, or count cells.",
            )
        for key, layout, words in (
            ("layout", self.layout, ("{subject}", "{stain}")),
            ("regions", self.regions, ("{subject}",)),
        ):
            missing = [word for word in words if layout is not None and word not in layout]
            if missing:
                raise broken(
                    key,
                    f"a layout without {missing[0]}",
                    "where patient and stain stand",
                    "Write {subject}_{stain}.tif.",
                )
        return self
