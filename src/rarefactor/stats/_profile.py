"""Profiles: the best value with one coefficient held fixed, where it has fallen by a stated amount or at zero.

A profile bound is where the profile has fallen by ``drop``; a likelihood-ratio test is its fall at zero. All
walks of all problems advance in step. Each goes out from the maximum along the ridge of the profile, through a
few intermediate goals, and every round corrects the nuisance coefficients and moves the held one together (one
evaluation per round, quadratic convergence at the end). Small steps matter: with separated data a penalised
profile can have several modes in the nuisance coefficients, and a leap lands on the wrong one.

Convention: a bound that does not exist is infinite; what was not found is NaN. Coefficients are scaled.

References
----------
Venzon DJ, Moolgavkar SH. A method for computing profile-likelihood-based confidence intervals. Appl Stat
1988;37:87-94.
"""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np

from rarefactor.stats import _kernel
from rarefactor.stats._arrays import Bools, Floats, Ints, dot, solve
from rarefactor.stats._newton import Limits, Maximum, Stop, choose, derive_divergence, maximise
from rarefactor.stats._penalty import Objective, Point

INFINITE = 200.0
"""Log odds per standard deviation beyond which a profile that has not fallen is taken never to fall."""

PATIENT = Limits(rounds=400)
NULL = 0.0
"""The side of a walk that goes to zero; the bounds' sides are -1 and 1."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Stride:
    """How a walk goes: intermediate goals, largest step (of any patient's log odds), rounds, when it has arrived."""

    goals: int
    largest: float
    rounds: int
    arrived: float = 3e-6


BRISK = Stride(goals=2, largest=5.0, rounds=60)
SLOW = Stride(goals=32, largest=1.0, rounds=600)
EASY_ROUNDS = 7
"""A walk that takes longer than this is repeated in small steps."""


@dataclass(frozen=True, slots=True)
class Lanes:
    """Walks to make: ``problem``, ``column`` and ``side`` of each."""

    problem: Ints
    column: Ints
    side: Floats

    def take(self, rows: Ints) -> Lanes:
        """Return the walks at these positions."""
        return Lanes(self.problem[rows], self.column[rows], self.side[rows])


def lay_lanes(problems: int, k: int, sides: tuple[float, ...]) -> Lanes:
    """Return one walk per problem, column and side, in this order."""
    problem, column, side = np.indices((problems, k, len(sides))).reshape(3, -1)
    return Lanes(problem, column, np.array(sides)[side])


def walk_profiles(objective: Objective, top: Maximum, drop: float, sides: tuple[float, ...]) -> Floats:
    """Return (B, k, sides): bounds for the sides -1 and 1, likelihood-ratio chi-squares for the side NULL.

    Walk briskly; where that was hard, walk again slowly. Both ends lie on the profile, so the higher one shows
    what the data do not reject: the outer bound and the smaller chi-square are kept.
    """
    problems, k = top.beta.shape
    lanes = lay_lanes(problems, k, sides)
    found, rounds = _walk(objective, top, lanes, drop, BRISK)
    hard = np.flatnonzero(np.isnan(found) | (rounds > EASY_ROUNDS))
    if hard.size:
        again, _ = _walk(objective, top, lanes.take(hard), drop, SLOW)
        sign = np.where(lanes.side[hard] == NULL, -1.0, lanes.side[hard])
        found[hard] = sign * np.fmax(sign * found[hard], sign * again)
    return found.reshape(problems, k, len(sides))


def _walk(objective: Objective, top: Maximum, lanes: Lanes, drop: float, stride: Stride) -> tuple[Floats, Ints]:
    """Return what each walk found and the rounds that it took."""
    problems = _kernel.read_problems(objective)
    if problems is not None:
        way = (stride.goals, stride.rounds, stride.largest, stride.arrived, drop)
        return _kernel.walk(problems, (top.beta, top.point), (lanes.problem, lanes.column, lanes.side), way)
    start = top.take(lanes.problem)
    walk = _Walk(
        objective=objective.take(lanes.problem),
        start=start,
        beta=start.beta,
        point=start.point,
        lanes=lanes,
        drop=drop,
        stride=stride,
    )
    while walk.live.size and walk.round < stride.rounds:
        walk.advance()
    return walk.found, walk.rounds


@dataclass(slots=True, kw_only=True)
class _Walk:
    """Walks on their way; ``goal`` is the share of the way (in the signed root of the fall) aimed at."""

    objective: Objective
    start: Maximum
    beta: Floats
    point: Point
    lanes: Lanes
    drop: float
    stride: Stride
    live: Ints = field(init=False)
    goal: Floats = field(init=False)
    share: Floats = field(init=False)
    found: Floats = field(init=False)
    rounds: Ints = field(init=False)
    unit: Floats = field(init=False)
    best: Floats = field(init=False)
    masks: tuple[Floats, Floats, Floats, Floats] = field(init=False)
    round: int = 0

    def __post_init__(self) -> None:
        count = self.lanes.side.size
        self.live = np.arange(count)
        self.goal = np.full(count, 1.0 / self.stride.goals)
        self.share = np.ones(count)
        self.found = np.full(count, np.nan)
        self.rounds = np.full(count, self.stride.rounds, dtype=np.intp)
        self.unit = np.eye(self.beta.shape[1])[self.lanes.column]
        self.lay_masks()

    def advance(self) -> None:
        """Aim, let those that have arrived leave, and move the others."""
        self.round += 1
        step = self.aim()
        longest = np.abs(step).max(axis=1)
        reach = self.objective.likelihood.compute_reach(step)
        near = longest <= self.stride.arrived * (1.0 + np.abs(self.beta).max(axis=1))
        arrived = near & (self.goal >= 1.0)
        step *= np.minimum(1.0, self.stride.largest / np.maximum(reach, 1e-300))[:, None]
        if arrived.any():
            step = self.dismiss(arrived, step)
        if self.live.size:
            self.move(step)

    def aim(self) -> Floats:
        """Return the step to the goal: to the ridge in the nuisance coefficients, and out along it.

        On the ridge the value falls by s u + q u^2/2 after a distance u, and ``excess`` is what is left of
        the goal; the root is written so that it also holds where the profile bends upwards (q < 0).
        """
        correction, ridge, bend = self.derive_ridge()
        self.best = self.point.value + 0.5 * dot(correction, self.point.gradient)
        excess = self.best - self.start.point.value + self.drop * np.square(self.goal)
        fall = -self.lanes.side * dot(ridge, self.point.gradient)
        below = fall + np.sqrt(np.maximum(0.0, np.square(fall) + 2.0 * bend * excess))
        out = np.where(below > 0.0, 2.0 * excess / np.where(below > 0.0, below, 1.0), self.stride.largest)
        home = dot(self.unit, self.start.beta * (1.0 - self.goal)[:, None] - self.beta)
        distance = np.where(self.lanes.side == NULL, home, self.lanes.side * out)
        return correction + distance[:, None] * ridge

    def derive_ridge(self) -> tuple[Floats, Floats, Floats]:
        """Return the step onto the ridge (A, k), the ridge's direction (A, k) and the bend of the value along it."""
        matrix = self.point.curvature
        solution, usable = self.solve_nuisance(matrix)
        if not usable.all():
            rough, _ = self.solve_nuisance(self.point.information)
            solution = np.where(usable[:, None, None], solution, rough)
            matrix = np.where(usable[:, None, None], matrix, self.point.information)
        ridge = solution[..., 1]
        return solution[..., 0], ridge, dot(ridge, (matrix @ solution)[..., 1])

    def solve_nuisance(self, matrix: Floats) -> tuple[Floats, Bools]:
        """Solve with the held row and column taken out, for the gradient and for the held column."""
        unit, free, kept, pinned = self.masks
        right = np.empty((*self.unit.shape, 2))
        right[..., :1] = free * self.point.gradient[:, :, None]
        right[..., 1:] = unit - free * (matrix @ unit)
        return solve(matrix * kept + pinned, right)

    def lay_masks(self) -> None:
        """Prepare what takes the held row and column out of a matrix and puts a one on its diagonal."""
        unit = self.unit[:, :, None]
        free = 1.0 - unit
        self.masks = unit, free, free * free.transpose(0, 2, 1), unit * unit.transpose(0, 2, 1)

    def dismiss(self, arrived: Bools, step: Floats) -> Floats:
        """Note what the arrived walks found, keep the others, and return the steps of these."""
        gone, kept = np.flatnonzero(arrived), np.flatnonzero(~arrived)
        bound = dot(self.unit[gone], self.beta[gone] + step[gone])
        chisq = np.maximum(0.0, 2.0 * (self.start.point.value[gone] - self.best[gone]))
        self.found[self.live[gone]] = np.where(self.lanes.side[gone] == NULL, chisq, bound)
        self.rounds[self.live[gone]] = self.round
        self.live = self.live[kept]
        if not kept.size:
            return step[kept]
        self.beta, self.unit = self.beta[kept], self.unit[kept]
        self.goal, self.share = self.goal[kept], self.share[kept]
        self.start, self.point, self.lanes = self.start.take(kept), self.point.take(kept), self.lanes.take(kept)
        self.objective = self.objective.take(kept)
        self.lay_masks()
        return step[kept]

    def move(self, step: Floats) -> None:
        """Take the step unless it falls far below the goal; then stay and halve it."""
        trial = self.beta + self.share[:, None] * step
        point = self.objective.evaluate(trial)
        lowest = self.start.point.value - self.drop * (np.square(self.goal) + 1.0)
        good = (point.value >= lowest) | ((self.lanes.side == NULL) & np.isfinite(point.value))
        if good.all():
            self.beta, self.point = trial, point
        else:
            self.beta = np.where(good[:, None], trial, self.beta)
            self.point = choose(good, point, self.point)
        self.share = np.where(good, np.minimum(1.0, 2.0 * self.share), 0.5 * self.share)
        self.goal = np.where(good, np.minimum(1.0, self.goal + 1.0 / self.stride.goals), self.goal)


def search_concave(objective: Objective, top: Maximum, drop: float) -> Floats:
    """Return bounds (B, k, 2) against the supremum of a likelihood without a finite maximum.

    The log-likelihood is concave, so its profiles are too: Newton's root search on a profile cannot go astray.
    A coefficient that runs to infinity has no bound on that side.
    """
    problems, k = top.beta.shape
    lanes = lay_lanes(problems, k, (-1.0, 1.0))
    origin, column, side = lanes.problem, lanes.column, lanes.side
    towards = derive_divergence(top)[origin, column]
    bounds = np.where(towards == side, side * np.inf, np.nan)
    open_ended = np.flatnonzero(towards != side)
    start = np.where(towards == 0.0, top.beta[origin, column], 0.0)
    bounds[open_ended] = _search_roots(
        objective.take(origin[open_ended]),
        (column[open_ended], side[open_ended], start[open_ended]),
        top.point.value[origin[open_ended]] - drop,
    )
    return bounds.reshape(problems, k, 2)


def _search_roots(objective: Objective, starts: tuple[Ints, Floats, Floats], floor: Floats) -> Floats:
    """Return where each concave profile crosses its floor on its side, infinite where it never does."""
    column, side, at = starts
    held = np.eye(objective.likelihood.width, dtype=bool)[column]
    done = np.zeros(at.size, dtype=bool)
    nuisance = np.zeros(held.shape)
    for doubling in range(60):
        best = maximise(objective, np.where(held, at[:, None], nuisance), ~held, PATIENT)
        nuisance = np.where((best.stop == Stop.CONVERGED)[:, None], best.beta, 0.0)
        point = best.point
        excess = point.value - floor
        fall = -side * point.gradient[held]
        farthest = 2.0 ** min(doubling, 10)
        newton = excess / np.where(fall > 1e-12, fall, 1e-12)
        distance = np.where(done, 0.0, np.clip(newton, -farthest, farthest))
        at = at + side * distance
        done |= (np.abs(distance) < 1e-9 * (1.0 + np.abs(at))) | (np.abs(at) > INFINITE)
        if done.all():
            break
    return np.where(np.abs(at) > INFINITE, side * np.inf, np.where(done, at, np.nan))
