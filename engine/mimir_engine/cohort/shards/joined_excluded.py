"""Join the tables ``excluded.csv`` of several output folders.

Each run lists all studies of the cohort that its lists of ids left out, whichever shard they would
have been in.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from pathlib import Path

from mimir_engine.cohort.excluded_table import (
    FORGOTTEN,
    read_counts,
    read_reasons,
    write_counts,
    write_excluded,
)


def write_joined_excluded(folders: Sequence[Path], output: Path) -> None:
    """Write one table of the studies that the runs left out; without any there is none.

    Raises:
        MimirError: ``RESULT_TABLE_INVALID`` if a table is damaged, ``OUTPUT_UNWRITABLE``.
    """
    counts = [read_counts(folder) for folder in folders]
    reasons = [read_reasons(folder) for folder in folders]
    if any(counted and not named for counted, named in zip(counts, reasons)):
        total = Counter[str]()
        for each in counts:
            forgotten = total[FORGOTTEN] + each.get(FORGOTTEN, 0)  # of one folder alone
            total = +((total | Counter(each)) | Counter({FORGOTTEN: forgotten}))
        write_counts(output, total)
    else:
        write_excluded(output, {name: why for each in reasons for name, why in each.items()})
