"""Record which studies of a run are done, so that a stopped run can be resumed.

The ledger has one JSON line per event, each with a checksum. The first describes the run: runs that
would give other numbers never share a folder. Each other line says that the reading of a study has
begun, or what came of it; if a study has several outcomes, the last one is valid. A damaged line is
passed over, so its study is done again. Lines of earlier versions have no checksum; they are read
only if the first line has none either.
"""

from __future__ import annotations

import json
import os
import threading
from collections.abc import Collection, Iterator, Mapping
from contextlib import ExitStack
from dataclasses import dataclass
from io import FileIO
from pathlib import Path
from typing import Any, BinaryIO, Callable, Optional

from mimir_engine.cohort.fingerprint import Fingerprint
from mimir_engine.cohort.ledger_lines import (
    MAX_LINE,
    Line,
    decode,
    encode,
    has_checksum,
    read_lines,
)
from mimir_engine.cohort.study_failure import StudyFailure
from mimir_engine.errors import MimirError
from mimir_engine.files.atomic import output_errors, sync_folder
from mimir_engine.files.folder_lock import folder_lock

#: File in the output folder.
LEDGER_FILE = "ledger.jsonl"
#: Files that a finished run leaves beside it.
RESULT_FILES = (
    *("predictions.csv", "predictions.parquet", "measurements.csv", "checks.csv", "findings.csv"),
    *("drift.csv", "failures.csv", "run.json"),
)
#: What a run says of that which runs its networks.
RUNTIME_KEYS = frozenset({"runtime", "device", "onnxruntime", "torch"})


@dataclass(frozen=True)
class Begun:
    """How often a study was begun since its last outcome, if it has any.

    Attributes:
        times: All attempts.
        alone: Attempts at which no other study was read.
    """

    times: int = 0
    alone: int = 0


