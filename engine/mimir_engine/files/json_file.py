"""Write dataclasses as JSON, and read and validate untrusted JSON by their type hints.

Type hints can be str, bool, int, float, Any, Optional, tuples, Mappings with text or number keys,
and dataclasses of these. A field's metadata changes how its key is treated: `REQUIRED`,
`NOT_STORED`, or ``{"key": name}`` if the key has another name than the field.
"""

from __future__ import annotations

import json
import math
from collections.abc import Iterable, Mapping
from dataclasses import MISSING, Field, fields, is_dataclass
from pathlib import Path
from typing import Any, TypeVar, Union, get_args, get_origin, get_type_hints

from mimir_engine.errors import MimirError
from mimir_engine.files.atomic import atomic_file
from mimir_engine.files.regular_file import open_regular

#: Longest text (characters).
MAX_TEXT = 10_000
#: Nested lists and objects where a file may have any value: enough for a description.
MAX_DEPTH = 20
#: Metadata of a field that has a default in Python, but whose key must be in the file.
REQUIRED = {"required": True}
#: Metadata of a field that is not in the file.
NOT_STORED = {"key": None}

T = TypeVar("T")


def write_json(path: Path, value: object, ensure_ascii: bool = True) -> None:
    """Write a JSON file in UTF-8.

    Args:
        path: File to write.
        value: Anything that `to_json` turns into JSON.
        ensure_ascii: Write other characters as ``\\u`` sequences.

    Raises:
        MimirError: ``OUTPUT_UNWRITABLE``.
    """
    text = json.dumps(to_json(value), indent=1, ensure_ascii=ensure_ascii, allow_nan=False)
    with atomic_file(path) as file:
        file.write(text.encode("utf-8") + b"\n")


def to_json(value: object) -> Any:
    """Return a dataclass, or containers of them, as dicts, lists and scalars."""
    if is_dataclass(value):
        named = ((_key(field), getattr(value, field.name)) for field in fields(value))
        return {key: to_json(part) for key, part in named if key is not None}
    if isinstance(value, Mapping):
        return {
            f"{key:g}" if isinstance(key, float) else key: to_json(part)
            for key, part in value.items()
        }
    return [to_json(part) for part in value] if isinstance(value, (tuple, list)) else value


def read_json(
    path: Path, kind: type[T], code: str, max_bytes: int, versions: tuple[int, ...] = ()
) -> T:
    """Read a JSON file as a dataclass.

    Unknown keys are refused: a misspelled key must not be ignored. Null means the same as no key.
    A ValueError that the dataclass raises becomes an error about the file.

    Args:
        path: File to read, UTF-8.
        kind: The dataclass.
        code: Error code for everything that is wrong with the file.
        max_bytes: Larger files are refused unread.
        versions: Values that ``schema_version`` may have; empty if the file has no such key.

    Raises:
        MimirError: With ``code``; also what the dataclass raises.
    """
    where = f"{path.name} of {path.parent.name}"
    try:
        with open_regular(path) as file:
            content = file.read(max_bytes + 1)
    except OSError as error:
        raise _invalid(code, f"{where} cannot be read ({error.strerror})") from error
    if len(content) > max_bytes:
        raise _invalid(code, f"{where} is larger than {max_bytes >> 20} MB")
    return parse_json(content, where, kind, code, versions)


def parse_json(
    content: bytes, where: str, kind: type[T], code: str, versions: tuple[int, ...] = ()
) -> T:
    """Parse JSON as a dataclass; as `read_json`, but of bytes.

    Args:
        content: UTF-8.
        where: Where it stands, for messages.
        kind: The dataclass.
        code: Error code for everything that is wrong with it.
        versions: Values that ``schema_version`` may have; empty if there is no such key.

    Raises:
        MimirError: With ``code``; also what the dataclass raises.
    """
    try:
        values = _parsed(content, where)
        if versions and isinstance(values, dict):
            version = _scalar(values.pop("schema_version", None), int, where, "schema_version")
            if version not in versions:
                known = " and ".join(map(str, versions))
                raise _InvalidJson(
                    f"{where} has schema version {version}; this engine reads {known}"
                )
        return _instance(values, kind, where)
    except _InvalidJson as error:
        raise _invalid(code, str(error)) from error


def _invalid(code: str, what: str) -> MimirError:
    return MimirError(code, what, "Restore the file or write it again.")


def from_json(values: object, kind: type[T]) -> T:
    """Return what `to_json` made of a dataclass as that dataclass.

    Raises:
        ValueError: The values are not those of the dataclass.
    """
    try:
        return _instance(values, kind, kind.__name__)
    except _InvalidJson as error:
        raise ValueError(str(error)) from error


class _InvalidJson(Exception):
    """An invalid file, described in one sentence."""


