"""Whether a study agrees with itself: visits, landmarks, factors and models.

Convention: a factor is known at its last visit; a landmark analysis uses what is known at the landmark, nothing later.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator
from itertools import combinations

from rarefactor.errors import Problem, suggest
from rarefactor.spec._evidence_check import check_evidence
from rarefactor.spec._instruments_check import check_instruments
from rarefactor.spec._later_fit import check_later
from rarefactor.spec._model import Factor, Model, Study
from rarefactor.spec._origin import Key


def check_consistency(study: Study) -> list[Problem]:
    """Return everything in a study that contradicts another part of it."""
    rules = (
        _visits,
        _imaging,
        _pathology,
        check_instruments,
        _outcome,
        _landmarks,
        _at_risk,
        _factors,
        _models,
        _selection,
        _labels,
        _rule_names,
        check_later,
        check_evidence,
    )
    return [problem for rule in rules for problem in rule(study)]


def _unknown_visit(study: Study, key: Key, visit: str) -> list[Problem]:
    """Return the problem with a visit that cohort.visits does not have, if it is one."""
    known = tuple(study.cohort.visits)
    if visit in known:
        return []
    problem = study.problem(
        *key,
        found=f"the visit {visit}, which is not known",
        expected="a visit of cohort.visits",
        next_step=suggest(visit, known),
    )
    return [problem]


def _month(study: Study, visit: str) -> float:
    """Return the month of a visit; of one that is not known, which is told elsewhere, none that compares."""
    return study.cohort.visits[visit].month if visit in study.cohort.visits else float("nan")


def _visits(study: Study) -> Iterator[Problem]:
    for (first, one), (second, two) in combinations(study.cohort.visits.items(), 2):
        if one.event is not None and one.event == two.event:
            yield study.problem(
                "cohort",
                "visits",
                second,
                "event",
                found=f"the event {two.event}, which visit {first} has too",
                expected="another event for each visit",
                next_step="Correct one of them.",
            )
        yield from _overlap(study, (first, second))
        yield from _overlap(study, (second, first))


def _overlap(study: Study, names: tuple[str, str]) -> Iterator[Problem]:
    one, two = (study.cohort.visits[name] for name in names)
    low, high = one.window or (one.month, one.month)
    if low <= two.month <= high and (one.month != two.month or names == tuple(sorted(names))):
        yield study.problem(
            "cohort",
            "visits",
            names[0],
            "window" if one.window else "month",
            found=f"{low:g} to {high:g}, in which month {two.month:g} of visit {names[1]} lies",
            expected="visits that can be told apart",
            next_step="Narrow the window, so that a record cannot stand for two visits.",
        )


def _imaging(study: Study) -> Iterator[Problem]:
    """Refuse a table of measurements that has the name of a table of records, and visits that are not there."""
    for name, source in study.imaging.items():
        if name in study.cohort.records:
            yield study.problem(
                "imaging",
                name,
                found=f"{name}, which is a table of cohort.records too",
                expected="a name of its own",
                next_step="Call one of the two otherwise.",
            )
        for visit in source.visits:
            yield from _unknown_visit(study, ("imaging", name, "visits", visit), visit)


def _pathology(study: Study) -> Iterator[Problem]:
    """Refuse a table of slides that has the name of another table, and a visit that is not there."""
    for name, source in study.pathology.items():
        others = {"cohort.records": study.cohort.records, "imaging": study.imaging}
        for where, tables in others.items():
            if name in tables:
                yield study.problem(
                    "pathology",
                    name,
                    found=f"{name}, which is a table of {where} too",
                    expected="a name of its own",
                    next_step="Call one of the two otherwise.",
                )
        if "{visit}" not in source.layout:
            yield from _unknown_visit(study, ("pathology", name, "visit"), source.visit)


def _outcome(study: Study) -> Iterator[Problem]:
    key: Key = ("outcome", study.outcome_name)
    yield from _unknown_visit(study, (*key, "at"), study.the_outcome.at)
    if study.outcome_name in study.factors:
        yield study.problem(
            "factors",
            study.outcome_name,
            found=f"{study.outcome_name}, which is the outcome too",
            expected="another name",
            next_step="Rename the factor.",
        )


def _landmarks(study: Study) -> Iterator[Problem]:
    key: Key = ("analysis", "landmarks")
    if not study.analysis.landmarks:
        step = "Write [baseline], or leave the key out."
        yield study.problem(*key, found="no landmark", expected="at least one", next_step=step)
    for place, landmark in enumerate(study.analysis.landmarks):
        unknown = _unknown_visit(study, (*key, place), landmark)
        yield from unknown or _landmark(study, (*key, place), landmark)
    for landmark in _repeated(study.analysis.landmarks):
        place = study.analysis.landmarks.index(landmark) + 1
        step = "Remove one."
        yield study.problem(*key, place, found=f"{landmark} twice", expected="each landmark once", next_step=step)


def _landmark(study: Study, key: Key, landmark: str) -> Iterator[Problem]:
    outcome = study.cohort.visits.get(study.the_outcome.at)
    start = outcome.window[0] if outcome and outcome.window else _month(study, study.the_outcome.at)
    if start <= _month(study, landmark):
        yield study.problem(
            *key,
            found=f"{landmark} (month {_month(study, landmark):g}), but the outcome counts from month {start:g} on",
            expected="landmarks before the outcome visit",
            next_step=f"Remove the landmark, or let the window of {study.the_outcome.at} start later.",
        )
    if not any(_month(study, factor.known_at) <= _month(study, landmark) for factor in study.factors.values()):
        yield study.problem(
            *key,
            found=f"{landmark}, at which no factor is known",
            expected="at least one factor that is measured by then",
            next_step="Remove the landmark, or correct measured_at of the factors.",
        )


def _at_risk(study: Study) -> Iterator[Problem]:
    """Refuse rules for a landmark that there is not, or at baseline, where eligibility decides."""
    later = [landmark for landmark in study.analysis.landmarks if _month(study, landmark) > 0]
    for landmark in study.analysis.at_risk:
        if landmark in later:
            continue
        baseline = landmark in study.analysis.landmarks
        yield study.problem(
            "analysis",
            "at_risk",
            landmark,
            found=f"{landmark}, {'the start of the study' if baseline else 'which is no landmark of the analysis'}",
            expected=f"one of the later landmarks {', '.join(later)}" if later else "a landmark after baseline",
            next_step="Use cohort.eligibility." if baseline else f"Add {landmark} to analysis.landmarks, or remove it.",
        )


def _factors(study: Study) -> Iterator[Problem]:
    for name, factor in study.factors.items():
        unknown = list(_factor_visits(study, name, factor))
        yield from unknown
        yield from _factor_keys(study, name, factor)
        if not unknown:
            yield from _factor_order(study, name, factor)
            yield from _factor_known(study, name, factor)


def _factor_visits(study: Study, name: str, factor: Factor) -> Iterator[Problem]:
    for made in ("rate_between", "change_between"):
        for place, visit in enumerate(getattr(factor, made) or ()):
            yield from _unknown_visit(study, ("factors", name, made, place), visit)
    if "measured_at" in factor.model_fields_set or len(factor.visits) == 1:
        yield from _unknown_visit(study, ("factors", name, "measured_at"), factor.measured_at)


def _factor_order(study: Study, name: str, factor: Factor) -> Iterator[Problem]:
    first, last = factor.visits[0], factor.visits[-1]
    made = "rate_between" if factor.rate_between else "change_between"
    if len(factor.visits) == 2 and _month(study, first) >= _month(study, last):
        yield study.problem(
            "factors",
            name,
            made,
            found=f"{first} (month {_month(study, first):g}) before {last} (month {_month(study, last):g})",
            expected="an earlier and a later visit",
            next_step="Turn them round." if first != last else "Name two visits.",
        )
    elif "measured_at" in factor.model_fields_set and factor.measured_at != last:
        yield study.problem(
            "factors",
            name,
            "measured_at",
            found=f"{factor.measured_at}, but the factor needs {last}",
            expected=f"{last}, the visit at which it is known",
            next_step=f"Write measured_at: {last}, or leave the key out.",
        )


def _factor_known(study: Study, name: str, factor: Factor) -> Iterator[Problem]:
    """Refuse a factor that no landmark is late enough for."""
    key = "measured_at" if len(factor.visits) == 1 else "rate_between" if factor.rate_between else "change_between"
    months = [_month(study, landmark) for landmark in study.analysis.landmarks]
    if months and all(_month(study, factor.known_at) > month for month in months):
        yield study.problem(
            "factors",
            name,
            key,
            found=f"{name}, which is measured at {factor.known_at}, after every landmark",
            expected=f"a landmark at which {name} is known",
            next_step=f"Add {factor.known_at} to analysis.landmarks if it comes before the outcome, "
            "or remove the factor.",
        )


def _factor_keys(study: Study, name: str, factor: Factor) -> Iterator[Problem]:
    """Refuse keys that cannot be together."""
    binary = "equals" if factor.equals else "cut" if factor.cut else None
    changed = "rate_between" if factor.rate_between else "change_between" if factor.change_between else None
    against = {"transform": binary, "per": binary, "reference": binary or changed}
    for key, other in against.items():
        if other and getattr(factor, key) is not None:
            yield study.problem(
                "factors",
                name,
                key,
                found=f"{key} beside {other}",
                expected="one of them",
                next_step=f"Remove {key}: a factor made by {other} has none.",
            )


def _models(study: Study) -> Iterator[Problem]:
    for name, model in study.analysis.models.items():
        key: Key = ("analysis", "models", name)
        unknown = [*_model_factors(study, key, model), *_model_landmark(study, key, model)]
        yield from unknown or _model_timing(study, key, model)


def _selection(study: Study) -> Iterator[Problem]:
    kept = study.analysis.selection.keep if study.analysis.selection else ()
    for place, factor in enumerate(kept):
        if factor not in study.factors:
            yield study.problem(
                "analysis",
                "selection",
                "keep",
                place,
                found=f"the factor {factor}, which is not known",
                expected="a factor of factors",
                next_step=suggest(factor, tuple(study.factors)),
            )


def _list_key(study: Study, key: Key, place: int) -> Key:
    """Return the key of a factor of a model, in its long or its short form."""
    return study.written(*key, "factors", place)


def _model_factors(study: Study, key: Key, model: Model) -> Iterator[Problem]:
    for place, factor in enumerate(model.factors):
        if factor not in study.factors:
            yield study.problem(
                *_list_key(study, key, place),
                found=f"the factor {factor}, which is not known",
                expected="a factor of factors",
                next_step=suggest(factor, tuple(study.factors)),
            )
        elif factor in model.factors[:place]:
            there = _list_key(study, key, place)
            step = "Remove one."
            yield study.problem(*there, found=f"{factor} twice", expected="each factor once", next_step=step)


def _model_landmark(study: Study, key: Key, model: Model) -> Iterator[Problem]:
    if model.landmark is None:
        return
    unknown = _unknown_visit(study, (*key, "landmark"), model.landmark)
    yield from unknown
    if not unknown and model.landmark not in study.analysis.landmarks:
        yield study.problem(
            *key,
            "landmark",
            found=f"{model.landmark}, which is no landmark of the analysis",
            expected=f"one of {', '.join(study.analysis.landmarks)}",
            next_step=f"Add {model.landmark} to analysis.landmarks.",
        )


def _model_timing(study: Study, key: Key, model: Model) -> Iterator[Problem]:
    """Refuse a factor that is measured after the landmark at which the model is fitted."""
    factors = {name: study.factors[name].known_at for name in model.factors}
    if not all(visit in study.cohort.visits for visit in factors.values()):
        return
    landmark = study.landmark_of(model)
    for place, (name, visit) in enumerate(factors.items()):
        if _month(study, visit) > _month(study, landmark):
            yield study.problem(
                *_list_key(study, key, place),
                found=f"{name}, which is measured at {visit}, after the landmark {landmark}",
                expected=f"factors that are known at {landmark}",
                next_step=f"Write landmark: {visit}, or remove {name} from the model.",
            )
    if landmark not in study.analysis.landmarks:
        late = ", ".join(name for name, visit in factors.items() if visit == landmark)
        yield study.problem(
            *key,
            found=f"a model that starts at {landmark}, when {late} is known",
            expected=f"one of the landmarks {', '.join(study.analysis.landmarks)}",
            next_step=f"Add {landmark} to analysis.landmarks, or remove {late} from the model.",
        )


def _labels(study: Study) -> Iterator[Problem]:
    labels = Counter(factor.label.casefold() for factor in study.factors.values())
    seen: dict[str, str] = {}
    for name, factor in study.factors.items():
        other = seen.setdefault(factor.label.casefold(), name)
        if labels[factor.label.casefold()] > 1 and other != name:
            yield study.problem(
                "factors",
                name,
                "label",
                found=f"the label {factor.label}, which {other} has too",
                expected="a label of its own for each factor",
                next_step="Say in the label how the two differ.",
            )


def _rule_names(study: Study) -> Iterator[Problem]:
    lists = {
        ("cohort", "eligibility"): [rule.name for rule in study.cohort.eligibility],
        ("outcome", study.outcome_name, "before"): [event.name for event in study.the_outcome.before],
        **{
            ("analysis", "at_risk", landmark): [rule.name for rule in rules]
            for landmark, rules in study.analysis.at_risk.items()
        },
    }
    for key, names in lists.items():
        for name in _repeated(names):
            place = [*names].index(name, names.index(name) + 1)
            step = "Say in the name how the two differ."
            yield study.problem(*key, place, "name", found=f"{name} twice", expected="a name for each", next_step=step)


def _repeated(names: Iterable[str]) -> list[str]:
    return [name for name, count in Counter(names).items() if count > 1]
