"""A visit's folder, or one file, becomes a scan: its series, why each was taken for its kind, and what is doubtful.

Convention: DICOM is known by its content, NIfTI by its ending; everything else in the folder is passed over. Paths are
named relative to the folder that was read. What cannot be measured is an error; what was decided or looks doubtful is a
flag.
"""

from __future__ import annotations

import os
from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from fnmatch import fnmatch
from pathlib import Path

from rarefactor.errors import ImageError, Problem
from rarefactor.imaging._candidate import Candidate
from rarefactor.imaging._choose import Choice, Taken, choose
from rarefactor.imaging._consistency import check_dixon, check_same_grid
from rarefactor.imaging._dicom import read_dicom
from rarefactor.imaging._nifti import ENDINGS, read_nifti
from rarefactor.imaging._recognise import Recognised, derive_kind, is_mask
from rarefactor.imaging._scan import Kind, Scan, Series, SourceFile
from rarefactor.results import Flag, Severity
from rarefactor.work import hash_file

_UNUSED = (Kind.PHASE, Kind.UNKNOWN)
_ROUTES = ((Kind.FAT, Kind.WATER), (Kind.FAT_FRACTION,), (Kind.T1,), (Kind.IN_PHASE, Kind.OPPOSED_PHASE))
"""What a fat fraction can come from, in order of trust."""
_BARE = {b"\x08\x00\x00\x00", b"\x08\x00\x05\x00", b"\x08\x00\x08\x00"}
_SHOWN = 8


@dataclass(frozen=True, slots=True, kw_only=True)
class _Named:
    """A candidate and what it shows."""

    candidate: Candidate
    found: Recognised


@dataclass(frozen=True, slots=True, kw_only=True)
class _Folder:
    """What lies in a folder, before anything of it is measured."""

    named: tuple[_Named, ...]
    flags: tuple[Flag, ...]
    passed_over: Mapping[str, int]


def read_scan(place: Path | Sequence[Path], *, patterns: Mapping[Kind, str] | None = None) -> Scan:
    """Return the scan of one visit from a folder (nested folders included), a file, or the files that belong to it.

    Parameters
    ----------
    place
        DICOM files, classic or enhanced, or NIfTI files with or without sidecars.
    patterns
        For a kind, which files are meant, such as ``{Kind.FAT: "*_0000.nii.gz"}``: matched against the path below
        ``place``, the file's name and the series description. It decides over everything that was recognised.

    Returns
    -------
    Scan
        At most one series of each kind. Phase images and what could not be recognised are named in a flag.

    Raises
    ------
    ImageError
        Nothing that can be measured, files cut off, slices missing, several patients, several scans, or fat and water
        that do not belong together; each problem with its file.
    """
    root = _root(place)
    found = _read_folder(root, _list_files(place), patterns or {})
    choices, problems, flags = _choose_all([each for each in found.named if each.found.kind not in _UNUSED])
    taken = {kind: choice.taken for kind, choice in choices.items()}
    flags += _check_complete(taken, problems, found)
    if Kind.FAT in taken and Kind.WATER in taken:
        check_same_grid(taken)
        flags += check_dixon(taken)
    return Scan(
        series=tuple(_series(taken[kind], root) for kind in Kind if kind in taken),
        flags=(*found.flags, *flags, *_slice_flags(taken), *_unused_flags(found.named)),
    )


def _root(place: Path | Sequence[Path]) -> Path:
    """The folder below which files are named in messages."""
    if isinstance(place, Path):
        return place if place.is_dir() else place.parent
    return Path(os.path.commonpath([path if path.is_dir() else path.parent for path in place]))


def _read_folder(root: Path, files: Sequence[Path], patterns: Mapping[Kind, str]) -> _Folder:
    nifti = [path for path in files if path.name.lower().endswith(ENDINGS)]
    dicom = [path for path in files if path not in set(nifti) and _is_dicom(path)]
    if not nifti and not dicom:
        raise ImageError(_nothing(root, files))
    images = read_dicom(dicom, root)
    volumes = (read_nifti(path, name=path.relative_to(root).as_posix()) for path in nifti)
    candidates = [*images.candidates, *(each for each in volumes if _wanted(each, patterns))]
    return _Folder(named=tuple(_name_all(candidates, patterns, root)), flags=images.flags, passed_over=images.others)


