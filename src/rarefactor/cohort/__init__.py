"""The only reader of patients' data: REDCap exports, CSV and Excel become checked tables, failures kept aside.

Convention: everything is read as text and typed from the dictionary, never guessed. Identifiers are dropped at the
door, patients are keyed hashes, dates are days since baseline. A value that does not fit is null in the good table and
a line in the table of failures, which alone holds the value.
"""

from rarefactor.cohort._dictionary import DICTIONARY_HEADER
from rarefactor.cohort._model import CENSORED, FAILURES, RULES, Cohort, Findings, Table, count_failures
from rarefactor.cohort._propose import Proposal, propose_fields
from rarefactor.cohort.stage import check_data, ingest, read_fields

__all__ = [
    "CENSORED",
    "DICTIONARY_HEADER",
    "FAILURES",
    "RULES",
    "Cohort",
    "Findings",
    "Proposal",
    "Table",
    "check_data",
    "count_failures",
    "ingest",
    "propose_fields",
    "read_fields",
]
