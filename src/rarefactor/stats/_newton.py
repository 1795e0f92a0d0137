"""The one Newton of the package: it climbs any objective, for thousands of problems in step.

A problem that has arrived leaves the batch, the others go on. What stopped each is a value
(:class:`Stop`), never an exception. Coefficients may be held fixed, problem by problem: that is how tests
and profiles are made.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from enum import IntEnum

import numpy as np

from rarefactor.stats import _kernel
from rarefactor.stats._arrays import (
    Bools,
    Floats,
    Ints,
    dot,
    find_rows,
    get_namespace,
    send,
    solve,
    spread_diagonal,
    take_rows,
)
from rarefactor.stats._penalty import Likelihood, Objective, Point

DRIFT = 1e-3
"""A scaled coefficient that still moves this far after the value has settled runs to infinity."""

LIFTS = (0.015625, 0.0625, 0.25, 1.0, 4.0)
"""Shares of the information that are added to a curvature that is not positive, one after the other."""

STEEP = 1e-5
"""A score above this, per standard deviation, says that a maximum is elsewhere."""


class Stop(IntEnum):
    """Why a problem left the batch."""

    GOING = 0
    CONVERGED = 1
    SEPARATED = 2
    SINGULAR = 3
    ROUNDS = 4
    INVALID = 5

    @property
    def reason(self) -> str:
        """The stop in words, empty where the problem converged."""
        return {
            Stop.SEPARATED: "separated: the likelihood has no maximum at finite coefficients",
            Stop.SINGULAR: "singular: the columns do not determine the coefficients",
            Stop.ROUNDS: "not converged within the allowed rounds",
            Stop.INVALID: "invalid: missing or infinite values, or negative weights",
        }.get(self, "")


@dataclass(frozen=True, slots=True, kw_only=True)
class Limits:
    """When to stop: rounds, the largest step of any patient's log odds, and what counts as arrived.

    A problem has converged when its next step is below ``step`` (that step is still taken, and with
    quadratic convergence leaves nothing). It is separated when its value has settled to ``gain`` while the
    coefficients still move by more than ``DRIFT``.
    """

    rounds: int = 100
    largest: float = 10.0
    step: float = 1e-8
    gain: float = 1e-12
    slack: float = 1e-10


@dataclass(frozen=True, slots=True, kw_only=True)
class Maximum:
    """Where each problem stopped: ``beta`` (B, k), the last step taken there, the point, rounds and stop (B,)."""

    beta: Floats
    step: Floats
    point: Point
    rounds: Ints
    stop: Ints

    def take(self, rows: Ints) -> Maximum:
        """Return the problems at these positions."""
        return Maximum(
            beta=take_rows(self.beta, rows),
            step=take_rows(self.step, rows),
            point=self.point.take(rows),
            rounds=take_rows(self.rounds, rows),
            stop=take_rows(self.stop, rows),
        )


def maximise(objective: Objective[Likelihood], start: Floats, free: Bools, limits: Limits | None = None) -> Maximum:
    """Climb from ``start`` (B, k) in the coefficients that are ``free`` (B, k); the others keep their start."""
    limits = limits or Limits()
    problems = _kernel.read_problems(objective)
    if problems is None:
        return _search(objective, start, free, limits)
    bounds = (limits.rounds, limits.largest, limits.step, limits.gain, limits.slack)
    found, point = _kernel.maximise(problems, start, free, bounds)
    top = Maximum(**found, point=point)
    left = np.flatnonzero(top.stop == _kernel.UNDECIDED)
    if left.size:
        _put(top, left, _search(objective.take(left), start[left], free[left], limits))
    return top


def _search(objective: Objective[Likelihood], start: Floats, free: Bools, limits: Limits) -> Maximum:
    search = _Search(objective=objective, beta=start, free=free, limits=limits)
    while search.live.shape[0]:
        search.advance()
    return search.finish()


def _put(top: Maximum, rows: Ints, others: Maximum) -> None:
    """Write other problems' maxima into these places."""
    for name in ("beta", "step", "rounds", "stop"):
        getattr(top, name)[rows] = getattr(others, name)
    for name in ("value", "gradient", "curvature", "information"):
        getattr(top.point, name)[rows] = getattr(others.point, name)


