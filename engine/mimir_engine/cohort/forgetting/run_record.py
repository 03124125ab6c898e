"""The record ``run.json`` of an output folder, read as untrusted and changed."""

from __future__ import annotations

import json
import re
from collections.abc import Collection
from pathlib import Path
from typing import Any

from mimir_engine.cohort.excluded_table import INVALID
from mimir_engine.cohort.output_files import RUN_FILE
from mimir_engine.errors import MimirError
from mimir_engine.files.regular_file import open_regular

#: Bytes of the record; 1,000 modules fit.
MAX_BYTES = 64 << 20
#: What stands for a word of the command that named a person.
HIDDEN = "..."


def read_run_record(folder: Path) -> dict[str, Any]:
    """Read the record; empty if the run did not get that far.

    Raises:
        MimirError: ``RESULT_TABLE_INVALID``.
    """
    if not (folder / RUN_FILE).exists():
        return {}
    try:
        with open_regular(folder / RUN_FILE) as file:
            content = file.read(MAX_BYTES + 1)
        record: Any = json.loads(content) if len(content) <= MAX_BYTES else None
        command = record.get("command", [])
        is_valid = all(isinstance(word, str) for word in command)
    except (OSError, ValueError, TypeError, AttributeError, RecursionError):
        is_valid = False
    if not is_valid:
        raise MimirError(
            INVALID,
            f"'{RUN_FILE}' is damaged",
            "Remove it, then run the command that wrote it again.",
        )
    return dict(record)


def without(command: Collection[str], texts: Collection[str]) -> list[str]:
    """Return a command in which each word that names one of these texts is hidden.

    >>> without(["mimir", "infer", "1000001_20201_2_0.zip", "10000011"], ["1000001"])
    ['mimir', 'infer', '...', '10000011']
    """
    return [HIDDEN if names_one(word, texts) else word for word in command]


def names_one(text: str, names: Collection[str]) -> bool:
    """Return whether a text has one of the names in it, not as a part of a longer word."""
    return any(
        re.search(rf"(?<![^\W_]){re.escape(name)}(?![^\W_])", text)
        for name in names
        if name in text
    )


def details_of(command: Collection[str]) -> str:
    """Return the last part of the folder that a command wrote details to; empty if to none.

    >>> details_of(["mimir", "infer", "--details", "kept"]), details_of(["mimir", "--details=kept"])
    ('kept', 'kept')
    """
    words = [part for word in command for part in word.split("=", 1)]
    return next((after for word, after in zip(words, words[1:]) if word == "--details"), "")
