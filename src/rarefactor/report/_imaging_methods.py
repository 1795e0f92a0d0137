"""The sentences of the methods on thigh MRI: what was measured in it and how."""

from __future__ import annotations

from collections.abc import Iterator

from rarefactor.report._bibliography import cite
from rarefactor.report._source import Source
from rarefactor.report._words import Words, sentences
from rarefactor.report.tree import Runs
from rarefactor.spec import Thigh, upper_first

_WORDS = Words("imaging_methods")


def describe_imaging(source: Source) -> Iterator[Runs]:
    """Yield how fat fractions and their rates were measured, nothing where the study has no scans."""
    for thigh in source.study.imaging.values():
        if thigh.grades:
            yield _WORDS.runs("grades", scale=upper_first(thigh.grades.scale), first=str(thigh.grades.first))
        if thigh.folder is None:
            continue
        yield _fraction(thigh)
        yield _regions(thigh)
        if any(factor.rate_between or factor.change_between for factor in source.study.factors.values()):
            yield _rate(thigh)


def _fraction(thigh: Thigh) -> Runs:
    if thigh.sequence == "t1":
        return _WORDS.runs("fat_from_t1", bias=cite("tustison2010"))
    return _WORDS.runs(f"fraction_{thigh.estimator}", dixon=cite("dixon1984"), correction=cite("liu2007"))


def _regions(thigh: Thigh) -> Runs:
    if thigh.masks:
        return _WORDS.runs("regions_drawn")
    if thigh.segmenter:
        return _WORDS.runs("regions_outlined", network=thigh.segmenter)
    return _WORDS.runs("regions_found")


def _rate(thigh: Thigh) -> Runs:
    given = thigh.repeatability
    changes = _WORDS.text("between_changes").join(_WORDS.text(f"change_{change}") for change in thigh.allow)
    return sentences(
        _WORDS.runs("registration", demons=cite("vercauteren2009"), software=cite("lowekamp2013")),
        _WORDS.runs("error_published", rescan=cite("grimm2018"))
        if given is None
        else _WORDS.runs("error_given", deviation=f"{given:g}"),
        _WORDS.runs("no_rate"),
        _WORDS.runs("allowed", changes=changes, reason=(thigh.reason or "").rstrip(".")) if changes else (),
    )
