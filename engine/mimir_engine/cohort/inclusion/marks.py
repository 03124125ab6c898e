"""Read the marks that a person gave to studies in the page of a cohort.

The page saves them as a CSV file with the columns study, mark and comment; its marks are ``good``,
``bad`` and ``look again``.
"""

from __future__ import annotations

import csv
from typing import Optional

from mimir_engine.files.csv_writer import unescape_cell

#: The first line of a file of marks.
MARK_COLUMNS = ("study", "mark", "comment")
#: Marks that choose a study: to leave it out, and to use it.
BAD, GOOD = "bad", "good"
#: Separators of columns: the page writes commas, spreadsheets may change them.
SEPARATORS = (",", ";", "\t")


def read_marks(text: str, mark: str) -> Optional[list[tuple[int, str]]]:
    """Return the studies that have a mark, each with the number of its last line.

    Args:
        text: The whole file.
        mark: The mark.

    Returns:
        None if this is not a file of marks.

    Examples:
        >>> read_marks("study,mark,comment\\nscan_1,bad,a coil\\nscan_2,good,\\n", BAD)
        [(2, 'scan_1')]
        >>> read_marks("eid\\n1000001\\n", BAD)
    """
    head = text.partition("\n")[0].strip().replace('"', "")
    separator = next((s for s in SEPARATORS if tuple(head.split(s)) == MARK_COLUMNS), "")
    if not separator:
        return None
    lines = csv.reader(text.splitlines(keepends=True), delimiter=separator)
    return [(lines.line_num, unescape_cell(line[0])) for line in lines if line[1:2] == [mark]]
