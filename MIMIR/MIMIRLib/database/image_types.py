"""Look up ImageType of several images of a series, since one series can hold several contrasts.

Slicer's DICOM database keeps some tags of each image in a file of its own, beside the database. It
has ImageType for all images that were added while MIMIR or another reader asked for it.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from MIMIRLib.database.read_only import address

#: CTK's file of cached tags, in the folder of the database.
TAG_CACHE = "ctkDICOMTagCache.sql"
#: Images of a series that are looked at. Four contrasts with as many images each are all found,
#: with a chance of 99.6 % even in random order.
SAMPLES = 24
#: Distance of the samples as a share of the series: the golden ratio spreads them evenly and
#: suits series that change the contrast with each image.
_GOLDEN = 0.6180339887498949
#: Places of the samples in a series, 0 to 1.
_PLACES = tuple(round(number * _GOLDEN % 1.0, 6) for number in range(SAMPLES))
_QUERY = f"""
WITH Ends AS (SELECT MIN(rowid) AS First, MAX(rowid) AS Last FROM Images
              WHERE SeriesInstanceUID = ?1),
     Places (Place) AS (VALUES {", ".join(f"({place})" for place in _PLACES)})
SELECT DISTINCT TagCache.Value
FROM Ends, Places
JOIN Images ON Images.rowid = (
    SELECT rowid FROM Images WHERE SeriesInstanceUID = ?1
    AND rowid >= CAST(First + Place * (Last - First) AS INTEGER) ORDER BY rowid LIMIT 1)
JOIN TagCache ON TagCache.SOPInstanceUID = Images.SOPInstanceUID AND TagCache.Tag = '0008,0008'
"""


def sample(files: Sequence[str]) -> list[str]:
    """Return some files of a series, spread over all of it; the first file comes first."""
    return list(dict.fromkeys(files[int(place * len(files))] for place in _PLACES[: len(files)]))


class CachedImageTypes:
    """The image types of a series' images, as far as Slicer's database has cached them.

    >>> image_types = CachedImageTypes(connection, database_file)
    >>> image_types(series_uid)
    ('DERIVED\\PRIMARY\\W\\W\\DERIVED', 'DERIVED\\PRIMARY\\F\\F\\DERIVED')

    Args:
        connection: The database, opened with ``open_read_only``.
        database_file: Its file; the cached tags are beside it.
    """

    def __init__(self, connection: sqlite3.Connection, database_file: Path) -> None:
        self._connection = connection
        cache = database_file.with_name(TAG_CACHE)
        self._is_readable = cache.is_file()
        if self._is_readable:
            self._query("ATTACH DATABASE ? AS Cache", address(cache))

    def __call__(self, series_uid: str) -> tuple[str, ...]:
        """Return the different image types; none if they are not cached or cannot be read now."""
        if not self._is_readable:
            return ()
        return tuple(str(value) for (value,) in self._query(_QUERY, series_uid) if value)

    def _query(self, query: str, value: str) -> list[tuple[Any, ...]]:
        """Run a query; after an error, such as a long wait for a writer, ask no more."""
        try:
            return self._connection.execute(query, (value,)).fetchall()
        except sqlite3.Error:
            self._is_readable = False
            return []
