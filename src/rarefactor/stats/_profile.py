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
from rarefactor.stats._arrays import (
    Bools,
    Floats,
    Ints,
    dot,
    find_rows,
    get_namespace,
    put_rows,
    send,
    solve,
    take_rows,
)
from rarefactor.stats._newton import Limits, Maximum, Stop, choose, derive_divergence, maximise
from rarefactor.stats._penalty import Likelihood, Objective, Point, hold_bend

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
        return Lanes(take_rows(self.problem, rows), take_rows(self.column, rows), take_rows(self.side, rows))


def lay_lanes(beta: Floats, columns: tuple[int, ...], sides: tuple[float, ...]) -> Lanes:
    """Return one walk per problem, column and side, in this order, on the device of ``beta`` (B, k)."""
    problem, column, side = np.indices((beta.shape[0], len(columns), len(sides))).reshape(3, -1)
    places = np.array(columns, dtype=np.intp)[column]
    return Lanes(send(problem, beta), send(places, beta), send(np.array(sides)[side], beta))


def walk_profiles(
    objective: Objective[Likelihood], top: Maximum, drop: float, columns: tuple[int, ...], sides: tuple[float, ...]
) -> Floats:
    """Return (B, columns, sides): bounds for the sides -1 and 1, likelihood-ratio chi-squares for the side NULL.

    Walk briskly; where that was hard, walk again slowly. Both ends lie on the profile, so the higher one shows
    what the data do not reject: the outer bound and the smaller chi-square are kept.
    """
    xp = get_namespace(top.beta)
    lanes = lay_lanes(top.beta, columns, sides)
    found, rounds = _walk(hold_bend(objective, top.point), top, lanes, drop, BRISK)
    hard = xp.isnan(found) | (rounds > EASY_ROUNDS)
    if xp.any(hard):
        rows = find_rows(hard)
        slow = lanes.take(rows)
        again, _ = _walk(objective, top, slow, drop, SLOW)
        found = put_rows(found, hard, _choose_outer(take_rows(found, rows), again, slow.side))
    return xp.reshape(found, (top.beta.shape[0], len(columns), len(sides)))


def _choose_outer(first: Floats, second: Floats, side: Floats) -> Floats:
    """Return the outer of two bounds, the smaller of two chi-squares; where one was not found, the other."""
    xp = get_namespace(first)
    sign = xp.where(side == NULL, -1.0, side)
    return xp.where(xp.isnan(first) | (sign * second > sign * first), second, first)


def _walk(
    objective: Objective[Likelihood], top: Maximum, lanes: Lanes, drop: float, stride: Stride
) -> tuple[Floats, Ints]:
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
    while walk.live.shape[0] and walk.round < stride.rounds:
        walk.advance()
    return walk.finish()


