"""A network that the user has installed, run as its own command on a NIfTI file written for it.

Convention: nothing of the network is imported. The command gets a folder of its own that holds the image under a
neutral name, never a patient's; the folder is gone afterwards.
"""

from __future__ import annotations

import re
import shutil
import subprocess
from collections.abc import Mapping, Sequence
from pathlib import Path

import numpy as np

from rarefactor.errors import ImageError, Problem
from rarefactor.imaging._masks import read_labels
from rarefactor.imaging._regions import LabelMap
from rarefactor.imaging._volume import Grid

_LICENCE = re.compile(r"licen[cs]e", re.IGNORECASE)
_WEIGHTS = re.compile(r"weight|checkpoint|\.pth|\.pt\b|download|connection|model file|urlopen", re.IGNORECASE)


def write_prediction(command: Sequence[str], *, tool: str, install: str, hours: float = 2.0) -> None:
    """Run the command of a network; what it writes is where its arguments say.

    Parameters
    ----------
    command
        Program and arguments.
    tool
        Its name in messages.
    install
        How the user gets it.
    hours
        After so long it is stopped.

    Raises
    ------
    ImageError
        The program is not installed, lacks its weights or licence, failed, or took too long.
    """
    program = shutil.which(command[0])
    if program is None:
        raise ImageError(
            Problem(
                found=f"no program {command[0]}, so {tool} is not installed here",
                expected=f"{tool}, installed by you",
                next_step=f"{install} Or give a reader's masks.",
            )
        )
    try:
        done = subprocess.run(  # noqa: S603 - the user's own program, with our arguments and no shell
            [program, *command[1:]], capture_output=True, text=True, errors="replace", check=False, timeout=hours * 3600
        )
    except (OSError, subprocess.TimeoutExpired) as error:
        raise ImageError(_explain(tool, type(error).__name__)) from error
    if done.returncode:
        raise ImageError(_explain(tool, f"{done.stdout}\n{done.stderr}"))


def read_prediction(path: Path, grid: Grid, names: Mapping[int, str], *, tool: str) -> LabelMap:
    """Return the regions that a network found; labels without a name of ours are left out.

    Raises
    ------
    ImageError
        There is no file, or what `read_labels` raises.
    """
    if not path.is_file():
        raise ImageError(
            Problem(
                found=f"{tool} ended without an error and without a result",
                expected="a label map of the thigh",
                next_step=f"Run {tool} on the image by hand and read what it says.",
            )
        )
    import nibabel  # noqa: PLC0415 - loaded late, so that importing this part is light

    present = np.unique(np.asarray(nibabel.load(path).dataobj))  # pyright: ignore[reportPrivateImportUsage, reportAttributeAccessIssue] - nibabel's door is not typed
    others = {int(label): "other" for label in present if int(label)}
    return read_labels(path, grid, names={**others, **names}, source=tool)


def _explain(tool: str, said: str) -> Problem:
    lines = [line.strip() for line in said.splitlines() if line.strip()]
    last = lines[-1][:200] if lines else "nothing"
    if _LICENCE.search(said):
        return Problem(
            found=f"{tool} asks for a licence",
            expected=f"a licence for this task of {tool}",
            next_step=f"Get one from the makers of {tool} and enter it there, or give a reader's masks.",
        )
    if _WEIGHTS.search(said):
        return Problem(
            found=f"{tool} has no weights ({last})",
            expected="weights on this machine",
            next_step=f"Let {tool} fetch its weights once, where there is a network, or give a reader's masks.",
        )
    return Problem(
        found=f"{tool} failed and last said: {last}",
        expected="a label map of the thigh",
        next_step=f"Run {tool} on the image by hand and mend what it says.",
    )
