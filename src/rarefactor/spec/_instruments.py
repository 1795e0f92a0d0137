"""Published instruments of the study: which columns they are made from, and what becomes a column.

Convention: the name of an instrument is the name of the column that it makes, usable wherever a column is; further
columns are called ``name.part``. A measure, finding or item names a column of numbers or of yes and no.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Annotated, Any, Literal, Self

from pydantic import BeforeValidator, Field, model_validator

from rarefactor.spec._part import Name, Part, Texts, broken

InstrumentKind = Literal[
    "total_improvement_score",
    "imacs_improvement",
    "imacs_worsening",
    "mmt8",
    "mrc_sum",
    "haq_di",
    "enzyme_multiple",
    "eular_acr_2017",
]
EnzymeName = Literal["ck", "aldolase", "ldh", "ast", "alt"]
MeasureName = Literal[
    "physician_global",
    "patient_global",
    "parent_global",
    "mmt",
    "cmas",
    "haq",
    "chaq",
    "ck",
    "aldolase",
    "ldh",
    "ast",
    "alt",
    "chq_phs",
    "extramuscular",
    "das",
]
FindingName = Literal[
    "proximal_upper_weakness",
    "proximal_lower_weakness",
    "neck_flexors_weaker",
    "legs_proximal_weaker",
    "heliotrope",
    "gottron_papules",
    "gottron_sign",
    "dysphagia",
    "anti_jo1",
    "raised_enzymes",
    "endomysial_infiltrate",
    "perimysial_infiltrate",
    "perifascicular_atrophy",
    "rimmed_vacuoles",
]
ENZYMES = frozenset({"ck", "aldolase", "ldh", "ast", "alt"})
CHANGES = frozenset({"total_improvement_score", "imacs_improvement", "imacs_worsening"})
EVERYONE = ""

_NEEDED: Mapping[InstrumentKind, tuple[str, ...]] = {
    "total_improvement_score": ("measures",),
    "imacs_improvement": ("measures",),
    "imacs_worsening": ("measures",),
    "mmt8": ("columns",),
    "mrc_sum": ("columns",),
    "haq_di": ("columns",),
    "enzyme_multiple": ("measures", "enzyme_limit"),
    "eular_acr_2017": ("findings", "onset_age", "biopsy"),
}
_ALLOWED: Mapping[InstrumentKind, tuple[str, ...]] = {
    "total_improvement_score": ("baseline", "version", "mmt_maximum", "enzyme_limit", "sex", "ranges"),
    "imacs_improvement": ("baseline", "mmt_maximum", "enzyme_limit", "sex"),
    "imacs_worsening": ("baseline", "mmt_maximum"),
    "mmt8": (),
    "mrc_sum": (),
    "haq_di": ("aids",),
    "enzyme_multiple": ("sex",),
    "eular_acr_2017": (),
}
_COUNTS: Mapping[str, tuple[int, ...]] = {"mmt8": (8, 15), "mrc_sum": (12,), "haq_di": (8, 20)}


def _name_enzyme(value: Any) -> Any:
    """``muscle_enzyme: ck`` is short for ``ck: ck``."""
    if not isinstance(value, Mapping) or value.get("muscle_enzyme") not in ENZYMES:
        return value
    enzyme = value["muscle_enzyme"]
    return {(enzyme if key == "muscle_enzyme" else key): column for key, column in value.items()}


def _for_everyone(value: Any) -> Any:
    """A limit without sexes holds for everyone."""
    return value if isinstance(value, Mapping) else {EVERYONE: value}


Limits = Annotated[Mapping[str, Annotated[float, Field(gt=0)]], BeforeValidator(_for_everyone)]


class Instrument(Part):
    """A published instrument, computed for each patient and visit.

    Attributes
    ----------
    kind, label
        Which instrument; how its result is called.
    measures
        The column of each core set measure; ``muscle_enzyme: ck`` is short for ``ck: ck``.
    baseline
        The visit that a change starts from; a change is made for each later visit.
    version
        The Total Improvement Score for adults or children.
    mmt_maximum
        The maximum of the muscle testing form: 80 (MMT8, one side) or 150 (both sides); never guessed.
    enzyme_limit, sex
        The upper limit of normal of each enzyme in the unit of its column: a number, or one for each level of the
        column that ``sex`` names, which is read at the first visit.
    ranges
        Ranges of measures that are not the usual; of enzymes in multiples of the limit.
    columns
        The grades or items, in the order of the instrument: 8 or 15 for MMT8, 12 for the MRC sum score, 8 categories
        or 20 items for the HAQ.
    aids
        The eight columns of aids and help of the HAQ.
    findings, onset_age, biopsy
        The columns of the classification; what is left out is not known.
    """

    kind: InstrumentKind
    label: str | None = None
    measures: Annotated[Mapping[MeasureName, str], BeforeValidator(_name_enzyme)] = {}
    baseline: Name = "baseline"
    version: Literal["adult", "juvenile"] = "adult"
    mmt_maximum: float | None = Field(default=None, gt=0)
    enzyme_limit: Mapping[EnzymeName, Limits] = {}
    sex: str | None = None
    ranges: Mapping[MeasureName, Annotated[float, Field(gt=0)]] = {}
    columns: Texts = ()
    aids: Texts = ()
    findings: Mapping[FindingName, str] = {}
    onset_age: str | None = None
    biopsy: str | None = None

    @model_validator(mode="after")
    def _consistent(self) -> Self:
        needed, allowed = _NEEDED[self.kind], (*_NEEDED[self.kind], *_ALLOWED[self.kind], "kind", "label")
        for key in needed:
            if not getattr(self, key):
                step = f"Add {key}: and what stands for it in the data."
                raise broken(key, f"{self.kind} without {key}", f"the key {key}", step)
        for key, field in type(self).model_fields.items():
            if key not in allowed and getattr(self, key) != field.default:
                raise broken(key, f"{key} beside {self.kind}", f"one of {', '.join(allowed)}", f"Remove {key}.")
        _check_counts(self)
        _check_set(self)
        _check_limits(self)
        return self

    @property
    def is_change(self) -> bool:
        """Whether it compares a later visit with its baseline."""
        return self.kind in CHANGES

    def named_columns(self) -> Iterator[tuple[tuple[str | int, ...], str]]:
        """Yield the columns that it is made from, each with its key below the instrument; ``sex`` is not among them."""
        for part in ("measures", "findings"):
            for name, column in getattr(self, part).items():
                yield (part, name), column
        for part in ("columns", "aids"):
            for place, column in enumerate(getattr(self, part)):
                yield (part, place), column
        for part in ("onset_age", "biopsy"):
            if column := getattr(self, part):
                yield (part,), column


def _check_counts(instrument: Instrument) -> None:
    counts = _COUNTS.get(instrument.kind, ())
    if counts and len(instrument.columns) not in counts:
        found, expected = f"{len(instrument.columns)} columns", " or ".join(map(str, counts))
        raise broken(
            "columns", found, f"{expected} columns", "Name each grade or item once, in the instrument's order."
        )
    if instrument.aids and len(instrument.aids) != 8:
        raise broken("aids", f"{len(instrument.aids)} columns", "8 columns", "Name one for each category of the HAQ.")


def _check_set(instrument: Instrument) -> None:
    """Refuse a set of measures that gives no score."""
    if instrument.kind == "enzyme_multiple" and (len(instrument.measures) > 1 or not ENZYMES & {*instrument.measures}):
        raise broken("measures", "no or several enzymes", "one enzyme", "Write measures: {ck: ck}.")
    if instrument.kind != "total_improvement_score":
        return
    named = {*instrument.measures}
    if "physician_global" not in named or not named & {"mmt", "cmas"}:
        step = "There is no score without: name their columns."
        raise broken("measures", "a set without them", "physician_global, and mmt or cmas", step)
    if "mmt" in named and instrument.mmt_maximum is None:
        step = "Write mmt_maximum: 80 for MMT8 of one side, 150 for both sides."
        raise broken("mmt_maximum", "mmt without mmt_maximum", "the maximum of the form used", step)
    if "chq_phs" in named and "chq_phs" not in instrument.ranges:
        raise broken("ranges", "chq_phs without its range", "how far it ranges", "Write ranges: {chq_phs: ...}.")


def _check_limits(instrument: Instrument) -> None:
    enzymes = [name for name in instrument.measures if name in ENZYMES and instrument.kind != "imacs_worsening"]
    optional = instrument.kind == "imacs_improvement" and len(enzymes) == 1
    for name in enzymes if not optional else ():
        if name not in instrument.enzyme_limit:
            step = f"Write enzyme_limit: {{{name}: 190}}, in the unit of the column."
            raise broken("enzyme_limit", f"{name} without its upper limit of normal", "a limit for each enzyme", step)
    by_sex = any(EVERYONE not in limits for limits in instrument.enzyme_limit.values())
    if by_sex and instrument.sex is None:
        raise broken("enzyme_limit", "limits by sex", "the column of the sex beside them", "Add sex: and its column.")
