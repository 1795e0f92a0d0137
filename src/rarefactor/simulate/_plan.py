"""A study and the truth of it brought together: which column is drawn how, and what does not fit.

Convention: visits stand in the order of their months; a visit is known by its place. A drawn variable is called like
its field, its core set measure, ``fat_fraction``, ``fat_rate`` or its stain.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass

import numpy as np

from rarefactor import instruments
from rarefactor.errors import Problem, StudyFileError, suggest
from rarefactor.simulate._draws import Floats, compute_root
from rarefactor.simulate._truth import Form, FormField, Truth
from rarefactor.spec import (
    DAYS_PER_MONTH,
    EVERYONE,
    DataField,
    Instrument,
    Study,
    Visit,
    limits_by_level,
    parse_column,
)

FAT, RATE = "fat_fraction", "fat_rate"


@dataclass(frozen=True, slots=True, kw_only=True)
class Plan:
    """What is to be drawn.

    Attributes
    ----------
    visits, months
        By place, with their nominal months; the first is at month 0.
    score, score_name
        The Total Improvement Score of the study.
    measures
        The field of each core set measure; strength by muscles has none.
    muscles, strength_name
        The fields of the grades of strength, and the instrument that adds them up; empty where strength is one field.
    drawn, root
        The variables with correlated scores, and the square root of the correlations.
    """

    study: Study
    truth: Truth
    visits: tuple[str, ...]
    months: tuple[float, ...]
    score: Instrument
    score_name: str
    measures: Mapping[str, str]
    muscles: tuple[str, ...]
    strength_name: str
    drawn: tuple[str, ...]
    root: Floats

    @property
    def outcome_visit(self) -> int:
        """The place of the visit of the outcome."""
        return self.visits.index(self.study.the_outcome.at)

    @property
    def size(self) -> int:
        """The number of patients of a cohort, those who are not eligible included."""
        return self.truth.patients + (self.truth.screened.patients if self.truth.screened else 0)

    @property
    def core_fields(self) -> tuple[str, ...]:
        """All fields that the Total Improvement Score is made from."""
        return (*self.measures.values(), *self.muscles)

    def field(self, name: str) -> FormField:
        """Return a field of the records."""
        found = self.truth.find_field(name)
        if found is None:
            raise KeyError(name)
        return found[1]

    def places(self, form: Form) -> tuple[int, ...]:
        """Return the places of the visits at which a form is filled."""
        return tuple(self.visits.index(visit) for visit in form.visits)

    def limits(self, values: Mapping[str, Floats], count: int) -> dict[str, Floats]:
        """Return the upper limit of normal of each enzyme for each patient."""
        return {str(enzyme): self._limit(limits, values, count) for enzyme, limits in self.score.enzyme_limit.items()}

    def _limit(self, limits: Mapping[str, float], values: Mapping[str, Floats], count: int) -> Floats:
        if EVERYONE in limits:
            return np.full(count, limits[EVERYONE])
        name = self.score.sex or ""
        field = describe_field(self.field(name))
        levels = limits_by_level(field, limits)
        by_place = np.array([levels.get(code, np.nan) for code in field.choices])
        return by_place[values[name].astype(np.intp)]


def describe_field(field: FormField) -> DataField:
    """Return a field as a dictionary describes it."""
    kind = {"radio": "choice", "dropdown": "choice", "yesno": "yesno", "checkbox": "yesno"}.get(field.type, "number")
    return DataField.model_validate({"type": kind, "label": field.label, "choices": dict(field.choices or {})})


def plan_cohort(study: Study, truth: Truth) -> Plan:
    """Bring a study and its truth together.

    Raises
    ------
    StudyFileError
        The study has no Total Improvement Score, or the truth names what the study does not have, or lacks something.
    """
    name, score = _find_score(study)
    muscles, strength = _find_muscles(study, score)
    measures = {
        str(each): parse_column(text).name for each, text in score.measures.items() if not (each == "mmt" and muscles)
    }
    problems = list(_problems(study, truth, measures, muscles))
    if problems:
        raise StudyFileError(*problems)
    ordered = sorted(study.cohort.visits.items(), key=lambda item: item[1].month)
    drawn = tuple(_drawn(truth))
    root = compute_root(drawn, truth.correlations)
    if root is None:
        words = {"found": "correlations that cannot all hold", "expected": "correlations that fit each other"}
        raise StudyFileError(truth.problem("correlations", **words, next_step="Make some of them weaker."))
    return Plan(
        study=study,
        truth=truth,
        visits=tuple(visit for visit, _ in ordered),
        months=tuple(visit.month for _, visit in ordered),
        score=score,
        score_name=name,
        measures=measures,
        muscles=muscles,
        strength_name=strength,
        drawn=drawn,
        root=root,
    )


def _find_score(study: Study) -> tuple[str, Instrument]:
    for name, each in study.instruments.items():
        if each.kind == "total_improvement_score":
            return name, each
    raise StudyFileError(
        study.problem(
            "instruments",
            found="no Total Improvement Score",
            expected="an instrument of the kind total_improvement_score, which the response is simulated by",
            next_step="Add one, with its measures.",
        )
    )


def _find_muscles(study: Study, score: Instrument) -> tuple[tuple[str, ...], str]:
    source = score.measures.get("mmt", "")
    grades = study.instruments.get(source)
    if grades is None or grades.kind != "mmt8":
        return (), ""
    return tuple(parse_column(text).name for text in grades.columns), source


def _drawn(truth: Truth) -> Iterator[str]:
    for form in truth.forms.values():
        yield from (name for name, field in form.fields.items() if field.draw is not None and not form.rows)
    yield from truth.core_set
    yield from ([FAT, RATE] if truth.scans else [])
    yield from truth.slides


def _problems(study: Study, truth: Truth, measures: Mapping[str, str], muscles: Iterable[str]) -> Iterator[Problem]:
    yield from _unknown_visits(study, truth)
    yield from _unknown_factors(study, truth)
    yield from _unfit_measures(study, truth, measures, tuple(muscles))
    yield from _unfit_fields(study, truth, {*measures.values(), *muscles})
    yield from _unfit_names(truth)


def _named(
    truth: Truth, known: Iterable[str], *names: tuple[tuple[str | int, ...], Iterable[str]]
) -> Iterator[Problem]:
    """Yield a problem for each name that is not among those known."""
    options = list(known)
    for key, given in names:
        for name in given:
            if name not in options:
                found, expected = f"{name}, which is not known here", f"one of {', '.join(options)}"
                yield truth.problem(*key, found=found, expected=expected, next_step=suggest(name, options))


def _unknown_visits(study: Study, truth: Truth) -> Iterator[Problem]:
    named: list[tuple[tuple[str | int, ...], Iterable[str]]] = [(("response", "course"), truth.response.course)]
    named += [(("forms", name, "visits"), form.visits) for name, form in truth.forms.items()]
    named += [(("missing", place, "at"), rule.at) for place, rule in enumerate(truth.missing)]
    named += [(("blemishes", place, "at"), [each.at]) for place, each in enumerate(truth.blemishes)]
    named += [(("scans", "visits"), truth.scans.visits)] if truth.scans else []
    named += [(("loss", "after"), truth.loss.after)] if truth.loss else []
    yield from _named(truth, study.cohort.visits, *named)
    first = min(study.cohort.visits.values(), key=lambda visit: visit.month)
    if first.month != 0:
        yield study.problem(
            "cohort", "visits", found="no visit at month 0", expected="one", next_step="Add the baseline visit."
        )
    yield from (_no_event(study, name) for name, visit in study.cohort.visits.items() if _lacks_event(visit))


def _lacks_event(visit: Visit) -> bool:
    return visit.event is None


def _no_event(study: Study, name: str) -> Problem:
    found, expected = "no event", "the name of the event in REDCap, which the export is written with"
    return study.problem(
        "cohort", "visits", name, found=found, expected=expected, next_step=f"Add event: {name}_arm_1."
    )


def _unknown_factors(study: Study, truth: Truth) -> Iterator[Problem]:
    factors = [*study.factors]
    named: list[tuple[tuple[str | int, ...], Iterable[str]]] = [
        (("outcome", "odds_ratios"), truth.outcome.odds_ratios),
        (("expect", "separated"), truth.expect.separated if truth.expect else ()),
        (("expect", "estimable"), truth.expect.estimable if truth.expect else ()),
        (("expect", "odds_ratios"), truth.expect.odds_ratios if truth.expect else ()),
    ]
    yield from _named(truth, factors, *named)
    others: list[tuple[tuple[str | int, ...], Iterable[str]]] = [
        (("missing", place, "odds_ratios"), rule.odds_ratios) for place, rule in enumerate(truth.missing)
    ]
    others += [(("loss", "odds_ratios"), truth.loss.odds_ratios)] if truth.loss else []
    yield from _named(truth, [*factors, study.outcome_name], *others)


def _unfit_measures(
    study: Study, truth: Truth, measures: Mapping[str, str], muscles: tuple[str, ...]
) -> Iterator[Problem]:
    score = [*measures, *(["mmt"] if muscles else [])]
    yield from _named(truth, score, (("core_set",), truth.core_set))
    for name in score:
        if name not in truth.core_set:
            found, expected = f"nothing about {name}", "every measure of the Total Improvement Score of the study"
            yield truth.problem("core_set", found=found, expected=expected, next_step=f"Add {name}: with its baseline.")
    if muscles:
        weights = truth.strength.weights if truth.strength else {}
        yield from _named(truth, muscles, (("strength", "weights"), weights))
        for name in muscles:
            if name not in weights:
                found, expected = f"no weight of {name}", "one for each muscle of the study's MMT8"
                yield truth.problem("strength", found=found, expected=expected, next_step=f"Add {name}: 1 to weights.")
    months = {name: visit.month for name, visit in study.cohort.visits.items()}
    outcome = months.get(study.the_outcome.at, 0.0)
    for name, month in months.items():
        if 0 < month < outcome and name not in truth.response.course:
            found, expected = f"nothing about {name}", "the part of the response that is there at each earlier visit"
            yield truth.problem("response", "course", found=found, expected=expected, next_step=f"Add {name}.")


def _unfit_fields(study: Study, truth: Truth, core: set[str]) -> Iterator[Problem]:
    """Yield the core fields that no form has, and the fields that nothing is drawn for."""
    for name in sorted(core):
        if truth.find_field(name) is None:
            found, expected = f"no field {name}", "a field for each column of the study's instruments"
            yield truth.problem("forms", found=found, expected=expected, next_step=f"Add {name} to a form.")
    given = {*core, study.cohort.subject, study.cohort.visit_date or ""}
    for form, each in truth.forms.items():
        in_rows = {name for row in each.rows for name in (*row.codes, *row.values)}
        yield from _named(truth, each.fields, (("forms", form, "rows"), in_rows))
        for name, field in each.fields.items():
            if not (field.draw or field.draw_at or name in given or name in in_rows):
                found, expected = "no draw", "draw: or draw_at:, or the name of a column that is simulated otherwise"
                step = "Say how its values are distributed."
                yield truth.problem("forms", form, "fields", name, found=found, expected=expected, next_step=step)


def _unfit_names(truth: Truth) -> Iterator[Problem]:
    drawn = [*_drawn(truth)]
    names = [(("correlations", place), each.of) for place, each in enumerate(truth.correlations)]
    yield from _named(truth, drawn, *names)
    fields = [name for form in truth.forms.values() for name in form.fields]
    things = [*fields, *truth.forms, *(["scans"] if truth.scans else []), *truth.slides]
    yield from _named(truth, things, *((("missing", place, "of"), each.of) for place, each in enumerate(truth.missing)))
    yield from _named(
        truth, fields, *((("blemishes", place), [each.field]) for place, each in enumerate(truth.blemishes))
    )
    yield from _named(truth, fields, (("screened", "values"), truth.screened.values if truth.screened else ()))
    areas = [stain for stain, each in truth.slides.items() if each.positive_area is not None]
    yield from _named(truth, areas, (("readers",), truth.readers))


def compute_score(
    plan: Plan, first: Mapping[str, Floats], last: Mapping[str, Floats], limits: Mapping[str, Floats]
) -> instruments.TotalImprovement:
    """Return the Total Improvement Score as the study computes it."""
    return instruments.compute_tis(
        first,
        last,
        mmt_maximum=plan.score.mmt_maximum,
        enzyme_limits=limits,
        ranges={str(name): width for name, width in plan.score.ranges.items()},
        version=plan.score.version,
    )


def nominal_day(plan: Plan, place: int) -> float:
    """Return the nominal day of a visit."""
    return plan.months[place] * DAYS_PER_MONTH
