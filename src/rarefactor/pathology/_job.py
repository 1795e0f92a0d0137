"""Slides as jobs: a first look, blocks of 64 megapixels, and their sum with its picture; bytes in, bytes out.

Convention: a job never fails: what cannot be measured is a result that says why. A block is kept under its pixels, its
white and its tissue, so that another threshold reads no pixel again.
"""

from __future__ import annotations

import io
import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from pathlib import Path

import numpy as np
import polars as pl

from rarefactor.errors import ImageError, Problem, RarefactorError
from rarefactor.pathology._block import (
    BLOCK_PX,
    WHOLE,
    Part,
    looks_for_cells,
    make_empty,
    measure_block,
    read_parts,
    write_parts,
)
from rarefactor.pathology._cell_file import OutlineKeeper, write_cell_file
from rarefactor.pathology._excluded import flag_excluded
from rarefactor.pathology._geojson import read_regions
from rarefactor.pathology._measure_slide import SCHEMA, SlideResult, make_failures, measure_regions
from rarefactor.pathology._picture import draw_slide
from rarefactor.pathology._pyramid import Window
from rarefactor.pathology._regions import check_regions
from rarefactor.pathology._settings import Settings, SlideFile
from rarefactor.pathology._slide import open_slide
from rarefactor.pathology._survey import Survey, read_survey, survey_slide, write_survey
from rarefactor.results import Flag
from rarefactor.work import Job, content_key, hash_file, read_packed, write_packed

