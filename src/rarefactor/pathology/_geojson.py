"""Regions drawn in QuPath, read; cells found by us, written for QuPath.

Convention: GeoJSON as QuPath exports it, without a geographic system: (x, y) in pixels of level 0, (0, 0) the upper
left corner of the first pixel. Polygons and multipolygons are regions; cells and detections of a program are none. A
region whose class ends in an asterisk is one to leave out, as in QuPath.
"""

from __future__ import annotations

import json
import math
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, cast

import numpy as np
from numpy.typing import NDArray

from rarefactor.errors import ImageError, Problem

Ring = NDArray[np.float64]
_MADE_BY_A_PROGRAM = {"detection", "cell", "tile", "tma_core"}
_SHOWN = 10
_COLOURS = {"Positive": [250, 62, 62], "Negative": [112, 112, 225]}


@dataclass(frozen=True, slots=True, kw_only=True)
class Polygon:
    """An outline and its holes: rings of (point, 2), x and y in pixels of level 0, not closed."""

    outline: Ring
    holes: tuple[Ring, ...] = ()

    @property
    def rings(self) -> tuple[Ring, ...]:
        """The outline and the holes."""
        return (self.outline, *self.holes)

    @property
    def area(self) -> float:
        """Pixels of level 0 inside the outline and outside the holes."""
        return _ring_area(self.outline) - sum(_ring_area(hole) for hole in self.holes)


@dataclass(frozen=True, slots=True, kw_only=True)
class Annotation:
    """A region: what it is called, its class and its parts."""

    name: str
    kind: str | None = None
    polygons: tuple[Polygon, ...]

    @property
    def area(self) -> float:
        """Pixels of level 0."""
        return sum(polygon.area for polygon in self.polygons)

    @property
    def bounds(self) -> tuple[float, float, float, float]:
        """Left, top, right and bottom in pixels of level 0."""
        points = np.concatenate([polygon.outline for polygon in self.polygons])
        (left, top), (right, bottom) = points.min(axis=0), points.max(axis=0)
        return float(left), float(top), float(right), float(bottom)

    @property
    def is_ignored(self) -> bool:
        """Whether its class says that it is to be left out."""
        return (self.kind or "").endswith("*")


@dataclass(frozen=True, slots=True, kw_only=True)
class CellOutline:
    """A cell to be written: its outlines (point, 2), x and y in pixels of level 0, its class and its values."""

    outline: Ring
    nucleus: Ring | None = None
    kind: str | None = None
    values: Mapping[str, float] = field(default_factory=dict[str, float])


def read_regions(path: Path) -> tuple[Annotation, ...]:
    """Return the regions of a GeoJSON file.

    Parameters
    ----------
    path
        A FeatureCollection, a feature, or a list of features. A region without a name is called by its class, else by
        its number; a name that stands twice gets a number.

    Raises
    ------
    ImageError
        No JSON, no region in it, or annotations without an area, each with its number.

    Examples
    --------
    >>> import tempfile
    >>> file = Path(tempfile.mkdtemp()) / "roi.geojson"
    >>> _ = file.write_text('{"type": "Polygon", "coordinates": [[[0, 0], [4, 0], [4, 3], [0, 3], [0, 0]]]}')
    >>> [(region.name, region.area) for region in read_regions(file)]
    [('region 1', 12.0)]
    """
    features = [each for each in _features(_load(path), path) if _object_type(each) not in _MADE_BY_A_PROGRAM]
    problems: list[Problem] = []
    regions: list[Annotation] = []
    for number, feature in enumerate(features, 1):
        try:
            regions.append(_annotation(feature, number))
        except (ValueError, TypeError, KeyError, IndexError, AttributeError) as error:
            problems.append(_not_a_region(path, number, str(error)))
    if problems:
        raise ImageError(*problems[:_SHOWN])
    if not regions:
        raise ImageError(_no_region(path))
    return tuple(_tell_apart(regions))


def write_cells(cells: Iterable[CellOutline]) -> bytes:
    """Return cells as GeoJSON that QuPath imports: cells where there is a nucleus, else detections.

    Values that are not finite are left out: JSON has none.

    Examples
    --------
    >>> square = np.array([[0.0, 0.0], [4.0, 0.0], [4.0, 4.0]])
    >>> text = write_cells([CellOutline(outline=square, kind="Positive", values={"DAB mean": 0.41})])
    >>> json.loads(text)["features"][0]["properties"]["measurements"]
    {'DAB mean': 0.41}
    """
    collection = {"type": "FeatureCollection", "features": [_cell_feature(cell) for cell in cells]}
    return json.dumps(collection, separators=(",", ":"), ensure_ascii=False, allow_nan=False).encode()


def _load(path: Path) -> Any:
    try:
        return json.loads(path.read_text(encoding="utf-8-sig"))
    except OSError as error:
        raise ImageError(_unreadable(path, f"a file that cannot be opened ({error.strerror})")) from error
    except (ValueError, RecursionError) as error:
        raise ImageError(_unreadable(path, "text that is no JSON")) from error


