"""Regions by a network: one small protocol, plug-ins by entry point, and adapters for what users have.

Convention: a segmenter takes one volume and gives a label map on the same grid, whose ``source`` names it. Networks are
run as the user's own commands; none is imported, shipped or fetched, and their weights and licences are the user's.

What was run: the adapters were run with stand-in commands that check their arguments and write labels, made in the
tests. No real weights were run: not nnU-Net's, not TotalSegmentator's (its task for the thigh needs a licence),
not MuscleMap's. Their commands and label numbers are as documented by their makers. Show every result to a reader.
"""

from __future__ import annotations

import json
import tempfile
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from importlib.metadata import entry_points
from pathlib import Path
from typing import Any, Final, Protocol, cast, runtime_checkable

from rarefactor.errors import ImageError, Problem, suggest
from rarefactor.imaging._network import read_prediction, write_prediction
from rarefactor.imaging._regions import LabelMap
from rarefactor.imaging._volume import Volume
from rarefactor.imaging._write import write_nifti

__all__ = ["GROUP", "MuscleMap", "NnUnet", "Segmenter", "TotalSegmentator", "find_segmenter"]

GROUP: Final = "rarefactor.segmenters"
"""Entry points of this group name a class, or a function without arguments, that gives a segmenter."""


@runtime_checkable
class Segmenter(Protocol):
    """Anything that tells the regions of a thigh apart.

    Examples
    --------
    >>> import numpy as np
    >>> class Nothing:
    ...     def segment(self, volume):
    ...         values = np.zeros(volume.grid.shape, np.int16)
    ...         return LabelMap(values=values, grid=volume.grid, regions={}, source="none")
    >>> isinstance(Nothing(), Segmenter)
    True
    """

    def segment(self, volume: Volume) -> LabelMap:
        """Return the regions of ``volume``, on its grid."""
        ...


@dataclass(frozen=True, slots=True, kw_only=True)
class NnUnet:
    """A trained model folder of nnU-Net v2, run by ``nnUNetv2_predict_from_modelfolder``.

    Attributes
    ----------
    model : Path
        Holds dataset.json, plans.json and fold_*/checkpoint_final.pth; the labels' names come from dataset.json.
    further : tuple of Volume
        The model's second and later channels, on the same grid (a model of fat and water takes the water here).
    folds : tuple of str
        Folds to use; those that the folder has if empty.
    device : str
        cpu, cuda or mps.
    command : str
        The program.

    References
    ----------
    Isensee F, Jaeger PF, Kohl SAA, Petersen J, Maier-Hein KH. nnU-Net: a self-configuring method for deep
    learning-based biomedical image segmentation. Nat Methods 2021;18:203-211.
    """

    model: Path
    further: tuple[Volume, ...] = ()
    folds: tuple[str, ...] = ()
    device: str = "cpu"
    command: str = "nnUNetv2_predict_from_modelfolder"

    def segment(self, volume: Volume) -> LabelMap:
        """Return the model's regions of ``volume``."""
        names = self._read_names()
        folds = self.folds or self._find_folds()
        with tempfile.TemporaryDirectory(prefix="rarefactor-") as place:
            given, made = Path(place) / "in", Path(place) / "out"
            given.mkdir()
            made.mkdir()
            for channel, each in enumerate((volume, *self.further)):
                (given / f"scan_{channel:04}.nii.gz").write_bytes(write_nifti(each))
            command = [self.command, "-i", str(given), "-o", str(made), "-m", str(self.model), "-f", *folds]
            write_prediction(
                [*command, "-device", self.device], tool="nnU-Net", install="Install nnunetv2 into this environment."
            )
            return read_prediction(made / "scan.nii.gz", volume.grid, names, tool="nnU-Net")

    def _read_names(self) -> Mapping[int, str]:
        try:
            described = cast("Mapping[str, Any]", json.loads((self.model / "dataset.json").read_text(encoding="utf-8")))
            labels, channels = cast("Mapping[str, Any]", described["labels"]), described["channel_names"]
        except (OSError, ValueError, KeyError) as error:
            raise ImageError(_no_model(self.model, "no dataset.json that can be read")) from error
        if len(channels) != 1 + len(self.further):
            raise ImageError(_wrong_channels(len(channels), 1 + len(self.further)))
        return {label: name for name, label in labels.items() if isinstance(label, int) and label}

    def _find_folds(self) -> tuple[str, ...]:
        found = sorted(
            path.parent.name.removeprefix("fold_") for path in self.model.glob("fold_*/checkpoint_final.pth")
        )
        if not found:
            raise ImageError(_no_model(self.model, "no weights (fold_*/checkpoint_final.pth)"))
        return tuple(found)


