"""What the labels of a mask mean: tables that programs write, and the names that people use for muscles.

Convention: a name is a muscle (code or full name) or a compartment, and perhaps a side ("VL_R", "left sartorius").
Bones, fat, vessels and muscles beyond the eleven are known and left out; anything else is asked about.
"""

from __future__ import annotations

import csv
import io
import json
import re
from collections.abc import Callable, Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any

from rarefactor.errors import ImageError, Problem, suggest
from rarefactor.imaging._regions import COMPARTMENTS, MUSCLES, Region, Side
from rarefactor.imaging._words import split_words

STANDARD_NAMES: Mapping[int, str] = dict(enumerate(MUSCLES, start=1))
"""Labels 1 to 11 in the order of the muscles, where no table says otherwise."""

_SIDES: Mapping[str, Side] = {
    **dict.fromkeys(("r", "rt", "right", "rechts", "dx"), Side.RIGHT),
    **dict.fromkeys(("l", "lt", "left", "links", "sin"), Side.LEFT),
}
_FILLERS = frozenset({"m", "mm", "muscle", "muscles", "musculus", "head", "caput", "compartment", "the", "of", "thigh"})
_OTHER_NAMES: Mapping[str, str] = {
    **{muscle.name.replace(",", "").removesuffix(" head"): code for code, muscle in MUSCLES.items()},
    **dict.fromkeys(("sart", "sar"), "SA"),
    **dict.fromkeys(("vim", "vint", "vastus intermedialis"), "VI"),
    **dict.fromkeys(("adm", "adductor"), "AM"),
    **dict.fromkeys(("gra", "grac"), "GR"),
    **dict.fromkeys(("bfl", "bflh", "bf lh", "bf long", "biceps femoris lh", "biceps femoris longum"), "BL"),
    **dict.fromkeys(("bfs", "bfsh", "bf sh", "bf short", "biceps femoris sh", "biceps femoris breve"), "BB"),
    **dict.fromkeys(("stm", "semit"), "ST"),
    **dict.fromkeys(("smm", "semim"), "SM"),
    **{name: name for name in COMPARTMENTS},
    "hamstrings": "posterior",
}
_LEFT_OUT = re.compile(
    r"clear|background|ignore|unlabel|exterior|other|femur|femoral|bone|marrow|cortex|patella|skin|fascia|\bfat\b|\bsat\b"
    r"|\bimat\b|adipose|vessel|arter|vein|vascular|nerve|sciatic|air|glut|tensor|\btfl\b|pectin|iliopsoas|psoas|obturator"
    r"|quadratus|adductor longus|adductor brevis|\bal\b|\bab\b|\bpe\b"
)


def read_label_names(path: Path) -> Mapping[int, str]:
    """Return the name of each label from an ITK-SNAP .label file, a .csv or .tsv table, or a .json file.

    Parameters
    ----------
    path
        Tables need a column of whole numbers and one called name (or muscle, region, structure, abbreviation), and may
        have one called side. JSON maps labels to names or names to labels, itself or under "labels" (as nnU-Net does).

    Raises
    ------
    ImageError
        The file cannot be read, or holds no label with a name.
    """
    readers: Mapping[str, Callable[[str], dict[int, str]]] = {
        ".label": _from_itksnap,
        ".txt": _from_itksnap,
        ".csv": _from_table,
        ".tsv": _from_table,
        ".json": _from_json,
    }
    try:
        names = readers[path.suffix.lower()](path.read_text(encoding="utf-8-sig"))
    except (KeyError, ValueError, OSError, StopIteration, AttributeError, TypeError, csv.Error) as error:
        raise ImageError(_unreadable(path.name)) from error
    if not names:
        raise ImageError(_unreadable(path.name))
    return names


def _unreadable(name: str) -> Problem:
    return Problem(
        file=name,
        found="no table of labels",
        expected="an ITK-SNAP .label file, a .csv or .tsv table with the columns label and name, or .json",
        next_step="Write one line for each label, such as: 1,sartorius",
    )


