"""What never passes the door: names, dates of birth, addresses; and what stands for a patient instead of an id.

Convention: a patient is ``S-`` and the first digits of HMAC-SHA256(key, id). The key is made at first use in
``.rarefactor/key`` in the study folder, readable by its owner only; the environment variable RAREFACTOR_KEY wins.
This supports de-identification; it does not replace the judgement of a data protection officer.
"""

from __future__ import annotations

import hmac
import os
import re
import secrets
from collections.abc import Collection, Mapping
from pathlib import Path

import polars as pl

from rarefactor.cohort._model import Variable
from rarefactor.errors import DataError, Problem
from rarefactor.spec import DataField

TOP_AGE = 90
_KEY_BYTES = 32
_SHORT, _LONG = 8, 24
_EMAIL = r"[^@\s]+@[^@\s]+\.[A-Za-z]{2,}"
_VALIDATIONS = ("email", "phone", "ssn", "mrn", "vmrn", "zipcode", "postalcode")
_WORD = re.compile(
    r"(^|_)(dob|dofb|birthdate|birthday|phone|telephone|mobile|fax|email|mail|address|street|zip|zipcode|postcode|city|"
    r"ssn|mrn|surname|firstname|lastname|forename|initials|passport)\d*(_|$)"
)
_PHRASE = re.compile(
    r"\b(date of birth|(day|month|year) of birth|birth ?date|birth ?(day|year|month)|(day|month|year) birth|"
    r"(first|last|full|family|given|middle|maiden|patient'?s?|subject|contact)( and last)? names?|surname|"
    r"e-?mail|(phone|telephone) number|(home|street|postal|contact|mailing) address|social security|"
    r"medical record number|initials)\b"
)
_NAME_ALONE = re.compile(r"^(name|names)$|^name_|(first|last|full|family|given|patient|contact)_?name$")
_IDENTIFYING_TYPES = frozenset({"text", "id", "date", "datetime", "integer", "number"})
_AGE_NAME = re.compile(r"(^|_)age(_|$)")
_YEARS = frozenset({"years", "year", "yrs", "yr", "y", "a"})
_OTHER_UNITS = re.compile(r"\b(months?|weeks?|days?|hours?|mo|wk)\b")


def is_identifier(variable: Variable, listed: Collection[str]) -> bool:
    """Tell whether a variable could name a patient: it is listed, flagged, validated as such, or called so.

    ``identifier: false`` written in the study file keeps a variable whose name only looks like it.

    Examples
    --------
    >>> is_identifier(Variable(name="dob", field=DataField(type="date")), ())
    True
    >>> is_identifier(Variable(name="drug_name", field=DataField(type="text")), ())
    False
    """
    field = variable.field
    if field.identifier or variable.name in listed or variable.validation.startswith(_VALIDATIONS):
        return True
    if field.type not in _IDENTIFYING_TYPES or (variable.kind == "study" and "identifier" in field.model_fields_set):
        return False
    name = re.sub(r"[^a-z0-9]+", "_", variable.name.lower())
    words = name.replace("_", " ") + " | " + field.label.lower()
    looks_like_name = bool(_NAME_ALONE.search(name)) and field.type == "text"
    return bool(_WORD.search(name)) or bool(_PHRASE.search(words)) or looks_like_name


def is_age_in_years(name: str, field: DataField) -> bool:
    """Tell whether a field is an age in years, by its name or label and unit.

    Examples
    --------
    >>> is_age_in_years("age_at_onset", DataField(type="number")), is_age_in_years("stage", DataField(type="number"))
    (True, False)
    """
    if field.type not in {"number", "integer"} or (field.unit or "years").lower() not in _YEARS:
        return False
    label = field.label.lower()
    named = _AGE_NAME.search(re.sub(r"[^a-z0-9]+", "_", name.lower())) or re.match(r"age\b", label)
    return bool(named) and not _OTHER_UNITS.search(label)


def derive_topped_ages(frame: pl.DataFrame, fields: Mapping[str, DataField]) -> tuple[pl.DataFrame, int]:
    """Return the frame with ages over 89 years set to 90, and the number of ages that were."""
    ages = [name for name, field in fields.items() if name in frame.columns and is_age_in_years(name, field)]
    if not ages:
        return frame, 0
    over = pl.col(*ages) > TOP_AGE - 1
    count = frame.select(over.sum()).sum_horizontal().item()
    topped = pl.when(over).then(pl.lit(TOP_AGE)).otherwise(pl.col(*ages)).cast(pl.Float64)
    kept = {name: frame.schema[name] for name in ages}
    return frame.with_columns(topped.name.keep()).cast(kept) if count else frame, int(count)  # pyright: ignore[reportArgumentType]


def has_email(text: pl.Expr) -> pl.Expr:
    """Return where a text holds an e-mail address."""
    return text.str.contains(_EMAIL)


def read_key(folder: Path) -> bytes:
    """Return the key of a study, made at first use.

    Raises
    ------
    DataError
        The folder cannot be written and RAREFACTOR_KEY is not set, or the key is damaged.
    """
    given = os.environ.get("RAREFACTOR_KEY")
    if given:
        return given.encode()
    path = folder / ".rarefactor" / "key"
    try:
        key = path.read_bytes() if path.exists() else _write_key(path)
    except OSError as error:
        raise _refuse_key(
            f"a key file that cannot be made or read ({os.strerror(error.errno or 0).lower()})"
        ) from error
    if len(key) < _KEY_BYTES:
        raise _refuse_key("a key that is too short")
    return key


def _refuse_key(found: str) -> DataError:
    return DataError(
        Problem(
            file=".rarefactor/key",
            found=found,
            expected="a key of 32 bytes, which stands between patients' ids and their hashes",
            next_step="Make the study folder writable, or set the environment variable RAREFACTOR_KEY to a secret.",
        )
    )


def _write_key(path: Path) -> bytes:
    """Make the key; of two runs that start at once, both use the key of the one that links it first."""
    path.parent.mkdir(mode=0o700, exist_ok=True)
    (path.parent / ".gitignore").write_text("*\n")
    draft = path.with_name(f"key-{secrets.token_hex(4)}")
    with os.fdopen(os.open(draft, os.O_CREAT | os.O_EXCL | os.O_WRONLY, 0o600), "wb") as file:
        file.write(secrets.token_bytes(_KEY_BYTES))
    try:
        os.link(draft, path)
    except FileExistsError:
        pass
    finally:
        draft.unlink()
    return path.read_bytes()


def compute_hashes(ids: pl.Series, key: bytes) -> Mapping[str, str]:
    """Return the hash of each different id; more digits are taken where two ids would share the short form.

    Examples
    --------
    >>> compute_hashes(pl.Series(["001", "1"]), b"k")["001"][:2]
    'S-'
    """
    digests = {text: hmac.digest(key, text.encode(), "sha256").hex() for text in ids.drop_nulls().unique()}
    short = {text: digest[:_SHORT] for text, digest in digests.items()}
    length = _SHORT if len(set(short.values())) == len(short) else _LONG
    return {text: f"S-{digest[:length]}" for text, digest in digests.items()}


def derive_hashed(ids: pl.Series, hashes: Mapping[str, str]) -> pl.Series:
    """Return the ids with their hashes in their place."""
    return ids.replace_strict(hashes, default=None, return_dtype=pl.String) if hashes else ids.cast(pl.String)
