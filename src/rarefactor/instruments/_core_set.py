"""The core set measures of myositis activity: what they are called, how far they range, which way is better.

Convention: a measure is given under its own name; of several muscle enzymes the one that is the largest multiple of its
upper limit of normal at baseline counts, throughout. Percent changes are signed so that + is better.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Literal

import numpy as np
from numpy.typing import ArrayLike

from rarefactor.errors import suggest
from rarefactor.instruments._arrays import Floats, Texts, check_lengths, raise_input, read_bounded, read_values
from rarefactor.instruments._enzymes import ENZYME_RANGES

Version = Literal["adult", "juvenile"]
ENZYME = "muscle_enzyme"


@dataclass(frozen=True, slots=True, kw_only=True)
class Measure:
    """A core set measure: the place it takes in the set, its range (None: never guessed), and which way is better.

    ``juvenile`` measures belong to the sets for children only.
    """

    slot: str
    label: str
    range: float | None
    higher_is_better: bool = False
    juvenile: bool = False


MEASURES: Mapping[str, Measure] = {
    "physician_global": Measure(slot="physician_global", label="Physician global activity", range=10.0),
    "patient_global": Measure(slot="patient_global", label="Patient global activity", range=10.0),
    "parent_global": Measure(slot="patient_global", label="Parent global activity", range=10.0, juvenile=True),
    "mmt": Measure(slot="strength", label="Manual muscle testing", range=None, higher_is_better=True),
    "cmas": Measure(
        slot="strength", label="Childhood Myositis Assessment Scale", range=52.0, higher_is_better=True, juvenile=True
    ),
    "haq": Measure(slot="function", label="Health Assessment Questionnaire", range=3.0),
    "chaq": Measure(slot="function", label="Childhood HAQ", range=3.0, juvenile=True),
    **{
        name: Measure(slot=ENZYME, label=label, range=ENZYME_RANGES[name])
        for name, label in {
            "ck": "Creatine kinase",
            "aldolase": "Aldolase",
            "ldh": "Lactate dehydrogenase",
            "ast": "Aspartate aminotransferase",
            "alt": "Alanine aminotransferase",
        }.items()
    },
    "chq_phs": Measure(
        slot=ENZYME, label="Child Health Questionnaire PhS", range=None, higher_is_better=True, juvenile=True
    ),
    "extramuscular": Measure(slot="extramuscular", label="Extramuscular activity", range=10.0),
    "das": Measure(slot="extramuscular", label="Disease Activity Score", range=20.0, juvenile=True),
}
SLOTS = ("physician_global", "patient_global", "strength", "function", ENZYME, "extramuscular")


@dataclass(frozen=True, slots=True, kw_only=True)
class Pair:
    """One core set measure of n patients at two visits.

    ``names`` says for each patient which measure it is: enzymes differ. Enzymes are in multiples of their limit.
    """

    names: Texts
    baseline: Floats
    final: Floats
    range: Floats
    higher_is_better: bool

    @property
    def absolute_percent(self) -> Floats:
        """The change in per cent of the range, + is better."""
        return _exact(self._gain * 100.0 / self.range)

    @property
    def relative_percent(self) -> Floats:
        """The change in per cent of the baseline, + is better; from a baseline of 0 any change is infinite."""
        with np.errstate(divide="ignore", invalid="ignore"):
            change = _exact(self._gain * 100.0 / self.baseline)
        still = (self.baseline == 0.0) & (self.final == 0.0)
        return np.where(still, 0.0, change)

    @property
    def attainable_percent(self) -> Floats:
        """The largest change that the baseline leaves room for, in per cent of the range."""
        room = self.range - self.baseline if self.higher_is_better else self.baseline
        return _exact(room * 100.0 / self.range)

    @property
    def _gain(self) -> Floats:
        return self.final - self.baseline if self.higher_is_better else self.baseline - self.final


def read_core_set(
    baseline: Mapping[str, ArrayLike],
    final: Mapping[str, ArrayLike],
    *,
    ranges: Mapping[str, float],
    limits: Mapping[str, ArrayLike],
    version: Version = "adult",
) -> dict[str, Pair]:
    """Return the measures of two visits by their place in the set, as far as they were given.

    Raises
    ------
    InputError
        A measure is unknown, given at one visit only, out of its range, or takes the place of another.
    """
    names = _check_names(baseline, final, version)
    everyone = check_lengths({f"{name}": read_values(each[name], name) for each in (baseline, final) for name in names})
    limits = {name: _limit(name, limits, names, everyone) for name in names if name in ENZYME_RANGES}
    pairs = {
        name: _pair(name, (baseline[name], final[name]), _range(name, ranges), limits.get(name), everyone)
        for name in names
    }
    found = {slot: [pairs[name] for name in names if MEASURES[name].slot == slot] for slot in SLOTS}
    return {slot: _most_abnormal(several) for slot, several in found.items() if several}


def _check_names(baseline: Mapping[str, ArrayLike], final: Mapping[str, ArrayLike], version: Version) -> list[str]:
    known = [name for name, measure in MEASURES.items() if version == "juvenile" or not measure.juvenile]
    for name in (*baseline, *final):
        if name not in known:
            expected = f"one of {', '.join(known)}"
            raise_input(name, f"a measure that the {version} set does not have", expected, suggest(name, known))
    for name in baseline.keys() ^ final.keys():
        raise_input(name, "one visit only", "baseline and final", "Give both, NaN where a value is missing.")
    names = [name for name in MEASURES if name in baseline]
    _refuse_rivals(names)
    return names


def _refuse_rivals(names: Iterable[str]) -> None:
    taken: dict[str, str] = {}
    for name in names:
        slot = MEASURES[name].slot
        other = taken.setdefault(slot, name)
        if other != name and not {name, other} <= ENZYME_RANGES.keys():
            raise_input(name, f"{name} beside {other}", "one of the two", "They take the same place: leave one out.")


def _range(name: str, ranges: Mapping[str, float]) -> float:
    found = ranges.get(name, MEASURES[name].range)
    if found is None or not 0.0 < found < np.inf:
        step = "80 for MMT8 of one side, 150 for both sides." if name == "mmt" else "Say how far the form ranges."
        raise_input(name, "no range" if found is None else "a range of no width", "the maximum of the form used", step)
    return float(found)


def _limit(name: str, limits: Mapping[str, ArrayLike], names: Iterable[str], everyone: int) -> Floats:
    if name not in limits:
        enzymes = [each for each in names if each in ENZYME_RANGES]
        expected = f"the upper limit of normal of {' and '.join(enzymes)}"
        raise_input(name, "no upper limit of normal", expected, "Give it in the unit of the values.")
    return np.broadcast_to(read_bounded(limits[name], f"limit of {name}", 1e-6), everyone)


def _pair(name: str, visits: tuple[ArrayLike, ArrayLike], width: float, limit: Floats | None, everyone: int) -> Pair:
    measure, highest = MEASURES[name], (width if limit is None else np.inf)
    first, last = (np.broadcast_to(read_bounded(values, name, 0.0, highest), everyone) for values in visits)
    unit = np.ones(everyone) if limit is None else limit
    return Pair(
        names=np.full(everyone, name),
        baseline=first / unit,
        final=last / unit,
        range=np.full(everyone, width),
        higher_is_better=measure.higher_is_better,
    )


def _most_abnormal(pairs: list[Pair]) -> Pair:
    """Return for each patient the pair that is largest at baseline; where none is known there, the first."""
    if len(pairs) == 1:
        return pairs[0]
    known = np.stack([np.nan_to_num(pair.baseline, nan=-1.0) for pair in pairs])
    which = known.argmax(axis=0)
    column = np.arange(len(which))
    taken = {name: np.stack([getattr(pair, name) for pair in pairs])[which, column] for name in _PICKED}
    return Pair(**taken, higher_is_better=False)


_PICKED = ("names", "baseline", "final", "range")


def _exact(percent: Floats) -> Floats:
    """Return per cents without the error of binary fractions: 100 × (1.5 − 1.35) / 3 is 5."""
    return np.round(percent, 9)
