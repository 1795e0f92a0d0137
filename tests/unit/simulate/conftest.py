"""The example study, its truth, and one cohort of it that every test here may look at."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from rarefactor.simulate import SimulatedCohort, Truth, compute_intercept, read_truth, simulate_cohort
from rarefactor.spec import Study, load

EXAMPLE = Path(__file__).parents[3] / "examples" / "anm-srp"


@pytest.fixture(scope="session")
def example() -> Path:
    return EXAMPLE


@pytest.fixture(scope="session")
def study() -> Study:
    return load(EXAMPLE / "study.yaml")


@pytest.fixture(scope="session")
def truth() -> Truth:
    return read_truth(EXAMPLE / "truth.yaml")


@pytest.fixture(scope="session")
def intercept(study: Study, truth: Truth) -> float:
    return compute_intercept(study, truth)


@pytest.fixture(scope="session")
def drawn(study: Study, truth: Truth, intercept: float) -> SimulatedCohort:
    """The cohort of the example, as ``rarefactor init`` makes it."""
    return simulate_cohort(study, truth, np.random.default_rng(truth.seed), intercept=intercept)
