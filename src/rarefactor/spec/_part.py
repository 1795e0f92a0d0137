"""What every part of the study file is made of: frozen, no key but its own, names and texts as they are written.

Convention: every key of the study file is a field and nothing else is accepted; scalars stand for a list of one.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated, Any

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field
from pydantic_core import PydanticCustomError

Name = Annotated[str, Field(pattern=r"^[A-Za-z][A-Za-z0-9_]*$")]


def read_text(value: Any) -> Any:
    """Return a number as text, as it is written."""
    return str(value) if isinstance(value, int | float) else value


def read_texts(value: Any) -> Any:
    """Return a list of texts: a single value stands for a list of one; scalars are read as they are written."""
    return [read_text(item) for item in value] if isinstance(value, list | tuple) else [read_text(value)]


def read_keys_as_text(value: Any) -> Any:
    """Return a mapping whose keys and values are texts."""
    return {read_text(key): read_text(label) for key, label in value.items()} if isinstance(value, Mapping) else value


def broken(key: str, found: str, expected: str, next_step: str) -> PydanticCustomError:
    """Say which key breaks a rule between the keys of one part."""
    context: dict[str, Any] = {"key": key, "found": found, "expected": expected, "next_step": next_step}
    return PydanticCustomError("rule", "found {found}; expected {expected}. {next_step}", context)


Texts = Annotated[tuple[str, ...], BeforeValidator(read_texts)]


class Part(BaseModel):
    """A part of the study file: frozen, and no key but its own."""

    model_config = ConfigDict(frozen=True, extra="forbid", str_strip_whitespace=True, allow_inf_nan=False)