_FAILED, _SURVEY, _PARTS, _OUTLINES, _ROWS = "failures.json", "survey", "parts", "outlines", "rows.parquet"
_Failed = tuple[Problem, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Surveyed:
    """A slide after its first look, or why it has none; ``content`` is the hash of its files."""

    file: SlideFile
    content: str
    data: bytes
    survey: Survey | None
    problems: _Failed = ()


def hash_content(file: SlideFile) -> str:
    """Return the hash of all that is read of a slide and left out of it, and of nothing where it cannot be read."""
    beside = (file.path.with_name(f"{file.path.name}.json"), file.path.with_suffix(".json"))
    places = [file.path, *beside, *([file.regions] if file.regions else [])]
    if file.path.suffix.lower() == ".mrxs":
        places.append(file.path.with_suffix(""))
    drawn = [file.excluded.sha256, file.excluded.outlines] if file.excluded and file.excluded.outlines else []
    return content_key(*(part for place in dict.fromkeys(places) for part in _hash(place)), *drawn)


def make_survey_job(file: SlideFile, settings: Settings, content: str, *, code: str) -> Job:
    """Return the job of the first look."""
    key = content_key("ihc survey", code, content, settings.content(file.stain))
    return Job(key=key, function=survey_to_bytes, arguments=(file, settings))


def survey_to_bytes(file: SlideFile, settings: Settings) -> bytes:
    """Return the first look at a slide, or why there is none."""
    return _catch(file, lambda: {_SURVEY: write_survey(survey_slide(file, settings))})


def read_surveyed(file: SlideFile, content: str, data: bytes) -> Surveyed:
    """Return what :func:`survey_to_bytes` gave."""
    files = read_packed(data)
    survey = read_survey(files[_SURVEY]) if _SURVEY in files else None
    return Surveyed(file=file, content=content, data=data, survey=survey, problems=_read_problems(files))


def make_block_jobs(found: Surveyed, settings: Settings, *, code: str) -> tuple[Job, ...]:
    """Return the jobs of the blocks of a slide that hold tissue."""
    if found.survey is None:
        return ()
    survey, reading = found.survey, settings.reading(found.file.stain)
    shared = [list(survey.white.level), survey.downsample, survey.step, survey.measured.tobytes(), survey.um_per_px]
    cells = settings.cell_content(found.file.stain) if looks_for_cells(survey, reading) else []
    return tuple(
        Job(
            key=content_key("ihc block", code, found.content, shared, cells, [window.x, window.y]),
            function=block_to_bytes,
            arguments=(found.file, found.data, settings, window),
        )
        for window in list_blocks(survey)
    )


def list_blocks(survey: Survey) -> tuple[Window, ...]:
    """Return the blocks of a slide that hold tissue."""
    side = BLOCK_PX * survey.downsample
    places = [
        Window(x=x, y=y, width=min(side, survey.width - x), height=min(side, survey.height - y))
        for y in np.arange(0, survey.height, side).tolist()
        for x in np.arange(0, survey.width, side).tolist()
    ]
    return tuple(each for each in places if survey.holds_tissue(each))


def block_to_bytes(file: SlideFile, data: bytes, settings: Settings, window: Window) -> bytes:
    """Return what a block holds, or why nothing was measured."""
    survey = read_survey(read_packed(data)[_SURVEY])
    return _catch(file, lambda: _measure_block(file, survey, settings, window))


def _measure_block(file: SlideFile, survey: Survey, settings: Settings, window: Window) -> dict[str, bytes]:
    reading = settings.reading(file.stain)
    if not (settings.outlines and looks_for_cells(survey, reading)):
        return {_PARTS: write_parts(measure_block(file, survey, reading, window))}
    keeper = OutlineKeeper(survey)
    parts = measure_block(file, survey, reading, window, keep=keeper.keep)
    return {_PARTS: write_parts(parts), _OUTLINES: keeper.write()}


def make_sum_job(found: Surveyed, settings: Settings, blocks: Sequence[bytes], *, code: str) -> Job:
    """Return the job that adds up the blocks of a slide and draws it."""
    who = [found.file.patient, found.file.visit, found.file.stain, found.file.number]
    parts = [found.content, settings.content(found.file.stain), who, content_key(found.data, *blocks)]
    return Job(
        key=content_key("ihc sum", code, *parts),
        function=sum_to_bytes,
        arguments=(found.file, found.data, tuple(blocks), settings),
    )


def sum_to_bytes(file: SlideFile, data: bytes, blocks: Sequence[bytes], settings: Settings) -> bytes:
    """Return the rows and the picture of a slide, or why there are none."""
    files = [read_packed(data), *(read_packed(block) for block in blocks)]
    failed = [each for each in files if _FAILED in each]
    if failed:
        return write_packed({_FAILED: failed[0][_FAILED]})
    survey = read_survey(files[0][_SURVEY])
    return _catch(file, lambda: _sum(file, survey, files[1:], settings))


def make_adjusted_job(found: Surveyed, settings: Settings, blocks: Sequence[bytes], gain: float, *, code: str) -> Job:
    """Return the job that reads the blocks of a slide again at the threshold of a run that stained ``gain`` as much."""
    file = found.file
    changed = replace(settings, readings={**settings.readings, file.stain: settings.reading(file.stain).adjust(gain)})
    parts = [found.content, changed.content(file.stain), content_key(found.data, *blocks)]
    return Job(
        key=content_key("ihc adjusted", code, *parts),
        function=adjusted_to_bytes,
        arguments=(file, found.data, tuple(blocks), changed),
    )


def adjusted_to_bytes(file: SlideFile, data: bytes, blocks: Sequence[bytes], settings: Settings) -> bytes:
    """Return the rows of a slide alone."""
    survey = read_survey(read_packed(data)[_SURVEY])
    parts = read_blocks(blocks, survey)
    return _catch(file, lambda: {_ROWS: _write_rows(measure_regions(file, survey, parts, settings))})


def read_adjusted(data: bytes) -> pl.DataFrame | None:
    """Return what :func:`adjusted_to_bytes` gave; None where the run's threshold is none that can be read."""
    files = read_packed(data)
    return pl.read_parquet(io.BytesIO(files[_ROWS])) if _ROWS in files else None


def read_result(file: SlideFile, data: bytes, survey: Survey | None) -> SlideResult:
    """Return what :func:`sum_to_bytes` gave."""
    files = read_packed(data)
    if _FAILED in files or survey is None:
        return SlideResult(
            file=file, rows=pl.DataFrame(schema=SCHEMA), failures=make_failures(file, _read_problems(files))
        )
    return SlideResult(
        file=file,
        rows=pl.read_parquet(io.BytesIO(files[_ROWS])),
        total=read_parts(files["total"], survey)[WHOLE],
        pictures={f"{file.name}.png": files["picture.png"]},
        thumbnail=files["thumbnail.png"],
        cells=files.get("cells.geojson"),
    )  # fmt: skip


def read_blocks(blocks: Sequence[bytes], survey: Survey) -> dict[str, Part]:
    """Return the regions of a slide, made of what :func:`block_to_bytes` gave of each block."""
    return _join_parts([read_packed(block) for block in blocks], survey)


def find_problems(found: Surveyed, blocks: Sequence[bytes]) -> _Failed:
    """Return why a slide cannot be measured; nothing where it can."""
    return (*found.problems, *(problem for block in blocks for problem in _read_problems(read_packed(block))))


def _sum(
    file: SlideFile, survey: Survey, blocks: Sequence[Mapping[str, bytes]], settings: Settings
) -> dict[str, bytes]:
    parts = _join_parts(blocks, survey)
    flags = (*_check_regions(file), *flag_excluded(file, survey.sha256))
    total = make_empty(survey)
    for part in parts.values():
        total = total + part
    picture, thumbnail = draw_slide(file, survey, total, settings)
    return {
        **_write_cells(file, parts, blocks, settings),
        _ROWS: _write_rows(measure_regions(file, survey, parts, settings, flags)),
        "total": write_parts({WHOLE: total}),
        "picture.png": picture,
        "thumbnail.png": thumbnail,
    }


def _join_parts(blocks: Sequence[Mapping[str, bytes]], survey: Survey) -> dict[str, Part]:
    """Return the regions of a slide, each made of its parts in all blocks."""
    parts: dict[str, Part] = {}
    for block in blocks:
        for name, part in read_parts(block[_PARTS], survey).items():
            parts[name] = parts[name] + part if name in parts else part
    return parts or {WHOLE: make_empty(survey)}


def _write_cells(
    file: SlideFile, parts: Mapping[str, Part], blocks: Sequence[Mapping[str, bytes]], settings: Settings
) -> dict[str, bytes]:
    outlines = [block[_OUTLINES] for block in blocks if _OUTLINES in block]
    tables = [part.cells for part in parts.values() if part.cells is not None]
    return {"cells.geojson": write_cell_file(tables, outlines, settings.reading(file.stain))} if outlines else {}


def _write_rows(rows: pl.DataFrame) -> bytes:
    buffer = io.BytesIO()
    rows.write_parquet(buffer)
    return buffer.getvalue()


def _check_regions(file: SlideFile) -> tuple[Flag, ...]:
    """Return what is doubtful about the regions; refuse a slide beside which all of them lie."""
    if file.regions is None:
        return ()
    with open_slide(file.path) as slide:
        placed, outside = check_regions(read_regions(file.regions), slide)
    if not placed:
        raise ImageError(
            Problem(
                file=file.regions.name,
                found="regions that all lie outside the slide",
                expected="regions in pixels of the slide's finest level",
                next_step="Export them again from the image that is measured.",
            )
        )
    return (*outside, *(flag for each in placed for flag in each.flags))


def _catch(file: SlideFile, work: Callable[[], Mapping[str, bytes]]) -> bytes:
    try:
        return write_packed(work())
    except RarefactorError as error:
        problems = error.problems
    except MemoryError:
        problems = (
            Problem(
                file=file.path.name,
                found="an image that does not fit into memory",
                expected="an image that can be read piece by piece",
                next_step="Export it as a tiled TIFF.",
            ),
        )
    return write_packed({_FAILED: json.dumps([asdict(each) for each in problems]).encode()})


def _read_problems(files: Mapping[str, bytes]) -> _Failed:
    return tuple(Problem(**item) for item in json.loads(files.get(_FAILED, b"[]")))


def _hash(place: Path) -> list[str]:
    """Return names and hashes of a file, or of the files of a folder; of what cannot be read, its size at most."""
    if place.is_dir():
        return [part for each in sorted(place.rglob("*")) if each.is_file() for part in _hash(each)]
    try:
        return [place.name, hash_file(place)] if place.is_file() else []
    except RarefactorError:
        return [place.name, "unreadable"]