def _parsed(content: bytes, where: str) -> object:
    try:
        return json.loads(content.decode("utf-8"), object_pairs_hook=_unique)
    except (ValueError, RecursionError) as error:
        raise _InvalidJson(f"{where} is not valid JSON ({error})") from error


def _unique(pairs: list[tuple[str, object]]) -> dict[str, object]:
    values = dict(pairs)
    if len(values) < len(pairs):
        raise ValueError("a key occurs twice")
    return values


def _key(field: Field[Any]) -> Any:
    """Return the field's name in the file; None if it is not stored."""
    return field.metadata.get("key", field.name)


def _instance(values: object, kind: Any, where: str) -> Any:
    """Build a dataclass from a JSON object."""
    if not isinstance(values, dict):
        raise _InvalidJson(f"{where} must be a JSON object")
    hints = get_type_hints(kind)
    stored = {_key(field): field for field in fields(kind) if _key(field) is not None}
    arguments = {}
    for key, field in stored.items():
        value = values.get(key)
        if value is not None:
            arguments[field.name] = _converted(value, hints[field.name], where, key)
        elif _has_default(field):
            continue
        elif key in values and type(None) in get_args(hints[field.name]):
            arguments[field.name] = None
        else:
            raise _InvalidJson(f"{where} has no {key!r}")
    for key in [key for key in values if key not in stored]:
        raise _InvalidJson(f"{where} has an unknown key {key[:40]!r}")
    try:
        return kind(**arguments)
    except ValueError as error:
        raise _InvalidJson(f"{where}: {error}") from error


def _has_default(field: Field[Any]) -> bool:
    """Return whether a file may leave the field out."""
    has_one = field.default is not MISSING or field.default_factory is not MISSING
    return has_one and "required" not in field.metadata


def _converted(value: object, hint: Any, where: str, key: str) -> Any:
    """Validate a value by its type hint."""
    origin, parts = get_origin(hint), get_args(hint)
    if origin is Union:  # Optional; None has been dealt with
        return _converted(value, parts[0], where, key)
    if is_dataclass(hint):
        return _instance(value, hint, f"{where}, {key}")
    if origin is tuple:
        if not isinstance(value, list):
            raise _InvalidJson(f"{where}: {key!r} must be a list")
        hints = parts[:1] * len(value) if parts[-1] is ... else parts
        if len(value) != len(hints):
            raise _InvalidJson(f"{where}: {key!r} must be a list of {len(hints)}")
        numbered = enumerate(zip(value, hints), start=1)
        return tuple(_converted(v, part, where, f"{key} {i}") for i, (v, part) in numbered)
    if origin is not None:
        if not isinstance(value, dict):
            raise _InvalidJson(f"{where}: {key!r} must be a JSON object")
        return {
            _number_key(name, where, key) if parts[0] is float else name: _converted(
                part, parts[1], where, f"{key}, {name[:40]}"
            )
            for name, part in value.items()
        }
    if hint is not Any:
        return _scalar(value, hint, where, key)
    if _depth(value) > MAX_DEPTH:
        raise _InvalidJson(f"{where}: {key!r} is nested more than {MAX_DEPTH} times")
    try:
        json.dumps(value, allow_nan=False)
    except ValueError as error:
        raise _InvalidJson(f"{where}: {key!r} must have finite numbers only") from error
    return value


def _depth(value: object) -> int:
    """Count how deep lists and objects are nested, up to a little more than `MAX_DEPTH`."""
    depth, parts = 0, [value]
    while parts and depth <= MAX_DEPTH:
        parts = [inner for part in parts for inner in _inner(part)]
        depth += 1
    return depth


def _inner(value: object) -> Iterable[object]:
    if isinstance(value, dict):
        return value.values()
    return value if isinstance(value, list) else ()


def _number_key(name: str, where: str, key: str) -> float:
    try:
        return float(name)
    except ValueError:
        raise _InvalidJson(f"{where}: {key!r} has the key {name[:40]!r}, not a number") from None


def _scalar(value: object, hint: type, where: str, key: str) -> Any:
    if hint in (str, bool):
        if isinstance(value, hint) and not (isinstance(value, str) and len(value) > MAX_TEXT):
            return value
        expected = "true or false" if hint is bool else f"text of at most {MAX_TEXT:,} characters"
    else:
        number = _finite(value)
        if number is not None and (hint is float or number.is_integer()):
            return hint(number)
        expected = "a finite number" if hint is float else "an integer"
    raise _InvalidJson(f"{where}: {key!r} must be {expected}")


def _finite(value: object) -> Any:
    """Return a JSON number as a finite float, else None."""
    if isinstance(value, bool) or not isinstance(value, (int, float)):
        return None
    try:
        return float(value) if math.isfinite(value) else None
    except OverflowError:
        return None
