"""Invented results for a study with the file of examples/pbc: the numbers below come from nowhere."""

import dataclasses
import math
from pathlib import Path

import pytest
import yaml

from rarefactor.report import write_report
from rarefactor.report._document import write_document
from rarefactor.report._source import read_source
from rarefactor.results import Estimate, Exclusion, FactorInfo, FlowStep, InputFile, ModelInfo, Note, Results
from rarefactor.spec import Study

ROOT = Path(__file__).parents[3]
N, EVENTS = 273, 102


def continuous(name, label, unit, moments, odds, **extra):
    """One continuous factor: its FactorInfo and the rows of Table 1 and of the univariable analysis."""
    mean, sd, shift = moments
    info = FactorInfo(
        name=name,
        label=label,
        kind="continuous",
        role=extra.pop("role", "marker"),
        measured_at=extra.pop("measured_at", "baseline"),
        unit=unit,
        definition=f"{label} at baseline",
        **extra,
    )
    rows = []
    for group, offset, n in (("all", 0.0, N), ("event", 0.6, EVENTS), ("no_event", -0.4, N - EVENTS)):
        where = {"analysis": "table1", "landmark": "baseline", "factor": name, "group": group, "n": n}
        centre = mean + offset * shift
        rows += [
            Estimate(measure="mean", estimate=centre, **where),
            Estimate(measure="sd", estimate=sd, **where),
            Estimate(measure="median", estimate=centre * 0.97, low=centre - 0.7 * sd, high=centre + 0.66 * sd, **where),
            Estimate(measure="missing", estimate=2.0 if name == "platelets" and group != "event" else 0.0, **where),
        ]
    where = {"analysis": "table1", "landmark": "baseline", "factor": name, "n": N, "events": EVENTS}
    se = sd / 8
    interval = {"low": shift - 1.96 * se, "high": shift + 1.96 * se}
    p = math.exp(-abs(shift / se))
    rows += [
        Estimate(measure="smd", estimate=shift / sd, low=shift / sd - 0.25, high=shift / sd + 0.25, **where),
        Estimate(measure="mean_difference", method="welch_t", estimate=shift, p=p, **interval, **where),
        Estimate(measure="location_shift", method="wilcoxon", estimate=shift * 0.9, p=p * 1.2, **interval, **where),
    ]
    return info, rows, {info.term: odds}


def levelled(name, label, levels, odds, **extra):
    """One factor with levels: every level holds a different number of patients."""
    kind = "binary" if len(levels) == 2 else "categorical"
    info = FactorInfo(
        name=name,
        label=label,
        kind=kind,
        role=extra.get("role", "marker"),
        measured_at="baseline",
        levels=levels,
        definition=f"{label} at baseline",
    )
    rows = []
    sizes = [N - sum(20 + 31 * place for place in range(1, len(levels)))]
    sizes += [20 + 31 * place for place in range(1, len(levels))]
    hits = [round(size * (0.3 + 0.12 * place)) for place, size in enumerate(sizes)]
    for level, size, hit in zip(levels, sizes, hits, strict=True):
        for group, count, total in (
            ("all", size, N),
            ("event", hit, sum(hits)),
            ("no_event", size - hit, N - sum(hits)),
        ):
            where = {"analysis": "table1", "landmark": "baseline", "factor": name, "term": level, "group": group}
            rows += [
                Estimate(measure="count", estimate=float(count), n=total, **where),
                Estimate(measure="proportion", estimate=count / total, n=total, **where),
            ]
        for landmark in ("baseline", "month_6"):
            rows.append(
                Estimate(
                    analysis="univariable",
                    landmark=landmark,
                    factor=name,
                    group=level,
                    method="wilson",
                    measure="risk",
                    estimate=hit / size,
                    low=max(hit / size - 0.09, 0.0),
                    high=min(hit / size + 0.1, 1.0),
                    n=size,
                    events=hit,
                )
            )
    where = {"analysis": "table1", "landmark": "baseline", "factor": name, "n": N, "events": EVENTS}
    rows.append(Estimate(measure="smd", estimate=0.31, low=0.06, high=0.56, **where))
    if kind == "binary":
        rows.append(
            Estimate(
                measure="odds_ratio",
                method="fisher",
                term=levels[1],
                estimate=1.9,
                low=1.1,
                high=math.inf if name == "ascites" else 3.2,
                p=0.021,
                **where,
            )
        )
    else:
        rows.append(Estimate(measure="association", method="fisher", estimate=None, p=0.0004, **where))
        rows.append(
            Estimate(
                analysis="univariable",
                landmark="baseline",
                factor=name,
                method="firth",
                measure="factor_test",
                estimate=None,
                p=0.0007,
            )
        )
    return info, rows, dict(zip(levels[1:], odds, strict=True))


