"""From a number to its scans and slides."""

import pytest

from rarefactor.errors import InputError
from rarefactor.results import Estimate, FactorInfo, ImageFile, ModelInfo, Results, find_row, trace_row

SHARED = {"estimate": 1.0, "landmark": "month_3", "n": 2, "patients": "p1"}


def factor(name, *images):
    return FactorInfo(name=name, label=name, kind="continuous", role="marker", measured_at="month_3", images=images)


def row(analysis, measure, **more):
    return Estimate(**(SHARED | {"analysis": analysis, "measure": measure} | more))


ROWS = (
    row("univariable", "odds_ratio", factor="rate"),
    row("univariable", "odds_ratio", factor="age"),
    row("multivariable", "odds_ratio", model="both", factor="age"),
    row("performance", "auc", model="both"),
    row("pathology", "median_value", model="biopsy", term="CD20.h_score", landmark="baseline"),
    row("imaging", "median_value", model="thigh", term="fat_fraction"),
    row("imaging", "median_rate", model="thigh", term="fat_fraction"),
    row("imaging", "value", model="thigh", term="fat_fraction", group="S-2", n=None, patients="S-2"),
    row("sensitivity", "odds_ratio", factor="rate", patients=None),
)
OFS = ("thigh@baseline", "thigh@month_1", "thigh@month_3", "biopsy.BAFF-R@baseline", "biopsy.CD20@baseline")
RESULTS = Results(
    study={},
    flow=(),
    rows=ROWS,
    factors=(factor("rate", "thigh@baseline", "thigh@month_3"), factor("age"), factor("cd20", "biopsy.CD20@baseline")),
    models=(ModelInfo(name="both", label="Both", landmark="month_3", factors=("age", "cd20")),),
    sets={"p1": ("S-1", "S-2")},
    images=tuple(
        ImageFile(of=of, subject=subject, name=f"{subject}.tif", sha256="0" * 64)
        for of in OFS
        for subject in ("S-1", "S-2", "S-3")
    ),
)


@pytest.mark.parametrize(
    ("place", "patients", "about"),
    [
        (0, ("S-1", "S-2"), ("thigh@baseline", "thigh@month_3")),
        (1, ("S-1", "S-2"), ()),
        (2, ("S-1", "S-2"), ("biopsy.CD20@baseline",)),  # an estimate of a model rests on all of its factors
        (3, ("S-1", "S-2"), ("biopsy.CD20@baseline",)),
        (4, ("S-1", "S-2"), ("biopsy.CD20@baseline",)),
        (5, ("S-1", "S-2"), ("thigh@month_3",)),
        (6, ("S-1", "S-2"), ("thigh@baseline", "thigh@month_3")),  # a rate starts at the first visit
        (7, ("S-2",), ("thigh@month_3",)),
        (8, None, ()),
    ],
)
def test_a_row_leads_to_the_images_of_its_own_patients(place, patients, about):
    found = trace_row(RESULTS, ROWS[place])
    assert found.patients == patients
    assert {(item.of, item.subject) for item in found.images} == {(of, name) for of in about for name in patients or ()}


def test_an_address_with_a_slip_is_offered_the_right_one():
    with pytest.raises(InputError, match="univariable/month_3/rate/odds_ratio"):
        find_row(RESULTS, "univariable/month_3/rates/odds_ratio")
