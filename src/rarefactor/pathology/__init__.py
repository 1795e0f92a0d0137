"""From stained biopsies to one row per biopsy, stain and region: DAB area, positive cells, scores.

Convention: an image is (row, column, channel) of 8-bit red, green and blue; optical density is log10(white /
intensity); an area fraction is 0 to 1; micrometres per pixel are read, never guessed. Nothing here knows the outcome of
a study.
"""

from rarefactor.pathology._agreement import ReaderAgreement, compare_measured, tabulate_agreement
from rarefactor.pathology._artefacts import Artefacts, compute_artefacts
from rarefactor.pathology._beside import Beside
from rarefactor.pathology._biopsy import combine_biopsies
from rarefactor.pathology._blur import Blur, compute_blur
from rarefactor.pathology._bootstrap import TileInterval, compute_tile_interval
from rarefactor.pathology._compartments import Compartment
from rarefactor.pathology._density import H_DAB, StainVectors, compute_stains
from rarefactor.pathology._detected import resolve_detector
from rarefactor.pathology._excluded import EXCLUSION, check_outlines, derive_excluded, name_item
from rarefactor.pathology._geojson import Annotation, CellOutline, Polygon, read_regions, write_cells
from rarefactor.pathology._histogram import DensityHistogram, compute_histogram
from rarefactor.pathology._look import TILE_PX, DeepZoom, Place, View, draw_overview
from rarefactor.pathology._looked import Looked, Unmeasured
from rarefactor.pathology._lookup import Lookup, Measure, compute_lookup
from rarefactor.pathology._measure_slide import SlideResult
from rarefactor.pathology._microns import MicronsPerPixel, compute_downsample
from rarefactor.pathology._moved import (
    HIGHEST_THRESHOLD,
    LOWEST_THRESHOLD,
    MovedNumbers,
    Spread,
    Stored,
    compute_moved,
    compute_regions,
    compute_spread,
    make_stored,
    move_threshold,
)
from rarefactor.pathology._overlay import Layer, draw_overlay
from rarefactor.pathology._plan import Plan, plan_folder
from rarefactor.pathology._positivity import AreaSettings, Denominator, Positivity, compute_positivity
from rarefactor.pathology._preview import preview
from rarefactor.pathology._pyramid import Tile, Window
from rarefactor.pathology._regions import Placed, check_regions, rasterise
from rarefactor.pathology._runs import (
    Manifest,
    RunEffect,
    RunGains,
    StainedSlide,
    compute_run_effect,
    compute_run_gains,
    read_manifest,
)
from rarefactor.pathology._scores import PatientScore, Score, ScoreScale, ScoreTable, derive_patient_scores, read_scores
from rarefactor.pathology._scores_given import (
    ComparedReaders,
    compare_readers,
    compare_rounds,
    describe_scores,
    draft_score,
    find_scales,
    join_scores,
    read_given_scores,
)
from rarefactor.pathology._section_build import Extent
from rarefactor.pathology._section_image import Camera
from rarefactor.pathology._section_stains import StainingRun
from rarefactor.pathology._section_wanted import Wanted, simulate_specimen
from rarefactor.pathology._settings import Excluded, Outline, Reading, Settings, SlideFile
from rarefactor.pathology._slide import Slide, open_slide
from rarefactor.pathology._stain import StainCheck, compute_stain_check
from rarefactor.pathology._summary import Measurement
from rarefactor.pathology._tissue import compute_tissue
from rarefactor.pathology._told import tell
from rarefactor.pathology._white import White, WhiteSource, compute_white
from rarefactor.pathology._write_slide import write_photograph, write_slide
from rarefactor.pathology.simulate import Truth, photograph, simulate_control
from rarefactor.pathology.stage import STEP, count_known, describe, look, measure, measure_folder, plan, write_output
from rarefactor.results import Flag, Severity

__all__ = [
    "EXCLUSION",
    "HIGHEST_THRESHOLD",
    "H_DAB",
    "LOWEST_THRESHOLD",
    "STEP",
    "TILE_PX",
    "Annotation",
    "AreaSettings",
    "Artefacts",
    "Beside",
    "Blur",
    "Camera",
    "CellOutline",
    "ComparedReaders",
    "Compartment",
    "DeepZoom",
    "Denominator",
    "DensityHistogram",
    "Excluded",
    "Extent",
    "Flag",
    "Layer",
    "Looked",
    "Lookup",
    "Manifest",
    "Measure",
    "Measurement",
    "MicronsPerPixel",
    "MovedNumbers",
    "Outline",
    "PatientScore",
    "Place",
    "Placed",
    "Plan",
    "Polygon",
    "Positivity",
    "ReaderAgreement",
    "Reading",
    "RunEffect",
    "RunGains",
    "Score",
    "ScoreScale",
    "ScoreTable",
    "Settings",
    "Severity",
    "Slide",
    "SlideFile",
    "SlideResult",
    "Spread",
    "StainCheck",
    "StainVectors",
    "StainedSlide",
    "StainingRun",
    "Stored",
    "Tile",
    "TileInterval",
    "Truth",
    "Unmeasured",
    "View",
    "Wanted",
    "White",
    "WhiteSource",
    "Window",
    "check_outlines",
    "check_regions",
    "combine_biopsies",
    "compare_measured",
    "compare_readers",
    "compare_rounds",
    "compute_artefacts",
    "compute_blur",
    "compute_downsample",
    "compute_histogram",
    "compute_lookup",
    "compute_moved",
    "compute_positivity",
    "compute_regions",
    "compute_run_effect",
    "compute_run_gains",
    "compute_spread",
    "compute_stain_check",
    "compute_stains",
    "compute_tile_interval",
    "compute_tissue",
    "compute_white",
    "count_known",
    "derive_excluded",
    "derive_patient_scores",
    "describe",
    "describe_scores",
    "draft_score",
    "draw_overlay",
    "draw_overview",
    "find_scales",
    "join_scores",
    "look",
    "make_stored",
    "measure",
    "measure_folder",
    "move_threshold",
    "name_item",
    "open_slide",
    "photograph",
    "plan",
    "plan_folder",
    "preview",
    "rasterise",
    "read_given_scores",
    "read_manifest",
    "read_regions",
    "read_scores",
    "resolve_detector",
    "simulate_control",
    "simulate_specimen",
    "tabulate_agreement",
    "tell",
    "write_cells",
    "write_output",
    "write_photograph",
    "write_slide",
]
