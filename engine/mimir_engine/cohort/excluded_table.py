"""The table ``excluded.csv`` of an output folder: the studies that its last run left out, and why.

It has the columns `COLUMNS`. After people were removed from the folder it names nobody any more:
then, and on later runs, it has the columns `COUNTED`, and numbers of studies.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from pathlib import Path

from mimir_engine.files.atomic import output_errors
from mimir_engine.files.csv_writer import write_csv
from mimir_engine.files.table_reader import open_table, to_text

EXCLUDED_FILE = "excluded.csv"
#: Code of errors about a table of results that cannot be read.
INVALID = "RESULT_TABLE_INVALID"
COLUMNS, COUNTED = ("name", "reason"), ("reason", "studies")
IN_EXCLUDE, NOT_IN_ONLY = "in the list of --exclude", "not in the list of --only"
FORGOTTEN = "removed by mimir forget"


def write_excluded(folder: Path, reasons: Mapping[str, str]) -> None:
    """Write the table of the studies that a run leaves out; without any there is none.

    Args:
        folder: The output folder.
        reasons: The reason of each study, by its name.

    Raises:
        MimirError: ``OUTPUT_UNWRITABLE``; `INVALID` if a table that is there is damaged.
    """
    path = folder / EXCLUDED_FILE
    forgotten = read_counts(folder).get(FORGOTTEN, 0)
    if forgotten:
        write_counts(folder, {**Counter(reasons.values()), FORGOTTEN: forgotten})
    elif reasons:
        write_csv(path, COLUMNS, sorted(reasons.items()))
    else:
        with output_errors(path):
            path.unlink(missing_ok=True)


def write_counts(folder: Path, counts: Mapping[str, int]) -> None:
    """Write the number of studies by reason.

    Raises:
        MimirError: ``OUTPUT_UNWRITABLE``.
    """
    write_csv(folder / EXCLUDED_FILE, COUNTED, sorted(counts.items()))


def read_counts(folder: Path) -> dict[str, int]:
    """Count the studies by reason, whether the table names them or not; none without a table.

    Raises:
        MimirError: `INVALID`.
    """
    if not (folder / EXCLUDED_FILE).exists():
        return {}
    counts = Counter[str]()
    with open_table(folder / EXCLUDED_FILE, INVALID, "README.md") as table:
        at_reason = table.index("reason")
        is_counted = COUNTED[1] in table.columns
        for line, row in table.rows:
            cell = row[table.index(COUNTED[1])] if is_counted else "1"
            number = table.number(cell, line, COUNTED[1])
            counts[to_text(row[at_reason])] += 0 if number != number else round(number)
    return dict(counts)
