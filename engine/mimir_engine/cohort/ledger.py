"""Record which studies of a run are done, so that a stopped run can be resumed.

Runs that would give other numbers never share a folder. The study of a damaged line is done again.
"""

from __future__ import annotations

import json
import os
import threading
import time
from collections.abc import Collection, Mapping
from contextlib import ExitStack
from io import FileIO
from pathlib import Path
from types import MappingProxyType
from typing import Any

from mimir_engine.cohort.gallery_folder import remove_gallery
from mimir_engine.cohort.ledger_lines import BODY, encode
from mimir_engine.cohort.outcomes import LEDGER_FILE, EntryCheck, LastRun, Outcomes
from mimir_engine.cohort.output_files import (
    DATASET_FILE,
    LABELS_FILE,
    PARQUET_FILE,
    PLAN_FILE,
    RUN_FILE,
    VOLUMES_FILE,
)
from mimir_engine.cohort.projection_files import ProjectionFiles
from mimir_engine.cohort.volumes.remove_volumes import remove_earlier_volumes
from mimir_engine.errors import MimirError
from mimir_engine.files.atomic import output_errors, sync_folder
from mimir_engine.files.folder_lock import folder_lock

#: Files that commands leave beside it.
RESULT_FILES = (
    *("predictions.csv", PARQUET_FILE, "measurements.csv", "checks.csv", "findings.csv"),
    *("codebook.csv", "codebook.json", "drift.csv", "failures.csv", "excluded.csv", RUN_FILE),
    *("scan_numbers.csv", "scan_profiles.csv", LABELS_FILE, VOLUMES_FILE, DATASET_FILE, PLAN_FILE),
)
#: What a run says of that which runs its networks.
RUNTIME_KEYS = frozenset({"runtime", "device", "onnxruntime", "torch"})


class Ledger(Outcomes):
    """The outcomes of one output folder, to which a run adds.

    One process at a time writes to it; several of its threads may.
    """

    def __init__(
        self,
        folder: Path,
        run: Mapping[str, Any],
        overwrite: bool = False,
        is_valid: EntryCheck = lambda entry: True,
    ) -> None:
        """Open the ledger of an output folder, or start it.

        Args:
            folder: The output folder; made if it does not exist.
            run: What the results depend on; must equal that of an earlier run in this folder.
            overwrite: Start again, and remove the results of earlier runs.
            is_valid: Checks the entries of studies that were done.

        Raises:
            MimirError: ``OUTPUT_IN_USE`` if the folder holds another run's results or another
                process writes to it, ``LEDGER_DAMAGED`` if the first line is damaged,
                ``OUTPUT_UNWRITABLE``.
        """
        path = folder / LEDGER_FILE
        self._one_at_a_time = threading.Lock()
        self._passed_over: set[str] = set()
        with ExitStack() as stack, output_errors(folder):
            stack.enter_context(folder_lock(folder))
            self._file = stack.enter_context(_regular_file(path))
            if overwrite:
                ProjectionFiles(folder).remove_all()
                remove_gallery(folder)
                remove_earlier_volumes(folder)
                for name in RESULT_FILES:
                    (folder / name).unlink(missing_ok=True)
                self._file.truncate(0)
            super().__init__(folder, is_valid)
            self._continue(json.loads(json.dumps(run)))
            self._open_while = stack.pop_all()

    def _continue(self, run: dict[str, Any]) -> None:
        """Check that the run is that of the ledger, and note what was found in it."""
        if self.run and self.run != run:
            other = [key for key in {**run, **self.run} if run.get(key) != self.run.get(key)]
            what = f"holds results of another run (different {', '.join(other)})"
            first = _with_earlier_version(self.run, other) or _with_earlier_runtime(self.run, other)
            raise self._in_use(what, first)
        foreign = [name for name in RESULT_FILES if (self.folder / name).exists()]
        if self._end == 0 and foreign:  # results without a ledger
            raise self._in_use(f"holds a {foreign[0]} that MIMIR cannot resume")
        self._file.truncate(self._end)  # a killed run may have left the last line incomplete
        if self._end == 0:
            self._write(run)
            sync_folder(self.folder)
        if self._damaged > self._reported:
            self._write({"damaged_lines": self._damaged})
        self.run = run

    def _in_use(self, what: str, first: str = "") -> MimirError:
        return MimirError(
            "OUTPUT_IN_USE",
            f"'{self.folder}' {what}",
            f"{first}Choose another folder, or use --overwrite to start again.",
        )

    def begin(
        self, studies: int, to_do: int, settings: Mapping[str, Any] = MappingProxyType({})
    ) -> None:
        """Note that a run begins, unless it has nothing to do and the last one was the same.

        Args:
            studies: Number of its studies, those that are done included.
            to_do: Number of studies that it has to do.
            settings: What ``run.json`` says of it, beside what all results depend on.

        Raises:
            MimirError: ``OUTPUT_UNWRITABLE``.
        """
        last, settings = self.last_run, json.loads(json.dumps(dict(settings)))
        excluded = tuple(sorted(self._passed_over))
        now = studies, settings, excluded
        is_same = last and not last.left and (last.studies, last.settings, last.excluded) == now
        if to_do or not is_same:
            begun = LastRun(int(time.time()), studies, to_do, settings, excluded)
            self._add(begun.entry, sync=True)

    def pass_over(self, names: Collection[str]) -> None:
        """Leave studies out of everything that is read; `begin` notes which."""
        self._passed_over.update(name for name in names if name in self._offsets)
        super().pass_over(names)

    def add(self, name: str, entry: Mapping[str, Any]) -> None:
        """Record the outcome of a study, and when it came.

        Args:
            name: The study's name.
            entry: Plain values; those under the key ``body`` are parsed only when they are needed.

        Raises:
            MimirError: ``OUTPUT_UNWRITABLE``.
        """
        head = {key: value for key, value in entry.items() if key != BODY}
        body = {BODY: entry[BODY]} if BODY in entry else {}
        self._add({"name": name, **head, "time": int(time.time()), **body}, sync=True)

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
        with self._one_at_a_time, output_errors(self.folder):
            offset = self._file.seek(0, os.SEEK_END)
            self._write(entry, sync)
            self._take(entry, offset)

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


def _with_earlier_version(earlier: Mapping[str, Any], different: Collection[str]) -> str:
    """Return how to go on with a run of another version of MIMIR."""
    version = earlier.get("mimir")
    if "mimir" not in different or not version:
        return ""
    return f"To continue it, use version {version} (pip install mimir-engine=={version}). "


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