@dataclass(slots=True, kw_only=True)
class _Walk:
    """Walks on their way; ``goal`` is the share of the way (in the signed root of the fall) aimed at."""

    objective: Objective[Likelihood]
    start: Maximum
    beta: Floats
    point: Point
    lanes: Lanes
    drop: float
    stride: Stride
    live: Ints = field(init=False)
    goal: Floats = field(init=False)
    share: Floats = field(init=False)
    unit: Floats = field(init=False)
    best: Floats = field(init=False)
    masks: tuple[Floats, Floats, Floats, Floats] = field(init=False)
    round: int = 0
    arrived: list[tuple[Ints, Floats, Ints]] = field(init=False, default_factory=list[tuple[Ints, Floats, Ints]])

    def __post_init__(self) -> None:
        self.live = send(np.arange(self.lanes.side.shape[0]), self.beta)
        self.share = 1.0 + 0.0 * self.lanes.side
        self.goal = self.share / self.stride.goals
        self.unit = take_rows(send(np.eye(self.beta.shape[1]), self.beta), self.lanes.column)
        self.lay_masks()

    def advance(self) -> None:
        """Aim, let those that have arrived leave, and move the others."""
        self.round += 1
        xp = get_namespace(self.beta)
        step = self.aim()
        longest = xp.max(xp.abs(step), axis=1)
        reach = xp.clip(self.objective.likelihood.compute_reach(step), 1e-300, None)
        near = longest <= self.stride.arrived * (1.0 + xp.max(xp.abs(self.beta), axis=1))
        arrived = near & (self.goal >= 1.0)
        step = step * xp.clip(self.stride.largest / reach, None, 1.0)[:, None]
        if xp.any(arrived):
            step = self.dismiss(arrived, step)
        if self.live.shape[0]:
            self.move(step)

    def aim(self) -> Floats:
        """Return the step to the goal: to the ridge in the nuisance coefficients, and out along it.

        On the ridge the value falls by s u + q u^2/2 after a distance u, and ``excess`` is what is left of
        the goal; the root is written so that it also holds where the profile bends upwards (q < 0).
        """
        xp = get_namespace(self.beta)
        correction, ridge, bend = self.derive_ridge()
        self.best = self.point.value + 0.5 * dot(correction, self.point.gradient)
        excess = self.best - self.start.point.value + self.drop * xp.square(self.goal)
        fall = -self.lanes.side * dot(ridge, self.point.gradient)
        below = fall + xp.sqrt(xp.clip(xp.square(fall) + 2.0 * bend * excess, 0.0, None))
        out = xp.where(below > 0.0, 2.0 * excess / xp.where(below > 0.0, below, 1.0), self.stride.largest)
        home = dot(self.unit, self.start.beta * (1.0 - self.goal)[:, None] - self.beta)
        distance = xp.where(self.lanes.side == NULL, home, self.lanes.side * out)
        return correction + distance[:, None] * ridge

    def derive_ridge(self) -> tuple[Floats, Floats, Floats]:
        """Return the step onto the ridge (A, k), the ridge's direction (A, k) and the bend of the value along it."""
        matrix = self.point.curvature
        solution, usable = self.solve_nuisance(matrix)
        xp = get_namespace(usable)
        if not xp.all(usable):
            rough, _ = self.solve_nuisance(self.point.information)
            solution = xp.where(usable[:, None, None], solution, rough)
            matrix = xp.where(usable[:, None, None], matrix, self.point.information)
        ridge = solution[..., 1]
        return solution[..., 0], ridge, dot(ridge, (matrix @ solution)[..., 1])

    def solve_nuisance(self, matrix: Floats) -> tuple[Floats, Bools]:
        """Solve with the held row and column taken out, for the gradient and for the held column."""
        unit, free, kept, pinned = self.masks
        aims = [free * self.point.gradient[:, :, None], unit - free * (matrix @ unit)]
        return solve(matrix * kept + pinned, get_namespace(unit).concat(aims, axis=2))

    def lay_masks(self) -> None:
        """Prepare what takes the held row and column out of a matrix and puts a one on its diagonal."""
        unit, row = self.unit[:, :, None], self.unit[:, None, :]
        free = 1.0 - unit
        self.masks = unit, free, free * (1.0 - row), unit * row

    def dismiss(self, arrived: Bools, step: Floats) -> Floats:
        """Note what the arrived walks found, keep the others, and return the steps of these."""
        xp = get_namespace(step)
        gone, kept = find_rows(arrived), find_rows(~arrived)
        bound = dot(self.unit, self.beta + step)
        chisq = xp.clip(2.0 * (self.start.point.value - self.best), 0.0, None)
        self.leave(gone, xp.where(self.lanes.side == NULL, chisq, bound))
        self.live = take_rows(self.live, kept)
        if not kept.shape[0]:
            return take_rows(step, kept)
        self.beta, self.unit = take_rows(self.beta, kept), take_rows(self.unit, kept)
        self.goal, self.share = take_rows(self.goal, kept), take_rows(self.share, kept)
        self.start, self.point, self.lanes = self.start.take(kept), self.point.take(kept), self.lanes.take(kept)
        self.objective = self.objective.take(kept)
        self.lay_masks()
        return take_rows(step, kept)

    def leave(self, rows: Ints, found: Floats) -> None:
        """Put what these walks found, and in how many rounds, on the board."""
        live = take_rows(self.live, rows)
        rounds = get_namespace(live).zeros_like(live) + self.round
        self.arrived.append((live, take_rows(found, rows), rounds))

    def finish(self) -> tuple[Floats, Ints]:
        """Return what each walk found, NaN where it did not arrive, and the rounds that it took, in their order."""
        xp = get_namespace(self.live)
        if self.live.shape[0]:
            self.leave(send(np.arange(self.live.shape[0]), self.live), xp.nan * self.goal)
        live, found, rounds = (xp.concat(parts) for parts in zip(*self.arrived, strict=True))
        order = xp.argsort(live)
        return take_rows(found, order), take_rows(rounds, order)

    def move(self, step: Floats) -> None:
        """Take the step unless it falls far below the goal; then stay and halve it."""
        xp = get_namespace(step)
        trial = self.beta + self.share[:, None] * step
        point = self.objective.evaluate(trial)
        lowest = self.start.point.value - self.drop * (xp.square(self.goal) + 1.0)
        good = (point.value >= lowest) | ((self.lanes.side == NULL) & xp.isfinite(point.value))
        if xp.all(good):
            self.beta, self.point = trial, point
        else:
            self.beta = xp.where(good[:, None], trial, self.beta)
            self.point = choose(good, point, self.point)
        self.share = xp.where(good, xp.clip(2.0 * self.share, None, 1.0), 0.5 * self.share)
        self.goal = xp.where(good, xp.clip(self.goal + 1.0 / self.stride.goals, None, 1.0), self.goal)


