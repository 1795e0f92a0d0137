"""What the methods section says about validation, sample size and selection."""

from __future__ import annotations

from collections.abc import Iterator

from rarefactor.report._bibliography import cite
from rarefactor.report._cells import runs
from rarefactor.report._source import Source
from rarefactor.report.tree import Inline, Runs
from rarefactor.spec import Selection

_RULES = {
    "backward": "backward elimination by penalised likelihood-ratio tests",
    "augmented": "augmented backward elimination",
    "univariable": "univariable penalised likelihood-ratio tests",
}


_CORRECTED = {
    "flic": "with corrected intercept (FLIC)",
    "flac": "with augmented data (FLAC)",
    "firth": "without correcting its pull towards one half; FLIC and FLAC, which do, are shown beside it",
}


def performance_methods(source: Source) -> Iterator[Runs]:
    """Return the paragraphs on how the models were validated; none without models."""
    if source.results.models:
        yield _validation(source)
        yield _size_and_stability(source)
    if source.study.analysis.selection:
        yield _selection(source.study.analysis.selection)
    if source.study.analysis.resamples:
        yield _classical(source)


def _validation(source: Source) -> Runs:
    analysis = source.study.analysis
    parts: list[Inline | str] = [
        f"Risks were predicted by Firth’s regression {_CORRECTED[analysis.risk]} ",
        cite("puhr2017"),
        ". Discrimination is the area under the ROC curve with DeLong’s interval ",
        cite("delong1988"),
        (
            "; accuracy is the Brier score; calibration is shown by intercept, slope and a restricted cubic spline "
            "with three knots "
        ),
        cite("steyerberg2010"),
        "; clinical use by net benefit ",
        cite("vickers2006"),
        ". ",
    ]
    if not analysis.resamples:
        return runs(*parts, "No resamples were drawn: performance is apparent only, and too good.")
    parts += [
        "AUC, Brier score, calibration line and net benefit were corrected for optimism by ",
        f"{analysis.resamples} bootstrap resamples ",
        cite("harrell1996", "vickers2008"),
    ]
    parts += [
        ", with intervals of AUC, Brier score and net benefit moved by the optimism ",
        cite("noma2021"),
        ", and AUC and Brier score also by the .632+ estimate ",
    ]
    parts += [cite("efron1997"), f". Each resample repeated the whole procedure: {_procedure(source)} "]
    parts += [cite("wahl2016") if analysis.missing.imputations else "", "."]
    parts.append(" A factor level that nobody in a resample had was left out there.")
    return runs(*parts)


def _procedure(source: Source) -> str:
    analysis = source.study.analysis
    steps = ["fitting"]
    if analysis.selection:
        steps.insert(0, "selection")
    if analysis.missing.imputations:
        times = f"{analysis.missing.resampled} time{'' if analysis.missing.resampled == 1 else 's'}"
        steps.insert(0, f"imputation ({times} per resample, where a factor of the model has missing values)")
    return ", ".join(steps)


def _size_and_stability(source: Source) -> Runs:
    parts: list[Inline | str] = [
        (
            "The patients that each model would need, and the size of model that these patients support, follow "
            "Riley’s criteria "
        ),
        cite("riley2019", "riley2020"),
        ", once supposing the advised default of 15% of the largest possible R²",
    ]
    if source.study.analysis.resamples:
        parts += [" and once the R² that goes with the optimism-corrected AUC ", cite("riley2021")]
        parts += [". Instability of the risks is shown over the resamples in groups of patients with similar risk "]
        parts += [cite("riley2023")]
    return runs(*parts, ".")


def _selection(rule: Selection) -> Runs:
    parts: list[Inline | str] = [f"Factors of the models were selected by {_RULES[rule.method]} (alpha {rule.alpha:g}"]
    parts += [f", change of an odds ratio by {100 * rule.tau:g}%)" if rule.method == "augmented" else ")"]
    parts += [" ", cite("dunkler2014")] if rule.method == "augmented" else []
    parts += ["; where values are missing, in the stacked imputations, each with the weight of its share "]
    return runs(*parts, cite("wood2008"), ".")


def _classical(source: Source) -> Runs:
    parts: list[Inline | str] = [
        "To show how unstable selection by univariable P values would be, it was repeated in the resamples "
    ]
    parts += [cite("heinze2018")]
    if source.study.analysis.missing.imputations:
        parts += [", each taken from one of the imputations in turn where values are missing ", cite("heymans2007")]
    return runs(*parts, "; nothing else rests on it.")