def _list_files(place: Path | Sequence[Path]) -> list[Path]:
    files = [path for each in ([place] if isinstance(place, Path) else place) for path in _files_below(each)]
    return [path for path in dict.fromkeys(files) if not path.name.startswith(".")]


def _files_below(path: Path) -> list[Path]:
    if path.is_dir():
        return sorted(each for each in path.rglob("*") if each.is_file())
    if path.is_file():
        return [path]
    raise ImageError(
        Problem(
            file=path.name,
            found="nothing of this name",
            expected="a folder of images, or an image",
            next_step="Check the path.",
        )
    )


def _is_dicom(path: Path) -> bool:
    """Whether the content is DICOM's: the mark after 128 bytes, or a first element as very old files have it.

    What has DICOM's ending and is none of it goes on, too, and is found damaged.
    """
    if path.name.upper().startswith("DICOMDIR"):
        return False
    with path.open("rb") as file:
        head = file.read(132)
    return head[128:] == b"DICM" or head[:4] in _BARE or path.suffix.lower() in {".dcm", ".ima"}


def _nothing(root: Path, files: Sequence[Path]) -> Problem:
    endings = Counter(path.suffix.lower() or "no ending" for path in files)
    held = ", ".join(f"{count} {ending}" for ending, count in endings.most_common(_SHOWN))
    found = f"no image among {len(files)} files ({held})" if files else "no file"
    return Problem(
        file=files[0].name if len(files) == 1 else root.name,
        found="something that is neither DICOM nor NIfTI" if len(files) == 1 else found,
        expected="DICOM or NIfTI files",
        next_step="Point to the folder that holds the images of the visit.",
    )


def _wanted(candidate: Candidate, patterns: Mapping[Kind, str]) -> bool:
    """Masks beside the images are no images, unless a pattern says so."""
    return not is_mask(candidate.clues) or any(_matches(candidate, each, candidate.name) for each in patterns.values())


def _name_all(candidates: Sequence[Candidate], patterns: Mapping[Kind, str], root: Path) -> Iterator[_Named]:
    meant = [_meant_kind(each, patterns, root) for each in candidates]
    missing = [kind for kind in patterns if kind not in meant]
    if missing:
        raise ImageError(*(_no_match(kind, patterns[kind], candidates) for kind in missing))
    for candidate, kind in zip(candidates, meant, strict=True):
        if kind:
            found = Recognised(kind=kind, reason=f"the pattern “{patterns[kind]}” names it")
        else:
            found = _unless_overruled(derive_kind(candidate.clues), patterns)
        yield _Named(candidate=candidate, found=found)


def _meant_kind(candidate: Candidate, patterns: Mapping[Kind, str], root: Path) -> Kind | None:
    names = (candidate.name, *(path.relative_to(root).as_posix() for path in candidate.paths))
    return next((kind for kind, pattern in patterns.items() if _matches(candidate, pattern, *names)), None)


def _unless_overruled(found: Recognised, patterns: Mapping[Kind, str]) -> Recognised:
    if found.kind not in patterns:
        return found
    return Recognised(kind=Kind.UNKNOWN, reason=f"{found.reason}, but a pattern names another file")


def _matches(candidate: Candidate, pattern: str, *names: str) -> bool:
    last = (name.rpartition("/")[2] for name in names)
    texts = (*names, *last, candidate.description)
    return any(fnmatch(text.casefold(), pattern.casefold()) for text in texts)


def _no_match(kind: Kind, pattern: str, candidates: Sequence[Candidate]) -> Problem:
    return Problem(
        file=pattern,
        found=f"no {_shown(kind)} image that the pattern names",
        expected=f"one of {_listed(each.name for each in candidates)}",
        next_step="Change the pattern; * stands for any characters.",
    )


def _choose_all(wanted: Sequence[_Named]) -> tuple[dict[Kind, Choice], dict[Kind, list[Problem]], list[Flag]]:
    problems: defaultdict[Kind, list[Problem]] = defaultdict(list)
    read = [taken for each in wanted if (taken := _read_one(each, problems))]
    choices: dict[Kind, Choice] = {}
    for kind in dict.fromkeys(each.kind for each in read):
        try:
            choices[kind] = choose([each for each in read if each.kind is kind], read)
        except ImageError as error:
            problems[kind] += error.problems
    return choices, dict(problems), [flag for choice in choices.values() for flag in choice.flags]


