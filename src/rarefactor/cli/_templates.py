"""Complete example studies that a user may start from.

Convention: an installed package carries them in ``_examples``; a checkout has them in ``examples``. A template is a
folder with a ``study.yaml`` that runs as it is.
"""

from __future__ import annotations

import shutil
from pathlib import Path

from rich.text import Text

from rarefactor.cli._console import draw_pairs, read_console
from rarefactor.errors import InputError, OutputError, Problem, suggest
from rarefactor.spec import load
from rarefactor.work import output_errors, write_file

STUDY_FILE = "study.yaml"
_NOT_PART = shutil.ignore_patterns("out", ".rarefactor", "__pycache__")


def show_templates() -> None:
    """Show the examples that a study may start from."""
    pairs = ((name, load(folder / STUDY_FILE).title) for name, folder in read_templates().items())
    read_console().print(draw_pairs(pairs))


def make_study(folder: Path, template: str) -> None:
    """Copy an example and say what to do next."""
    write_template(template, folder)
    commands = (("look", f"rarefactor check {folder}"), ("run", f"rarefactor run {folder}"))
    read_console().print(Text(f"The study is in {folder}. Next:"), draw_pairs(commands), sep="\n")


def read_templates() -> dict[str, Path]:
    """Return the folder of each template by name."""
    package = Path(__file__).resolve().parents[1]
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


def write_template(name: str, folder: Path) -> Path:
    """Copy a template into a new folder and return its study file.

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
            draft.rename(folder)
        finally:
            shutil.rmtree(draft, ignore_errors=True)
    return folder / STUDY_FILE


def write_demo(name: str, folder: Path) -> Path:
    """Bring the copy of a template in ``folder`` up to date and return its study file.

    A file of the copy that differs from the template's is kept as ``<name>.previous``.
    """
    template = read_template(name)
    if not folder.exists():
        return write_template(name, folder)
    with output_errors(folder):
        for source in _parts(template):
            target = folder / source.relative_to(template)
            target.parent.mkdir(parents=True, exist_ok=True)
            data = source.read_bytes()
            if target.exists() and target.read_bytes() != data:
                target.replace(target.with_name(f"{target.name}.previous"))
            if not target.exists():
                write_file(target, data)
    return folder / STUDY_FILE


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
