"""No flag without words: what the code raises, what the table says, what the documentation shows."""

import re
from pathlib import Path

from rarefactor.imaging._drift import _PARTS
from rarefactor.imaging._flag_words import FLAGS, write_flag_table

ROOT = Path(__file__).parents[3]
RAISED = re.compile(r'(?:Flag|_make_flag)\(\s*(?:name=)?"([a-z0-9_]+)"')


def test_every_flag_that_the_code_raises_has_words():
    texts = [path.read_text(encoding="utf-8") for path in (ROOT / "src/rarefactor/imaging").glob("*.py")]
    raised = {name for text in texts for name in RAISED.findall(text)}
    raised |= {f"drift_{name}" for name in (*_PARTS, "spacing_mm", "shift")}
    raised |= {f"mixed_{name}" for name in ("sequence", "estimator")}
    raised |= {f"{kind}_differs" for kind in ("in_phase", "opposed_phase")}
    assert raised == set(FLAGS)


def test_the_documentation_shows_all_flags():
    assert write_flag_table() in (ROOT / "docs" / "imaging.md").read_text(encoding="utf-8")
