"""Pictures of patients' images in the report: the lowest, the middle and the highest value, chosen by rule.

Convention: a picture comes as bytes from the part that measured it; here it is cut, never changed. It goes into
the page as it is, as JPEG, or as PNG where few colours make that the smaller one; the bitmap of the whole figure has
300 dpi.
"""

from __future__ import annotations

import base64
import io
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from rarefactor.report._plot import MUTED, Sheet, open_sheet, wrap_text, write_photograph, write_svg
from rarefactor.report._source import Source
from rarefactor.report._words import Words
from rarefactor.report.format import format_fixed, format_quantity
from rarefactor.report.tree import Block, Figure, Text
from rarefactor.results import Estimate, Picture
from rarefactor.spec import lower_first, upper_first

_WORDS = Words("panels")
WIDTH = 170.0
_LEFT, _WIDEST, _TALLEST, _GAP = 34.0, 134.0, 54.0, 3.0
_DPI, _QUALITY = 300, 75
_FEW_COLOURS, _SAMPLED = 256, 97  # one pixel of so many tells a drawing from a photograph
_POINTS = 72 / 25.4
_STAINED = ("positive_per_mm2", "positive_area")
_SCANNED = (("rate", "fat_fraction"), ("value", "fat_fraction"))


@dataclass(frozen=True, slots=True, kw_only=True)
class Shown:
    """A picture that was chosen: why, and the value of its patient."""

    rank: str
    row: Estimate
    picture: Picture


def write_panels(source: Source, table: str, pictures: Sequence[Picture]) -> Iterator[Block]:
    """Yield a figure for each thing that was measured in a kind of images, where there are pictures of it."""
    own = [picture for picture in pictures if picture.table == table]
    for column in dict.fromkeys(picture.column for picture in own):
        known = {(each.subject, each.visit): each for each in own if each.column == column}
        shown = choose(_find_rows(source, table, column), known)
        if shown:
            yield _figure(source, table, column, shown)


