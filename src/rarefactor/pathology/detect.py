"""Detectors of nuclei: one small protocol, ours, plug-ins by entry point, and adapters for what users have.

Convention: a detector takes an image and the size of its pixels and gives a label image of the same rows and columns,
1, 2 ... for nuclei. Networks are used as the user installed them, with weights the user gives by path, and are loaded
anew for each image: give large ones. None is shipped or fetched, and their licences are the user's.

What was run: the adapters were run with stand-ins that check what they are given, made in the tests; StarDist's also
with its package (0.9.2 on TensorFlow 2.21) and a network that was not trained. No trained weights were run, not
InstanSeg's, StarDist's or Cellpose's; their calls are as documented by their makers. Look at the outlines before you
count.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from importlib import import_module
from importlib.metadata import entry_points
from importlib.util import find_spec
from pathlib import Path
from typing import Any, Final, Protocol, runtime_checkable

import numpy as np

from rarefactor.errors import ImageError, Problem, suggest
from rarefactor.pathology._detector_scale import compute_at_scale
from rarefactor.pathology._nuclei import NUCLEI, NucleusSettings, compute_nuclei
from rarefactor.pathology._watershed import Labels
from rarefactor.pathology._white import Rgb, White, compute_white

__all__ = ["GROUP", "Cellpose", "Detector", "InstanSeg", "LogWatershed", "StarDist", "check_detector", "find_detector"]

GROUP: Final = "rarefactor.detectors"
"""Entry points of this group name a class, or a function without arguments, that gives a detector."""


@runtime_checkable
class Detector(Protocol):
    """Anything that finds nuclei.

    Examples
    --------
    >>> class Nothing:
    ...     def detect(self, image, microns_per_pixel):
    ...         return np.zeros(image.shape[:2], dtype=np.int32)
    >>> isinstance(Nothing(), Detector)
    True
    """

    def detect(self, image: Rgb, microns_per_pixel: float) -> Labels:
        """Return the nuclei of an image (row, column, 3) as labels (row, column)."""
        ...


@dataclass(frozen=True, slots=True, kw_only=True)
class LogWatershed:
    """Ours: Laplacian of Gaussian and distance watershed.

    Attributes
    ----------
    white : White or None
        The light without tissue; measured on each image where it is not given, which a small tile cannot bear.
    settings : NucleusSettings
        What counts as a nucleus.
    """

    white: White | None = None
    settings: NucleusSettings = NUCLEI

    def detect(self, image: Rgb, microns_per_pixel: float) -> Labels:
        """Return the nuclei of ``image``."""
        white = self.white or compute_white(image)

        def find(scaled: Rgb) -> Labels:
            return compute_nuclei(scaled, white, settings=self.settings)

        return compute_at_scale(image, microns_per_pixel, self.settings.um_per_px, find, tool="LogWatershed")


@dataclass(frozen=True, slots=True, kw_only=True)
class InstanSeg:
    """An InstanSeg model for brightfield nuclei, as the TorchScript file of its makers; needs torch.

    Attributes
    ----------
    model : Path
        The file instanseg.pt.
    um_per_px : float
        What the model was trained at.
    device : str
        cpu, cuda or mps.

    References
    ----------
    Goldsborough T, Philps B, O'Callaghan A, et al. InstanSeg: an embedding-based instance segmentation algorithm
    optimized for accurate, efficient and portable cell segmentation. arXiv:2408.15954, 2024.
    """

    model: Path
    um_per_px: float = 0.5
    device: str = "cpu"

    def detect(self, image: Rgb, microns_per_pixel: float) -> Labels:
        """Return the nuclei of ``image``."""
        torch = _import("torch", "InstanSeg")
        network = _load("InstanSeg", self.model, lambda: torch.jit.load(str(self.model), map_location=self.device))

        def find(scaled: Rgb) -> object:
            low, high = np.percentile(scaled, (0.1, 99.9), axis=(0, 1))
            normal = ((scaled - low) / np.maximum(high - low, 1e-6)).astype(np.float32)
            given = torch.from_numpy(np.ascontiguousarray(normal.transpose(2, 0, 1)[None])).to(self.device)
            with torch.no_grad():
                return network(given)[0, 0].cpu().numpy()

        return compute_at_scale(image, microns_per_pixel, self.um_per_px, find, tool="InstanSeg")


@dataclass(frozen=True, slots=True, kw_only=True)
class StarDist:
    """A StarDist model folder for brightfield, such as 2D_versatile_he.

    Attributes
    ----------
    model : Path
        Holds config.json and weights.
    um_per_px : float
        What the model was trained at.

    References
    ----------
    Schmidt U, Weigert M, Broaddus C, Myers G. Cell detection with star-convex polygons. In: Medical Image Computing
    and Computer Assisted Intervention 2018:265-273.
    """

    model: Path
    um_per_px: float = 0.25

    def detect(self, image: Rgb, microns_per_pixel: float) -> Labels:
        """Return the nuclei of ``image``."""
        models = _import("stardist.models", "StarDist")
        folder = self.model
        network = _load("StarDist", folder, lambda: models.StarDist2D(None, name=folder.name, basedir=folder.parent))

        def find(scaled: Rgb) -> object:
            low, high = np.percentile(scaled, (1, 99.8))
            return network.predict_instances(((scaled - low) / max(high - low, 1e-6)).astype(np.float32))[0]

        return compute_at_scale(image, microns_per_pixel, self.um_per_px, find, tool="StarDist")


@dataclass(frozen=True, slots=True, kw_only=True)
class Cellpose:
    """A Cellpose model (version 4) given by the file of its weights, such as cpsam.

    Attributes
    ----------
    model : Path
        The file.
    um_per_px : float
        What images are brought to.
    diameter_um : float
        A nucleus's usual diameter.
    gpu : bool
        Whether to use one.

    References
    ----------
    Stringer C, Wang T, Michaelos M, Pachitariu M. Cellpose: a generalist algorithm for cellular segmentation. Nat
    Methods 2021;18:100-106.
    """

    model: Path
    um_per_px: float = 0.5
    diameter_um: float = 8.0
    gpu: bool = False

    def detect(self, image: Rgb, microns_per_pixel: float) -> Labels:
        """Return the nuclei of ``image``."""
        models = _import("cellpose.models", "Cellpose")
        network = _load(
            "Cellpose", self.model, lambda: models.CellposeModel(gpu=self.gpu, pretrained_model=str(self.model))
        )

        def find(scaled: Rgb) -> object:
            return network.eval(scaled, diameter=self.diameter_um / self.um_per_px)[0]

        return compute_at_scale(image, microns_per_pixel, self.um_per_px, find, tool="Cellpose")


def find_detector(name: str) -> Detector:
    """Return the detector of that name.

    Parameters
    ----------
    name
        ``log_watershed`` (ours), ``instanseg:FILE``, ``stardist:FOLDER``, ``cellpose:FILE``, or a plug-in's.

    Raises
    ------
    ImageError
        There is none of that name, or a plug-in cannot be loaded or is none.

    Examples
    --------
    >>> find_detector("stardist:models/2D_versatile_he").um_per_px
    0.25
    """
    kind, _, place = name.partition(":")
    if place and kind in _ADAPTERS:
        return _ADAPTERS[kind](Path(place))
    plugged = {each.name: each for each in entry_points(group=GROUP)}
    if name in plugged:
        return _make_plugin(name, plugged[name].load)
    if name == "log_watershed":
        return LogWatershed()
    known = ["log_watershed", *plugged, *(f"{each}:PATH" for each in _ADAPTERS)]
    raise ImageError(
        Problem(
            found=f"no detector {name}",
            expected=f"one of {', '.join(known)}",
            next_step=f"{suggest(name, known)} A plug-in names itself in the entry points {GROUP}.",
        )
    )


def check_detector(name: str) -> None:
    """Refuse a detector that is not there, or whose package or weights are not, without loading any of them.

    Raises
    ------
    ImageError
        There is none of that name, its package is not installed, or its weights are not there.

    Examples
    --------
    >>> check_detector("log_watershed")
    """
    found = find_detector(name)
    if isinstance(found, InstanSeg | StarDist | Cellpose):
        tool = type(found).__name__
        package = _PACKAGES[tool]
        if find_spec(package) is None:
            raise ImageError(_no_package(package, tool, "not installed"))
        if not found.model.exists():
            raise ImageError(_no_weights(tool, found.model, "nothing of this name"))


def _import(module: str, tool: str) -> Any:
    try:
        return import_module(module)
    except Exception as error:  # a broken installation fails in any way
        raise ImageError(_no_package(module.partition(".")[0], tool, type(error).__name__)) from error


def _no_package(package: str, tool: str, reason: str) -> Problem:
    return Problem(
        found=f"no usable package {package} ({reason})",
        expected=f"{package}, which {tool} needs, installed by you",
        next_step=f"Install {package} into this environment, or take log_watershed.",
    )


def _load(tool: str, model: Path, load: Callable[[], Any]) -> Any:
    """Load weights that the user has; a missing path is an error before anything can think of downloading."""
    if not model.exists():
        raise ImageError(_no_weights(tool, model, "nothing of this name"))
    try:
        return load()
    except Exception as error:  # what is inside a file of weights is not ours
        raise ImageError(_no_weights(tool, model, f"weights that do not load ({type(error).__name__})")) from error


def _no_weights(tool: str, model: Path, found: str) -> Problem:
    return Problem(
        file=model.name,
        found=found,
        expected=f"the weights of {tool}, as its makers give them",
        next_step="Download them from its makers and give their path, or take log_watershed.",
    )


def _make_plugin(name: str, load: Callable[[], Callable[[], object]]) -> Detector:
    try:
        made = load()()
    except Exception as error:  # a plug-in may fail in any way
        raise ImageError(_bad_plugin(name, f"it raised {type(error).__name__}")) from error
    if not isinstance(made, Detector):
        raise ImageError(_bad_plugin(name, "it has no method detect"))
    return made


def _bad_plugin(name: str, reason: str) -> Problem:
    return Problem(
        found=f"a plug-in {name} that cannot be used: {reason}",
        expected="a class or function without arguments that gives an object with detect(image, microns_per_pixel)",
        next_step="Ask its makers, or take another detector.",
    )


_PACKAGES: Final = {"InstanSeg": "torch", "StarDist": "stardist", "Cellpose": "cellpose"}
_ADAPTERS: Final[Mapping[str, Callable[[Path], Detector]]] = {
    "instanseg": lambda path: InstanSeg(model=path),
    "stardist": lambda path: StarDist(model=path),
    "cellpose": lambda path: Cellpose(model=path),
}
