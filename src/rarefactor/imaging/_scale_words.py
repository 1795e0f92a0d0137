"""What each grade of a scale means, in a few words, for whoever grades.

Convention: a scale that starts at 1 has the same words one grade higher; Mercuri's from 1 is the later one of four.

References
----------
Fischer D, Walter MC, Kesper K, et al. Diagnostic value of muscle MRI in differentiating LGMD2I from other LGMDs.
J Neurol 2005;252:538-547.
Goutallier D, Postel JM, Bernageau J, Lavau L, Voisin MC. Fatty muscle degeneration in cuff ruptures. Clin Orthop
Relat Res 1994;304:78-83.
Mercuri E, Talim B, Moghadaszadeh B, et al. Clinical and imaging findings in six cases of congenital muscular
dystrophy with rigid spine syndrome linked to chromosome 1p (RSMD1). Neuromuscul Disord 2002;12:631-638.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime

from rarefactor.errors import InputError, Problem
from rarefactor.imaging._grades import find_scale
from rarefactor.imaging._grades_given import GRADE, name_item
from rarefactor.imaging._regions import MUSCLES, Side
from rarefactor.readings import Draft
from rarefactor.spec import Grades

_WORDS: Mapping[str, tuple[str, ...]] = {
    "goutallier": (
        "no fat",
        "some streaks of fat",
        "less fat than muscle",
        "as much fat as muscle",
        "more fat than muscle",
    ),
    "mercuri": (
        "normal",
        "moth-eaten, small scattered areas of fat",
        "moth-eaten, areas that begin to merge",
        "washed out, merged areas",
        "end stage, all fat but a rim",
    ),
    "lamminen": ("normal", "slight", "moderate", "severe"),
    "fischer": (
        "normal",
        "traces of fat",
        "merging areas of fat in less than half of the muscle",
        "merging areas of fat in more than half of the muscle",
        "all fat",
    ),
}
_LATER_MERCURI = ("normal", "mild", "moderate", "severe")


def describe_scale(asked: Grades) -> dict[int, str]:
    """Return the words of each grade of a study's scale.

    Examples
    --------
    >>> describe_scale(Grades(scale="goutallier"))[3]
    'as much fat as muscle'
    """
    scale = find_scale(asked.scale, first=asked.first)
    words = _LATER_MERCURI if (asked.scale, asked.first) == ("mercuri", 1) else _WORDS[asked.scale]
    return dict(zip(range(scale.first, scale.last + 1), words, strict=True))


def draft_grade(  # noqa: PLR0913 - what a grade consists of
    asked: Grades, grade: int, *, patient: str, visit: str, muscle: str, side: str, reader: str, when: datetime
) -> Draft:
    """Return a reader's grade of a muscle as a reading; ``side`` is right, left or empty for both.

    Raises
    ------
    InputError
        The grade is not one of the scale, or there is no such muscle or side.
    """
    known = describe_scale(asked)
    if grade not in known or muscle not in MUSCLES or side not in {"", *Side}:
        raise InputError(
            Problem(
                found="a grade outside the scale, or of no muscle",
                expected=f"a whole number from {min(known)} to {max(known)} ({asked.scale}), and a muscle of the list",
                next_step="Choose both from the page.",
            )
        )
    item = name_item(muscle, Side(side) if side else None)
    content = {"grade": grade, "scale": asked.scale}
    return Draft(
        kind=GRADE, reader=reader, when=when, subject=patient, place=visit, item=item, content=content, own=True
    )
