"""What the methods say about follow-up and courses over time, where the study file asks for them."""

from __future__ import annotations

from collections.abc import Iterator

from rarefactor.report._bibliography import cite
from rarefactor.report._cells import runs
from rarefactor.report._source import Source
from rarefactor.report.tree import Inline, Runs, Text
from rarefactor.spec import OUTCOME, FollowUp, Trajectory


def describe_over_time(source: Source) -> Iterator[Runs]:
    """Yield one paragraph on each follow-up, on Cox models, and on trajectories."""
    for spec in source.study.follow_up.values():
        yield _follow_up(source, spec)
    if any(spec.models for spec in source.study.follow_up.values()):
        yield _cox(source)
    for spec in source.study.trajectories.values():
        yield _trajectory(source, spec)


def _follow_up(source: Source, spec: FollowUp) -> Runs:
    landmark = source.study.landmark_of_follow_up(spec)
    parts: list[Inline | str] = [f"Time to “{spec.label}” (", Text(spec.first or spec.when or "", "code")]
    censored = "" if spec.first else "; others are censored on the last day of follow-up"
    parts += [f") runs from {source.visit(landmark)}{censored}. "]
    if spec.first:
        parts += ["It ends on the day of the first visit at which this was seen, so that the event itself came "]
        parts += ["between that visit and the one before; others are censored at the last visit at which it is known. "]
    if spec.competing:
        parts += [
            f"{spec.competing.name.capitalize()} (",
            Text(spec.competing.when, "code"),
            ") is a competing event: ",
        ]
        parts += ["cumulative incidence is by Aalen and Johansen ", cite("aalen1978"), ". "]
    else:
        parts += ["Curves are by Kaplan and Meier ", cite("kaplan1958"), " with intervals on the log(−log) scale, "]
        parts += ["medians have Brookmeyer and Crowley’s intervals ", cite("brookmeyer1982"), ". "]
    parts += ["Groups were compared by the log-rank test ", cite("mantel1966")]
    parts += ["; the median follow-up is by the reverse Kaplan–Meier method ", cite("schemper1996"), "."]
    return runs(*parts)


def _cox(source: Source) -> Runs:
    parts: list[Inline | str] = [
        "Hazard ratios come from Cox models ",
        cite("cox1972"),
        " with Efron’s method for ties ",
    ]
    parts += [cite("efron1977"), ", by maximum partial likelihood and with Firth’s penalty ", cite("heinze2001")]
    parts += [", with profile intervals and likelihood-ratio tests"]
    if source.study.analysis.missing.imputations:
        parts += [" where no factor has missing values. Missing values were imputed as for the other models, with the "]
        parts += ["event and the Nelson–Aalen cumulative hazard in place of the outcome ", cite("white2009")]
        parts += [
            "; maximum-likelihood fits were pooled by Rubin’s rules (with events less coefficients as the degrees of "
        ]
        parts += ["freedom of complete data), Firth’s by combining their profiles. "]
    else:
        parts += [", in the patients who have every factor of the model. "]
    parts += [
        "Whether hazard ratios are constant over time was tested with Schoenfeld residuals ",
        cite("grambsch1994"),
    ]
    pooled = source.study.analysis.missing.imputations
    return runs(*parts, *([", pooled over the imputations ", cite("li1991")] if pooled else []), ".")


def _trajectory(source: Source, spec: Trajectory) -> Runs:
    scale = "The natural logarithm of " if spec.transform == "log" else ""
    fixed = "time"
    if spec.by is not None:
        group = f"the outcome (“{source.outcome.label}”)" if spec.by == OUTCOME else source.factor(spec.by).label
        fixed = f"time, group ({group}) and their product"
    return runs(
        f"{scale}{spec.label} from baseline to month {spec.until:g} was analysed by a linear mixed model ",
        cite("laird1982"),
        f" of all measurements, with {fixed} as fixed effects and a random intercept and slope per patient, by "
        "restricted maximum likelihood; intervals and tests use Satterthwaite’s degrees of freedom ",
        cite("satterthwaite1946", "kuznetsova2017"),
        ". A course by a later outcome describes patients and cannot be used to predict it."
        if spec.by == OUTCOME
        else ".",
    )
