"""From DICOM frames to volumes: which slices belong together, in what order, and whether all are there.

Convention: frames are one volume where series, image type, component, echo, inversion time, flip angle, matrix and
orientation are the same; they are sorted by position along the normal of the slices, never by file name or number.
"""

from __future__ import annotations

import re
import warnings
from collections import defaultdict
from collections.abc import Hashable, Iterable, Iterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from rarefactor.errors import ImageError, Problem
from rarefactor.imaging._dicom_header import BROKEN, PIXELS, Frame
from rarefactor.imaging._volume import Volume, compute_oriented

if TYPE_CHECKING:
    from pydicom.dataset import Dataset

_SAME_PLACE_MM = 0.01
_AGAIN = "Export the whole series again, or take it out of the folder."


def derive_stacks(frames: Iterable[Frame]) -> list[tuple[Frame, ...]]:
    """Return the volumes that ``frames`` make, each sorted along its normal; several can share one series."""
    groups: defaultdict[Hashable, list[list[Frame]]] = defaultdict(list)
    for frame in frames:
        alike = groups[_key(frame)]
        home = next((group for group in alike if _parallel(group[0], frame)), None)
        if home is None:
            alike.append([frame])
        else:
            home.append(frame)
    return [stack for alike in groups.values() for group in alike for stack in _told_apart(group)]


def _key(frame: Frame) -> Hashable:
    clues, times = frame.clues, frame.clues.acquisition
    spacing = tuple(round(each, 4) for each in frame.spacing_mm)
    said = (clues.image_type, clues.component, clues.contrast)
    return (frame.series, frame.shape, spacing, said, _rounded(times.echo_ms), times.inversion_ms, times.flip_degrees)


def _rounded(value: float | None) -> float | None:
    return None if value is None else round(value, 2)


def _parallel(one: Frame, other: Frame) -> bool:
    same = len(one.orientation) == len(other.orientation)
    return same and np.allclose(one.orientation, other.orientation, atol=1e-3)


def _told_apart(group: list[Frame]) -> list[tuple[Frame, ...]]:
    """One volume, or one for each repetition where several images lie at one place."""
    ordered = _ordered(group)
    if not _overlaid(ordered):
        return [ordered]
    for sign in range(len(group[0].repeat)):
        parts: defaultdict[float, list[Frame]] = defaultdict(list)
        for frame in ordered:
            parts[frame.repeat[sign]].append(frame)
        if len(parts) > 1 and not any(_overlaid(part) for part in parts.values()):
            return [tuple(parts[value]) for value in sorted(parts)]
    return [ordered]


def _ordered(group: list[Frame]) -> tuple[Frame, ...]:
    return tuple(sorted(group, key=_height)) if all(map(_placed, group)) else tuple(group)


def _overlaid(frames: Sequence[Frame]) -> bool:
    heights = [_height(frame) for frame in frames if _placed(frame)]
    return bool(np.any(np.diff(heights) < _SAME_PLACE_MM))


def _placed(frame: Frame) -> bool:
    return bool(frame.position and frame.orientation and frame.spacing_mm)


def _normal(frame: Frame) -> NDArray[np.float64]:
    return np.cross(frame.orientation[:3], frame.orientation[3:])


def _height(frame: Frame) -> float:
    return float(_normal(frame) @ np.asarray(frame.position))


def compute_stack_affine(frames: Sequence[Frame], name: str) -> NDArray[np.float64]:
    """Return what takes (slice, row, column, 1) of the stacked frames to the patient's x, y, z in millimetres.

    Raises
    ------
    ImageError
        Frames without a place, several at one place, a missing slice, unequal distances, a stack that bends.
    """
    problem = next(_stack_problems(frames, name), None)
    if problem:
        raise ImageError(problem)
    first = frames[0]
    affine = np.eye(4)
    affine[:3, 0] = _step(frames)
    affine[:3, 1] = np.asarray(first.orientation[3:]) * first.spacing_mm[0]
    affine[:3, 2] = np.asarray(first.orientation[:3]) * first.spacing_mm[1]
    affine[:3, 3] = first.position
    return affine


def _step(frames: Sequence[Frame]) -> NDArray[np.float64]:
    if len(frames) == 1:
        return _normal(frames[0]) * (frames[0].step_mm or 1.0)
    return (np.asarray(frames[-1].position) - np.asarray(frames[0].position)) / (len(frames) - 1)


def _stack_problems(frames: Sequence[Frame], name: str) -> Iterator[Problem]:
    if not all(map(_placed, frames)):
        yield Problem(
            file=name,
            found="images without position, orientation or pixel spacing",
            expected="where each slice lies in the patient",
            next_step="Export the original images rather than screenshots or reformats.",
        )
    elif len(frames) > 1:
        yield from _distance_problems(frames, name)
        yield from _bend_problems(frames, name)


