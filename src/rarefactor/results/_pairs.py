"""Two readings of one thing as rows: what they mean and what they differ by, for the figure of Bland and Altman.

Convention: a pair is two rows whose term ends on ``#`` and its place in the order of the means; nobody is named.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import replace

from rarefactor.results._model import Estimate

MEAN_OF_PAIR, DIFFERENCE_OF_PAIR = "mean_of_readings", "difference_of_readings"


def list_pairs(row: Estimate, pairs: Sequence[tuple[float, float]]) -> Iterator[Estimate]:
    """Yield the mean of each pair, and the first less the second; ``row`` says of what and whose they are.

    Examples
    --------
    >>> base = Estimate(analysis="pathology", measure="", estimate=None, term="CD20.score", group="A / B")
    >>> [(each.term, each.measure, each.estimate) for each in list_pairs(base, [(30.0, 20.0)])]
    [('CD20.score#1', 'mean_of_readings', 25.0), ('CD20.score#1', 'difference_of_readings', 10.0)]
    """
    means = sorted(((one + other) / 2, one - other) for one, other in pairs)
    for place, (mean, difference) in enumerate(means, 1):
        own = replace(row, term=f"{row.term}#{place}")
        yield replace(own, measure=MEAN_OF_PAIR, estimate=mean)
        yield replace(own, measure=DIFFERENCE_OF_PAIR, estimate=difference)
