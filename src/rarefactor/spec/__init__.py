"""The study as written: a YAML file becomes frozen values, and every error says where it stands."""

from rarefactor.spec._about import About
from rarefactor.spec._case import lower_first, upper_first
from rarefactor.spec._change import Change, Drop, Move, Put, Rename, change_study
from rarefactor.spec._check import check_expression
from rarefactor.spec._columns import list_columns
from rarefactor.spec._compile import compile_expression
from rarefactor.spec._cut import find_cut
from rarefactor.spec._evidence import DesignPlan, Evidence
from rarefactor.spec._fit import check_study
from rarefactor.spec._imaging import Grades, Thigh
from rarefactor.spec._instruments import EVERYONE, Instrument, InstrumentKind
from rarefactor.spec._instruments_check import describe_instrument, limits_by_level
from rarefactor.spec._kinds import EventKind, split_kinds
from rarefactor.spec._later import OUTCOME, FollowUp, Trajectory
from rarefactor.spec._model import (
    DAYS_PER_MONTH,
    Analysis,
    Author,
    Cohort,
    DataField,
    Eligibility,
    Factor,
    FieldType,
    Missing,
    Model,
    Outcome,
    Source,
    Study,
    TerminalEvent,
    Visit,
)
from rarefactor.spec._nodes import Column
from rarefactor.spec._origin import Origin
from rarefactor.spec._parse import Expression, parse_column, parse_expression
from rarefactor.spec._part import Name, Part, Texts, broken
from rarefactor.spec._pathology import Biopsy, Staining
from rarefactor.spec._report import Report
from rarefactor.spec._scope import Scope, find_code, find_flag
from rarefactor.spec._selection import Selection
from rarefactor.spec._tokens import ExpressionError
from rarefactor.spec.stage import load, load_part, load_text

__all__ = [
    "DAYS_PER_MONTH",
    "EVERYONE",
    "OUTCOME",
    "About",
    "Analysis",
    "Author",
    "Biopsy",
    "Change",
    "Cohort",
    "Column",
    "DataField",
    "DesignPlan",
    "Drop",
    "Eligibility",
    "EventKind",
    "Evidence",
    "Expression",
    "ExpressionError",
    "Factor",
    "FieldType",
    "FollowUp",
    "Grades",
    "Instrument",
    "InstrumentKind",
    "Missing",
    "Model",
    "Move",
    "Name",
    "Origin",
    "Outcome",
    "Part",
    "Put",
    "Rename",
    "Report",
    "Scope",
    "Selection",
    "Source",
    "Staining",
    "Study",
    "TerminalEvent",
    "Texts",
    "Thigh",
    "Trajectory",
    "Visit",
    "broken",
    "change_study",
    "check_expression",
    "check_study",
    "compile_expression",
    "describe_instrument",
    "find_code",
    "find_cut",
    "find_flag",
    "limits_by_level",
    "list_columns",
    "load",
    "load_part",
    "load_text",
    "lower_first",
    "parse_column",
    "parse_expression",
    "split_kinds",
    "upper_first",
]