def odds_rows(analysis, landmark, model, name, odds):
    """ML and Firth odds ratios of a factor; ``ascites`` is separated, so that ML has none."""
    for term, value in odds.items():
        where = {"analysis": analysis, "landmark": landmark, "model": model, "factor": name, "term": term}
        where |= {"measure": "odds_ratio", "n": N, "events": EVENTS}
        spread = 1.35 if value < 3 else 2.6
        low, high, p = value / spread, value * spread, math.exp(-6 * abs(math.log(value)))
        if name == "ascites":
            flags = ("separated", "sparse", "infinite_high")
            yield Estimate(method="ml", estimate=math.inf, low=2.0, high=math.inf, p=0.0001, flags=flags, **where)
            flags = ("separated", "sparse")
            yield Estimate(method="firth", estimate=38.2, low=4.61, high=4893.0, p=0.00001, flags=flags, **where)
            continue
        flags = ("sparse",) if "despite" in term else ()
        yield Estimate(method="ml", estimate=value * 1.04, low=low, high=high * 1.1, p=p, flags=flags, **where)
        yield Estimate(method="firth", estimate=value, low=low, high=high, p=p * 1.01, flags=flags, **where)


FACTORS = (
    continuous("age", "Age", "years", (50.0, 10.5, 3.1), 1.28, step=10.0, role="adjuster"),
    levelled("male", "Male sex", ("No", "Yes"), (1.44,), role="adjuster"),
    levelled("treatment", "D-penicillamine", ("No", "Yes"), (0.92,), role="adjuster"),
    levelled("hepatomegaly", "Hepatomegaly", ("No", "Yes"), (2.31,)),
    levelled("spiders", "Spider naevi", ("No", "Yes"), (1.72,)),
    levelled("ascites", "Ascites", ("No", "Yes"), (38.2,)),
    levelled("oedema", "Oedema", ("none", "untreated or resolved with diuretics", "despite diuretics"), (1.94, 7.35)),
    continuous("bilirubin", "Serum bilirubin", "mg/dl", (3.3, 4.5, 2.4), 1.62, step=2.0, transform="log"),
    continuous("albumin", "Serum albumin", "g/dl", (3.52, 0.42, -0.21), 0.42),
    continuous("protime", "Prothrombin time", "s", (10.7, 1.0, 0.4), 1.5),
    continuous("platelets", "Platelets", "10⁹/l", (262.3, 95.6, -12.1), 0.97, step=50.0),
    levelled("stage", "Histological stage (biopsy)", ("III", "I", "II", "IV"), (0.31, 0.71, 1.66)),
)
RATE = FactorInfo(
    name="bilirubin_rate",
    label="Rise of bilirubin over 6 months",
    kind="continuous",
    role="marker",
    measured_at="month_6",
    unit="log/month",
    step=0.1,
    definition="rate of change per month of the natural logarithm of Serum bilirubin from baseline to month 6",
)
FLOW = (
    FlowStep(id="records", label="Patients in the records", n=418),
    FlowStep(
        id="eligible/1",
        label="Randomised in the trial",
        n=312,
        excluded=(Exclusion(reason="not randomised in the trial", n=106),),
    ),
    FlowStep(id="landmark/baseline", label="At baseline", n=312, landmark="baseline"),
    FlowStep(
        id="outcome/baseline",
        label="Outcome known at month 12",
        n=N,
        landmark="baseline",
        events=EVENTS,
        excluded=(Exclusion(reason="no visit at month 12", n=39),),
    ),
    FlowStep(
        id="landmark/month_6",
        label="At month 6",
        n=249,
        landmark="month_6",
        excluded=(
            Exclusion(reason="no visit at month 6", n=47),
            Exclusion(reason="death or transplantation before month 6", n=16),
        ),
    ),
    FlowStep(
        id="outcome/month_6",
        label="Outcome known at month 12",
        n=231,
        landmark="month_6",
        events=80,
        excluded=(Exclusion(reason="no visit at month 12", n=18),),
    ),
)
NOTES = (
    Note(about="visits", text="3 patients have two visits equally near to month 12; the earlier one was taken."),
    Note(
        about="univariable",
        landmark="baseline",
        factor="ascites",
        text="Ascites separates the outcome: all patients with it progressed.",
    ),
)


