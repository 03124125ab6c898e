"""Read the names in a ledger's lines, and write it again without the lines of some studies."""

from __future__ import annotations

from collections.abc import Collection, Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any, Optional

from mimir_engine.cohort.ledger_lines import decode, has_checksum, read_lines
from mimir_engine.cohort.outcomes import LEDGER_FILE, Outcomes
from mimir_engine.files.atomic import atomic_file, output_errors
from mimir_engine.files.regular_file import open_regular


def entries_of(folder: Path) -> Iterator[dict[str, Any]]:
    """Yield each entry that names a study: outcomes, earlier outcomes, and what was begun."""
    for number, (_, entry) in enumerate(_lines(folder)):
        if number and entry is not None and isinstance(entry.get("name"), str):
            yield entry


def remove_lines(outcomes: Outcomes, names: Collection[str]) -> None:
    """Write a ledger again without the lines of some studies; those of others keep every byte.

    Damaged lines, which may name anybody, and the notes about them are left out, too. Of the notes
    that runs began, one is left: how much the last run has still to do.

    Args:
        outcomes: What the ledger tells now.
        names: The studies.

    Raises:
        MimirError: ``OUTPUT_UNWRITABLE``.
    """
    last, gone = outcomes.last_run, len({*names}.intersection(outcomes.names()))
    with atomic_file(outcomes.folder / LEDGER_FILE) as new:
        for number, (content, entry) in enumerate(_lines(outcomes.folder)):
            is_other = entry is not None and "name" in entry and entry["name"] not in names
            if number == 0 or is_other:
                new.write(content)
        if last:
            studies = max(last.studies - gone, 0)
            excluded = tuple(name for name in last.excluded if name not in names)
            left = replace(last, studies=studies, to_do=last.left, excluded=excluded, times=())
            new.write(left.line())


def _lines(folder: Path) -> Iterator[tuple[bytes, Optional[dict[str, Any]]]]:
    """Yield each complete line and its content, None if it is damaged; the first is the run."""
    path = folder / LEDGER_FILE
    needs_checksum = False
    with output_errors(path), open_regular(path) as file:
        for line in read_lines(file):
            if line.offset == 0:
                needs_checksum = has_checksum(line.content)
            if line.is_complete:
                yield line.content, decode(line.content, needs_checksum and line.offset > 0)