class Ledger:
    """The entries of one output folder, kept on disk; memory holds only names and offsets.

    One process at a time writes to it; several of its threads may.

    Attributes:
        damaged_lines: Damaged lines that no earlier run of this folder has found.
    """

    def __init__(
        self,
        folder: Path,
        run: Mapping[str, Any],
        overwrite: bool = False,
        is_valid: Callable[[Mapping[str, Any]], object] = lambda entry: True,
    ) -> None:
        """Open the ledger of an output folder, or start it.

        Args:
            folder: The output folder; made if it does not exist.
            run: What the results depend on; must equal that of an earlier run in this folder.
            overwrite: Start again, and remove the results of earlier runs.
            is_valid: Checks the entry of a study that was done: if it returns a false value or
                raises a LookupError, TypeError or ValueError, the line counts as damaged.

        Raises:
            MimirError: ``OUTPUT_IN_USE`` if the folder holds another run's results or another
                process writes to it, ``LEDGER_DAMAGED`` if the first line is damaged,
                ``OUTPUT_UNWRITABLE``.
        """
        self._folder, self._path, self._is_valid = folder, folder / LEDGER_FILE, is_valid
        self._needs_checksum = True
        self._one_at_a_time = threading.Lock()
        self._offsets: dict[str, int] = {}
        self._begun: dict[str, Begun] = {}
        self.damaged_lines = 0
        with ExitStack() as stack, output_errors(folder):
            stack.enter_context(folder_lock(folder))
            self._file = stack.enter_context(_regular_file(self._path))
            if overwrite:
                self._file.truncate(0)
                for name in RESULT_FILES:
                    (folder / name).unlink(missing_ok=True)
            self._open(json.loads(json.dumps(run)))
            self._open_while = stack.pop_all()

    def _open(self, run: dict[str, Any]) -> None:
        end = damaged = reported = 0
        with open(self._path, "rb") as file:
            for line in read_lines(file):
                if line.offset == 0:
                    self._check_run(line, run)
                elif line.is_complete:
                    entry = self._valid_entry(line.content)
                    damaged += entry is None
                    if entry and "name" in entry:
                        self._take(entry, line.offset)
                    elif entry:
                        reported = entry["damaged_lines"]
                elif not line.content.startswith(b"{"):  # not what a killed run leaves
                    self.damaged_lines += 1
                end = line.end if line.is_complete else end
        foreign = [name for name in RESULT_FILES if (self._folder / name).exists()]
        if end == 0 and foreign:  # results without a ledger
            raise self._in_use(f"holds a {foreign[0]} that MIMIR cannot resume")
        self._file.truncate(end)  # a killed run may have left the last line incomplete
        self.damaged_lines += max(damaged - reported, 0)
        if end == 0:
            self._write(run)
            sync_folder(self._folder)
        if damaged > reported:
            self._write({"damaged_lines": damaged})

    def _check_run(self, line: Line, run: dict[str, Any]) -> None:
        """Refuse the ledger of another run; a first line of earlier versions has no checksum."""
        if not line.is_complete and line.content.startswith(b"{"):
            return  # killed at its first line
        self._needs_checksum = has_checksum(line.content)
        earlier = decode(line.content, needs_checksum=False)
        if earlier is None or "name" in earlier:
            raise self._damaged("the first line, which describes the run, is damaged")
        if earlier != run:
            other = [key for key in {**run, **earlier} if run.get(key) != earlier.get(key)]
            what = f"holds results of another run (different {', '.join(other)})"
            raise self._in_use(what, _with_earlier_runtime(earlier, other))

    def _valid_entry(self, content: bytes) -> Optional[dict[str, Any]]:
        """Return the entry of a line after the first; None if the line is damaged."""
        entry = decode(content, self._needs_checksum)
        try:
            return entry if entry and self._has_form(entry) else None
        except (LookupError, TypeError, ValueError):
            return None

    def _has_form(self, entry: Mapping[str, Any]) -> object:
        if "name" not in entry:
            return isinstance(entry["damaged_lines"], int)
        if not isinstance(entry["name"], str):
            return False
        if "begun" in entry:
            return entry["begun"] in ("alone", "with others")
        if "files" in entry:
            Fingerprint.from_json(entry["files"])
        if "code" in entry:
            return isinstance(entry["code"], str) and isinstance(entry["reason"], str)
        return self._is_valid(entry)

    def _take(self, entry: Mapping[str, Any], offset: int) -> None:
        name = entry["name"]
        if "begun" in entry:
            before = self._begun.get(name, Begun())
            alone = before.alone + (entry["begun"] == "alone")
            self._begun[name] = Begun(before.times + 1, alone)
        else:
            self._begun.pop(name, None)
            self._offsets[name] = offset

    def _damaged(self, what: str) -> MimirError:
        return MimirError(
            "LEDGER_DAMAGED",
            f"'{self._path}': {what}",
            "Restore the file from a copy, choose another folder, or use --overwrite to start"
            " again.",
        )

    def _in_use(self, what: str, first: str = "") -> MimirError:
        return MimirError(
            "OUTPUT_IN_USE",
            f"'{self._folder}' {what}",
            f"{first}Choose another folder, or use --overwrite to start again.",
        )

    def add(self, name: str, entry: Mapping[str, Any]) -> None:
        """Record the outcome of a study.

        Raises:
            MimirError: ``OUTPUT_UNWRITABLE``.
        """
        self._add({"name": name, **entry}, sync=True)

    def start(self, name: str, alone: bool = False) -> None:
        """Note that the reading of a study begins, so that a restart knows if it never ended.

        Args:
            name: The study's name.
            alone: No other study is read meanwhile.

        Raises:
            MimirError: ``OUTPUT_UNWRITABLE``.
        """
        self._add({"name": name, "begun": "alone" if alone else "with others"}, sync=False)

    def _add(self, entry: Mapping[str, Any], sync: bool) -> None:
        with self._one_at_a_time, output_errors(self._folder):
            offset = self._file.seek(0, os.SEEK_END)
            self._write(entry, sync)
            self._take(entry, offset)

    def begun(self) -> dict[str, Begun]:
        """Return the studies whose reading began and has no outcome since."""
        return dict(self._begun)

    def entry(self, name: str) -> Optional[dict[str, Any]]:
        """Return the last entry of a study; None if it has none.

        Raises:
            MimirError: ``LEDGER_DAMAGED`` if the file was changed meanwhile.
        """
        if name not in self._offsets:
            return None
        with output_errors(self._path), open(self._path, "rb") as file:
            return self._entry_at(file, name)

    def entries(self) -> Iterator[tuple[str, dict[str, Any]]]:
        """Yield name and last entry of each study, sorted by name, read from disk one by one.

        Raises:
            MimirError: ``LEDGER_DAMAGED`` if the file was changed meanwhile.
        """
        with output_errors(self._path), open(self._path, "rb") as file:
            for name in self.names():
                yield name, self._entry_at(file, name)

    def _entry_at(self, file: BinaryIO, name: str) -> dict[str, Any]:
        file.seek(self._offsets[name])
        entry = decode(file.readline(MAX_LINE), self._needs_checksum)  # its form is known
        if entry is None or entry.get("name") != name:
            raise self._damaged("the file was changed during the run")
        return entry

    def done(self) -> Iterator[tuple[str, dict[str, Any]]]:
        """Yield name and entry of each measured study, sorted by name."""
        return ((name, entry) for name, entry in self.entries() if "code" not in entry)

    def failures(self) -> Iterator[StudyFailure]:
        """Yield each study that failed, sorted by name."""
        for name, entry in self.entries():
            if "code" in entry:
                yield StudyFailure(name, entry["code"], entry["reason"])

    def names(self) -> list[str]:
        """Return the names of all studies, sorted."""
        return sorted(self._offsets)

    def pass_over(self, names: Collection[str]) -> None:
        """Leave studies out of everything that is read; their lines stay on disk."""
        for name in names:
            self._offsets.pop(name, None)

    def __len__(self) -> int:
        """Return the number of studies in the ledger."""
        return len(self._offsets)

    def _write(self, entry: Mapping[str, Any], sync: bool = True) -> None:
        line = memoryview(encode(entry))
        while line:  # a disk that fills up takes a part
            line = line[self._file.write(line) :]
        if sync:
            os.fsync(self._file.fileno())

    def __enter__(self) -> Ledger:
        return self

    def __exit__(self, *error: object) -> None:
        self._open_while.close()


def _with_earlier_runtime(earlier: Mapping[str, Any], different: Collection[str]) -> str:
    """Return how to go on with a run whose networks were run by something else, if known."""
    runtime = earlier.get("runtime")
    if "runtime" not in different or not runtime or not RUNTIME_KEYS.issuperset(different):
        return ""
    return f"To continue it, use --runtime {runtime} --device {earlier.get('device')}. "


def _regular_file(path: Path) -> FileIO:
    """Open a file for reading and appending; one that is a link or a device is refused."""
    if path.is_symlink() or (path.exists() and not path.is_file()):
        raise MimirError(
            "OUTPUT_UNWRITABLE",
            f"'{path}' is a link, a folder or a device, not a file",
            "Remove it, or choose another folder.",
        )
    no_links = getattr(os, "O_NOFOLLOW", 0)
    return FileIO(path, "a+", opener=lambda name, flags: os.open(name, flags | no_links, 0o666))
