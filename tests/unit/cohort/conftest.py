"""A study with a cohort of its own, for tests that read files."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from rarefactor.spec import Study
from rarefactor.spec._origin import Origin

MakeStudy = Callable[..., Study]


@pytest.fixture
def make_study(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> MakeStudy:
    monkeypatch.setenv("RAREFACTOR_KEY", "a key for tests")

    def make(**cohort: Any) -> Study:
        parts = {
            "outcome": {"poor": {"label": "Poor", "at": "baseline", "when": "x == 1"}},
            "factors": {"x": {"from": "x", "label": "X"}},
        }
        study = Study.model_validate({"id": "test", "title": "Test", "cohort": cohort, **parts})
        return study.located(Origin(path=tmp_path / "study.yaml"))

    return make