def derive_direction(point: Point, free: Bools) -> tuple[Floats, Bools]:
    """Return Newton's step (B, k), and whether it is to be had.

    Where the curvature fails, as near a saddle, the smallest addition of the information that makes it positive gives a
    step that leads away from the saddle; scoring with the information alone would creep. That comes last.
    """
    xp = get_namespace(free)
    step, usable = _solve(point.curvature, point.gradient, free)
    for share in (*LIFTS, np.inf):
        if xp.all(usable):
            break
        matrix = point.information if share == np.inf else point.curvature + share * point.information
        lifted, usable_too = _solve(matrix, point.gradient, free)
        step = xp.where(usable[:, None], step, lifted)
        usable = usable | usable_too
    return step, usable & xp.isfinite(point.value)


def _solve(matrix: Floats, gradient: Floats, free: Bools) -> tuple[Floats, Bools]:
    xp = get_namespace(free)
    if not xp.all(free):
        held = spread_diagonal(xp.asarray(~free, dtype=matrix.dtype))
        matrix = xp.where(free[:, :, None] & free[:, None, :], matrix, held)
        gradient = xp.where(free, gradient, 0.0)
    step, positive = solve(matrix, gradient[:, :, None])
    return step[..., 0], positive


def derive_divergence(top: Maximum) -> Floats:
    """Return the direction (B, k) in which separated coefficients run: -1, 0 (they settle) or 1."""
    xp = get_namespace(top.step)
    running = (top.stop == Stop.SEPARATED.value)[:, None] & (xp.abs(top.step) > DRIFT)
    return xp.where(running, xp.sign(top.step), 0.0)


