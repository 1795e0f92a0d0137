"""What lies on or in the section that is not its stain: ink, folds, the coverslip's edge, and pixels without light.

Convention: masks are on the coarse grid of an overview (``block_px`` pixels of it to one square); shares are of the
tissue that would have been measured without them. Ink, folds and what lies beyond the edge are left out of every
number. Saturated pixels stay: they are positive at any threshold, but their density is a lower bound. Blur is judged
apart, at the resolution of the cells: it withholds counts and keeps areas.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np

from rarefactor.pathology._density import Floats
from rarefactor.pathology._edges import compute_edges
from rarefactor.pathology._flag import note, warn
from rarefactor.pathology._folds import compute_folds
from rarefactor.pathology._lookup import TISSUE_DENSITY
from rarefactor.pathology._pens import Ink, compute_pens
from rarefactor.pathology._tissue import Mask
from rarefactor.pathology._white import Rgb, White, compute_block_means
from rarefactor.results import Flag

COARSE_UM = 8.0
"""µm per square at which ink, folds and edges are looked for."""
SLIDE_UM = 5000.0
"""An image smaller than this is a field, which has no coverslip edge."""
UNKNOWN_SIDE_UM = 480.0
"""What the shorter side of an image of unknown scale is taken for: ink must then be wider than a tenth of it."""
NO_LIGHT = 3
"""Grey level up to which a channel holds no light that could be measured."""
MOST_INK = 0.5
"""Share of tissue up to which red is taken for ink; beyond it is the stain, and left for the check of the stain."""
MUCH = 0.01
"""Share of tissue from which an artefact is flagged as a warning rather than a note."""


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Artefacts:
    """Where an image cannot be measured.

    Attributes
    ----------
    masks
        (row, column) of squares by name: ``pen_black``, ``pen_blue``, ``pen_green``, ``pen_red``, ``fold``, ``edge``;
        only those that were found.
    excluded
        All of them together.
    block_px
        Pixels of the image along a square's side.
    shape
        (rows, columns) of the image.
    shares
        Share of tissue of each (0 to 1), and of ``saturation``.
    flags
        One for each artefact.
    """

    masks: Mapping[str, Mask]
    excluded: Mask
    block_px: int
    shape: tuple[int, int]
    shares: Mapping[str, float]
    flags: tuple[Flag, ...]

    @property
    def allowed(self) -> Mask:
        """Where may be measured, (row, column) of the image's own pixels."""
        return ~expand_squares(self.excluded, self.block_px, self.shape)


def compute_artefacts(image: Rgb, white: White, *, um_per_px: float | None = None) -> Artefacts:
    """Return the artefacts of a field or of the overview of a slide.

    Parameters
    ----------
    image
        (row, column, 3), 0 to 255; of a slide, an overview of about 2 to 10 µm per pixel.
    white
        The light without tissue.
    um_per_px
        Micrometres per pixel of ``image``. Without it only ink wider than a tenth of the image is found, and neither
        folds nor edges are looked for.

    Examples
    --------
    >>> from rarefactor.pathology._white import White, WhiteSource
    >>> slide = np.full((90, 90, 3), 240, dtype=np.uint8)
    >>> slide[20:70, 10:80] = (190, 150, 120)
    >>> slide[:, 60:70] = 2
    >>> found = compute_artefacts(slide, White(level=(240.0, 240.0, 240.0), source=WhiteSource.GIVEN), um_per_px=8.0)
    >>> [flag.name for flag in found.flags], bool(found.allowed[40, 30]), bool(found.allowed[40, 65])
    (['pen_black', 'saturation'], True, False)
    """
    rows, columns = image.shape[:2]
    scale = um_per_px or UNKNOWN_SIDE_UM / min(rows, columns)
    block_px = max(1, min(round(COARSE_UM / scale), rows, columns))
    density = np.log10(np.asarray(white.level) / np.maximum(compute_block_means(image, block_px), 1.0))
    masks = _find(density, block_px * scale, None if um_per_px is None else max(rows, columns) * um_per_px)
    tissue = density.sum(axis=2) >= TISSUE_DENSITY
    masks = {name: mask for name, mask in masks.items() if name != Ink.RED or _share(mask, tissue) <= MOST_INK}
    excluded = _join(tissue.shape, masks)
    shares = {name: _share(mask, tissue) for name, mask in masks.items()}
    saturated = float(compute_saturation(image).mean()) / max(float(tissue.mean()), 1e-9) if tissue.any() else 0.0
    shares |= {"saturation": min(saturated, 1.0)} if saturated > 0 else {}
    return Artefacts(
        masks=masks,
        excluded=excluded,
        block_px=block_px,
        shape=(rows, columns),
        shares=shares,
        flags=tuple(_flag(name, share) for name, share in shares.items()),
    )


def compute_saturation(image: Rgb) -> Mask:
    """Return the pixels in which a channel holds no light, (row, column): their density is only a lower bound.

    Examples
    --------
    >>> compute_saturation(np.array([[[90, 40, 0], [90, 40, 20]]], dtype=np.uint8)).tolist()
    [[True, False]]
    """
    least = np.minimum(np.minimum(image[..., 0], image[..., 1]), image[..., 2])
    return np.asarray(least <= NO_LIGHT, dtype=np.bool_)


def expand_squares(squares: Mask, block_px: int, shape: tuple[int, int]) -> Mask:
    """Return a mask of squares on the pixels of the image; the last square reaches to the side.

    Examples
    --------
    >>> expand_squares(np.array([[True, False]]), 2, (2, 5)).tolist()
    [[True, True, False, False, False], [True, True, False, False, False]]
    """
    if not squares.size:
        return np.zeros(shape, dtype=np.bool_)
    rows, columns = (np.minimum(np.arange(n) // block_px, k - 1) for n, k in zip(shape, squares.shape, strict=True))
    return squares[np.ix_(rows, columns)]


def _find(density: Floats, square_um: float, longest_um: float | None) -> dict[str, Mask]:
    """Return the artefacts of an image; ``longest_um`` is its longer side, None where its scale is unknown."""
    masks: dict[str, Mask] = {ink.value: mask for ink, mask in compute_pens(density, um_per_px=square_um).items()}
    if longest_um is not None and longest_um >= SLIDE_UM:
        masks["edge"] = compute_edges(np.where(_join(density.shape, masks)[..., None], 0.0, density))
    if longest_um is not None:
        tissue = (density.sum(axis=2) >= TISSUE_DENSITY) & ~_join(density.shape, masks)
        masks["fold"] = compute_folds(density, tissue, um_per_px=square_um)
    return {name: mask for name, mask in masks.items() if mask.any()}


def _join(shape: tuple[int, ...], masks: Mapping[str, Mask]) -> Mask:
    joined = np.zeros(shape[:2], dtype=np.bool_)
    for mask in masks.values():
        joined |= mask
    return joined


def _share(mask: Mask, tissue: Mask) -> float:
    return float((mask & tissue).sum() / tissue.sum()) if tissue.any() else 0.0


def _flag(name: str, share: float) -> Flag:
    said = note if share < MUCH else warn
    if name == "saturation":
        return said(name, f"{100 * share:.1f}% of the tissue let no light through: its density is a lower bound.")
    return said(name, f"{100 * share:.1f}% of the dense area is {_WORDS[name]} and was left out.")


_WORDS = {
    "pen_black": "black ink",
    "pen_blue": "blue ink",
    "pen_green": "green ink",
    "pen_red": "red ink",
    "fold": "folded",
    "edge": "at or beyond the coverslip's edge",
}
