"""The methods section, written from the study file.

Convention: every sentence follows from a key of the study file, a definition of a factor or a method that the analysis
always uses; what the file does not say is not invented.
"""

from __future__ import annotations

from collections.abc import Iterator

from rarefactor.report._about import PLACES, write_about
from rarefactor.report._bibliography import cite
from rarefactor.report._calculator import calculator_methods
from rarefactor.report._cells import cell, joined, runs
from rarefactor.report._doubt_methods import describe_doubts
from rarefactor.report._effects import step_words
from rarefactor.report._imaging_methods import describe_imaging
from rarefactor.report._instruments_methods import describe_instruments
from rarefactor.report._over_time import describe_over_time
from rarefactor.report._pathology_methods import describe_pathology
from rarefactor.report._performance_methods import performance_methods
from rarefactor.report._source import Source, upper_first
from rarefactor.report.tree import Block, Heading, Inline, Paragraph, Row, Runs, Table, Text
from rarefactor.results import FactorInfo
from rarefactor.spec import Eligibility, TerminalEvent, Visit

_WORDS = {1: "One", 2: "Two", 3: "Three", 4: "Four", 5: "Five", 6: "Six"}


def write_methods(source: Source, number_of_table: int) -> Iterator[Block]:
    """Return the blocks of the methods section; the table of factors has the number given."""
    parts = (
        ("Design and patients", _patients(source)),
        ("Visits and landmarks", _visits(source)),
        ("Outcome", _outcome(source)),
        ("Candidate factors", _factors(source, number_of_table)),
    )
    for title, text in parts:
        heading = _subheading(title)
        yield heading
        yield Paragraph(runs=text)
        yield from write_about(source, heading.anchor) if heading.anchor in PLACES else ()
    yield tabulate_factors(source, number_of_table)
    for title, texts in (
        ("Thigh MRI", describe_imaging(source)),
        ("Stained sections", describe_pathology(source)),
        ("Instruments", describe_instruments(source)),
    ):
        paragraphs = [Paragraph(runs=text) for text in texts]
        yield from [_subheading(title), *paragraphs] if paragraphs else []
    yield _subheading("Statistical analysis")
    for text in (_description(), _comparison(source), _regression(), _models(source), _missing(source)):
        yield Paragraph(runs=text)
    for text in (*performance_methods(source), *calculator_methods(source)):
        yield Paragraph(runs=text)
    for text in (*describe_over_time(source), *describe_doubts(source)):
        yield Paragraph(runs=text)
    yield Paragraph(runs=_software(source))


def tabulate_factors(source: Source, number_of_table: int) -> Table:
    """Return the table of the candidate factors: definition, visit, role and what one odds ratio is for."""
    heads = ("Factor", "Definition", "Known at", "Role", "Odds ratio for")
    return Table(
        name="factors",
        number=number_of_table,
        caption="Candidate factors as the study file defines them",
        header=(Row(cells=tuple(cell(head) for head in heads)),),
        rows=tuple(_factor_row(source, info) for info in source.results.factors),
        widths=(23, 40, 11, 10, 24),
    )


def _subheading(title: str) -> Heading:
    return Heading(text=title, anchor=title.lower().replace(" ", "-"), level=2)


def _factor_row(source: Source, info: FactorInfo) -> Row:
    step = step_words(info) if not info.levels else f"{', '.join(info.compared)} vs {info.ordered[0]}"
    texts = (info.label, upper_first(info.definition), source.visit(info.measured_at), info.role, step)
    return Row(cells=tuple(cell(text) for text in texts))


def _patients(source: Source) -> Runs:
    study = source.study
    parts: list[Inline | str] = []
    if study.description:
        parts.append(f"{study.description.rstrip('.')}. ")
    parts.append(
        "A cohort study of factors associated with a later outcome; the report is laid out for STROBE and REMARK "
    )
    parts += [cite("vonelm2007", "altman2012"), ". "]
    if study.cohort.dictionary:
        parts += ["Data were typed by their REDCap data dictionary ", cite("harris2009"), ". "]
    if study.cohort.eligibility:
        parts.append("Eligibility: ")
        parts += [part for rule in joined_rules(study.cohort.eligibility) for part in rule]
        parts.append(".")
    return runs(*parts)