def build_results(study: Study) -> Results:
    """Every kind of row that an analysis gives."""
    rows = [row for _, described, _ in FACTORS for row in described]
    odds = {info.name: terms for info, _, terms in FACTORS} | {"bilirubin_rate": {RATE.term: 1.83}}
    for landmark in ("baseline", "month_6"):
        for name, terms in odds.items():
            if landmark == "month_6" or name != "bilirubin_rate":
                rows += odds_rows("univariable", landmark, None, name, terms)
    models = tuple(
        ModelInfo(name=name, label=model.label or name, landmark=study.landmark_of(model), factors=model.factors)
        for name, model in study.analysis.models.items()
    )
    for model in models:
        for name in model.factors:
            rows += odds_rows("multivariable", model.landmark, model.name, name, odds[name])
        for measure, value in (
            ("patients", N),
            ("analysed", 262),
            ("complete_cases", 262),
            ("events_per_parameter", 14.0),
        ):
            rows.append(
                Estimate(
                    analysis="multivariable",
                    landmark=model.landmark,
                    model=model.name,
                    measure=measure,
                    estimate=float(value),
                    n=262,
                )
            )
    inputs = tuple(
        InputFile(id=f"data/{name}.csv", path=f"data/{name}.csv", sha256=digit * 64, bytes=31_000)
        for name, digit in (("pbc", "a"), ("pbcseq", "b"))
    )
    rows = [dataclasses.replace(row, source=("data/pbc.csv",)) for row in rows]
    return Results(
        study={"id": study.id, "file": study.model_dump(mode="json", by_alias=True)},
        flow=FLOW,
        rows=tuple(rows),
        notes=NOTES,
        factors=(*(info for info, _, _ in FACTORS), RATE),
        models=models,
        inputs=inputs,
        software={"rarefactor": "0.1.0", "Python": "3.11.7", "NumPy": "2.4.6", "SciPy": "1.17.1"},
    )


@pytest.fixture(scope="session")
def study() -> Study:
    plan = yaml.safe_load((ROOT / "examples" / "pbc" / "study.yaml").read_text("utf-8"))
    return Study.model_validate(plan | {"about": {}})  # what its authors wrote belongs to its real results


@pytest.fixture(scope="session")
def results(study) -> Results:
    return build_results(study)


@pytest.fixture(scope="session")
def source(results):
    return read_source(results)


@pytest.fixture(scope="session")
def document(source):
    return write_document(source)


@pytest.fixture(scope="session")
def files(results):
    return write_report(results)


HOSTILE = "</script><b>&amp; $x_1$ #let *a* _b_ `c` \\ “q” 😀 שלום 𓀀"


@pytest.fixture(scope="session")
def hostile_label() -> str:
    return HOSTILE


@pytest.fixture(scope="session")
def hostile(study, results):
    """Fewer results, where whoever wrote the labels did not think of us."""
    factors = (dataclasses.replace(results.factors[0], label=HOSTILE, definition=HOSTILE), *results.factors[1:])
    plan = study.model_dump(mode="json", by_alias=True) | {"title": HOSTILE, "description": HOSTILE}
    notes = (Note(about="data", text=HOSTILE),)
    rows = tuple(row for row in results.rows if row.landmark == "baseline" and row.model is None)
    return dataclasses.replace(results, study={"file": plan}, factors=factors, rows=rows, models=(), notes=notes)


@pytest.fixture(scope="session")
def hostile_files(hostile):
    return write_report(hostile)
