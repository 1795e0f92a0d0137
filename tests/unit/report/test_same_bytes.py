"""The same results give the same bytes, whatever the clock, the place, the language and the order of hashes say."""

import json
import os
import subprocess
import sys

import pytest

from rarefactor.results import write_results

SCRIPT = """
import hashlib, json, pathlib, sys, time, datetime
shift = float(sys.argv[2])
real, now = time.time, datetime.datetime
time.time = lambda: real() + shift
time.localtime = lambda seconds=None, local=time.localtime: local(time.time() if seconds is None else seconds)
time.gmtime = lambda seconds=None, utc=time.gmtime: utc(time.time() if seconds is None else seconds)
class AnyDate(type):
    def __instancecheck__(cls, value):
        return isinstance(value, now)
class Shifted(now, metaclass=AnyDate):
    @classmethod
    def now(cls, tz=None):
        return now.now(tz) + datetime.timedelta(seconds=shift)
    @classmethod
    def utcnow(cls):
        return now.now() + datetime.timedelta(seconds=shift)
datetime.datetime = Shifted
from rarefactor.report import write_report
from rarefactor.results import read_results
files = write_report(read_results(pathlib.Path(sys.argv[1])))
print(json.dumps({path: hashlib.sha256(content).hexdigest() for path, content in files.items()}))
"""
HERE = {"TZ": "Pacific/Kiritimati", "LC_ALL": "C", "PYTHONHASHSEED": "1", "SOURCE_DATE_EPOCH": "86400"}
THERE = {"TZ": "America/Adak", "LC_ALL": "tr_TR.UTF-8", "LANG": "de_DE.UTF-8", "PYTHONHASHSEED": "2"}


def written(file, environment, shift):
    surroundings = {name: value for name, value in os.environ.items() if name not in {*HERE, *THERE}}
    done = subprocess.run(
        [sys.executable, "-c", SCRIPT, str(file), str(shift)],
        env=surroundings | environment,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout)


@pytest.mark.slow
def test_the_report_is_the_same_on_two_machines(hostile, tmp_path):
    file = tmp_path / "results.json"
    file.write_bytes(write_results(hostile))
    here, there = written(file, HERE, 0), written(file, THERE, 9 * 365.25 * 86400)
    assert {"report.html", "report.pdf", "report.docx", "CITATION.cff"} <= set(here)
    assert [path for path in here if here[path] != there[path]] == []