def joined_rules(rules: tuple[Eligibility, ...]) -> list[list[Inline | str]]:
    """Return the rules of eligibility as clauses, each with its expression."""
    clauses: list[list[Inline | str]] = []
    for place, rule in enumerate(rules):
        verb = "" if rule.keep is not None else "not "
        lead: list[Inline | str] = ["; "] if place else []
        clauses.append([*lead, f"{verb}{rule.name} (", Text(rule.keep or rule.drop or "", "code"), ")"])
    return clauses


def _visits(source: Source) -> Runs:
    visits = source.study.cohort.visits
    described = [[_visit(source, name, visit)] for name, visit in visits.items()]
    landmarks = [[source.visit(name)] for name in source.landmarks]
    parts: list[Inline | str] = ["The visits are ", *joined(described)]
    parts.append("; of several visits in a window, the one nearest to its nominal month counts. ")
    parts += ["Each analysis starts at a landmark (", *joined(landmarks), "), uses only factors known by then, and "]
    parts.append("holds the patients who had reached it")
    before = [[event.name] for event in source.outcome.before]
    parts += [" without ", *joined(before), " before"] if before and len(landmarks) > 1 else []
    parts += [" ", cite("anderson1983", "vanhouwelingen2007"), "."]
    for landmark, rules in source.study.analysis.at_risk.items():
        parts += [f" Of those at {source.visit(landmark)} only patients at risk are analysed: "]
        parts += [part for rule in joined_rules(rules) for part in rule]
        parts += ["."]
    return runs(*parts)


def _visit(source: Source, name: str, visit: Visit) -> str:
    if not visit.window or visit.window[0] == visit.window[1]:
        return source.visit(name)
    return f"{source.visit(name)} (window {visit.window[0]:g} to {visit.window[1]:g} months)"


def _outcome(source: Source) -> Runs:
    outcome = source.outcome
    parts: list[Inline | str] = [f"The outcome, “{outcome.label}”, is present if "]
    parts += [Text(outcome.when, "code"), f" holds at the visit {source.visit(outcome.at)}. "]
    for event in outcome.before:
        parts += _terminal(event)
    parts.append("Patients whose outcome is not known stay in the flow diagram and out of the analysis.")
    return runs(*parts)


def _terminal(event: TerminalEvent) -> list[Inline | str]:
    meaning = {"event": "counts as the outcome", "no_event": "counts as no outcome", "unknown": "leaves it unknown"}
    name = event.name[:1].upper() + event.name[1:]
    when: list[Inline | str] = [f"{name} (", Text(event.when, "code"), ") before that visit"]
    return [*when, f" or, without a visit, before the end of its window {meaning[event.counts_as]}. "]


def _factors(source: Source, number_of_table: int) -> Runs:
    roles = [info.role for info in source.results.factors]
    adjusters = roles.count("adjuster")
    text = f"The study file names {len(roles)} candidate factors (Table {number_of_table})"
    if adjusters:
        text += (
            f": {len(roles) - adjusters} markers, whose association with the outcome is asked for, and "
            f"{adjusters} adjusters, which are in the models for the sake of the markers"
        )
    else:
        text += ", all of them markers, whose association with the outcome is asked for"
    text += ". Continuous factors were kept continuous unless the table gives a cut and its reason."
    return runs(text)


def _description() -> Runs:
    return runs(
        "Continuous factors are described by mean with standard deviation and by median with quartiles, others by "
        "counts and percentages; groups differ by the standardised mean difference ",
        cite("austin2009"),
        ". Risks have Wilson intervals ",
        cite("wilson1927"),
        ". Numbers are reported as the SAMPL guidelines ask ",
        cite("lang2015"),
        ".",
    )


