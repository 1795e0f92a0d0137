"""The methods section, written from the study file.

Convention: every sentence follows from a key of the study file, a definition of a factor or a method that the analysis
always uses; what the file does not say is not invented.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from rarefactor.report._about import PLACES, write_about
from rarefactor.report._bibliography import cite
from rarefactor.report._calculator import calculator_methods
from rarefactor.report._cells import cell, joined, runs
from rarefactor.report._doubt_methods import describe_doubts
from rarefactor.report._effects import step_words
from rarefactor.report._imaging_methods import describe_imaging
from rarefactor.report._instruments_methods import describe_instruments
from rarefactor.report._labels import label_table
from rarefactor.report._over_time import describe_over_time
from rarefactor.report._pathology_methods import describe_pathology
from rarefactor.report._performance_methods import performance_methods
from rarefactor.report._source import Source
from rarefactor.report._words import Words, sentences
from rarefactor.report.tree import Block, Heading, Paragraph, Row, Runs, Table, Text
from rarefactor.results import FactorInfo, ModelInfo
from rarefactor.spec import Eligibility, TerminalEvent, Visit, lower_first, upper_first

_WORDS = Words("methods")


def write_methods(source: Source, number_of_table: int) -> Iterator[Block]:
    """Return the blocks of the methods section; the table of factors has the number given."""
    parts = (
        ("design-and-patients", _patients(source)),
        ("visits-and-landmarks", _visits(source)),
        ("outcome", _outcome(source)),
        ("candidate-factors", _factors(source, number_of_table)),
    )
    for anchor, text in parts:
        yield _subheading(anchor)
        yield Paragraph(runs=text)
        yield from write_about(source, anchor) if anchor in PLACES else ()
    yield tabulate_factors(source, number_of_table)
    for anchor, texts in (
        ("thigh-mri", describe_imaging(source)),
        ("stained-sections", describe_pathology(source)),
        ("instruments", describe_instruments(source)),
    ):
        paragraphs = [Paragraph(runs=text) for text in texts]
        yield from [_subheading(anchor), *paragraphs] if paragraphs else []
    yield _subheading("statistical-analysis")
    for text in (_description(), _comparison(source), _regression(), _models(source), _missing(source)):
        yield Paragraph(runs=text)
    for text in (*performance_methods(source), *calculator_methods(source)):
        yield Paragraph(runs=text)
    for text in (*describe_over_time(source), *describe_doubts(source)):
        yield Paragraph(runs=text)
    yield Paragraph(runs=_software(source))


def tabulate_factors(source: Source, number_of_table: int) -> Table:
    """Return the table of the candidate factors: definition, visit, role and what one odds ratio is for."""
    return Table(
        name="factors",
        number=number_of_table,
        caption=_WORDS.text("caption"),
        header=(Row(cells=tuple(cell(head) for head in _WORDS.items("heads"))),),
        rows=tuple(_factor_row(source, info) for info in source.results.factors),
        widths=(23, 40, 11, 10, 24),
    )


def _subheading(anchor: str) -> Heading:
    return Heading(text=_WORDS.text(f"heading_{anchor}"), anchor=anchor, level=2)


def _factor_row(source: Source, info: FactorInfo) -> Row:
    texts = (info.label, upper_first(info.definition), source.visit(info.measured_at), _role(info), _step(info))
    return Row(cells=tuple(cell(text) for text in texts))


def _role(info: FactorInfo) -> str:
    return _WORDS.names("roles")[info.role]


def _step(info: FactorInfo) -> str:
    if not info.levels:
        return step_words(info)
    return _WORDS.text("level_against_reference", levels=", ".join(info.compared), reference=info.ordered[0])


def _patients(source: Source) -> Runs:
    study = source.study
    rules = study.cohort.eligibility
    return sentences(
        runs(f"{study.description.rstrip('.')}.") if study.description else (),
        _WORDS.runs("design", statements=cite("vonelm2007", "altman2012")),
        _WORDS.runs("dictionary", redcap=cite("harris2009")) if study.cohort.dictionary else (),
        _WORDS.runs("eligibility", rules=list_rules(rules)) if rules else (),
    )


def list_rules(rules: Sequence[Eligibility]) -> Runs:
    """Return the rules of eligibility as clauses, each with its expression."""
    clauses = (
        _WORDS.runs(
            "rule_drop" if rule.keep is None else "rule_keep",
            rule=rule.name,
            expression=Text(rule.keep or rule.drop or "", "code"),
        )
        for rule in rules
    )
    return tuple(run for place, clause in enumerate(clauses) for run in (*runs("; " if place else ""), *clause))


def _visits(source: Source) -> Runs:
    described = [[_visit(source, name, visit)] for name, visit in source.study.cohort.visits.items()]
    at_risk = source.study.analysis.at_risk.items()
    return sentences(
        _WORDS.runs("visits", visits=joined(described)),
        _landmarks(source),
        *(_WORDS.runs("at_risk", visit=source.visit(name), rules=list_rules(rules)) for name, rules in at_risk),
    )


def _landmarks(source: Source) -> Runs:
    landmarks = joined([[source.visit(name)] for name in source.landmarks])
    papers = cite("anderson1983", "vanhouwelingen2007")
    before = joined([[event.name] for event in source.outcome.before])
    if before and len(source.landmarks) > 1:
        return _WORDS.runs("landmarks_without_event", landmarks=landmarks, events=before, papers=papers)
    return _WORDS.runs("landmarks", landmarks=landmarks, papers=papers)


def _visit(source: Source, name: str, visit: Visit) -> str:
    if not visit.window or visit.window[0] == visit.window[1]:
        return source.visit(name)
    first, last = (f"{month:g}" for month in visit.window)
    return _WORDS.text("visit_with_window", visit=source.visit(name), first=first, last=last)


def _outcome(source: Source) -> Runs:
    outcome = source.outcome
    expression, visit = Text(outcome.when, "code"), source.visit(outcome.at)
    return sentences(
        _WORDS.runs("outcome", outcome=outcome.label, expression=expression, visit=visit),
        *(_terminal(event) for event in outcome.before),
        _WORDS.runs("outcome_not_known"),
    )


def _terminal(event: TerminalEvent) -> Runs:
    name = upper_first(event.name)
    return _WORDS.runs(f"terminal_{event.counts_as}", event=name, expression=Text(event.when, "code"))


def _factors(source: Source, number_of_table: int) -> Runs:
    roles, table = [info.role for info in source.results.factors], label_table(number_of_table)
    n, markers, adjusters = len(roles), roles.count("marker"), roles.count("adjuster")
    named = _WORDS.runs("factors", count=n, n=str(n), table=table)
    if adjusters:
        counts = {
            "markers": _WORDS.text("markers", count=markers, n=markers),
            "adjusters": _WORDS.text("adjusters", count=adjusters, n=adjusters),
        }
        named = _WORDS.runs("factors_and_adjusters", n=str(n), table=table, **counts)
    return sentences(named, _in_no_model(source), _WORDS.runs("kept_continuous"))


def _in_no_model(source: Source) -> Runs:
    """Name the adjusters that no model holds."""
    infos = source.results.factors
    labels = [[info.label] for info in infos if info.role == "adjuster" and info.name not in source.modelled]
    return _WORDS.runs("in_no_model", adjusters=joined(labels), count=len(labels)) if labels else ()


def _description() -> Runs:
    return _WORDS.runs("description", difference=cite("austin2009"), wilson=cite("wilson1927"), sampl=cite("lang2015"))


def _comparison(source: Source) -> Runs:
    analysis = source.study.analysis
    return _WORDS.runs(
        "comparison" if analysis.selection else "comparison_without_selection",
        welch=cite("welch1947"),
        wilcoxon=cite("wilcoxon1945"),
        shift=cite("hodges1963"),
        fisher=cite("fisher1935", "freeman1951"),
        level=f"{100 * analysis.level:g}",
    )


def _regression() -> Runs:
    return _WORDS.runs(
        "regression",
        firth=cite("firth1993"),
        separated=cite("heinze2002", "heinze2006"),
        priors=cite("greenland2015"),
        profile=cite("venzon1988", "heinze2002"),
        programming=cite("konis2007"),
        sparse=cite("greenland2016"),
    )


def _models(source: Source) -> Runs:
    if not source.results.models:
        return _WORDS.runs("no_model")
    described = [_model(source, model) for model in source.results.models]
    count, numbers = len(described), _WORDS.items("numbers")
    number = numbers[count - 1] if count <= len(numbers) else str(count)
    return sentences(
        _WORDS.runs("models", count=count, number=number, models=joined(described)),
        _WORDS.runs("all_factors" if source.study.analysis.selection else "no_selection"),
        _WORDS.runs("events_per_parameter", paper=cite("vansmeden2016")),
    )


def _model(source: Source, model: ModelInfo) -> Runs:
    factors = joined([[lower_first(source.factor(name).label)] for name in model.factors])
    return _WORDS.runs("model", model=model.label, visit=source.visit(model.landmark), factors=factors)


def _missing(source: Source) -> Runs:
    settings = source.study.analysis.missing
    if not settings.imputations:
        return sentences(_WORDS.runs("missing"), _WORDS.runs("complete_cases"))
    imputed = _WORDS.runs(
        "imputation",
        times=str(settings.imputations),
        iterations=str(settings.iterations),
        chained=cite("vanbuuren2011"),
        guarded=cite("white2010"),
        pooled=cite("barnard1999"),
        profiles=cite("heinze2013"),
    )
    return sentences(_WORDS.runs("missing"), imputed)


def _software(source: Source) -> Runs:
    named = [[f"{name} {version}"] for name, version in source.results.software.items()]
    seed = str(source.study.analysis.seed)
    return _WORDS.runs("software", versions=joined(named), seed=seed) if named else _WORDS.runs("seed", seed=seed)
