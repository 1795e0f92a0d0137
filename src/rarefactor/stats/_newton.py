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
from rarefactor.stats._arrays import Bools, Floats, Ints, dot, solve
from rarefactor.stats._penalty import Objective, Point

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
            beta=self.beta[rows],
            step=self.step[rows],
            point=self.point.take(rows),
            rounds=self.rounds[rows],
            stop=self.stop[rows],
        )


def maximise(objective: Objective, start: Floats, free: Bools, limits: Limits | None = None) -> Maximum:
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


def _search(objective: Objective, start: Floats, free: Bools, limits: Limits) -> Maximum:
    search = _Search(objective=objective, beta=start, free=free, limits=limits)
    while search.live.size:
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
    step, usable = _solve(point.curvature, point.gradient, free)
    for share in (*LIFTS, np.inf):
        if usable.all():
            break
        matrix = point.information if share == np.inf else point.curvature + share * point.information
        lifted, usable_too = _solve(matrix, point.gradient, free)
        step = np.where(usable[:, None], step, lifted)
        usable = usable | usable_too
    return step, usable & np.isfinite(point.value)


def _solve(matrix: Floats, gradient: Floats, free: Bools) -> tuple[Floats, Bools]:
    if not free.all():
        held = np.eye(free.shape[1]) * ~free[:, :, None]
        matrix = np.where(free[:, :, None] & free[:, None, :], matrix, held)
        gradient = np.where(free, gradient, 0.0)
    step, positive = solve(matrix, gradient[:, :, None])
    return step[..., 0], positive


def derive_divergence(top: Maximum) -> Floats:
    """Return the direction (B, k) in which separated coefficients run: -1, 0 (they settle) or 1."""
    running = (top.stop == Stop.SEPARATED)[:, None] & (np.abs(top.step) > DRIFT)
    return np.where(running, np.sign(top.step), 0.0)


@dataclass(slots=True, kw_only=True)
class _Search:
    """The problems still climbing, and the board on which the arrived ones are written."""

    objective: Objective
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
        self.live = np.arange(self.beta.shape[0])
        self.point = self.objective.evaluate(self.beta)
        self.share = np.ones(self.beta.shape[0])
        self.step = np.zeros(self.beta.shape)
        self.aim()

    def aim(self) -> None:
        """Find the next step of every live problem, no patient's log odds moving further than allowed."""
        step, self.usable = derive_direction(self.point, self.free)
        if not self.usable.all():
            step = self.escape(step)
        reach = self.objective.likelihood.compute_reach(step)
        self.step = step * np.minimum(1.0, self.limits.largest / np.maximum(reach, 1e-300))[:, None]

    def escape(self, step: Floats) -> Floats:
        """Where the curvature has vanished, follow the gradient; where that has vanished too, keep the last step.

        Far out the likelihood is a plateau with cliffs, and the information is zero on both sides of a cliff.
        """
        slope = np.where(self.free, self.point.gradient, 0.0)
        steep = ~self.usable & self.is_determined() & (np.abs(slope).max(axis=1) > STEEP)
        kept = np.where(self.usable[:, None], step, self.step)
        self.usable = self.usable | steep
        return np.where(steep[:, None], slope, kept)

    def is_determined(self) -> Bools:
        """Say of every live problem whether its columns, all risks being equal, determine the free coefficients."""
        likelihood = self.objective.likelihood
        equal = np.broadcast_to(likelihood.sum_pairs(likelihood.weights), self.point.information.shape)
        return _solve(equal, self.point.gradient, self.free)[1]

    def advance(self) -> None:
        """Let those that have arrived leave; move the others by one step, or halve it."""
        self.round += 1
        stop = self.judge()
        if stop.any():
            self.dismiss(stop)
        if self.live.size:
            self.move()

    def judge(self) -> Ints:
        """Return the stop of every live problem, GOING where it goes on."""
        limits = self.limits
        longest = np.abs(self.step).max(axis=1)
        gain = dot(self.step, np.where(self.free, self.point.gradient, 0.0))
        stop = np.full(self.live.size, Stop.GOING, dtype=np.intp)
        stop[self.round > limits.rounds] = Stop.ROUNDS
        stop[(gain < limits.gain) & (longest > DRIFT)] = Stop.SEPARATED
        stop[longest <= limits.step] = Stop.CONVERGED
        if not self.usable.all():
            level = np.where(self.is_determined(), Stop.SEPARATED, Stop.SINGULAR)
            stop = np.where(self.usable, stop, level)
        return stop

    def dismiss(self, stop: Ints) -> None:
        """Write the stopped problems on the board and keep the others."""
        gone, kept = np.flatnonzero(stop), np.flatnonzero(stop == Stop.GOING)
        settled = (stop[gone] == Stop.CONVERGED)[:, None]
        step = self.step[gone]
        there = Maximum(
            beta=self.beta[gone] + np.where(settled, step, 0.0),
            step=step,
            point=self.point.take(gone),
            rounds=np.full(gone.size, self.round, dtype=np.intp),
            stop=stop[gone],
        )
        self.arrived.append((self.live[gone], there))
        self.live = self.live[kept]
        if not kept.size:
            return
        self.beta, self.free = self.beta[kept], self.free[kept]
        self.point, self.step, self.share = self.point.take(kept), self.step[kept], self.share[kept]
        self.objective = self.objective.take(kept)

    def move(self) -> None:
        """Try the step; where the value falls, stay and halve it."""
        trial = self.beta + self.share[:, None] * self.step
        point = self.objective.evaluate(trial)
        slack = self.limits.slack * (1.0 + np.abs(self.point.value))
        better = point.value >= self.point.value - slack
        if better.all():
            self.beta, self.point = trial, point
            self.share[:] = 1.0
        else:
            self.beta = np.where(better[:, None], trial, self.beta)
            self.point = choose(better, point, self.point)
            self.share = np.where(better, 1.0, 0.5 * self.share)
        self.aim()

    def finish(self) -> Maximum:
        """Put the arrived problems back into their order."""
        if len(self.arrived) == 1:
            return self.arrived[0][1]
        order = np.argsort(np.concatenate([rows for rows, _ in self.arrived]))
        return join([there for _, there in self.arrived]).take(order)


def choose(condition: Bools, yes: Point, no: Point) -> Point:
    """Return ``yes`` where the condition (B,) holds, else ``no``."""
    return Point(
        value=np.where(condition, yes.value, no.value),
        gradient=np.where(condition[:, None], yes.gradient, no.gradient),
        curvature=np.where(condition[:, None, None], yes.curvature, no.curvature),
        information=np.where(condition[:, None, None], yes.information, no.information),
    )


def join(parts: list[Maximum]) -> Maximum:
    """Concatenate the problems of several maxima."""
    return Maximum(
        beta=np.concatenate([part.beta for part in parts]),
        step=np.concatenate([part.step for part in parts]),
        point=Point(
            value=np.concatenate([part.point.value for part in parts]),
            gradient=np.concatenate([part.point.gradient for part in parts]),
            curvature=np.concatenate([part.point.curvature for part in parts]),
            information=np.concatenate([part.point.information for part in parts]),
        ),
        rounds=np.concatenate([part.rounds for part in parts]),
        stop=np.concatenate([part.stop for part in parts]),
    )
