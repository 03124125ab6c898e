"""Which studies of a run are done: written as it goes, so that a killed run can go on.

One JSON line a study, appended and flushed to disk; the last line of a study counts. The first line
says what the run was: a folder is never shared by runs that would give other numbers.
"""

from __future__ import annotations

import errno
import json
import os
import sys
from collections.abc import Iterator, Mapping
from io import FileIO
from pathlib import Path
from types import TracebackType
from typing import Any, Optional

from mimir_engine.errors import MimirError

#: File in the output folder.
LEDGER_FILE = "ledger.jsonl"
#: What a finished run leaves beside it.
RESULT_FILES = ("predictions.csv", "predictions.parquet", "failures.csv", "run.json")


class Ledger:
    """The records of one output folder, kept on disk: memory holds each study's name only.

    One process at a time writes to it.
    """

    def __init__(self, folder: Path, run: Mapping[str, Any], overwrite: bool = False) -> None:
        """Open the ledger of an output folder, or start it.

        Args:
            folder: The output folder; made where it is not there.
            run: What the results hang on; must equal that of an earlier run in this folder.
            overwrite: Start anew, and remove the results of earlier runs.

        Raises:
            MimirError: ``OUTPUT_IN_USE`` where the folder holds another run's results or another
                process writes to it, ``LEDGER_DAMAGED``, ``OUTPUT_UNWRITABLE``.
        """
        self._folder = folder
        self._offsets: dict[str, int] = {}
        try:
            folder.mkdir(parents=True, exist_ok=True)
            self._file = FileIO(folder / LEDGER_FILE, "a+")
        except OSError as error:
            raise _unwritable(folder, error) from error
        try:
            _lock(self._file, folder)
            self._open(json.loads(json.dumps(run)), overwrite)
        except OSError as error:
            self._file.close()
            raise _unwritable(folder, error) from error
        except BaseException:
            self._file.close()
            raise

    def _open(self, run: dict[str, Any], overwrite: bool) -> None:
        if overwrite:
            self._file.truncate(0)
            for name in RESULT_FILES:
                (self._folder / name).unlink(missing_ok=True)
        end = 0
        for number, (offset, line) in enumerate(_whole_lines(self._folder / LEDGER_FILE)):
            record = self._parsed(line, number + 1)
            if number == 0:
                self._check_run(record, run)
            else:
                self._offsets[str(record["name"])] = offset
            end = offset + len(line)
        if end == 0:
            self._check_unused()
        self._file.truncate(end)
        if end == 0:
            self._write(run)

    def _parsed(self, line: bytes, number: int) -> dict[str, Any]:
        try:
            record = json.loads(line)
            if isinstance(record, dict) and ("name" in record) == (number > 1):
                return record
        except (ValueError, RecursionError):
            pass
        raise MimirError(
            "LEDGER_DAMAGED",
            f"line {number} of '{self._folder / LEDGER_FILE}' is not as it was written",
            "Choose another folder, or --overwrite to start anew.",
        )

    def _check_run(self, theirs: dict[str, Any], ours: dict[str, Any]) -> None:
        if theirs != ours:
            other = [key for key in {**ours, **theirs} if ours.get(key) != theirs.get(key)]
            raise _in_use(f"holds results of another run (other {', '.join(other)})", self._folder)

    def _check_unused(self) -> None:
        """Results without a ledger are not ours to replace."""
        for name in RESULT_FILES:
            if (self._folder / name).exists():
                raise _in_use(f"holds a {name} that no run of MIMIR can go on with", self._folder)

    def add(self, name: str, record: Mapping[str, Any]) -> None:
        """Note what became of a study.

        Raises:
            MimirError: ``OUTPUT_UNWRITABLE``.
        """
        try:
            offset = self._file.seek(0, os.SEEK_END)
            self._write({"name": name, **record})
        except OSError as error:
            raise _unwritable(self._folder, error) from error
        self._offsets[name] = offset

    def records(self) -> Iterator[tuple[str, dict[str, Any]]]:
        """Name and last record of each study, sorted, read from disk one by one."""
        with open(self._folder / LEDGER_FILE, "rb") as file:
            for name in sorted(self._offsets):
                file.seek(self._offsets[name])
                yield name, json.loads(file.readline())

    def __len__(self) -> int:
        """How many studies it knows."""
        return len(self._offsets)

    def _write(self, record: Mapping[str, Any]) -> None:
        line = memoryview(json.dumps(record).encode("ascii") + b"\n")
        while line:  # a disk that fills up takes a part
            line = line[self._file.write(line) :]
        os.fsync(self._file.fileno())

    def __enter__(self) -> Ledger:
        return self

    def __exit__(
        self,
        kind: Optional[type[BaseException]],
        error: Optional[BaseException],
        trace: Optional[TracebackType],
    ) -> None:
        self._file.close()


def _whole_lines(path: Path) -> Iterator[tuple[int, bytes]]:
    """Offset and content of each line but the torn last one of a killed run."""
    offset = 0
    with open(path, "rb") as file:
        for line in file:
            if line.endswith(b"\n"):
                yield offset, line
            offset += len(line)


def _lock(file: FileIO, folder: Path) -> None:
    """Keep other processes from this ledger until the file is closed or the process ends.

    Where the file system has no locks, nobody is kept out.
    """
    try:
        if sys.platform == "win32":
            import msvcrt

            file.seek(1 << 40)  # the lock of a byte keeps others from reading it: take one far out
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


def _in_use(what: str, folder: Path) -> MimirError:
    return MimirError(
        "OUTPUT_IN_USE",
        f"'{folder}' {what}",
        "Choose another folder, or --overwrite to start anew.",
    )


def _unwritable(folder: Path, error: OSError) -> MimirError:
    return MimirError(
        "OUTPUT_UNWRITABLE",
        f"results cannot be written to '{folder}' ({error.strerror})",
        "Choose another folder or make room; a run that stopped can be started again.",
    )
