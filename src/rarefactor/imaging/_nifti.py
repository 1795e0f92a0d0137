"""A volume of a NIfTI file, with the acquisition of the JSON sidecar that dcm2niix and BIDS put beside it.

Convention: NIfTI's affine points right, front and head; x and y change sign on the way to the patient coordinates used
here. Times of a sidecar are seconds. Its names and dates of a patient are never read.
"""

from __future__ import annotations

import gzip
import json
import zlib
from collections.abc import Mapping
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from rarefactor.errors import ImageError, Problem
from rarefactor.imaging._candidate import Candidate
from rarefactor.imaging._recognise import Clues
from rarefactor.imaging._scan import Acquisition
from rarefactor.imaging._volume import Volume, compute_oriented

ENDINGS = (".nii", ".nii.gz")
_FROM_NIFTI = np.diag([-1.0, -1.0, 1.0, 1.0])


def derive_stem(path: Path) -> str:
    """The file's name without .nii or .nii.gz.

    Examples
    --------
    >>> derive_stem(Path("visit/thigh_F.nii.gz"))
    'thigh_F'
    """
    return path.name.removesuffix(".gz").removesuffix(".nii")


def read_nifti(path: Path, *, name: str | None = None) -> Candidate:
    """Return the volume of a NIfTI file, whose numbers are read when they are asked for.

    Parameters
    ----------
    name
        How messages call the file.

    Raises
    ------
    ImageError
        The sidecar beside the file cannot be read.
    """
    name = name or path.name
    sidecar = _read_sidecar(path.with_name(f"{derive_stem(path)}.json"))
    said = sidecar.get("SeriesDescription")
    return Candidate(
        name=name,
        clues=_clues(sidecar, derive_stem(path)),
        number=int(_number(sidecar, "SeriesNumber") or 0),
        paths=(path,),
        description=_without_person(said, sidecar) if isinstance(said, str) else "",
        read=partial(read_nifti_volume, path, name=name),
    )


def read_nifti_volume(path: Path, *, name: str | None = None) -> Volume:
    """Return the volume of a NIfTI file (3-D, or 4-D with one volume) in the patient's axes.

    Raises
    ------
    ImageError
        Not NIfTI, cut off, more than one volume, or without a place in the patient.
    """
    name = name or path.name
    values, affine = _read_array(path, name)
    return compute_oriented(_three_axes(values, name), _checked_affine(_FROM_NIFTI @ affine, name))


def _read_array(path: Path, name: str) -> tuple[NDArray[np.float32], NDArray[np.float64]]:
    import nibabel  # noqa: PLC0415 - loaded late, so that importing this part is light
    from nibabel.spatialimages import HeaderDataError  # noqa: PLC0415 - as above
    from nibabel.wrapstruct import WrapStructError  # noqa: PLC0415 - as above

    try:
        kind = nibabel.Nifti2Image if _is_second(path, name) else nibabel.Nifti1Image
        image = kind.from_filename(path, mmap=False)
        if np.dtype(image.get_data_dtype()).kind not in "iuf":
            raise ImageError(_not_plain(name))
        # NaN marks "no value" outside the body in processed images: there is no signal.
        values = np.nan_to_num(image.get_fdata(dtype=np.float32, caching="unchanged"), posinf=0.0, neginf=0.0)
        return values, np.asarray(image.affine, np.float64)
    except (EOFError, OSError, ValueError, zlib.error, HeaderDataError, WrapStructError) as error:
        raise ImageError(_damaged(name)) from error


def _head(path: Path) -> bytes:
    packed = path.name.lower().endswith(".gz")
    with gzip.open(path) if packed else path.open("rb") as file:
        return file.read(348)


def _is_second(path: Path, name: str) -> bool:
    """Whether it is NIfTI-2; ImageError where the mark of either is missing, EOFError where the header is cut off."""
    head = _head(path)
    if head[4:7] == b"n+2" or head[344:347] in {b"n+1", b"ni1"}:
        return head[4:7] == b"n+2"
    if len(head) < 348:
        raise EOFError
    raise ImageError(_not_nifti(name))


def _not_plain(name: str) -> Problem:
    return Problem(
        file=name,
        found="colours or complex numbers",
        expected="one magnitude at each voxel",
        next_step="Export the magnitude image.",
    )


