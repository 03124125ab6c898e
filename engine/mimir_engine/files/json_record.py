"""Reading JSON from strangers: every key is asked for by name and type, nothing else is allowed."""

from __future__ import annotations

import json
import math
from collections.abc import Mapping
from pathlib import Path
from typing import Any, NoReturn, Optional

from mimir_engine.errors import MimirError


class Record:
    """A JSON object that is taken apart key by key.

    Attributes:
        where: What it is, for messages: ``module.json of phantom, target 3``.
    """

    def __init__(self, values: object, where: str, code: str) -> None:
        """Wrap a parsed object.

        Args:
            values: The parsed JSON; refused where it is no object.
            where: What it is, for messages.
            code: The error code of all complaints.
        """
        self.where = where
        self._code = code
        if not isinstance(values, dict):
            self.refuse("is no JSON object")
        self._left: dict[str, Any] = dict(values)

    def refuse(self, what: str) -> NoReturn:
        """Raise this record's error: ``<where> <what>``."""
        raise MimirError(self._code, f"{self.where} {what}", "Fetch or write it again.")

    def text(self, key: str, default: Optional[str] = None) -> str:
        """A string of at most 10,000 characters."""
        value = self._take(key, default)
        if not isinstance(value, str) or len(value) > 10_000:
            self.refuse(f"has no text as {key!r}")
        return value

    def boolean(self, key: str, default: Optional[bool] = None) -> bool:
        """True or false."""
        value = self._take(key, default)
        if not isinstance(value, bool):
            self.refuse(f"has neither true nor false as {key!r}")
        return value

    def number(self, key: str, default: Optional[float] = None) -> float:
        """A finite number."""
        return self._finite(self._take(key, default), key)

    def optional_number(self, key: str) -> Optional[float]:
        """A finite number, or None where the key is absent or null."""
        value = self._left.pop(key, None)
        return None if value is None else self._finite(value, key)

    def integer(self, key: str) -> int:
        """A whole number."""
        value = self._take(key, None)
        if isinstance(value, bool) or not isinstance(value, int):
            self.refuse(f"has no whole number as {key!r}")
        return value

    def items(self, key: str, default: Optional[list[object]] = None) -> list[Any]:
        """A list of anything."""
        value = self._take(key, default)
        if not isinstance(value, list):
            self.refuse(f"has no list as {key!r}")
        return value

    def texts(self, key: str) -> tuple[str, ...]:
        """A list of strings."""
        values = self.items(key, [])
        if not all(isinstance(value, str) for value in values):
            self.refuse(f"has something else than texts in {key!r}")
        return tuple(values)

    def numbers(self, key: str) -> tuple[float, ...]:
        """A list of finite numbers."""
        return tuple(self._finite(value, key) for value in self.items(key, []))

    def mapping(self, key: str) -> Mapping[str, Any]:
        """An object with keys that the schema does not fix; empty where the key is absent."""
        value = self._take(key, {})
        if not isinstance(value, dict):
            self.refuse(f"has no object as {key!r}")
        return value

    def record(self, key: str) -> Record:
        """An object of the schema."""
        return Record(self._take(key, None), f"{self.where}, {key}", self._code)

    def optional_record(self, key: str) -> Optional[Record]:
        """An object of the schema, or None where the key is absent or null."""
        if self._left.get(key) is None:
            self._left.pop(key, None)
            return None
        return self.record(key)

    def records(self, key: str) -> list[Record]:
        """A list of objects of the schema."""
        values = self.items(key)
        return [
            Record(value, f"{self.where}, {key} {index + 1}", self._code)
            for index, value in enumerate(values)
        ]

    def unread(self) -> list[str]:
        """Keys that have not been asked for yet."""
        return list(self._left)

    def done(self) -> None:
        """Refuse what nobody asked for: a misspelled key must not be ignored silently."""
        for key in self._left:
            self.refuse(f"has an unknown key {key[:40]!r}")

    def _take(self, key: str, default: object) -> Any:
        value = self._left.pop(key, None)
        value = default if value is None else value  # null says as little as no key at all
        if value is None:
            self.refuse(f"has no {key!r}")
        return value

    def _finite(self, value: object, key: str) -> float:
        is_number = isinstance(value, (int, float)) and not isinstance(value, bool)
        try:
            number = float(value) if is_number else math.nan  # type: ignore[arg-type]
        except OverflowError:
            number = math.inf
        if not math.isfinite(number):
            self.refuse(f"has no finite number as {key!r}")
        return number


def read_record(path: Path, code: str, max_bytes: int) -> Record:
    """Parse a JSON file whose top is an object.

    Args:
        path: File to read, UTF-8.
        code: Error code of all complaints about it.
        max_bytes: Larger files are refused unread.

    Raises:
        MimirError: with ``code``.
    """
    where = f"{path.name} of {path.parent.name}"
    try:
        with open(path, "rb") as file:
            content = file.read(max_bytes + 1)
    except OSError as error:
        raise MimirError(code, f"{where} cannot be read ({error.strerror})") from error
    if len(content) > max_bytes:
        raise MimirError(code, f"{where} is larger than {max_bytes >> 20} MB")
    try:
        values = json.loads(content.decode("utf-8"), object_pairs_hook=_unique)
    except (ValueError, RecursionError) as error:
        raise MimirError(code, f"{where} is no valid JSON ({error})") from error
    return Record(values, where, code)


def _unique(pairs: list[tuple[str, object]]) -> dict[str, object]:
    values = dict(pairs)
    if len(values) < len(pairs):
        raise ValueError("a key occurs twice")
    return values
