"""The sentences of the methods on stained biopsies: colours, thresholds, what shares are of, cells, runs, readers."""

from __future__ import annotations

from collections.abc import Iterator

from rarefactor.report._bibliography import cite
from rarefactor.report._cells import joined, runs
from rarefactor.report._source import Source
from rarefactor.report.tree import Inline, Runs
from rarefactor.spec import Biopsy

_COMPARTMENTS = {
    "nucleus": "in the nucleus",
    "ring": "in a ring around the nucleus",
    "max": "in the nucleus or a ring around it, whichever is more",
}


def describe_pathology(source: Source) -> Iterator[Runs]:
    """Yield how stained sections were measured, nothing where the study has none."""
    for biopsy in source.study.pathology.values():
        if biopsy.folder is not None:
            yield _colours(biopsy)
            yield from _cells(biopsy)
        if biopsy.manifest is not None:
            yield _staining_runs(biopsy)
        if biopsy.scores is not None:
            yield _readers()


def _colours(biopsy: Biopsy) -> Runs:
    """Say from what density on a pixel is positive, and what its share is of."""
    thresholds = {stain.threshold for stain in biopsy.stains.values()}
    each = [[f"{stain.threshold:g} ({name})"] for name, stain in biopsy.stains.items()]
    told: list[Inline | str] = [f"{thresholds.copy().pop():g}"] if len(thresholds) == 1 else joined(each)
    dense = [[name] for name, stain in biopsy.stains.items() if stain.denominator == "dense"]
    share: list[Inline | str] = ["The positive area is the share of the section"]
    if len(dense) == len(biopsy.stains):
        share = ["The positive area is the share of pixels that are dense with either stain"]
    elif dense:
        share += [" (of ", *joined(dense), ", of pixels that are dense with either stain)"]
    return runs(
        "Hematoxylin and diaminobenzidine (DAB) were told apart by colour deconvolution ",
        cite("ruifrok2001"),
        " with the stain vectors “H-DAB default” of QuPath ",
        cite("bankhead2017"),
        ", on optical densities over the white of the slide’s own glass where it shows any. A pixel is positive from "
        "an optical density of DAB of ",
        *told,
        " on. ",
        *share,
        "; glass, pen marks, folds and what is out of focus were left out. The H-score is the sum over weak, moderate "
        "and strong staining of percentage times 1, 2 and 3 ",
        cite("mccarty1985"),
        ". A biopsy is the combination of its slides and regions, weighted by their area.",
    )


def _cells(biopsy: Biopsy) -> Iterator[Runs]:
    counted = {name: stain for name, stain in biopsy.stains.items() if stain.measure == "cells"}
    if not counted:
        return
    finder = (
        f"by {biopsy.detector}"
        if biopsy.detector
        else "as blobs of the Laplacian of Gaussian at 0.5 µm per pixel, parted by a watershed"
    )
    where = {stain.compartment for stain in counted.values()}
    named = [[f"{_COMPARTMENTS[stain.compartment]} ({name})"] for name, stain in counted.items()]
    place: list[Inline | str] = [_COMPARTMENTS[where.pop()]] if len(where) == 1 else joined(named)
    yield runs(
        "On sections stained for ",
        *joined([[name] for name in counted]),
        f", nuclei were found {finder}; a cell is positive by its mean density of DAB ",
        *place,
        ". Cells are counted per mm² of tissue in focus.",
    )


def _staining_runs(biopsy: Biopsy) -> Runs:
    adjusted = {
        "none": "values are not adjusted for runs",
        "controls": "values adjusted by the control tissue of each run stand beside the measured ones",
        "medians": "values adjusted by the median of each run stand beside the measured ones",
    }[biopsy.runs]
    return runs(
        "Whether positive area differs between staining runs was tested by the Kruskal–Wallis test ",
        cite("kruskal1952"),
        f"; {adjusted}. Control tissue is in no patient’s value and not in that test.",
    )


def _readers() -> Runs:
    return runs(
        "Readers’ scores were compared by intraclass correlation ",
        cite("shrout1979"),
        ", grades also by quadratically weighted kappa ",
        cite("cohen1968"),
        ", and percentages and H-scores by limits of agreement ",
        cite("bland1986"),
        "; a patient’s score is the median of readers’ grades, or the mean of their percentages, over the slides.",
    )
