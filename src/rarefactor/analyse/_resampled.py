"""What every analysis that draws resamples shares: its source of chance, and the count of resamples that failed."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import replace

import numpy as np

from rarefactor.results import Estimate


def draw_rng(seed: int, name: str, purpose: int) -> np.random.Generator:
    """Return a source of chance of its own for a model, or landmark, and a purpose."""
    return np.random.default_rng([seed, purpose, *name.encode()])


def resample_rows(resamples: int, failed: int, reasons: Mapping[str, int], base: Estimate) -> Iterator[Estimate]:
    """Return how many resamples there were, how many gave no model, and why."""
    yield replace(base, measure="resamples", estimate=resamples)
    yield replace(base, measure="resamples_failed", estimate=failed)
    for reason, count in reasons.items():
        yield replace(base, measure="resamples_failed", term=reason, estimate=count)


def number(value: float) -> float | None:
    """Return a number for a row; nothing where there is none."""
    return float(value) if np.isfinite(value) else None
