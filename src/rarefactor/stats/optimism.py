"""Optimism: how much better a model looks in its own patients than in others, found by repeating the whole procedure.

Convention: optimism is a model's performance in its own resample less its performance in the original patients,
averaged over the resamples in which both exist; the corrected value is the apparent one less the optimism (Harrell).
Its limits are those of the performance in the resamples, moved by the optimism (Noma); in few patients they hold the
truth too rarely, and :func:`~rarefactor.stats.correct_auc` is better. The .632+ estimate weighs the
apparent performance against that in patients who were not drawn. A resample without a model is counted with its reason.
"""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, fields

import numpy as np
from numpy.typing import ArrayLike

from rarefactor.stats._arrays import Floats
from rarefactor.stats._inputs import check_level, check_outcome, raise_input, read_array
from rarefactor.stats._plus632 import Estimate632, compute_plus632
from rarefactor.stats.performance import Measures, compute_measures
from rarefactor.stats.procedure import Procedure


@dataclass(frozen=True, slots=True, kw_only=True)
class CorrectedMeasure:
    """One measure: ``apparent``, mean in ``training`` and ``test``, ``optimism`` with its Monte-Carlo standard error.

    ``corrected`` has the limits ``low`` and ``high``; ``used`` is the number of resamples in which it exists.
    """

    apparent: float
    training: float
    test: float
    optimism: float
    optimism_se: float
    corrected: float
    low: float
    high: float
    used: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Optimism:
    """What repeating the procedure gave.

    ``measures`` by name (auc, brier, brier_scaled, log_score, in_the_large, intercept, slope), ``plus632`` for auc,
    brier and log_score; ``training`` and ``test`` per resample (B,); ``log_odds`` (n,) and ``resampled_log_odds``
    (B, n) of the original patients; ``reasons`` counts why resamples ``failed``; ``reason`` says why the procedure
    failed with all patients.
    """

    measures: dict[str, CorrectedMeasure]
    plus632: dict[str, Estimate632]
    training: Measures
    test: Measures
    log_odds: Floats
    resampled_log_odds: Floats
    resamples: int
    failed: int
    reasons: dict[str, int]
    reason: str


def compute_optimism(y: ArrayLike, procedure: Procedure, weights: ArrayLike, *, level: float = 0.95) -> Optimism:
    """Correct the performance of a procedure for optimism, repeating all of it in every resample.

    Parameters
    ----------
    y
        Outcome (n,) in {0, 1}.
    procedure
        Builds a model from each resample and predicts for all patients.
    weights
        How often each patient stands in each resample (B, n); see :func:`draw_resamples`.
    level
        The confidence level.

    Returns
    -------
    Optimism
        Corrected measures, with everything that they were made of.

    Raises
    ------
    InputError
        An outcome that is not 0/1 or has one class; weights of another width.

    References
    ----------
    Harrell FE, Lee KL, Mark DB. Multivariable prognostic models. Stat Med 1996;15:361-87.
    Efron B, Tibshirani R. Improvements on cross-validation: the .632+ bootstrap method. JASA 1997;92:548-60.
    Noma H, Shinozaki T, Iba K, et al. Confidence intervals of prediction accuracy measures for multivariable prediction
    models based on the bootstrap-based optimism correction methods. Stat Med 2021;40:5691-701.

    Examples
    --------
    >>> from rarefactor.stats.procedure import ModelProcedure
    >>> from rarefactor.stats.resampling import draw_resamples
    >>> rng = np.random.default_rng(2020)
    >>> x = rng.normal(size=(48, 3))
    >>> y = (x[:, 0] + rng.logistic(size=48) > 1).astype(float)
    >>> found = compute_optimism(y, ModelProcedure(columns=x, outcome=y), draw_resamples(48, 200, rng))
    >>> auc = found.measures["auc"]
    >>> auc.apparent > auc.corrected, found.failed
    (True, 0)
    """
    outcome, counts = read_array(y, "y"), read_array(weights, "weights")
    check_outcome(outcome)
    if counts.ndim != 2 or counts.shape[1] != outcome.size:
        raise_input("weights", f"shape {counts.shape}", f"rows of {outcome.size} counts", "Use draw_resamples.")
    whole, drawn = procedure(np.ones((1, outcome.size))), procedure(counts)
    apparent = compute_measures(whole.log_odds, outcome)
    training = compute_measures(drawn.log_odds, outcome, counts)
    test = compute_measures(drawn.log_odds, outcome)
    tail = 0.5 - 0.5 * check_level(level)
    return Optimism(
        measures={f.name: _correct(f.name, (apparent, training, test), tail) for f in fields(Measures)},
        plus632=compute_plus632(outcome, whole.log_odds[0], drawn.log_odds, counts),
        training=training,
        test=test,
        log_odds=whole.log_odds[0],
        resampled_log_odds=drawn.log_odds,
        resamples=len(counts),
        failed=int(drawn.failed.sum()),
        reasons=dict(Counter(reason for reason in drawn.reason if reason)),
        reason=whole.reason[0],
    )


def _correct(name: str, measures: tuple[Measures, Measures, Measures], tail: float) -> CorrectedMeasure:
    apparent, training, test = (getattr(each, name) for each in measures)
    both = np.isfinite(training) & np.isfinite(test)
    used, training, test = int(both.sum()), training[both], test[both]
    if not used:
        nothing = dict.fromkeys(("training", "test", "optimism", "optimism_se", "corrected", "low", "high"), np.nan)
        return CorrectedMeasure(apparent=float(apparent[0]), used=0, **nothing)
    optimism = float((training - test).mean())
    low, high = np.quantile(training, [tail, 1.0 - tail]) - optimism
    return CorrectedMeasure(
        apparent=float(apparent[0]),
        training=float(training.mean()),
        test=float(test.mean()),
        optimism=optimism,
        optimism_se=float((training - test).std() / np.sqrt(used)),
        corrected=float(apparent[0]) - optimism,
        low=float(low),
        high=float(high),
        used=used,
    )