@dataclass(frozen=True, slots=True, kw_only=True)
class TotalSegmentator:
    """TotalSegmentator's task for the thigh on MRI: quadriceps, medial and posterior compartment, sartorius.

    Its quadriceps is given as the anterior compartment, beside the sartorius. The task needs a licence.

    References
    ----------
    D'Antonoli TA, Berger LK, Indrakanti AK, et al. TotalSegmentator MRI: robust sequence-independent segmentation of
    multiple anatomic structures in MRI. Radiology 2025;314:e241613.
    """

    device: str = "cpu"
    command: str = "TotalSegmentator"

    def segment(self, volume: Volume) -> LabelMap:
        """Return the compartments of ``volume``."""
        return _segment_file(
            volume,
            lambda given, made: [
                *(self.command, "-i", str(given), "-o", str(made), "--ml"),
                *("--task", "thigh_shoulder_muscles_mr", "--device", self.device),
            ],
            names=_TOTALSEGMENTATOR,
            tool="TotalSegmentator",
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class MuscleMap:
    """MuscleMap's whole-body model: all eleven muscles of both thighs.

    References
    ----------
    McKay MJ, Weber KA, Wesselink EO, et al. MuscleMap: an open-source, community-supported consortium for whole-body
    quantitative MRI of muscle. J Imaging 2024;10:262.
    """

    gpu: bool = False
    command: str = "mm_segment"

    def segment(self, volume: Volume) -> LabelMap:
        """Return the muscles of ``volume``."""
        return _segment_file(
            volume,
            lambda given, _: [self.command, "-i", str(given), "-g", "Y" if self.gpu else "N"],
            names=_MUSCLEMAP,
            tool="MuscleMap",
        )


def find_segmenter(name: str) -> Segmenter:
    """Return the segmenter of that name: a plug-in's, ``totalsegmentator``, ``musclemap`` or ``nnunet:FOLDER``.

    Raises
    ------
    ImageError
        There is none of that name, or a plug-in cannot be loaded or is none.

    Examples
    --------
    >>> find_segmenter("musclemap")
    MuscleMap(gpu=False, command='mm_segment')
    """
    if name.startswith("nnunet:"):
        return NnUnet(model=Path(name.removeprefix("nnunet:")))
    plugged = {each.name: each for each in entry_points(group=GROUP)}
    if name in plugged:
        return _load(name, plugged[name].load)
    if name in _BUILT_IN:
        return _BUILT_IN[name]()
    known = [*_BUILT_IN, *plugged, "nnunet:FOLDER"]
    raise ImageError(
        Problem(
            found=f"no segmenter {name}",
            expected=f"one of {', '.join(known)}",
            next_step=f"{suggest(name, known)} A plug-in names itself in the entry points {GROUP}.",
        )
    )


def _load(name: str, load: Callable[[], Callable[[], object]]) -> Segmenter:
    try:
        made = load()()
    except Exception as error:  # a plug-in may fail in any way
        raise ImageError(_bad_plugin(name, f"it raised {type(error).__name__}")) from error
    if not isinstance(made, Segmenter):
        raise ImageError(_bad_plugin(name, "it has no method segment"))
    return made


def _segment_file(
    volume: Volume, command: Callable[[Path, Path], Sequence[str]], *, names: Mapping[int, str], tool: str
) -> LabelMap:
    """Run a tool that takes one file; its result is the file asked for, or lies beside the image as scan_dseg."""
    with tempfile.TemporaryDirectory(prefix="rarefactor-") as place:
        given, made = Path(place) / "scan.nii.gz", Path(place) / "scan_dseg.nii.gz"
        given.write_bytes(write_nifti(volume))
        write_prediction(command(given, made), tool=tool, install=f"Install {tool} as its makers say.")
        return read_prediction(made, volume.grid, names, tool=tool)


def _no_model(model: Path, found: str) -> Problem:
    return Problem(
        file=model.name,
        found=found,
        expected="a trained model folder of nnU-Net v2, such as nnUNetTrainer__nnUNetPlans__2d",
        next_step="Give the folder that holds dataset.json, plans.json and fold_0.",
    )


def _wrong_channels(wanted: int, given: int) -> Problem:
    return Problem(
        found=f"a model of {wanted} channels and {given} images",
        expected="an image for each channel",
        next_step="Give the further channels to NnUnet in the order of its dataset.json.",
    )


def _bad_plugin(name: str, reason: str) -> Problem:
    return Problem(
        found=f"a plug-in {name} that cannot be used: {reason}",
        expected="a class or function without arguments that gives an object with segment(volume)",
        next_step="Ask its makers, or take another segmenter.",
    )


_TOTALSEGMENTATOR: Final[Mapping[int, str]] = {
    number: f"{name} {side}"
    for start, name in ((1, "anterior"), (3, "medial"), (5, "posterior"), (7, "sartorius"))
    for number, side in ((start, "left"), (start + 1, "right"))
}
_MUSCLEMAP: Final[Mapping[int, str]] = {
    number + side: f"{code} {('left', 'right')[side - 1]}"
    for number, code in zip(
        (7100, 7110, 7120, 7130, 7140, 7150, 7160, 7170, 7180, 7190, 7200),
        ("VL", "VI", "VM", "RF", "SA", "GR", "SM", "ST", "BL", "BB", "AM"),
        strict=True,
    )
    for side in (1, 2)
}
_BUILT_IN: Final[Mapping[str, Callable[[], Segmenter]]] = {"musclemap": MuscleMap, "totalsegmentator": TotalSegmentator}
