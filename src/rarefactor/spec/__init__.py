"""The study as written: a YAML file becomes frozen values, and every error says where it stands."""

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

__all__ = [
    "DAYS_PER_MONTH",
    "Analysis",
    "Author",
    "Cohort",
    "DataField",
    "Eligibility",
    "Factor",
    "FieldType",
    "Missing",
    "Model",
    "Outcome",
    "Source",
    "Study",
    "TerminalEvent",
    "Visit",
]
