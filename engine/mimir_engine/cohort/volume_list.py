"""Read the table of studies whose volumes were stitched before."""

from __future__ import annotations

import os
from pathlib import Path

from mimir_engine.cohort.sources import NamedSource, check_names, source_from_fields
from mimir_engine.errors import MimirError
from mimir_engine.files.table_reader import open_table, to_text
from mimir_engine.fusion.volume_pair import VOLUME_KEYS

#: Columns that a table must have, and all that are read.
REQUIRED = ("name", "water", "fat")
COLUMNS = ("name", *VOLUME_KEYS.values(), "labels")
#: Number of studies in a table.
MAX_STUDIES = 1_000_000


def read_volume_list(path: Path) -> list[NamedSource]:
    """Read a table with one row per study: its name and the files of its volumes.

    Args:
        path: CSV, or Parquet by its ending, with the columns ``name``, ``water`` and ``fat``;
            ``in_phase``, ``opposed_phase`` and ``labels`` may be added, and cells of these may be
            empty. Further columns are not read. Relative paths begin at the folder of the table.

    Raises:
        MimirError: ``SOURCES_INVALID``, ``NO_STUDIES``, ``NAME_REPEATED``, ``EXTRA_MISSING``.
    """
    studies: list[NamedSource] = []
    with open_table(path, "SOURCES_INVALID", "docs/volumes.md") as table:
        for column in REQUIRED:
            table.index(column)
        places = {column: table.index(column) for column in COLUMNS if column in table.columns}
        for line, row in table.rows:
            texts = {column: to_text(row[at]).strip() for column, at in places.items()}
            missing = next((column for column in REQUIRED if not texts[column]), "")
            if missing:
                raise table.error("is empty", line, missing)
            name = texts.pop("name")
            files = {key: os.path.join(path.parent, text) for key, text in texts.items() if text}
            study = source_from_fields({"name": name, **files})
            if study is None:
                raise table.error("its name or paths are not valid", line)
            if len(studies) == MAX_STUDIES:
                raise table.error(f"there are more than {MAX_STUDIES:,} studies", line)
            studies.append(study)
    if not studies:
        raise MimirError("NO_STUDIES", f"'{path.name}' has no rows", "Add one row per study.")
    return check_names(studies)
