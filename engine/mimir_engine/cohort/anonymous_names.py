"""Name studies by number, and keep the key that tells which study has which number.

Without a key the numbers follow the sorted names: the same studies always get the same numbers, but
one more study moves those behind it. A key keeps the numbers, and new studies get the next ones.
"""

from __future__ import annotations

import os
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Optional

from mimir_engine.cohort.sources import NamedSource, file_names
from mimir_engine.errors import MimirError
from mimir_engine.files.csv_writer import write_csv
from mimir_engine.files.table_reader import open_table, to_text
from mimir_engine.source.source_name import ANONYMOUS_NAME, anonymous_name

KEY_COLUMNS = ("study", "name")


def anonymous_sources(
    sources: Sequence[NamedSource], key_file: Optional[Path] = None
) -> list[NamedSource]:
    """Give studies the names ``study_0001``, ``study_0002``, ... instead of their own.

    Args:
        sources: Studies, of different names.
        key_file: CSV file with the columns ``study`` and ``name``; read if it exists, and written.

    Raises:
        MimirError: ``KEY_INVALID``, ``OUTPUT_UNWRITABLE``.
    """
    key = numbered([source.name for source in sources], key_file)
    return [
        replace(source, name=key[source.name], hidden=(source.name, *file_names(source)))
        for source in sources
    ]


def numbered(names: Sequence[str], key_file: Optional[Path] = None) -> dict[str, str]:
    """Return the number of each name, as ``study_0001``.

    Args:
        names: Names of studies.
        key_file: As for `anonymous_sources`.

    Raises:
        MimirError: ``KEY_INVALID``, ``OUTPUT_UNWRITABLE``.
    """
    key = _read_key(key_file) if key_file is not None and os.path.exists(key_file) else {}
    number = max((int(study.rpartition("_")[2]) for study in key.values()), default=0)
    for name in sorted(name for name in names if name not in key):
        number += 1
        key[name] = anonymous_name(number)
    if key_file is not None:
        rows = sorted((study, name) for name, study in key.items())
        write_csv(key_file, KEY_COLUMNS, rows)
    return key


def _read_key(path: Path) -> dict[str, str]:
    """Return the number of each name."""
    try:
        return _numbers(path)
    except MimirError as error:
        raise MimirError(
            "KEY_INVALID", error.what, "Give the key of the earlier run, or a new file."
        ) from error


def _numbers(path: Path) -> dict[str, str]:
    numbers: dict[str, str] = {}
    known: set[str] = set()
    with open_table(path) as table:
        study_column, name_column = (table.index(column) for column in KEY_COLUMNS)
        for line, row in table.rows:
            study, name = to_text(row[study_column]), to_text(row[name_column])
            if not ANONYMOUS_NAME.fullmatch(study) or study in known or name in numbers:
                raise table.error("is not a line of a key that MIMIR wrote", line)
            numbers[name] = study
            known.add(study)
    return numbers
