"""Complete example studies that a user may start from, and the way to a new study folder.

Convention: an installed package carries them in ``_examples``; a checkout has them in ``examples``. A template is a
folder with a ``study.yaml`` that runs as it is, or with a ``truth.yaml`` beside it, from which its patients are made.
"""

from __future__ import annotations

import shutil
from pathlib import Path

from rarefactor.errors import InputError, OutputError, Problem, suggest
from rarefactor.work import Progress, Workers, output_errors, write_file

STUDY_FILE, TRUTH_FILE, DATA = "study.yaml", "truth.yaml", "data"
_NOT_PART = shutil.ignore_patterns("out", ".rarefactor", "__pycache__")


def read_templates() -> dict[str, Path]:
    """Return the folder of each template by name."""
    package = Path(__file__).resolve().parent
    homes = (package / "_examples", package.parents[1] / "examples")
    found = (file.parent for home in homes for file in sorted(home.glob(f"*/{STUDY_FILE}")))
    return {folder.name: folder for folder in found}


def read_template(name: str) -> Path:
    """Return the folder of a template.

    Raises
    ------
    InputError
        There is none of this name; the nearest one is offered.
    """
    templates = read_templates()
    if name not in templates:
        raise InputError(
            Problem(
                found=f"the template {name}", expected="a template that exists", next_step=suggest(name, [*templates])
            )
        )
    return templates[name]


def make_template(name: str, folder: Path, processes: int, *, progress: Progress) -> str:
    """Copy a template into a new folder like :func:`write_template`, and return the name of the study."""
    return write_template(name, folder, workers=Workers(processes=processes), progress=progress).parent.name


def write_template(
    name: str, folder: Path, *, workers: Workers | None = None, progress: Progress | None = None
) -> Path:
    """Copy a template into a new folder, make its patients where they are synthetic, and return its study file.

    Raises
    ------
    InputError
        There is no such template.
    OutputError
        The folder holds something, or cannot be written.
    """
    template = read_template(name)
    draft = folder.absolute().parent / f".{folder.name}.rarefactor-init"
    with output_errors(folder):
        if folder.exists() and (not folder.is_dir() or any(folder.iterdir())):
            raise _taken(folder)
        draft.parent.mkdir(parents=True, exist_ok=True)
        try:
            shutil.copytree(template, draft, ignore=_NOT_PART, dirs_exist_ok=True)
            _make_patients(draft, workers, progress)
            if folder.exists():
                folder.rmdir()  # empty: some systems do not rename onto a folder
            draft.rename(folder)
        finally:
            shutil.rmtree(draft, ignore_errors=True)
    return folder / STUDY_FILE


def write_demo(name: str, folder: Path, *, workers: Workers | None = None, progress: Progress | None = None) -> Path:
    """Bring the copy of a template in ``folder`` up to date and return its study file.

    A file of the copy that differs from the template's is kept as ``<name>.previous``; then, and where there are none,
    synthetic patients are made anew.
    """
    template = read_template(name)
    if not folder.exists():
        return write_template(name, folder, workers=workers, progress=progress)
    with output_errors(folder):
        changed = [_renew(source, folder / source.relative_to(template)) for source in _parts(template)]
        if (folder / TRUTH_FILE).exists() and any(changed):
            shutil.rmtree(folder / DATA, ignore_errors=True)
        _make_patients(folder, workers, progress)
    return folder / STUDY_FILE


def _renew(source: Path, target: Path) -> bool:
    """Copy a file where there is none like it; say whether there was another one."""
    data = source.read_bytes()
    other = target.exists() and target.read_bytes() != data
    if other:
        target.replace(target.with_name(f"{target.name}.previous"))
    if not target.exists():
        target.parent.mkdir(parents=True, exist_ok=True)
        write_file(target, data)
    return other


def _make_patients(folder: Path, workers: Workers | None, progress: Progress | None) -> None:
    """Make the patients of a study with a truth, where it has no data yet."""
    if not (folder / TRUTH_FILE).exists() or (folder / DATA).exists():
        return
    from rarefactor import simulate  # noqa: PLC0415 - late: most templates have their patients

    made = folder.parent / f".{folder.name}.patients"
    shutil.rmtree(made, ignore_errors=True)
    try:
        simulate.write_study(folder / STUDY_FILE, made, workers=workers, progress=progress)
        for part in ("truth", DATA):  # the data last: a folder with data is whole
            shutil.rmtree(folder / part, ignore_errors=True)
            (made / part).rename(folder / part)
    finally:
        shutil.rmtree(made, ignore_errors=True)


def _parts(template: Path) -> list[Path]:
    return [
        path for path in sorted(template.rglob("*")) if path.is_file() and not _left_out(path.relative_to(template))
    ]


def _left_out(path: Path) -> bool:
    return bool(_NOT_PART("", list(path.parts)))


def _taken(folder: Path) -> OutputError:
    return OutputError(
        Problem(
            file=str(folder),
            found="something that is there already",
            expected="a path that does not exist yet, or an empty folder",
            next_step="Choose another folder; nothing is overwritten.",
        )
    )
