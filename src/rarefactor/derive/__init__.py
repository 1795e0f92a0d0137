"""From checked tables to one row per patient and landmark, with outcome, factors and flow.

Convention: a patient has one row in a landmark table, never more; a missing value is null; a factor is shown in its own
unit (transformations for the model are the analysis's business); months are days since baseline / 30.4375.
"""

from rarefactor.derive._attended import Attendance, VisitCount, tabulate_attendance
from rarefactor.derive._courses import CourseTable
from rarefactor.derive._images import ImageTable
from rarefactor.derive._kinds import Kinds
from rarefactor.derive._measured import visit_days
from rarefactor.derive._patients import (
    Course,
    Given,
    PatientEntry,
    PatientRecord,
    Patients,
    Reading,
    Seen,
    Standing,
    write_number,
)
from rarefactor.derive._recipes import Part, Recipe
from rarefactor.derive._responses import ResponseTable
from rarefactor.derive._times import TimeTable
from rarefactor.derive._values import Values
from rarefactor.derive._variables import Counted, Variable, Variables, count_beyond, count_factor, count_variable
from rarefactor.derive.stage import (
    AnalysisTable,
    LandmarkTable,
    build,
    list_variables,
    read_patients,
)

__all__ = [
    "AnalysisTable",
    "Attendance",
    "Counted",
    "Course",
    "CourseTable",
    "Given",
    "ImageTable",
    "Kinds",
    "LandmarkTable",
    "Part",
    "PatientEntry",
    "PatientRecord",
    "Patients",
    "Reading",
    "Recipe",
    "ResponseTable",
    "Seen",
    "Standing",
    "TimeTable",
    "Values",
    "Variable",
    "Variables",
    "VisitCount",
    "build",
    "count_beyond",
    "count_factor",
    "count_variable",
    "list_variables",
    "read_patients",
    "tabulate_attendance",
    "visit_days",
    "write_number",
]
