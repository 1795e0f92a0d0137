"""A large file is read within a bounded memory."""

import json
import subprocess
import sys
from pathlib import Path

import pytest

PROGRAM = """
import json, resource, sys
from pathlib import Path
from rarefactor.cohort import ingest
from rarefactor.spec import Study
from rarefactor.spec._origin import Origin

before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
fields = {f"n{i}": {"type": "number"} for i in range(40)} | {"day": {"type": "number"}}
content = {
    "id": "large", "title": "Large",
    "cohort": {"records": {"r": {"file": "large.csv", "day": "day"}}, "subject": "id", "fields": fields},
    "outcome": {"poor": {"label": "Poor", "at": "baseline", "when": "n1 > 1"}},
    "factors": {"x": {"from": "n1", "label": "X"}},
}
study = Study.model_validate(content).located(Origin(path=Path(sys.argv[1]) / "study.yaml"))
rows = ingest(study).tables["r"].frame.height
peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
print(json.dumps({"rows": rows, "mib": (peak - before) / 1024}))
"""


@pytest.mark.slow
def test_a_file_of_40_mib_takes_less_than_ten_times_its_size(tmp_path: Path) -> None:
    row = ",".join(f"{number / 7:.3f}" for number in range(40))
    with (tmp_path / "large.csv").open("w") as file:
        file.write(",".join(["id", "day", *(f"n{number}" for number in range(40))]) + "\n")
        file.writelines(f"P{number // 9:06d},{number % 9 * 30},{row}\n" for number in range(180_000))
    assert (tmp_path / "large.csv").stat().st_size > 40 * 2**20
    done = subprocess.run([sys.executable, "-c", PROGRAM, str(tmp_path)], capture_output=True, text=True, check=True)
    found = json.loads(done.stdout)
    assert found["rows"] == 180_000
    assert found["mib"] < 400
