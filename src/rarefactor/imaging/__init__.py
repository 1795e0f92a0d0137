"""From thigh MRI to one row per patient, visit and muscle, and the rate of fatty infiltration.

Convention: arrays are (slice, row, column), growing toward head, back and the patient's left; a fat fraction is 0 to 1,
a rate is percentage points per month. Nothing here knows what the outcome of a study is.
"""

from rarefactor.imaging._agreement import (
    GradeAgreement,
    count_agreement,
    tabulate_grade_agreement,
    tabulate_grade_repeats,
)
from rarefactor.imaging._blind_grades import draft_blind, read_blind
from rarefactor.imaging._blind_picture import draw_blind
from rarefactor.imaging._corrected import MASK
from rarefactor.imaging._fat_fraction import Estimator
from rarefactor.imaging._first_picture import OPACITY
from rarefactor.imaging._gist import Doubt, Gist, SiteFat, SiteRate, VisitGist, read_gist
from rarefactor.imaging._grades_given import GRADE
from rarefactor.imaging._job import Drawn, PatientResult
from rarefactor.imaging._label_names import read_label_names
from rarefactor.imaging._look import (
    FRACTION,
    NewMask,
    check_mask,
    draft_mask,
    find_files,
    read_drawn,
    read_fraction,
    read_shown,
)
from rarefactor.imaging._numbered import REGIONS, NumberedRegion, list_regions, number_sides
from rarefactor.imaging._plan import Plan, plan_folder, renew_corrected
from rarefactor.imaging._regions import MUSCLES, Side
from rarefactor.imaging._scale_words import describe_scale, draft_grade
from rarefactor.imaging._scan import Acquisition, Kind
from rarefactor.imaging._scan_list import ListedScan, list_scans
from rarefactor.imaging._settings import PatientFiles, Settings
from rarefactor.imaging._volume import Grid
from rarefactor.imaging._write import DicomLabel, write_label_names
from rarefactor.imaging.simulate import Look, Movement, Thigh, simulate_visits, write_scan
from rarefactor.imaging.stage import (
    STEP,
    count_known,
    describe,
    measure,
    measure_folder,
    measure_patient_of,
    plan,
    write_output,
)

__all__ = [
    "FRACTION",
    "GRADE",
    "MASK",
    "MUSCLES",
    "OPACITY",
    "REGIONS",
    "STEP",
    "Acquisition",
    "DicomLabel",
    "Doubt",
    "Drawn",
    "Estimator",
    "Gist",
    "GradeAgreement",
    "Grid",
    "Kind",
    "ListedScan",
    "Look",
    "Movement",
    "NewMask",
    "NumberedRegion",
    "PatientFiles",
    "PatientResult",
    "Plan",
    "Settings",
    "Side",
    "SiteFat",
    "SiteRate",
    "Thigh",
    "VisitGist",
    "check_mask",
    "count_agreement",
    "count_known",
    "describe",
    "describe_scale",
    "draft_blind",
    "draft_grade",
    "draft_mask",
    "draw_blind",
    "find_files",
    "list_regions",
    "list_scans",
    "measure",
    "measure_folder",
    "measure_patient_of",
    "number_sides",
    "plan",
    "plan_folder",
    "read_blind",
    "read_drawn",
    "read_fraction",
    "read_gist",
    "read_label_names",
    "read_shown",
    "renew_corrected",
    "simulate_visits",
    "tabulate_grade_agreement",
    "tabulate_grade_repeats",
    "write_label_names",
    "write_output",
    "write_scan",
]
