"""What the data of a study hold, kept while the files and the parts of the study that say how to read them stay.

Convention: a change of factors, models or settings does not read the data again, nor look for images.
"""

from __future__ import annotations

from rarefactor import cohort, derive, live, stored
from rarefactor import study as road
from rarefactor.cohort import Cohort
from rarefactor.derive import Variables
from rarefactor.results import Measured
from rarefactor.spec import Study
from rarefactor.study import Checked, Images
from rarefactor.web._workspace import Place, Workspace, sign_data, sign_files
from rarefactor.work import content_key

_READ_BY = {"cohort", "imaging", "pathology", "instruments"}


def read_cohort(workspace: Workspace, place: Place, study: Study) -> Cohort:
    """Return the patients of a study.

    Raises
    ------
    DataError
        The data cannot be read.
    """
    names = [source.file for source in study.cohort.records.values()]
    names += [study.cohort.dictionary] if study.cohort.dictionary else []
    files = sign_files(place, [place.folder / name for name in names])
    signature = content_key(files, study.model_dump_json(include={"cohort"}))
    return workspace.remember(place, "cohort", lambda: cohort.ingest(study), signature=signature)


def find_images(workspace: Workspace, place: Place, study: Study) -> Images:
    """Return which images of a study belong to whom.

    Raises
    ------
    RarefactorError
        See :func:`rarefactor.study.find_images`.
    """

    def find() -> Images:
        return road.find_images(study, read_cohort(workspace, place, study))

    signature = content_key(_sign(place, study), study.analysis.level)
    return workspace.remember(place, "images", find, signature=signature)


def check_study(workspace: Workspace, place: Place, study: Study) -> Checked:
    """Return the study with its data read, checked and derived.

    Raises
    ------
    RarefactorError
        See :func:`rarefactor.study.check`.
    """

    def check() -> Checked:
        return road.check_read(study, read_cohort(workspace, place, study), find_images(workspace, place, study))

    return workspace.remember(place, "checked", check)


def read_measured(workspace: Workspace, place: Place, study: Study) -> tuple[Measured, ...] | None:
    """Return what the images gave, nothing where the study has none, None where they are still to be measured."""
    if not stored.has_images(study):
        return ()
    cache = road.open_cache(study)
    key = workspace.remember(
        place, "key of images", lambda: stored.key_images(study, place.file), signature=_sign(place, study)
    )
    looked = f"{key} {cache.holds(key)}"
    return workspace.remember(place, "measured", lambda: stored.read_stored(cache, key), signature=looked)


def read_variables(workspace: Workspace, place: Place, study: Study) -> Variables:
    """Return every column that factors could name, with its counts.

    Raises
    ------
    DataError
        The data cannot be read.
    """
    measured = read_measured(workspace, place, study)

    def read() -> Variables:
        described = live.describe_images(study) if measured is None else measured
        return derive.list_variables(study, read_cohort(workspace, place, study), described)

    signature = content_key(_sign(place, study), measured is None)
    return workspace.remember(place, "variables", read, signature=signature)


def _sign(place: Place, study: Study) -> str:
    """Return what changes with the data, or with how the study reads them."""
    return content_key(sign_data(place), study.model_dump_json(include=_READ_BY))


def has_same_data(one: Study, other: Study) -> bool:
    """Tell whether two studies read the same data in the same way."""
    return one.model_dump(include=_READ_BY) == other.model_dump(include=_READ_BY)