@dataclass(slots=True, kw_only=True)
class _Search:
    """The problems still climbing, and the board on which the arrived ones are written."""

    objective: Objective[Likelihood]
    beta: Floats
    free: Bools
    limits: Limits
    live: Ints = field(init=False)
    point: Point = field(init=False)
    step: Floats = field(init=False)
    usable: Bools = field(init=False)
    share: Floats = field(init=False)
    round: int = 0
    arrived: list[tuple[Ints, Maximum]] = field(init=False, default_factory=list[tuple[Ints, Maximum]])

    def __post_init__(self) -> None:
        self.live = send(np.arange(self.beta.shape[0]), self.beta)
        self.point = self.objective.evaluate(self.beta)
        self.step = get_namespace(self.beta).zeros_like(self.beta)
        self.share = 1.0 + self.step[:, 0]
        self.aim()

    def aim(self) -> None:
        """Find the next step of every live problem, no patient's log odds moving further than allowed."""
        xp = get_namespace(self.free)
        step, self.usable = derive_direction(self.point, self.free)
        if not xp.all(self.usable):
            step = self.escape(step)
        reach = xp.clip(self.objective.likelihood.compute_reach(step), 1e-300, None)
        self.step = step * xp.clip(self.limits.largest / reach, None, 1.0)[:, None]

    def escape(self, step: Floats) -> Floats:
        """Where the curvature has vanished, follow the gradient; where that has vanished too, keep the last step.

        Far out the likelihood is a plateau with cliffs, and the information is zero on both sides of a cliff.
        """
        xp = get_namespace(step)
        slope = xp.where(self.free, self.point.gradient, 0.0)
        steep = ~self.usable & self.is_determined() & (xp.max(xp.abs(slope), axis=1) > STEEP)
        kept = xp.where(self.usable[:, None], step, self.step)
        self.usable = self.usable | steep
        return xp.where(steep[:, None], slope, kept)

    def is_determined(self) -> Bools:
        """Say of every live problem whether its columns, all risks being equal, determine the free coefficients."""
        likelihood = self.objective.likelihood
        equal = get_namespace(self.free).broadcast_to(
            likelihood.sum_pairs(likelihood.weights), self.point.information.shape
        )
        return _solve(equal, self.point.gradient, self.free)[1]

    def advance(self) -> None:
        """Let those that have arrived leave; move the others by one step, or halve it."""
        self.round += 1
        stop = self.judge()
        if get_namespace(stop).any(stop != Stop.GOING.value):
            self.dismiss(stop)
        if self.live.shape[0]:
            self.move()

    def judge(self) -> Ints:
        """Return the stop of every live problem, GOING where it goes on."""
        xp, limits = get_namespace(self.step), self.limits
        longest = xp.max(xp.abs(self.step), axis=1)
        gain = dot(self.step, xp.where(self.free, self.point.gradient, 0.0))
        stop = xp.zeros_like(self.live) + int(Stop.ROUNDS if self.round > limits.rounds else Stop.GOING)
        stop = xp.where((gain < limits.gain) & (longest > DRIFT), Stop.SEPARATED.value, stop)
        stop = xp.where(longest <= limits.step, Stop.CONVERGED.value, stop)
        if not xp.all(self.usable):
            level = xp.where(self.is_determined(), Stop.SEPARATED.value, Stop.SINGULAR.value + xp.zeros_like(stop))
            stop = xp.where(self.usable, stop, level)
        return stop

    def dismiss(self, stop: Ints) -> None:
        """Write the stopped problems on the board and keep the others."""
        xp = get_namespace(stop)
        gone, kept = find_rows(stop != Stop.GOING.value), find_rows(stop == Stop.GOING.value)
        stops, step = take_rows(stop, gone), take_rows(self.step, gone)
        there = Maximum(
            beta=take_rows(self.beta, gone) + xp.where((stops == Stop.CONVERGED.value)[:, None], step, 0.0),
            step=step,
            point=self.point.take(gone),
            rounds=xp.zeros_like(stops) + self.round,
            stop=stops,
        )
        self.arrived.append((take_rows(self.live, gone), there))
        self.live = take_rows(self.live, kept)
        if not kept.shape[0]:
            return
        self.beta, self.free = take_rows(self.beta, kept), take_rows(self.free, kept)
        self.step, self.share = take_rows(self.step, kept), take_rows(self.share, kept)
        self.point, self.objective = self.point.take(kept), self.objective.take(kept)

    def move(self) -> None:
        """Try the step; where the value falls, stay and halve it."""
        trial = self.beta + self.share[:, None] * self.step
        point = self.objective.evaluate(trial)
        xp = get_namespace(trial)
        slack = self.limits.slack * (1.0 + xp.abs(self.point.value))
        better = point.value >= self.point.value - slack
        if xp.all(better):
            self.beta, self.point = trial, point
        else:
            self.beta = xp.where(better[:, None], trial, self.beta)
            self.point = choose(better, point, self.point)
        self.share = xp.where(better, 1.0, 0.5 * self.share)
        self.aim()

    def finish(self) -> Maximum:
        """Put the arrived problems back into their order."""
        if len(self.arrived) == 1:
            return self.arrived[0][1]
        xp = get_namespace(self.beta)
        order = xp.argsort(xp.concat([rows for rows, _ in self.arrived]))
        return join([there for _, there in self.arrived]).take(order)


def choose(condition: Bools, yes: Point, no: Point) -> Point:
    """Return ``yes`` where the condition (B,) holds, else ``no``."""
    xp = get_namespace(condition)
    return Point(
        value=xp.where(condition, yes.value, no.value),
        gradient=xp.where(condition[:, None], yes.gradient, no.gradient),
        curvature=xp.where(condition[:, None, None], yes.curvature, no.curvature),
        information=xp.where(condition[:, None, None], yes.information, no.information),
    )


def join(parts: list[Maximum]) -> Maximum:
    """Concatenate the problems of several maxima."""
    concat = get_namespace(parts[0].beta).concat
    return Maximum(
        beta=concat([part.beta for part in parts]),
        step=concat([part.step for part in parts]),
        point=Point(
            value=concat([part.point.value for part in parts]),
            gradient=concat([part.point.gradient for part in parts]),
            curvature=concat([part.point.curvature for part in parts]),
            information=concat([part.point.information for part in parts]),
        ),
        rounds=concat([part.rounds for part in parts]),
        stop=concat([part.stop for part in parts]),
    )
