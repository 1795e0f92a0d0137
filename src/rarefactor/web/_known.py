"""What the data of a study hold, kept while the files and the parts of the study that say how to read them stay.

Convention: a change of factors, models or settings does not read the data again.
"""

from __future__ import annotations

from rarefactor import cohort, derive, live
from rarefactor.derive import Variables
from rarefactor.spec import Study
from rarefactor.web._signature import compute_signature
from rarefactor.web._workspace import Place, Workspace
from rarefactor.work import content_key

_READ_BY = {"cohort", "imaging", "pathology", "instruments"}


def read_variables(workspace: Workspace, place: Place, study: Study) -> Variables:
    """Return every column that factors could name, with its counts.

    Raises
    ------
    DataError
        The data cannot be read.
    """
    signature = _sign(place, study)
    return workspace.remember(place, "variables", lambda: _read(place, study), signature=signature)


def _read(place: Place, study: Study) -> Variables:
    return derive.list_variables(study, cohort.ingest(study), live.read_images(study, place.file))


def _sign(place: Place, study: Study) -> str:
    """Return what changes with the data, or with how the study reads them."""
    names = [source.file for source in study.cohort.records.values()]
    names += [study.cohort.dictionary] if study.cohort.dictionary else []
    files = compute_signature(place.folder / ".rarefactor" / "none", [place.folder / name for name in names])
    return content_key(files, study.model_dump_json(include=_READ_BY), live.sign_images(study, place.file))


def has_same_data(one: Study, other: Study) -> bool:
    """Tell whether two studies read the same data in the same way."""
    return one.model_dump(include=_READ_BY) == other.model_dump(include=_READ_BY)
