"""What people did to images: corrected masks, grades, excluded regions, with who did it, when and why.

Convention: a log that only grows. Nothing is ever changed or taken out; a correction, and an undo, is a new entry, and
the newest one of a place counts. Patients go by their pseudonym. Nothing here knows what a study or an image is.
"""

from rarefactor.readings._blind import Coded, derive_order
from rarefactor.readings._log import (
    FOLDER,
    LOG,
    add_reading,
    add_readings,
    find_file,
    read_file,
    read_readings,
    restore_reading,
    withdraw_reading,
)
from rarefactor.readings._model import Draft, Reading, Readings
from rarefactor.readings._plot import draw_bland_altman
from rarefactor.readings._rounds import Round, draft_end, draft_look, join_key, read_rounds

__all__ = [
    "FOLDER",
    "LOG",
    "Coded",
    "Draft",
    "Reading",
    "Readings",
    "Round",
    "add_reading",
    "add_readings",
    "derive_order",
    "draft_end",
    "draft_look",
    "draw_bland_altman",
    "find_file",
    "join_key",
    "read_file",
    "read_readings",
    "read_rounds",
    "restore_reading",
    "withdraw_reading",
]
