"""What the methods say of the instruments of a study."""

import pytest

from rarefactor.report._instruments_methods import describe_instruments
from rarefactor.report._source import Source
from rarefactor.spec import Study

TIS = {
    "kind": "total_improvement_score",
    "measures": {"physician_global": "a", "mmt": "b", "ck": "c"},
    "mmt_maximum": 150,
    "enzyme_limit": {"ck": {"male": 190, "female": 170}},
}
EIGHT = list("abcdefgh")


def said(instrument):
    study = Study.model_validate(
        {
            "id": "x",
            "title": "X",
            "cohort": {"records": "x.csv", "subject": "id"},
            "outcome": {"y": {"label": "Y", "at": "baseline", "when": "it > 2"}},
            "factors": {"age": {"from": "age", "label": "Age"}},
            "instruments": {"it": instrument | ({"sex": "sex"} if "enzyme_limit" in instrument else {})},
        }
    )
    source = Source(results=None, study=study, index={})
    return " ".join("".join(run.text for run in runs) for runs in describe_instruments(source))


def test_the_score_is_told_with_its_ranges_and_its_paper():
    text = said(TIS)
    assert "for adults (Aggarwal et al., 2017)" in text
    assert "since baseline of physician global activity, manual muscle testing and creatine kinase; muscle" in text
    assert "testing ranges to 150; upper limits of normal: creatine kinase 190 (male), creatine" in text
    assert "kinase 170 (female). A response is minimal from 20" in text
    assert "for children (Rider et al., 2017)" in said(TIS | {"version": "juvenile"})


@pytest.mark.parametrize(
    ("instrument", "words"),
    [
        ({"kind": "mmt8", "columns": EIGHT}, "eight muscles"),
        ({"kind": "haq_di", "columns": EIGHT}, "(Fries et al., 1980)"),
        ({"kind": "imacs_improvement", "measures": {"haq": "a"}}, "since baseline: three or more"),
        ({"kind": "imacs_worsening", "measures": {"haq": "a"}}, "since baseline: physician global activity by 2 cm"),
    ],
)
def test_every_other_instrument_has_a_sentence(instrument, words):
    assert words in said(instrument)
    assert ("fewer than six" if instrument["kind"] == "haq_di" else "nothing was prorated") in said(instrument)