def _features(held: Any, path: Path) -> list[dict[str, Any]]:
    inner: Any = held
    if isinstance(held, dict):
        inner = cast("dict[str, Any]", held).get("features", [held])
    if not isinstance(inner, list) or not all(isinstance(each, dict) for each in cast("list[Any]", inner)):
        raise ImageError(_unreadable(path, "JSON without features"))
    return cast("list[dict[str, Any]]", inner)


def _properties(feature: Mapping[str, Any]) -> Mapping[str, Any]:
    held = feature.get("properties")
    return cast("Mapping[str, Any]", held) if isinstance(held, dict) else {}


def _object_type(feature: Mapping[str, Any]) -> str:
    held = _properties(feature)
    return str(held.get("objectType") or held.get("object_type") or "").lower()


def _annotation(feature: Mapping[str, Any], number: int) -> Annotation:
    properties = _properties(feature)
    geometry = cast("Mapping[str, Any]", feature.get("geometry", feature) or {})
    kind = _class(properties)
    name = str(properties.get("name") or kind or f"region {number}")
    polygons = tuple(_polygon(rings) for rings in _parts(geometry))
    if not sum(polygon.area for polygon in polygons) > 0:
        raise ValueError("an outline without an area")
    return Annotation(name=name, kind=kind, polygons=polygons)


def _class(properties: Mapping[str, Any]) -> str | None:
    held = properties.get("classification")
    if isinstance(held, dict):
        named = cast("Mapping[str, Any]", held)
        names = named.get("names")
        held = named.get("name") or (": ".join(cast("list[str]", names)) if isinstance(names, list) else None)
    return str(held) if held else None


def _parts(geometry: Mapping[str, Any]) -> Sequence[Any]:
    if geometry.get("type") == "Polygon":
        return [geometry["coordinates"]]
    if geometry.get("type") == "MultiPolygon":
        return cast("list[Any]", geometry["coordinates"])
    raise ValueError(f"a {geometry.get('type') or 'feature without geometry'}")


def _polygon(rings: Sequence[Any]) -> Polygon:
    outline, *holes = [_ring(ring) for ring in rings]
    return Polygon(outline=outline, holes=tuple(holes))


def _ring(points: Any) -> Ring:
    ring = np.asarray(points, dtype=np.float64)
    if ring.ndim != 2 or ring.shape[1] < 2 or not np.isfinite(ring).all():
        raise ValueError("points that are not pairs of numbers")
    ring = ring[:, :2]
    ring = ring[:-1] if len(ring) > 1 and np.array_equal(ring[0], ring[-1]) else ring
    if len(ring) < 3:
        raise ValueError("an outline of fewer than three points")
    return ring


def _ring_area(ring: Ring) -> float:
    x, y = (ring - ring[0]).T
    return abs(float(np.sum(x * np.roll(y, -1) - y * np.roll(x, -1)))) / 2


def _tell_apart(regions: Sequence[Annotation]) -> Iterator[Annotation]:
    """Number the regions whose name stands more than once, so that each row of a table has its own."""
    names = [region.name for region in regions]
    taken = set(names)
    seen: dict[str, int] = {}
    for region in regions:
        if names.count(region.name) == 1:
            yield region
            continue
        number = seen.get(region.name, 0) + 1
        while f"{region.name} {number}" in taken:
            number += 1
        seen[region.name] = number
        yield Annotation(name=f"{region.name} {number}", kind=region.kind, polygons=region.polygons)


def _cell_feature(cell: CellOutline) -> dict[str, object]:
    properties: dict[str, object] = {"objectType": "cell" if cell.nucleus is not None else "detection"}
    if cell.kind:
        properties["classification"] = {"name": cell.kind, "color": _COLOURS.get(cell.kind, [160, 160, 160])}
    properties["measurements"] = {name: value for name, value in cell.values.items() if math.isfinite(value)}
    feature: dict[str, object] = {"type": "Feature", "geometry": _geometry(cell.outline)}
    if cell.nucleus is not None:
        feature["nucleusGeometry"] = _geometry(cell.nucleus)
    return feature | {"properties": properties}


def _geometry(ring: Ring) -> dict[str, object]:
    points = [[round(float(x), 2), round(float(y), 2)] for x, y in ring]
    return {"type": "Polygon", "coordinates": [[*points, points[0]]]}


def _unreadable(path: Path, found: str) -> Problem:
    return Problem(
        file=path.name,
        found=found,
        expected="GeoJSON as QuPath exports it",
        next_step="Export the annotations again: File, Export objects as GeoJSON.",
    )


def _not_a_region(path: Path, number: int, reason: str) -> Problem:
    return Problem(
        file=path.name,
        key=f"feature {number}",
        found=reason,
        expected="a polygon or multipolygon",
        next_step="Draw the region as an area, or leave the object out of the export.",
    )


def _no_region(path: Path) -> Problem:
    return Problem(
        file=path.name,
        found="no annotation",
        expected="at least one region",
        next_step="Export the annotations, not only detections or cells.",
    )
