"""From thigh MRI to one row per patient, visit and muscle, and the rate of fatty infiltration.

Convention: arrays are (slice, row, column), growing toward head, back and the patient's left; a fat fraction is 0 to 1,
a rate is percentage points per month. Nothing here knows what the outcome of a study is.
"""

from rarefactor.imaging._fat_fraction import Estimator
from rarefactor.imaging._job import PatientResult
from rarefactor.imaging._label_names import read_label_names
from rarefactor.imaging._plan import Plan, plan_folder
from rarefactor.imaging._scan import Acquisition, Kind
from rarefactor.imaging._settings import Settings
from rarefactor.imaging._volume import Grid
from rarefactor.imaging._write import DicomLabel, write_label_names
from rarefactor.imaging.simulate import Look, Movement, Thigh, simulate_visits, write_scan
from rarefactor.imaging.stage import STEP, count_known, describe, measure, measure_folder, plan, write_output

__all__ = [
    "STEP",
    "Acquisition",
    "DicomLabel",
    "Estimator",
    "Grid",
    "Kind",
    "Look",
    "Movement",
    "PatientResult",
    "Plan",
    "Settings",
    "Thigh",
    "count_known",
    "describe",
    "measure",
    "measure_folder",
    "plan",
    "plan_folder",
    "read_label_names",
    "simulate_visits",
    "write_label_names",
    "write_output",
    "write_scan",
]
