"""How work is done: a content-addressed cache, output that is complete or not there, the task map, and progress.

Convention: a path in, bytes in, nothing half-done out. Nothing here knows what a study is.
"""

from rarefactor.work._cache import Cache
from rarefactor.work._file import output_errors, write_file
from rarefactor.work._folder import MANIFEST, Claim, claim_folder, read_manifest, write_folder
from rarefactor.work._history import History, Version
from rarefactor.work._key import content_key, hash_file
from rarefactor.work._layout import find_by_layout
from rarefactor.work._listing import Listing, list_folder, read_stat, walk_folders
from rarefactor.work._log import Logged
from rarefactor.work._map import Done, Job, Workers, do_jobs, map_jobs
from rarefactor.work._memo import code_key, remember
from rarefactor.work._pack import read_packed, write_packed
from rarefactor.work._png import write_png
from rarefactor.work._progress import Progress, Silent
from rarefactor.work._runner import LongJob, LongStep, Runner

__all__ = [
    "MANIFEST",
    "Cache",
    "Claim",
    "Done",
    "History",
    "Job",
    "Listing",
    "Logged",
    "LongJob",
    "LongStep",
    "Progress",
    "Runner",
    "Silent",
    "Version",
    "Workers",
    "claim_folder",
    "code_key",
    "content_key",
    "do_jobs",
    "find_by_layout",
    "hash_file",
    "list_folder",
    "map_jobs",
    "output_errors",
    "read_manifest",
    "read_packed",
    "read_stat",
    "remember",
    "walk_folders",
    "write_file",
    "write_folder",
    "write_packed",
    "write_png",
]
