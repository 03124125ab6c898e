"""Compare the DICOMDIR of a patient's disc with the files that are there (PS3.3 F.3).

A DICOMDIR may also list series that were not copied. So only files are missed whose folder holds
water or fat images that it lists, too.
"""

from __future__ import annotations

import warnings
from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

from mimir_engine.headers.entry_stream import EntryStream
from mimir_engine.source.entry import Entry

_DIRECTORY_RECORDS, _FILE_ID = "DirectoryRecordSequence", "ReferencedFileID"
#: Names of folders and the file in one record (PS3.10 8.2), and their characters together.
MAX_NAMES, MAX_CHARACTERS = 8, 8 * 16 + 7


@dataclass(frozen=True)
class Dicomdir:
    """The files that a DICOMDIR lists, each as the names of its folders and its own, upper case."""

    files: tuple[tuple[str, ...], ...]

    def absent(self, paths: Iterable[str], used: Iterable[str]) -> list[str]:
        """Return listed files that are absent from the folders of used images.

        Args:
            paths: Paths of all files that are there; any folders may lie in front.
            used: Paths of the water and fat images.
        """
        depth = max(map(len, self.files), default=0)
        tails = [_parts(path)[-depth:] for path in paths]
        there = {tail[k:] for tail in tails for k in range(len(tail))}
        folders: dict[tuple[str, ...], list[tuple[str, ...]]] = defaultdict(list)
        for file in self.files:
            folders[file[:-1]].append(file)
        absent = []
        used_tails = {tail[k:] for tail in map(_parts, used) for k in range(len(tail))}
        for files in folders.values():
            if any(file in used_tails for file in files):
                absent += ["/".join(file) for file in files if file not in there]
        return absent


def read_dicomdir(entry: Entry) -> Dicomdir:
    """Read a DICOMDIR; one that cannot be read lists nothing."""
    import pydicom

    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            dataset = pydicom.dcmread(EntryStream(entry), specific_tags=[_DIRECTORY_RECORDS])
            records = dataset.get(_DIRECTORY_RECORDS) or ()
            names = [record.get(_FILE_ID) for record in records if _is_short(record)]
    except MemoryError:
        raise
    except Exception:  # pydicom raises many kinds on damaged files
        return Dicomdir(())
    files = ([name] if isinstance(name, str) else list(name) for name in names if name)
    return Dicomdir(
        tuple(tuple(str(p).upper() for p in file) for file in files if len(file) <= MAX_NAMES)
    )


def _is_short(record: Any) -> bool:
    """Return whether a record's path is no longer than allowed; pydicom converts it only then."""
    return _FILE_ID in record and len(record.get_item(_FILE_ID).value or "") <= MAX_CHARACTERS + 1


def _parts(path: str) -> tuple[str, ...]:
    return tuple(part for part in path.upper().replace("\\", "/").split("/") if part)