def choose(rows: Sequence[Estimate], known: Mapping[tuple[str, str], Picture]) -> tuple[Shown, ...]:
    """Return the pictures of the patients with the lowest, the middle and the highest value, each once."""
    held = [row for row in rows if (row.group or "", row.landmark or "") in known and row.estimate is not None]
    held.sort(key=lambda row: (row.estimate or 0.0, row.group or ""))
    lowest, middle, highest = (_WORDS.text(rank) for rank in ("lowest", "middle", "highest"))
    places = {0: lowest, (len(held) - 1) // 2: middle, len(held) - 1: highest} if held else {}
    return tuple(
        Shown(rank=rank, row=held[place], picture=known[held[place].group or "", held[place].landmark or ""])
        for place, rank in sorted(places.items())
    )


def _find_rows(source: Source, table: str, column: str) -> tuple[Estimate, ...]:
    """Return patients' values of the first thing that tells what the pictures show."""
    asked = [("value", f"{column}.{name}") for name in _STAINED] if column else _SCANNED
    for measure, term in asked:
        rows = source.results.select(model=table, measure=measure, term=term)
        if rows:
            return rows
    return ()


def _figure(source: Source, table: str, column: str, shown: Sequence[Shown]) -> Figure:
    what, words = _describe(source, table, shown)
    name = f"panel-{table}-{column or 'scans'}".lower()
    svg, png, height = _draw(name, words, [each.picture for each in shown])
    seen, images = shown[0].picture.seen, column or _WORDS.text("scans")
    title = _WORDS.text("title_three" if len(shown) == 3 else "title", images=images)
    folder = Text("overlays", "code")
    caption = _WORDS.runs("caption", title=title, what=what, seen=upper_first(seen), folder=folder)
    told = [
        _WORDS.text("patient_alt", rank=lower_first(rank), value=value, patient=who, visit=visit)
        for rank, value, who, visit in words
    ]
    alt = _WORDS.text("alt", seen=seen, what=what, patients="; ".join(told))
    size = {"width_mm": WIDTH, "height_mm": height}
    return Figure(name=name, number=0, caption=caption, alt=alt, svg=svg, png=png, **size)


def _describe(source: Source, table: str, shown: Sequence[Shown]) -> tuple[str, Sequence[tuple[str, str, str, str]]]:
    """Return what the pictures are chosen by; and for each its rank, value, patient and visit."""
    first = shown[0].row
    quantity = source.results.quantities[f"{table}.{first.term}"]
    rate = first.measure == "rate"
    unit = _WORDS.text("unit_rate") if rate else _unit(quantity.unit or "")
    lower = lower_first(quantity.label)
    words: list[tuple[str, str, str, str]] = []
    for each in shown:
        value = format_quantity(format_fixed(each.row.estimate, 2 if rate else 1), unit)
        visit = source.visit(each.row.landmark or "")
        words.append((each.rank, value, each.row.group or "", _WORDS.text("to_visit", visit=visit) if rate else visit))
    return _WORDS.text("rate", quantity=lower) if rate else lower, words


def _unit(unit: str) -> str:
    return _WORDS.text("per", unit=unit.removeprefix("1/")) if unit.startswith("1/") else unit


def _draw(
    name: str, words: Sequence[tuple[str, str, str, str]], pictures: Sequence[Picture]
) -> tuple[bytes, bytes, float]:
    """Return the figure as SVG and PNG, and its height in millimetres."""
    images = [_cut(picture) for picture in pictures]
    sizes = [_fit(image.shape[1], image.shape[0]) for image in images]
    height = sum(size[1] + _GAP for size in sizes) + 1
    sheet = open_sheet(WIDTH, height)
    top, places = 1.0, []
    for (rank, value, who, visit), size in zip(words, sizes, strict=True):
        _write_words(sheet, top, (rank, value, who, visit))
        places.append((_LEFT, top, *size))
        top += size[1] + _GAP
    svg = _with_images(write_svg(sheet, name), images, places)
    for image, (x, y, width, tall) in zip(images, places, strict=True):
        sheet.axes.imshow(image, extent=(x, x + width, y + tall, y), aspect="auto", interpolation="antialiased")
    sheet.axes.set_xlim(0, WIDTH)
    sheet.axes.set_ylim(height, 0)
    return svg, write_photograph(sheet, dpi=_DPI), height


def _write_words(sheet: Sheet, top: float, words: tuple[str, str, str, str]) -> None:
    rank, value, who, visit = words
    sheet.text(0, top + 2.5, rank, size=8, strong=True)
    sheet.text(0, top + 6.3, value, size=8)
    for place, line in enumerate((who, *wrap_text(visit, _LEFT - 4, size=7))):
        sheet.text(0, top + 10.2 + 3.2 * place, line, size=7, color=MUTED)


def _fit(width: int, height: int) -> tuple[float, float]:
    """Return width and height in millimetres of a picture as large as there is room for."""
    across = min(_WIDEST, _TALLEST * width / height)
    return across, across * height / width


def _cut(picture: Picture) -> Any:
    """Return the part of a picture to show as an array (row, column, 3) of 8 bits."""
    from matplotlib.image import imread  # noqa: PLC0415 - loaded when a report is written

    image = imread(io.BytesIO(picture.png), format="png")
    left, top, right, bottom = picture.box
    rows, columns = image.shape[:2]
    part = image[round(top * rows) : round(bottom * rows), round(left * columns) : round(right * columns), :3]
    return (part * 255 + 0.5).astype("uint8")


def _with_images(svg: bytes, images: Sequence[Any], places: Sequence[tuple[float, float, float, float]]) -> bytes:
    """Return the drawing with the pictures in it; a drawing's unit is a point."""
    marks: list[str] = []
    for image, place in zip(images, places, strict=True):
        kind, data = _smallest(image)
        x, y, width, height = (f"{value * _POINTS:.3f}" for value in place)
        address = f"data:image/{kind};base64,{base64.b64encode(data).decode()}"
        marks.append(f'<image x="{x}" y="{y}" width="{width}" height="{height}" preserveAspectRatio="none" '
                     f'xlink:href="{address}"/>')  # fmt: skip
    head, end, tail = svg.decode().rpartition("</svg>")
    return f"{head}{''.join(marks)}{end}{tail}".encode()


def _smallest(image: Any) -> tuple[str, bytes]:
    from matplotlib.image import imsave  # noqa: PLC0415 - loaded when a report is written

    kinds: dict[str, dict[str, Any]] = {
        "png": {"metadata": {"Software": None}},
        "jpeg": {"pil_kwargs": {"quality": _QUALITY}},
    }
    written: list[tuple[str, bytes]] = []
    for kind, options in kinds.items():
        if kind == "png" and _has_many_colours(image):
            continue  # a photograph: its PNG is many times larger, and takes long
        buffer = io.BytesIO()
        imsave(buffer, image, format=kind, **options)
        written.append((kind, buffer.getvalue()))
    return min(written, key=lambda pair: len(pair[1]))


def _has_many_colours(image: Any) -> bool:
    return len({bytes(pixel) for pixel in image.reshape(-1, 3)[::_SAMPLED]}) > _FEW_COLOURS
