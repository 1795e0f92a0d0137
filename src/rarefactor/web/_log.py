"""What readers did to the images of a study, for its pages: the log, and what changes when it does.

Convention: the log only grows, so that its size and time tell of every reading; so does the folder of the files of
readings, where a corrected mask lies.
"""

from __future__ import annotations

from rarefactor.readings import LOG, Readings, read_readings
from rarefactor.web._workspace import Place, sign_files


def read_log(place: Place) -> Readings:
    """Return what was read of a study's images.

    Raises
    ------
    DataError
        The log is there and cannot be opened.
    """
    return read_readings(place.folder)


def sign_log(place: Place) -> str:
    """Return what changes when somebody reads an image, and when a file of a reading comes or goes."""
    log = place.folder / LOG
    return sign_files(place, [log, log.parent / "files"])
