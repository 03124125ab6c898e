"""Record which studies of a run are done, so that a stopped run can be resumed.

The ledger has one JSON line per study, appended and flushed to disk; if a study has several, the
last one is valid. The first line describes the run: runs that would give other
numbers never share a folder.
"""

from __future__ import annotations

import errno
import json
import os
import sys
from collections.abc import Iterator, Mapping
from io import FileIO
from pathlib import Path
from typing import Any

from mimir_engine.cohort.study_failure import StudyFailure
from mimir_engine.errors import MimirError
from mimir_engine.files.atomic import output_errors

#: File in the output folder.
LEDGER_FILE = "ledger.jsonl"
#: Files that a finished run leaves beside it.
RESULT_FILES = ("predictions.csv", "predictions.parquet", "failures.csv", "run.json")


class Ledger:
    """The entries of one output folder, kept on disk; memory holds only names and offsets.

    One process at a time writes to it.
    """

    def __init__(self, folder: Path, run: Mapping[str, Any], overwrite: bool = False) -> None:
        """Open the ledger of an output folder, or start it.

        Args:
            folder: The output folder; made if it does not exist.
            run: What the results depend on; must equal that of an earlier run in this folder.
            overwrite: Start again, and remove the results of earlier runs.

        Raises:
            MimirError: ``OUTPUT_IN_USE`` if the folder holds another run's results or another
                process writes to it, ``LEDGER_DAMAGED``, ``OUTPUT_UNWRITABLE``.
        """
        self._folder = folder
        self._offsets: dict[str, int] = {}
        with output_errors(folder):
            folder.mkdir(parents=True, exist_ok=True)
            self._file = FileIO(folder / LEDGER_FILE, "a+")
            try:
                _lock(self._file, folder)
                self._open(json.loads(json.dumps(run)), overwrite)
            except BaseException:
                self._file.close()
                raise

    def _open(self, run: dict[str, Any], overwrite: bool) -> None:
        if overwrite:
            self._file.truncate(0)
            for name in RESULT_FILES:
                (self._folder / name).unlink(missing_ok=True)
        end = 0
        for number, (offset, line) in enumerate(_complete_lines(self._folder / LEDGER_FILE), 1):
            entry = self._parsed(line, number)
            if number > 1:
                self._offsets[str(entry["name"])] = offset
            elif entry != run:
                other = [key for key in {**run, **entry} if run.get(key) != entry.get(key)]
                raise self._in_use(f"holds results of another run (different {', '.join(other)})")
            end = offset + len(line)
        foreign = [name for name in RESULT_FILES if (self._folder / name).exists()]
        if end == 0 and foreign:  # results without a ledger
            raise self._in_use(f"holds a {foreign[0]} that MIMIR cannot resume")
        self._file.truncate(end)
        if end == 0:
            self._write(run)

    def _parsed(self, line: bytes, number: int) -> dict[str, Any]:
        try:
            entry = json.loads(line)
            if isinstance(entry, dict) and ("name" in entry) == (number > 1):
                return entry
        except (ValueError, RecursionError):
            pass
        raise MimirError(
            "LEDGER_DAMAGED",
            f"line {number} of '{self._folder / LEDGER_FILE}' is damaged",
            "Choose another folder, or use --overwrite to start again.",
        )

    def _in_use(self, what: str) -> MimirError:
        return MimirError(
            "OUTPUT_IN_USE",
            f"'{self._folder}' {what}",
            "Choose another folder, or use --overwrite to start again.",
        )

    def add(self, name: str, entry: Mapping[str, Any]) -> None:
        """Record the outcome of a study.

        Raises:
            MimirError: ``OUTPUT_UNWRITABLE``.
        """
        with output_errors(self._folder):
            offset = self._file.seek(0, os.SEEK_END)
            self._write({"name": name, **entry})
        self._offsets[name] = offset

    def entries(self) -> Iterator[tuple[str, dict[str, Any]]]:
        """Yield name and last entry of each study, sorted by name, read from disk one by one."""
        with open(self._folder / LEDGER_FILE, "rb") as file:
            for name in sorted(self._offsets):
                file.seek(self._offsets[name])
                yield name, json.loads(file.readline())

    def done(self) -> Iterator[tuple[str, dict[str, Any]]]:
        """Yield name and entry of each measured study, sorted by name."""
        return ((name, entry) for name, entry in self.entries() if "code" not in entry)

    def failures(self) -> Iterator[StudyFailure]:
        """Yield each study that failed, sorted by name."""
        for name, entry in self.entries():
            if "code" in entry:
                yield StudyFailure(name, entry["code"], entry["reason"])

    def __len__(self) -> int:
        """Return the number of studies in the ledger."""
        return len(self._offsets)

    def _write(self, entry: Mapping[str, Any]) -> None:
        line = memoryview(json.dumps(entry).encode("ascii") + b"\n")
        while line:  # a disk that fills up takes a part
            line = line[self._file.write(line) :]
        os.fsync(self._file.fileno())

    def __enter__(self) -> Ledger:
        return self

    def __exit__(self, *error: object) -> None:
        self._file.close()


def _complete_lines(path: Path) -> Iterator[tuple[int, bytes]]:
    """Yield offset and content of each line; a killed run may have left the last one incomplete."""
    offset = 0
    with open(path, "rb") as file:
        for line in file:
            if line.endswith(b"\n"):
                yield offset, line
            offset += len(line)


def _lock(file: FileIO, folder: Path) -> None:
    """Keep other processes from this ledger until the file is closed or the process ends.

    If the file system has no locks, no process is kept out.
    """
    try:
        if sys.platform == "win32":
            import msvcrt

            file.seek(1 << 40)  # a locked byte cannot be read by others: lock one far beyond
            msvcrt.locking(file.fileno(), msvcrt.LK_NBLCK, 1)
        else:
            import fcntl

            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError as error:
        if error.errno in (errno.EWOULDBLOCK, errno.EACCES, errno.EDEADLK):
            raise MimirError(
                "OUTPUT_IN_USE",
                f"another run of MIMIR is writing to '{folder}'",
                "Wait for it to end, or choose another folder.",
            ) from error
