"""Risk models as files: canonical bytes out, a checked model in.

Convention: ``risk_models/<name>.json``, UTF-8, one line per item, the same bytes for the same model. The last key is
the SHA-256 of the model in this form without it, so that a file that was changed by hand is told apart.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterator, Mapping
from dataclasses import asdict
from functools import cache
from pathlib import Path
from typing import Any, NoReturn, cast

from pydantic import TypeAdapter, ValidationError

from rarefactor.errors import DataError, Problem, suggest
from rarefactor.results import RISK_SCHEMA, RiskModel

FOLDER = "risk_models"
DIGEST = "sha256"


def write_model(model: RiskModel) -> bytes:
    """Return the bytes of ``risk_models/<name>.json``."""
    content = {"schema": RISK_SCHEMA, **asdict(model)}
    return _write({**content, DIGEST: hashlib.sha256(_write(content)).hexdigest()})


def read_model(path: Path, name: str | None = None) -> RiskModel:
    """Read a risk model from its file, or from the output folder of a run.

    Parameters
    ----------
    path
        The file, or the folder.
    name
        Which model of a folder that holds several.

    Raises
    ------
    DataError
        No such file or model, or a file that is not what :func:`write_model` wrote: each with file, key, what was
        found and what was expected.
    """
    file = _find(path, name) if path.is_dir() else path
    return parse_model(_read_bytes(file), str(file))


def parse_model(data: bytes, file: str) -> RiskModel:
    """Return the model that some bytes hold; ``file`` is what messages call them.

    Raises
    ------
    DataError
        As for :func:`read_model`.
    """
    content = _read_json(data, file)
    if content.get("schema") != RISK_SCHEMA:
        found = f"schema {content['schema']}" if "schema" in content else "no schema"
        _refuse(file, "schema", found, f"schema {RISK_SCHEMA}", "Run the study again with this version of rarefactor.")
    try:
        model = _adapter().validate_json(data, strict=True)
    except ValidationError as error:
        raise DataError(*(_problem(file, found) for found in error.errors(include_url=False))) from None
    problems = tuple(_inconsistent(model, file))
    if problems:
        raise DataError(*problems)
    if json.loads(write_model(model))[DIGEST] != content.get(DIGEST):
        step = "Take the file that the study wrote; a model is changed by running the study again."
        _refuse(file, DIGEST, "a model that was changed after it was written", "the model as it was written", step)
    return model


@cache
def _adapter() -> TypeAdapter[RiskModel]:
    return TypeAdapter(RiskModel)


def _write(content: Mapping[str, Any]) -> bytes:
    body = ",\n".join(f"{json.dumps(key)}: {_lines(value)}" for key, value in content.items())
    return f"{{\n{body}\n}}\n".encode()


def _lines(value: Any) -> str:
    plain = json.loads(json.dumps(value, allow_nan=False))
    if isinstance(plain, list) and plain:
        return "[\n" + ",\n".join(json.dumps(item, ensure_ascii=False) for item in cast("list[Any]", plain)) + "\n]"
    return json.dumps(plain, ensure_ascii=False)


def _find(folder: Path, name: str | None) -> Path:
    inside = folder / FOLDER if (folder / FOLDER).is_dir() else folder
    files = {path.stem: path for path in sorted(inside.glob("*.json")) if inside.name == FOLDER}
    if not files:
        step = "Name the folder that a run wrote, or the file of a model."
        _refuse(str(folder), None, "no risk model", f"files in {FOLDER}", step)
    if name is None and len(files) == 1:
        return next(iter(files.values()))
    if name is None:
        step = f"Add --model {next(iter(files))}, or name the file."
        _refuse(str(inside), None, f"{len(files)} models: {', '.join(files)}", "one of them named", step)
    if name not in files:
        found, expected = f"no model {name}", f"one of {', '.join(files)}"
        _refuse(str(inside), None, found, expected, suggest(name, list(files)))
    return files[name]


def _read_bytes(file: Path) -> bytes:
    try:
        return file.read_bytes()
    except OSError as error:
        found = (error.strerror or type(error).__name__).lower()
        raise DataError(
            Problem(file=str(file), found=found, expected="the file of a risk model", next_step="Check the path.")
        ) from error


def _read_json(data: bytes, file: str) -> dict[str, Any]:
    try:
        content = json.loads(data, parse_constant=_not_finite)
    except ValueError:
        content = None
    if not isinstance(content, dict):
        step = f"Name a file of the folder {FOLDER} that a run wrote."
        _refuse(file, None, "no JSON with keys and finite numbers", "the file of a risk model", step)
    return cast("dict[str, Any]", content)


def _not_finite(_: str) -> NoReturn:
    raise ValueError


def _problem(file: str, found: Mapping[str, Any]) -> Problem:
    missing = found["type"] == "missing"
    return Problem(
        file=file,
        key=".".join(map(str, found["loc"])),
        found="nothing" if missing else f"a {type(found['input']).__name__}",
        expected="this key" if missing else str(found["msg"]).removeprefix("Input should be "),
        next_step="Take the file that the study wrote.",
    )


def _inconsistent(model: RiskModel, file: str) -> Iterator[Problem]:
    """Yield what does not fit together, although each key by itself is what it should be."""
    size, step = len(model.terms) + 1, "Take the file that the study wrote."
    if len(model.covariance) != size or any(len(row) != size for row in model.covariance):
        expected = f"{size} rows of {size} numbers, as there are terms and the intercept"
        yield Problem(file=file, key="covariance", found="another shape", expected=expected, next_step=step)
    asked, held = {factor.name for factor in model.factors}, {term.factor for term in model.terms}
    if asked != held:
        found = f"other factors than in terms: {', '.join(sorted(asked ^ held))}"
        yield Problem(file=file, key="factors", found=found, expected="the factors of the terms", next_step=step)
    if model.allowed == bool(model.reasons):
        expected = "reasons where, and only where, the use is research"
        yield Problem(file=file, key="use", found=model.use, expected=expected, next_step=step)


def _refuse(file: str, key: str | None, found: str, expected: str, step: str) -> NoReturn:
    raise DataError(Problem(file=file, key=key, found=found, expected=expected, next_step=step))
