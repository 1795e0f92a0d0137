"""A study of invented patients that is large enough for a risk model, and the models built from it."""

import random
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from rarefactor import analyse, predict, study
from rarefactor.analyse.stage import _models
from rarefactor.predict import RiskModels
from rarefactor.results import Results, RiskModel

STUDY = """\
id: many
title: A study of many invented patients
cohort:
  records: records.csv
  subject: id
  fields:
    id: {type: id}
    sex: {type: choice, choices: {1: female, 2: male}}
    age: {type: number, unit: years, min: 18, max: 89}
    mmt8: {type: number, label: MMT8, unit: points}
    ck: {type: number, unit: U/l}
    stage: {type: choice, choices: {1: early, 2: late, 3: end}}
    score: {type: number}
  eligibility:
    - {name: adults, keep: "age >= 18"}
  visits:
    baseline: {month: 0}
    month_12: {month: 12, label: one year}
outcome:
  refractory: {label: Refractory at 12 months, event: Refractory, at: month_12, when: "score < 40"}
factors:
  male: {label: Male sex, from: sex, equals: male}
  severe_weakness: {label: Severe weakness, from: mmt8, cut: "<= 56", reason: a reason}
  age: {label: Age, from: age, unit: years, per: 10, role: adjuster}
  muscle: {label: Creatine kinase, from: ck, transform: log, per: 2}
  stage: {label: Stage, from: stage, reference: late}
analysis:
  models:
    clinical: [male, severe_weakness, age]
    whole: [male, severe_weakness, age, muscle, stage]
  missing: {imputations: 3}
  resamples: 20
"""


def invent(n: int) -> Iterator[str]:
    rng = random.Random(5)
    yield "id,sex,age,mmt8,ck,stage,score"
    for number in range(n):
        sex, age, mmt8 = rng.choice("12"), rng.randrange(20, 80), min(80, round(rng.gauss(60, 12)))
        stage = "3" if number % 300 == 0 else rng.choice("112222")
        ck = "" if rng.random() < 0.05 else round(10 ** rng.gauss(3.3, 0.5))
        score = round(rng.gauss(64 - 12 * (sex == "2") - 16 * (mmt8 <= 56) - 4 * (stage == "2"), 18))
        yield f"{number:04},{sex},{age},{mmt8},{ck},{stage},{score}"


Build = Callable[[Path, str, int], RiskModels]


@pytest.fixture(scope="session")
def build() -> Build:
    """Build the risk models of a study file with ``n`` patients in a folder, from what they need of its results."""

    def build_in(folder: Path, text: str, n: int) -> RiskModels:
        (folder / "study.yaml").write_text(text)
        (folder / "records.csv").write_text("\n".join(invent(n)) + "\n")
        checked = study.check(folder / "study.yaml")
        tasks = analyse.tasks(checked.study, checked.table, code="test")
        needed = [task.compute() for task in tasks if task.label.startswith(("Performance", "Model "))]
        results = Results(
            study={"file": checked.study.model_dump(mode="json", by_alias=True)},
            flow=(),
            rows=tuple(row for analysed in needed for row in analysed.rows),
            factors=checked.table.factors,
            models=_models(checked.study),
            inputs=checked.table.inputs,
        )
        return predict.build(checked.study, checked.table, results)

    return build_in


@pytest.fixture(scope="session")
def built(build: Build, tmp_path_factory: pytest.TempPathFactory) -> RiskModels:
    return build(tmp_path_factory.mktemp("many"), STUDY, 900)


@pytest.fixture(scope="session")
def clinical(built: RiskModels) -> RiskModel:
    return built.models[0]


@pytest.fixture(scope="session")
def whole(built: RiskModels) -> RiskModel:
    return built.models[1]


@pytest.fixture(scope="session")
def few(build: Build, tmp_path_factory: pytest.TempPathFactory) -> RiskModels:
    """The same study with 60 patients, whose rows carry no risk model."""
    return build(tmp_path_factory.mktemp("few"), STUDY, 60)
