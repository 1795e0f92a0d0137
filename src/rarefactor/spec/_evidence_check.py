"""Whether published evidence speaks of the factors of the study, in their steps, and of each once."""

from __future__ import annotations

from collections.abc import Iterator

from rarefactor.errors import Problem, suggest
from rarefactor.spec._evidence import Evidence
from rarefactor.spec._model import Study
from rarefactor.spec._origin import Key


def check_evidence(study: Study) -> Iterator[Problem]:
    """Yield everything in the published evidence that contradicts the study or itself."""
    for place, evidence in enumerate(study.evidence):
        key: Key = ("evidence", place)
        if evidence.factor is not None and evidence.factor not in study.factors:
            yield study.problem(
                *key,
                "factor",
                found=f"the factor {evidence.factor}, which is not known",
                expected="a factor of factors",
                next_step=suggest(evidence.factor, tuple(study.factors)),
            )
            continue
        yield from _step(study, key, evidence)
        if any(_name(other) == _name(evidence) for other in study.evidence[:place]):
            yield study.problem(
                *key,
                "source",
                found=f"{evidence.source} twice for {evidence.factor or 'the outcome'}",
                expected="each published estimate once",
                next_step="Remove one, or say in source how the two differ.",
            )


def _name(evidence: Evidence) -> tuple[str | None, str | None, str]:
    return evidence.factor, evidence.level, " ".join(evidence.source.casefold().split())


def _step(study: Study, key: Key, evidence: Evidence) -> Iterator[Problem]:
    """Refuse to compare odds ratios that are for different steps of a factor."""
    if evidence.factor is None:
        return
    ours = study.factors[evidence.factor].per or (2.0 if study.factors[evidence.factor].transform else 1.0)
    if evidence.comparable and evidence.per is not None and evidence.per != ours:
        yield study.problem(
            *key,
            "per",
            found=f"an odds ratio per {evidence.per:g}, said to be comparable with ours per {ours:g}",
            expected="the same step",
            next_step=f"Write per: {evidence.per:g} at factors.{evidence.factor}, or comparable: no.",
        )
