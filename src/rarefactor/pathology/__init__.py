"""From stained biopsies to one row per biopsy, stain and region: DAB area, positive cells, scores.

Convention: an image is (row, column, channel) of 8-bit red, green and blue; optical density is log10(white /
intensity); an area fraction is 0 to 1; micrometres per pixel are read, never guessed. Nothing here knows the outcome of
a study.
"""

from rarefactor.pathology._flag import Flag, Severity
from rarefactor.pathology._geojson import Annotation, CellOutline, Polygon, read_regions, write_cells
from rarefactor.pathology._microns import MicronsPerPixel, compute_downsample
from rarefactor.pathology._pyramid import Tile, Window
from rarefactor.pathology._regions import Placed, check_regions, rasterise
from rarefactor.pathology._slide import Slide, open_slide

__all__ = [
    "Annotation",
    "CellOutline",
    "Flag",
    "MicronsPerPixel",
    "Placed",
    "Polygon",
    "Severity",
    "Slide",
    "Tile",
    "Window",
    "check_regions",
    "compute_downsample",
    "open_slide",
    "rasterise",
    "read_regions",
    "write_cells",
]
