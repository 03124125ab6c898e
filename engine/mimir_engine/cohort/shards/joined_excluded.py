"""Join the tables ``excluded.csv`` of several output folders.

Each run lists all studies of the cohort that its lists of ids left out, whichever shard they would
have been in. After people were removed from a folder, its table has numbers instead of names.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from pathlib import Path

from mimir_engine.files.csv_writer import write_csv
from mimir_engine.files.table_reader import open_table, to_text

EXCLUDED_FILE = "excluded.csv"
NAMED, COUNTED = ("name", "reason"), ("reason", "studies")
#: Reason of studies whose results leave the tables of their folder, too.
IN_EXCLUDE = "in the list of --exclude"
#: Reason that belongs to one folder alone, so that its numbers add up.
FORGOTTEN = "removed by mimir forget"


def excluded_names(folder: Path) -> list[str]:
    """Return the studies whose results are in no table of a folder, though its ledger has them.

    Raises:
        MimirError: ``PREDICTIONS_INVALID`` if the table is damaged.
    """
    columns, rows = _read(folder)
    return [name for name, reason in rows if reason == IN_EXCLUDE] if columns == NAMED else []


def write_joined_excluded(folders: Sequence[Path], output: Path) -> None:
    """Write one table of the studies that the runs left out; without any there is none.

    Raises:
        MimirError: ``PREDICTIONS_INVALID`` if a table is damaged, ``OUTPUT_UNWRITABLE``.
    """
    tables = [_read(folder) for folder in folders]
    if any(columns == COUNTED for columns, _ in tables):
        total = Counter[str]()
        for columns, rows in tables:
            counts = Counter(reason for _, reason in rows)
            if columns == COUNTED:
                counts = Counter({reason: int(count) for reason, count in rows})
            forgotten = total[FORGOTTEN] + counts[FORGOTTEN]
            total = +((total | counts) | Counter({FORGOTTEN: forgotten}))
        write_csv(output / EXCLUDED_FILE, COUNTED, sorted(total.items()))
    elif reasons := {name: reason for _, rows in tables for name, reason in rows}:
        write_csv(output / EXCLUDED_FILE, NAMED, sorted(reasons.items()))


def _read(folder: Path) -> tuple[tuple[str, str], list[tuple[str, str]]]:
    """Return the columns of a table and its rows; no rows without a table."""
    if not (folder / EXCLUDED_FILE).exists():
        return NAMED, []
    with open_table(folder / EXCLUDED_FILE, described_in="README.md") as table:
        columns = COUNTED if COUNTED[1] in table.columns else NAMED
        first, second = map(table.index, columns)
        rows = [(to_text(row[first]), to_text(row[second])) for _, row in table.rows]
        if columns == COUNTED and not all(count.isdecimal() for _, count in rows):
            raise table.error("has a number of studies that is none")
        return columns, rows
