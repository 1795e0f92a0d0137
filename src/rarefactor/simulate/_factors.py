"""The study's factors from what is known of patients: the odds that the outcome follows from, and their levels.

Convention: a binary factor is 1 or 0, a factor with levels the place of its level, any other its number; NaN is not
known. Only what is known before the outcome can have an odds ratio: fields with a draw, core set measures and
instruments of strength at baseline, fat fraction and its change, stains.
"""

from __future__ import annotations

import operator
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass

import numpy as np

from rarefactor.errors import StudyFileError
from rarefactor.simulate._draws import Floats
from rarefactor.simulate._measures import compute_bounded
from rarefactor.simulate._plan import FAT, RATE, Plan, describe_field
from rarefactor.spec import Factor, find_code, find_flag, parse_column

_COMPARE: Mapping[str, Callable[[Floats, float], Floats]] = {
    "<": operator.lt,
    "<=": operator.le,
    ">": operator.gt,
    ">=": operator.ge,
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Known:
    """What is known of n patients, as columns that factors may name; ``values`` as in a baseline and its core set."""

    plan: Plan
    values: Mapping[str, Floats]

    def levels(self, name: str) -> int:
        """Return how many levels a factor has; 0 for a number."""
        factor = self.plan.study.factors[name]
        if factor.equals or factor.cut:
            return 2
        found = self.plan.truth.find_field(self._key(factor, name))
        if found is None or found[1].type == "text":
            return 0
        return len(found[1].choices or {}) if found[1].type in {"radio", "dropdown"} else 2

    def factor(self, name: str) -> Floats:
        """Return a factor of each patient."""
        factor = self.plan.study.factors[name]
        values = self._numbers(factor, name)
        if factor.equals:
            return np.where(np.isnan(values), np.nan, np.isin(values, self._places(factor, name)))
        if factor.cut:
            sign, threshold = re.split(r"(?<=[<>=])\s*(?![<>=])", factor.cut, maxsplit=1)
            return np.where(np.isnan(values), np.nan, _COMPARE[sign](values, float(threshold)))
        return values

    def _numbers(self, factor: Factor, name: str) -> Floats:
        key = self._key(factor, name)
        if key == FAT:
            return self._fat(factor)
        if key == self.plan.strength_name and key:
            return np.sum([self.values[muscle] for muscle in self.plan.muscles], axis=0)
        if key not in self.values:
            raise self._refuse(name)
        field = self.plan.truth.find_field(key)
        return compute_bounded(field[1], self.values[key]) if field and field[1].type == "text" else self.values[key]

    def _fat(self, factor: Factor) -> Floats:
        months = dict(zip(self.plan.visits, self.plan.months, strict=True))
        if factor.rate_between:
            return self.values[RATE]
        if factor.change_between:
            first, last = factor.change_between
            return self.values[RATE] * (months[last] - months[first])
        return self.values[FAT] + self.values[RATE] * months[factor.measured_at]

    def _key(self, factor: Factor, name: str) -> str:
        """Return the key of the values that a factor is made from."""
        column, study = parse_column(factor.column), self.plan.study
        if column.table in study.imaging and column.name == FAT and self.plan.truth.scans:
            return FAT
        if column.table in study.pathology:
            return column.name
        key = column.name if column.table in {None, *study.cohort.records} else column.dotted
        later = factor.rate_between or factor.change_between or factor.measured_at != self.plan.visits[0]
        if later and key not in self.values:
            raise self._refuse(name)
        return key

    def _places(self, factor: Factor, name: str) -> list[float]:
        found = self.plan.truth.find_field(self._key(factor, name))
        if found is None:
            raise self._refuse(name)
        field = describe_field(found[1])
        if field.type == "yesno":
            return [float(bool(find_flag(text))) for text in factor.equals]
        codes = [*field.choices]
        return [float(codes.index(code)) for text in factor.equals if (code := find_code(field, text)) in codes]

    def _refuse(self, name: str) -> StudyFileError:
        found = f"the factor {name}, which is not known before the outcome or not simulated"
        expected = "a factor of a drawn field, a core set measure at baseline, fat fraction or a stain"
        problem = self.plan.truth.problem(
            "outcome", "odds_ratios", name, found=found, expected=expected, next_step="Leave it out here."
        )
        return StudyFileError(problem)


def compute_log_odds(known: Known, odds_ratios: Mapping[str, float], outcome: Floats | None = None) -> Floats:
    """Return the sum of the log odds of all factors, without an intercept; the outcome itself may be one of them."""
    study = known.plan.study
    total = np.zeros(len(next(iter(known.values.values()))))
    for name, ratio in odds_ratios.items():
        if name == study.outcome_name and outcome is not None:
            total += np.log(ratio) * outcome
            continue
        total += np.log(ratio) * _steps(known, name)
    return total


def _steps(known: Known, name: str) -> Floats:
    """Return a factor in the steps that its odds ratio is for."""
    factor, values = known.plan.study.factors[name], known.factor(name)
    if known.levels(name) > 2:
        found, expected = f"the factor {name} with several levels", "a number, or a factor with equals or cut"
        raise StudyFileError(
            known.plan.truth.problem(
                "outcome", "odds_ratios", name, found=found, expected=expected, next_step="Name one with two levels."
            )
        )
    if factor.transform == "log" and len(factor.visits) == 1:
        return np.log(values) / np.log(factor.per or 2.0)
    return values / (factor.per or 1.0)
