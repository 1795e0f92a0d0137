"""Every reference number and every script says where it comes from."""

import re
from fnmatch import fnmatch
from pathlib import Path

HERE = Path(__file__).parent
FILES = {str(path.relative_to(HERE / "fixtures")) for path in (HERE / "fixtures").rglob("*") if path.is_file()}
NAMED = set(re.findall(r"`([^` ]+)`", (HERE / "fixtures/README.md").read_text()))


def test_every_fixture_is_listed() -> None:
    unlisted = {name for name in FILES if not any(fnmatch(name, pattern) for pattern in NAMED)}
    assert unlisted == {"README.md"}


def test_what_is_listed_is_there() -> None:
    patterns = {name for name in NAMED if name.endswith((".csv", ".json", ".gz"))}
    assert {name for name in patterns if not any(fnmatch(file, name) for file in FILES)} == set()
    scripts = {name.removeprefix("../R/") for name in NAMED if name.startswith("../R/")}
    assert scripts == {path.name for path in (HERE / "R").glob("*.R")}