def _comparison(source: Source) -> Runs:
    return runs(
        "Patients with and without the outcome were compared by Welch’s t test ",
        cite("welch1947"),
        " and the Wilcoxon rank-sum test ",
        cite("wilcoxon1945"),
        " with the Hodges–Lehmann shift ",
        cite("hodges1963"),
        " for continuous factors, and by Fisher’s exact test ",
        cite("fisher1935", "freeman1951"),
        f" for the others. All tests are two-sided, intervals have a level of {100 * source.study.analysis.level:g}%, "
        f"and P values are not corrected for the number of factors{_unchosen(source)}.",
    )


def _unchosen(source: Source) -> str:
    return "" if source.study.analysis.selection else "; no factor was chosen by its P value"


def _regression() -> Runs:
    return runs(
        "Odds ratios come from logistic regression, by maximum likelihood and by Firth’s bias-reduced likelihood ",
        cite("firth1993"),
        ", which keeps estimates finite and closer to the truth where events are few or groups are separated ",
        cite("heinze2002", "heinze2006"),
        "; in the models also with weak log-F(2,2) priors on the log odds ratios ",
        cite("greenland2015"),
        ". Firth estimates have profile penalised-likelihood intervals and penalised likelihood-ratio tests; "
        "maximum-likelihood estimates have Wald’s in the univariable analysis and profile likelihood intervals with "
        "likelihood-ratio tests in the models ",
        cite("venzon1988", "heinze2002"),
        ". Separation was looked for by linear programming ",
        cite("konis2007"),
        ", and sparse groups are marked, because their odds ratios tend to be too far from 1 ",
        cite("greenland2016"),
        ".",
    )


def _fixed(source: Source) -> str:
    if source.study.analysis.selection:
        return "Their odds ratios are those of all factors named; selection is described below."
    return "No factor was selected or dropped by the data."


def _models(source: Source) -> Runs:
    if not source.results.models:
        return runs("No multivariable model was specified, and none was fitted.")
    described: list[list[Inline | str]] = []
    for model in source.results.models:
        labels = [[source.factor(name).label] for name in model.factors]
        described.append([f"“{model.label}” (from {source.visit(model.landmark)}: ", *joined(labels), ")"])
    count = _WORDS.get(len(described), str(len(described)))
    verb = "model was" if len(described) == 1 else "models were"
    return runs(
        f"{count} multivariable {verb} specified in the study file: ",
        *joined(described),
        f". {_fixed(source)} Events per parameter are given as a measure of how much "
        "the data can carry, not as a threshold ",
        cite("vansmeden2016"),
        ".",
    )


def _missing(source: Source) -> Runs:
    settings = source.study.analysis.missing
    counted = (
        "Missing values of factors are counted in Table 1. Factors one by one are analysed in the patients who have "
    )
    if not settings.imputations:
        return runs(
            counted,
            "them, and models in the patients who have all of their factors (complete cases), which is unbiased only "
            "if being missing does not depend on the outcome, given the factors.",
        )
    return runs(
        counted,
        f"them. For the models they were imputed {settings.imputations} times by chained equations of "
        f"{settings.iterations} iterations ",
        cite("vanbuuren2011"),
        ", with predictive mean matching for numbers and logistic models guarded against perfect prediction otherwise ",
        cite("white2010"),
        "; the outcome and everything known at the landmark were in the imputation model, and factors made from others "
        "(cuts, rates, groups of levels) were made anew from the imputed values. Maximum-likelihood fits were pooled "
        "by Rubin’s rules with the degrees of freedom of Barnard and Rubin ",
        cite("barnard1999"),
        ", penalised fits by combining their profile likelihoods ",
        cite("heinze2013"),
        ". Complete cases are a sensitivity analysis.",
    )


def _software(source: Source) -> Runs:
    versions = source.results.software
    named = [[f"{name} {version}"] for name, version in versions.items()]
    parts: list[Inline | str] = ["The analysis was made with ", *joined(named)] if named else []
    seed = source.study.analysis.seed
    return runs(*parts, f"{'; ' if named else 'The '}seed of random numbers: {seed}.")