def _distance_problems(frames: Sequence[Frame], name: str) -> Iterator[Problem]:
    steps = np.diff([_height(frame) for frame in frames])
    least = float(steps.min())
    if least < _SAME_PLACE_MM:
        yield Problem(
            file=name,
            found=f"several images at {_count(int((steps < _SAME_PLACE_MM).sum()), 'place')} that nothing tells apart",
            expected="one image at each place",
            next_step="Put each repetition into its own folder, or export the series again.",
        )
        return
    tolerance = max(0.1, 0.02 * least)
    times = np.rint(steps / least)
    if np.all(np.abs(steps - least) <= tolerance):
        return
    if np.all(np.abs(steps - times * least) <= tolerance * times):
        gap = int(np.argmax(times > 1))
        yield Problem(
            file=name,
            found=f"{_count(int((times - 1).sum()), 'missing slice')} among {len(frames)}, the first gap after slice "
            f"{gap + 1} ({steps[gap]:.1f} mm instead of {least:.1f} mm)",
            expected="slices at equal distances",
            next_step=_AGAIN,
        )
    else:
        yield Problem(
            file=name,
            found=f"slices {least:.1f} to {float(steps.max()):.1f} mm apart",
            expected="slices at equal distances",
            next_step=_AGAIN,
        )


def _bend_problems(frames: Sequence[Frame], name: str) -> Iterator[Problem]:
    places = np.asarray([frame.position for frame in frames])
    line = places[0] + np.arange(len(frames))[:, None] * _step(frames)
    aside = (places - line) - ((places - line) @ _normal(frames[0]))[:, None] * _normal(frames[0])
    if float(np.linalg.norm(aside, axis=1).max()) > 1.0:
        yield Problem(
            file=name,
            found="slices that are shifted against each other",
            expected="slices stacked along one line",
            next_step="Export each stack of slices as a series of its own.",
        )


def _count(number: int, what: str) -> str:
    return f"{number} {what}{'' if number == 1 else 's'}"


def read_stack(frames: Sequence[Frame], *, name: str, root: Path) -> Volume:
    """Return the volume of sorted frames, in the image's own numbers.

    Parameters
    ----------
    name
        How messages call the series.
    root
        Paths in messages are relative to it.

    Raises
    ------
    ImageError
        As :func:`compute_stack_affine`, and where pixels are missing or compressed in a way nothing here reads.
    """
    affine = compute_stack_affine(frames, name)
    values = np.empty((len(frames), *frames[0].shape), np.float32)
    places: defaultdict[Path, list[int]] = defaultdict(list)
    for place, frame in enumerate(frames):
        places[frame.path].append(place)
    for path, own in places.items():
        pixels = _read_pixels(path, [frames[place].index for place in own], _relative(path, root))
        for place, stored in zip(own, pixels, strict=True):
            values[place] = stored.astype(np.float32) * frames[place].slope + frames[place].intercept
    return compute_oriented(values, affine)


def _relative(path: Path, root: Path) -> str:
    return path.relative_to(root).as_posix() if path.is_relative_to(root) else path.name


def _read_pixels(path: Path, indices: list[int], name: str) -> list[NDArray[Any]]:
    from pydicom.pixels.utils import iter_pixels  # noqa: PLC0415 - loaded late, so that importing this part is light

    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # a padded end of the file is no matter
            return list(iter_pixels(_pixel_dataset(path), indices=indices))
    except RuntimeError as error:
        raise ImageError(_undecoded(error, name)) from error
    except BROKEN as error:
        raise ImageError(_cut_off(name)) from error


def _pixel_dataset(path: Path) -> Dataset:
    import pydicom  # noqa: PLC0415 - as above
    from pydicom.tag import Tag  # noqa: PLC0415 - as above
    from pydicom.uid import ImplicitVRLittleEndian  # noqa: PLC0415 - as above

    dataset = pydicom.dcmread(path, force=True, specific_tags=[Tag(tag) for tag in PIXELS])
    if "TransferSyntaxUID" not in dataset.file_meta:
        dataset.file_meta.TransferSyntaxUID = ImplicitVRLittleEndian
    return dataset


def _undecoded(error: RuntimeError, name: str) -> Problem:
    """Pydicom names the compression in quotes where it has no decoder; otherwise the pixels themselves are wrong."""
    quoted = re.search(r"decompress '([^']+)'.*missing dependencies", str(error), re.DOTALL)
    return _compressed(quoted[1], name) if quoted else _cut_off(name)


def _compressed(syntax: str, name: str) -> Problem:
    return Problem(
        file=name,
        found=f"pixels compressed as {syntax}, for which no decoder is installed",
        expected="uncompressed pixels, or a compression that pydicom can read here",
        next_step="Install python-gdcm or pylibjpeg beside rarefactor, or export without compression.",
    )


def _cut_off(name: str) -> Problem:
    return Problem(
        file=name,
        found="fewer pixels than the header declares",
        expected="a complete file",
        next_step="The file was cut off: export or copy it again.",
    )
