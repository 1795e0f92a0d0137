"""The door of this part: a study file in, a checked study out."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any, TypeVar

from pydantic import BaseModel, ValidationError

from rarefactor.errors import Problem, StudyFileError
from rarefactor.spec._consistency import check_consistency
from rarefactor.spec._dictionary import check_dictionary
from rarefactor.spec._document import Document, read_document
from rarefactor.spec._file import refuse_control
from rarefactor.spec._mend import drop_echoes, mend, tell_apart
from rarefactor.spec._model import Study
from rarefactor.spec._origin import Origin
from rarefactor.spec._shape import describe, findings, shown

FilePart = TypeVar("FilePart", bound=BaseModel)


def load(path: Path) -> Study:
    """Read a study file and check it against itself; the data are not touched.

    Raises
    ------
    StudyFileError
        Everything that is wrong with the file at once, each with line, key, found, expected and next step.

    Examples
    --------
    >>> load(Path("no/such/study.yaml"))
    Traceback (most recent call last):
        ...
    rarefactor.errors.StudyFileError: no/such/study.yaml: found no such file; expected a study file. \
Check the path: there is no such folder.
    """
    return _load(read_document(Path(path)))


def load_text(text: str, path: Path) -> Study:
    """Check a text that is to become a study file, as :func:`load` does; nothing is read and nothing written.

    Raises
    ------
    StudyFileError
        Everything that is wrong with it, each with line, key, found, expected and next step.
    """
    refuse_control(text, path)
    return _load(read_document(path, text))


def _load(document: Document) -> Study:
    _refuse_no_mapping(document)
    study, problems = _check_shape(document)
    if problems or study is None:
        raise StudyFileError(*sorted(dict.fromkeys(problems), key=lambda problem: problem.line or 0))
    return study


def load_part(path: Path, model: type[FilePart]) -> tuple[FilePart, Origin]:
    """Read another file written like a study file into a model, and where each of its keys stands.

    Raises
    ------
    StudyFileError
        Everything that is wrong with the file at once, each with line, key, found, expected and next step.
    """
    document = read_document(Path(path))
    _refuse_no_mapping(document)
    try:
        part = model.model_validate(document.data, by_alias=True, by_name=False)
    except ValidationError as error:
        problems = [describe(finding, document.origin, model) for finding in drop_echoes(findings(error), model)]
        raise StudyFileError(*document.problems, *problems) from None
    if document.problems:
        raise StudyFileError(*document.problems)
    return part, document.origin


def _refuse_no_mapping(document: Document) -> None:
    if isinstance(document.data, Mapping):
        return
    found = f"{shown(document.data)} at the top of the file"
    step = "Start with `id: my-study`, each key at the start of its line."
    problem = document.origin.problem((), found=found, expected="keys such as id, title and cohort", next_step=step)
    raise StudyFileError(*document.problems, problem)


def _check_shape(document: Document) -> tuple[Study | None, list[Problem]]:
    """Return the study, or what is wrong with it: keys and types first, then what can be told in spite of them."""
    data, origin = document.data, document.origin
    try:
        study = _study(data, origin)
    except ValidationError as error:
        found = drop_echoes(findings(error))
    else:
        return study, [*document.problems, *_check_meaning(study)]
    problems = [*document.problems, *(describe(finding, origin) for finding in found)]
    try:
        mended = _study(mend(data, found, origin), origin)
    except ValidationError:
        return None, problems
    return None, [*problems, *tell_apart(_check_meaning(mended), found, origin)]


def _study(data: Any, origin: Origin) -> Study:
    return Study.model_validate(data, by_alias=True, by_name=False).located(origin)


def _check_meaning(study: Study) -> list[Problem]:
    return [*check_consistency(study), *check_dictionary(study)]
