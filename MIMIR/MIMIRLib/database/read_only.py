"""Open the SQLite files of Slicer's DICOM database for reading only."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path
from urllib.parse import quote

#: How long to wait for a database that is being written to (seconds).
PATIENCE_S = 2.0


@contextmanager
def open_read_only(path: Path) -> Iterator[sqlite3.Connection]:
    """Open an SQLite file; it is closed at the end.

    Raises:
        sqlite3.Error: If it cannot be read.
    """
    with closing(sqlite3.connect(address(path), PATIENCE_S, uri=True)) as connection:
        yield connection


def address(path: Path) -> str:
    """Return the address with which SQLite opens a file for reading only."""
    absolute = path.absolute().as_posix()
    return f"file://{'' if absolute.startswith('/') else '/'}{quote(absolute, safe='/:')}?mode=ro"