def _read_one(named: _Named, problems: Mapping[Kind, list[Problem]]) -> Taken | None:
    try:
        volume = named.candidate.read()
    except ImageError as error:
        problems[named.found.kind].extend(error.problems)
        return None
    return Taken(candidate=named.candidate, kind=named.found.kind, reason=named.found.reason, volume=volume)


def _check_complete(taken: Mapping[Kind, Taken], problems: Mapping[Kind, list[Problem]], found: _Folder) -> list[Flag]:
    """Flags about what is broken beside a complete scan; an error where nothing complete is left.

    A broken fat or water image is an error even beside other images: another kind of image must not take its place
    unseen.
    """
    whole = any(all(kind in taken for kind in route) for route in _ROUTES)
    dixon = [problem for kind in (Kind.FAT, Kind.WATER) if kind not in taken for problem in problems.get(kind, [])]
    broken = [problem for each in problems.values() for problem in each]
    if dixon or (broken and not whole):
        raise ImageError(*(dixon or broken))
    half = next((kind for kind in (Kind.FAT, Kind.WATER) if kind in taken), None)
    if not taken or (half and not whole):
        raise ImageError(_incomplete(half, found))
    return [*_broken_flags(broken), *_half_flags(taken)]


def _incomplete(half: Kind | None, found: _Folder) -> Problem:
    missing = {Kind.FAT: "no water image beside the fat image", Kind.WATER: "no fat image beside the water image"}
    return Problem(
        found=(missing[half] if half else "no image that can be measured") + f"; in the folder: {_inventory(found)}",
        expected="fat and water (Dixon), a T1-weighted image, or another one that shows fat",
        next_step="Export what is missing, or say by patterns which file shows what.",
    )


def _inventory(found: _Folder) -> str:
    images = (f"{each.candidate.name}: {_shown(each.found.kind)}, {each.found.reason}" for each in found.named)
    others = (f"{count} of {modality}" for modality, count in found.passed_over.items())
    return _listed((*images, *others), "; ")


def _listed(names: Iterable[str], between: str = ", ") -> str:
    every = list(names)
    more = f"{between}and {len(every) - _SHOWN} more" if len(every) > _SHOWN else ""
    return between.join(every[:_SHOWN]) + more


def _shown(kind: Kind) -> str:
    return "not recognised" if kind is Kind.UNKNOWN else kind.replace("_", " ")


def _broken_flags(broken: Iterable[Problem]) -> list[Flag]:
    return [Flag(name="unreadable_series", severity=Severity.WARNING, detail=str(problem)) for problem in broken]


def _half_flags(taken: Mapping[Kind, Taken]) -> list[Flag]:
    if (Kind.FAT in taken) == (Kind.WATER in taken):
        return []
    detail = "Of fat and water only one is in the folder; the fat fraction has to come from another image."
    return [Flag(name="incomplete_dixon", severity=Severity.WARNING, detail=detail)]


def _slice_flags(taken: Mapping[Kind, Taken]) -> list[Flag]:
    thin = [kind for kind, each in taken.items() if each.volume.grid.shape[0] == 1]
    return [
        Flag(
            name="one_slice",
            severity=Severity.WARNING,
            detail=f"The {_shown(kind)} image has one slice: a shift along the leg cannot be seen or corrected.",
        )
        for kind in thin
    ]


def _unused_flags(named: Sequence[_Named]) -> list[Flag]:
    unused = [f"{each.candidate.name} ({each.found.reason})" for each in named if each.found.kind in _UNUSED]
    return (
        [Flag(name="unused_series", severity=Severity.NOTE, detail=f"Not used: {_listed(unused)}.")] if unused else []
    )


def _series(taken: Taken, root: Path) -> Series:
    candidate = taken.candidate
    return Series(
        kind=taken.kind,
        reason=taken.reason,
        volume=taken.volume,
        acquisition=candidate.clues.acquisition,
        files=tuple(
            SourceFile(path=path.relative_to(root).as_posix(), sha256=hash_file(path)) for path in candidate.paths
        ),
        description=candidate.description,
    )