def search_concave(objective: Objective[Likelihood], top: Maximum, drop: float, columns: tuple[int, ...]) -> Floats:
    """Return bounds (B, columns, 2) against the supremum of a likelihood without a finite maximum.

    The log-likelihood is concave, so its profiles are too: Newton's root search on a profile cannot go astray.
    A coefficient that runs to infinity has no bound on that side.
    """
    xp = get_namespace(top.beta)
    lanes = lay_lanes(top.beta, columns, (-1.0, 1.0))
    flat = lanes.problem * top.beta.shape[1] + lanes.column
    towards = take_rows(xp.reshape(derive_divergence(top), (-1,)), flat)
    best = take_rows(xp.reshape(top.beta, (-1,)), flat)
    bounded = towards != lanes.side
    rows = find_rows(bounded)
    walks = lanes.take(rows)
    start = take_rows(xp.where(towards == 0.0, best, 0.0), rows)
    floor = take_rows(top.point.value, walks.problem) - drop
    held = take_rows(send(np.eye(top.beta.shape[1]), top.beta), walks.column)
    found = _search_roots(objective.take(walks.problem), (held > 0.0, walks.side), start, floor)
    return xp.reshape(put_rows(lanes.side * xp.inf, bounded, found), (top.beta.shape[0], len(columns), 2))


def _search_roots(objective: Objective[Likelihood], way: tuple[Bools, Floats], at: Floats, floor: Floats) -> Floats:
    """Return where each concave profile, from ``at``, crosses its floor on its side, infinite where it never does."""
    xp, (held, side) = get_namespace(at), way
    done, nuisance = xp.isnan(side), 0.0 * at[:, None]
    for doubling in range(60):
        best = maximise(objective, xp.where(held, at[:, None], nuisance), ~held, PATIENT)
        nuisance = xp.where((best.stop == Stop.CONVERGED.value)[:, None], best.beta, 0.0)
        excess = best.point.value - floor
        fall = -side * xp.sum(xp.where(held, best.point.gradient, 0.0), axis=1)
        farthest = 2.0 ** min(doubling, 10)
        distance = xp.where(done, 0.0, xp.clip(excess / xp.clip(fall, 1e-12, None), -farthest, farthest))
        at = at + side * distance
        done = done | (xp.abs(distance) < 1e-9 * (1.0 + xp.abs(at))) | (xp.abs(at) > INFINITE)
        if xp.all(done):
            break
    return xp.where(xp.abs(at) > INFINITE, side * xp.inf, xp.where(done, at, xp.nan))
