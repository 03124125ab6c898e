"""Name labels: from tables, and as columns."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path

from mimir_engine.errors import MimirError
from mimir_engine.files.table_reader import open_table
from mimir_engine.labels.extension_names import MAX_LABEL, title_of

#: Name of the built-in table: the labels of VIBESegmentator, model 100, as its README lists them
#: (https://github.com/robert-graf/VIBESegmentator, 2025; doi:10.1007/s00330-025-12035-9).
VIBESEGMENTATOR = "vibesegmentator"
#: Pairs of a label and its name.
LabelNames = tuple[tuple[int, str], ...]
#: Characters of a name in columns.
MAX_NAME = 60
#: Labels that one sentence names.
MAX_LISTED = 4


def label_names(table: str) -> LabelNames:
    """Return the names of labels, from a table with the columns ``label`` and ``name``.

    Args:
        table: File (CSV), or ``vibesegmentator`` for the built-in table.

    Raises:
        MimirError: ``LABEL_NAMES_INVALID``.
    """
    is_built_in = table.lower() == VIBESEGMENTATOR
    path = Path(__file__).with_name(f"{VIBESEGMENTATOR}.csv") if is_built_in else Path(table)
    names: dict[int, str] = {}
    with open_table(path, "LABEL_NAMES_INVALID", "docs/labels.md") as rows:
        at_label, at_name = rows.index("label"), rows.index("name")
        for line, row in rows.rows:
            number = rows.number(row[at_label], line, "label")
            title = title_of(str(row[at_name]))
            if number == 0:
                continue  # background
            if not (number.is_integer() and 0 < number <= MAX_LABEL):
                raise rows.error(f"a label is a whole number, 0 to {MAX_LABEL}", line, "label")
            if not title or int(number) in names:
                what = "the name is empty" if not title else "the label is there twice"
                raise rows.error(what, line)
            names[int(number)] = title
    if not names:
        raise MimirError("LABEL_NAMES_INVALID", "the table names no label", "Give another table.")
    return tuple(sorted(names.items()))


def column_names(titles: Mapping[int, str], labels: Iterable[int]) -> dict[int, str]:
    """Return the name of each label in columns: small letters, digits and underscores.

    Names that would be the same get numbers, in the order of the labels. All titles count, also of
    labels that this study does not have: so columns of studies with the same titles agree.

    Args:
        titles: Names as they were given, by label.
        labels: The labels that need a name.

    Examples:
        >>> column_names({1: "Liver", 2: "Kidney (left)", 3: "liver"}, [1, 2, 3, 9])
        {1: 'liver', 2: 'kidney_left', 3: 'liver_2', 9: 'label_9'}
    """
    names: dict[int, str] = {}
    taken: set[str] = set()
    for label in sorted({*titles, *labels}):
        plain = re.sub("[^a-z0-9]+", "_", titles.get(label, "").lower()).strip("_")
        name = plain[:MAX_NAME].strip("_") or f"label_{label}"
        number, base = 1, name
        while name in taken:
            number += 1
            name = f"{base}_{number}"
        taken.add(name)
        names[label] = name
    return {label: names[label] for label in labels}


def listed(names: Sequence[str]) -> str:
    """Join names for a sentence; of many only the first.

    Examples:
        >>> listed(["liver", "spleen", "heart", "aorta", "sacrum", "sternum"])
        'liver, spleen, heart, aorta and 2 more'
    """
    more = len(names) - MAX_LISTED
    return ", ".join(names[:MAX_LISTED]) + (f" and {more} more" if more > 0 else "")