def _three_axes(values: NDArray[np.float32], name: str) -> NDArray[np.float32]:
    shape = values.shape
    while values.ndim > 3 and values.shape[-1] == 1:
        values = values[..., 0]
    if values.ndim == 2:
        values = values[..., None]
    if values.ndim == 3 and values.size:
        return values
    raise ImageError(
        Problem(
            file=name,
            found=f"an image of {len(shape)} dimensions ({' x '.join(map(str, shape))})",
            expected="one volume of 3 dimensions",
            next_step="Split it into one file for each volume (fslsplit, or export each contrast by itself).",
        )
    )


def _checked_affine(affine: NDArray[np.float64], name: str) -> NDArray[np.float64]:
    if np.isfinite(affine).all() and abs(np.linalg.det(affine[:3, :3])) > 1e-9:
        return affine
    raise ImageError(
        Problem(
            file=name,
            found="no usable place in the patient (its affine has no volume)",
            expected="a header with voxel sizes and orientation",
            next_step="Convert the DICOM files again, for example with dcm2niix.",
        )
    )


def _not_nifti(name: str) -> Problem:
    return Problem(
        file=name,
        found="something that is not NIfTI",
        expected="a NIfTI file (.nii or .nii.gz)",
        next_step="Convert it again, or take it out of the folder.",
    )


def _damaged(name: str) -> Problem:
    return Problem(
        file=name,
        found="a NIfTI file that is cut off or damaged",
        expected="a complete file",
        next_step="Copy or convert it again.",
    )


def _read_sidecar(path: Path) -> dict[str, Any]:
    if not path.is_file():
        return {}
    try:
        found = json.loads(path.read_text(encoding="utf-8"))
    except (ValueError, OSError) as error:
        raise ImageError(
            Problem(
                file=path.name,
                found="a sidecar that is not JSON",
                expected="the sidecar that dcm2niix wrote",
                next_step="Convert again, or delete the sidecar.",
            )
        ) from error
    return found if isinstance(found, dict) else {}


def _without_person(text: str, sidecar: Mapping[str, Any]) -> str:
    said = " ".join(_text(sidecar, name) or "" for name in ("PatientName", "PatientID")).replace("^", " ")
    person = [word for word in said.casefold().split() if len(word) >= 3]
    return " ".join(word for word in text.split() if not any(part in word.casefold() for part in person))


def _clues(sidecar: Mapping[str, Any], stem: str) -> Clues:
    said = _text(sidecar, "SeriesDescription")
    names = ("ProtocolName", "SequenceName", "PulseSequenceName", "PulseSequenceDetails")
    return Clues(
        image_type=_texts(sidecar.get("ImageType")),
        component=_text(sidecar, "ComplexImageComponent"),
        description=f"{said or ''} {stem}".strip(),
        source="description or file name" if said else "file name",
        context=" ".join(filter(None, (stem, *(_text(sidecar, name) for name in names)))),
        technique=tuple((_text(sidecar, "ScanningSequence") or "").split("_")),
        agent="ContrastBolusAgent" in sidecar,
        acquisition=_acquisition(sidecar),
    )


def _acquisition(sidecar: Mapping[str, Any]) -> Acquisition:
    sequence = next(
        (_text(sidecar, name) for name in ("PulseSequenceName", "SequenceName", "ScanningSequence") if name in sidecar),
        None,
    )
    return Acquisition(
        sequence=sequence,
        repetition_ms=_milliseconds(sidecar, "RepetitionTime"),
        echo_ms=_milliseconds(sidecar, "EchoTime"),
        inversion_ms=_milliseconds(sidecar, "InversionTime"),
        flip_degrees=_number(sidecar, "FlipAngle"),
        field_tesla=_number(sidecar, "MagneticFieldStrength"),
        coil=_text(sidecar, "ReceiveCoilName"),
        scanner=" ".join(filter(None, (_text(sidecar, each) for each in ("Manufacturer", "ManufacturersModelName"))))
        or None,
        software=_text(sidecar, "SoftwareVersions"),
    )


def _milliseconds(sidecar: Mapping[str, Any], name: str) -> float | None:
    seconds = _number(sidecar, name)
    return None if seconds is None else round(seconds * 1000.0, 6)


def _number(sidecar: Mapping[str, Any], name: str) -> float | None:
    value = sidecar.get(name)
    return float(value) if isinstance(value, (int, float)) and not isinstance(value, bool) else None


def _text(sidecar: Mapping[str, Any], name: str) -> str | None:
    value = sidecar.get(name)
    return value.strip() or None if isinstance(value, str) else None


def _texts(value: Any) -> tuple[str, ...]:
    return tuple(map(str, value)) if isinstance(value, list) else ()
