"""The sentences of the methods on stained biopsies: colours, thresholds, what shares are of, cells, runs, readers."""

from __future__ import annotations

from collections.abc import Iterator

from rarefactor.report._bibliography import cite
from rarefactor.report._cells import joined
from rarefactor.report._source import Source
from rarefactor.report._words import Words
from rarefactor.report.tree import Inline, Runs
from rarefactor.spec import Biopsy

_WORDS = Words("pathology_methods")


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
    return _WORDS.runs(
        "colours",
        deconvolution=cite("ruifrok2001"),
        qupath=cite("bankhead2017"),
        thresholds=_thresholds(biopsy),
        share=_share(biopsy),
        hscore=cite("mccarty1985"),
    )


def _thresholds(biopsy: Biopsy) -> list[Inline | str]:
    each = {name: f"{stain.threshold:g}" for name, stain in biopsy.stains.items()}
    if len(set(each.values())) == 1:
        return [next(iter(each.values()))]
    return joined([[_WORDS.text("threshold_of_stain", threshold=shown, stain=name)] for name, shown in each.items()])


def _share(biopsy: Biopsy) -> Runs:
    dense = [[name] for name, stain in biopsy.stains.items() if stain.denominator == "dense"]
    if len(dense) == len(biopsy.stains):
        return _WORDS.runs("share_of_dense")
    return _WORDS.runs("share_of_some_dense", stains=joined(dense)) if dense else _WORDS.runs("share_of_section")


def _cells(biopsy: Biopsy) -> Iterator[Runs]:
    counted = {name: stain.compartment for name, stain in biopsy.stains.items() if stain.measure == "cells"}
    if not counted:
        return
    stains = joined([[name] for name in counted])
    place = _places({name: _WORDS.text(f"place_{compartment}") for name, compartment in counted.items()})
    if biopsy.detector:
        yield _WORDS.runs("nuclei_by_detector", stains=stains, place=place, detector=biopsy.detector)
    else:
        yield _WORDS.runs("nuclei_by_blobs", stains=stains, place=place)


def _places(each: dict[str, str]) -> list[Inline | str]:
    """Say where a cell is measured: once where it is the same in each stain."""
    if len(set(each.values())) == 1:
        return [next(iter(each.values()))]
    return joined([[_WORDS.text("stain_at_place", place=place, stain=name)] for name, place in each.items()])


def _staining_runs(biopsy: Biopsy) -> Runs:
    return _WORDS.runs(f"runs_{biopsy.runs}", kruskal=cite("kruskal1952"))


def _readers() -> Runs:
    return _WORDS.runs("readers", correlation=cite("shrout1979"), kappa=cite("cohen1968"), limits=cite("bland1986"))
