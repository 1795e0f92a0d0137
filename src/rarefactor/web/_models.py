"""Changes of the models and settings of a study, from the panel beside the results.

Convention: a form is turned into changes of the study file; what is the same as before is no change. Whether a study
comes of it, the part that reads study files says.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

from rarefactor.errors import Problem, StudyFileError
from rarefactor.spec import Change, Drop, Put, Study

_COUNTS: Mapping[str, tuple[str, ...]] = {
    "resamples": ("analysis", "resamples"),
    "imputations": ("analysis", "missing", "imputations"),
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Ticked:
    """A factor as a choice for a model."""

    name: str
    label: str
    role: str
    chosen: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class ModelForm:
    """A model and the factors that it may hold."""

    name: str
    label: str
    landmark: str
    factors: tuple[Ticked, ...]


def list_models(study: Study) -> tuple[ModelForm, ...]:
    """Return the models of a study with every factor as a choice."""
    return tuple(
        ModelForm(
            name=name,
            label=model.label or name.replace("_", " "),
            landmark=study.landmark_of(model).replace("_", " "),
            factors=tuple(
                Ticked(name=each, label=factor.label, role=factor.role, chosen=each in model.factors)
                for each, factor in study.factors.items()
            ),
        )
        for name, model in study.analysis.models.items()
    )


def change_factors(study: Study, model: str, wanted: Sequence[str]) -> Sequence[Change]:
    """Return the change of a model's factors; they stay in their order, new ones come last.

    Raises
    ------
    StudyFileError
        There is no such model, or no factor is left in it.
    """
    if model not in study.analysis.models:
        raise _refuse(model, "no such model", "a model of the study", "Reload the page: it may have been removed.")
    before = study.analysis.models[model].factors
    kept = [name for name in before if name in wanted]
    after = [*kept, *(name for name in study.factors if name in wanted and name not in before)]
    if not after:
        raise _refuse(model, "a model without a factor", "at least one factor", "Tick one, or remove the model.")
    return [Put(("analysis", "models", model, "factors"), after)] if list(before) != after else []


def add_model(study: Study, label: str) -> Sequence[Change]:
    """Return the change that adds a model with the factors of the first one, or the first factor.

    Raises
    ------
    StudyFileError
        It has no label, or the label of another.
    """
    label = label.strip()
    name = "".join(letter if letter.isalnum() and letter.isascii() else "_" for letter in label.lower()).strip("_")
    if not name or not name[0].isalpha():
        raise _refuse("models", "a model without a name", "a name that starts with a letter", "Write one.")
    if name in study.analysis.models:
        raise _refuse(name, "two models of this name", "another name", "Choose another name.")
    first = next(iter(study.analysis.models.values()), None)
    factors = list(first.factors if first else tuple(study.factors)[:1])
    return [Put(("analysis", "models", name), {"label": label, "factors": factors})]


def remove_model(study: Study, model: str) -> Sequence[Change]:
    """Return the change that removes a model, nothing where it is gone."""
    return [Drop(("analysis", "models", model))] if model in study.analysis.models else []


def change_settings(study: Study, landmarks: Sequence[str], counts: Mapping[str, str]) -> Sequence[Change]:
    """Return the changes of landmarks and of how often is resampled and imputed; an empty count is none.

    Raises
    ------
    StudyFileError
        A number is none, or no landmark is left.
    """
    return [*_landmarks(study, landmarks), *_counts(study, counts)]


def change_role(study: Study, factor: str, role: str) -> Sequence[Change]:
    """Return the change of a factor's role."""
    known = study.factors.get(factor)
    return [Put(("factors", factor, "role"), role)] if known is not None and known.role != role else []


def _landmarks(study: Study, wanted: Sequence[str]) -> Iterator[Change]:
    after = [name for name in study.cohort.visits if name in wanted]
    if not after:
        raise _refuse("landmarks", "no landmark", "at least one visit", "Tick the visit from which patients are seen.")
    if list(study.analysis.landmarks) != after:
        yield Put(("analysis", "landmarks"), after)


def _counts(study: Study, counts: Mapping[str, str]) -> Iterator[Change]:
    before = {"resamples": study.analysis.resamples, "imputations": study.analysis.missing.imputations}
    for name, key in _COUNTS.items():
        text = counts[name].strip() or str(before[name])
        if not text.isdecimal():
            raise _refuse(name, "no whole number", "0 or more", "Write digits alone.")
        if int(text) != before[name]:
            yield Put(key, int(text))


def _refuse(key: str, found: str, expected: str, step: str) -> StudyFileError:
    return StudyFileError(Problem(key=key, found=found, expected=expected, next_step=step))