def _from_itksnap(text: str) -> dict[int, str]:
    rows = re.findall(r'^\s*(\d+)(?:\s+[\d.]+){6}\s+"([^"]*)"', text, re.MULTILINE)
    return {int(label): name for label, name in rows}


def _from_table(text: str) -> dict[int, str]:
    dialect = csv.Sniffer().sniff(text, ",;\t")
    rows = list(csv.DictReader(io.StringIO(text), dialect=dialect))
    columns = [column for column in (rows[0] if rows else {}) if column]
    numbers = next(each for each in columns if all(re.fullmatch(r"\s*\d+\s*", row[each] or "") for row in rows))
    names = _name_column([column for column in columns if column != numbers])
    side = next((column for column in columns if column.strip().lower() == "side"), None)
    return {int(row[numbers]): f"{row[names]} {row[side] if side else ''}".strip() for row in rows}


def _name_column(columns: Sequence[str]) -> str:
    known = ("name", "muscle", "region", "structure", "label", "abbreviation")
    lower = {column.strip().lower(): column for column in columns}
    found = next((lower[each] for each in known if each in lower), None)
    if found is None and len(columns) != 1:
        raise ValueError
    return found or columns[0]


def _from_json(text: str) -> dict[int, str]:
    found = json.loads(text)
    table: Mapping[str, Any] = found.get("labels", found)
    if all(isinstance(value, int) for value in table.values()):
        return {int(label): str(name) for name, label in table.items()}
    return {int(label): str(name) for label, name in table.items()}


def derive_region(name: str) -> Region | None:
    """Return the region that a label's name means, None for what is known and not measured.

    Raises
    ------
    ImageError
        The name is none that is known.

    Examples
    --------
    >>> derive_region("Right Biceps Femoris (long head)")
    Region(name='BL', side=<Side.RIGHT: 'right'>)
    >>> derive_region("VL"), derive_region("femur left")
    (Region(name='VL', side=None), None)
    """
    words = split_words(name)
    side = next((_SIDES[word] for word in words if word in _SIDES), None)
    rest = " ".join(word for word in words if word not in _SIDES and word not in _FILLERS)
    code = rest.upper() if rest.upper() in MUSCLES else _OTHER_NAMES.get(rest)
    if code:
        return Region(name=code, side=side)
    if not rest and "thigh" in words:
        return Region(name="thigh", side=side)
    if not rest or _LEFT_OUT.search(rest):
        return None
    raise ImageError(_unknown(name))


def _unknown(name: str) -> Problem:
    known = [*MUSCLES, *(muscle.name for muscle in MUSCLES.values()), *COMPARTMENTS]
    return Problem(
        found=f"a label named “{name}”",
        expected="a muscle or compartment of the thigh, and perhaps its side",
        next_step=f"{suggest(name, known)} Call it ignore to leave it out.",
    )


def derive_regions(labels: Iterable[int], names: Mapping[int, str] | None, file: str) -> dict[int, Region]:
    """Return the region of each of ``labels`` that is measured.

    Raises
    ------
    ImageError
        A label has no name, or a name that is not known.

    Examples
    --------
    >>> derive_regions([2], {1: "sartorius left", 2: "RF right"}, "names.csv")
    {2: Region(name='RF', side=<Side.RIGHT: 'right'>)}
    """
    known = STANDARD_NAMES if names is None else names
    missing = [label for label in labels if label not in known]
    if missing:
        raise ImageError(
            Problem(
                file=file,
                found=f"labels without a name: {', '.join(map(str, missing))}",
                expected=f"labels {min(known)} to {max(known)}, or a table of their names",
                next_step="Give a table (.csv, .label or .json) that names every label.",
            )
        )
    found = {label: derive_region(known[label]) for label in labels}
    return {label: region for label, region in found.items() if region}
