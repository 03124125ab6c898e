"""Which studies of a run are done: written as it goes, so that a killed run can go on.

One JSON line a study, appended and flushed to disk. The first line says what the run was; a
folder is never shared by runs that would give other numbers.
"""

from __future__ import annotations

import json
import os
from collections.abc import Mapping, Sequence
from pathlib import Path
from types import TracebackType
from typing import Any, Optional

from mimir_engine.errors import MimirError

#: File in the output folder.
LEDGER_FILE = "ledger.jsonl"


class Ledger:
    """The records of one output folder.

    Attributes:
        records: Name of each study to its last record.
    """

    def __init__(self, folder: Path, run: Mapping[str, Any], overwrite: bool = False) -> None:
        """Open the ledger of an output folder, or start it.

        Args:
            folder: The output folder; made where it is not there.
            run: What the results hang on; must equal that of an earlier run in this folder.
            overwrite: Start anew, whatever is there.

        Raises:
            MimirError: ``OUTPUT_IN_USE`` where the folder holds another run's results,
                ``OUTPUT_UNWRITABLE``.
        """
        path = folder / LEDGER_FILE
        try:
            folder.mkdir(parents=True, exist_ok=True)
            lines = [] if overwrite else _whole_lines(path)
            self.records = _records(lines, run, folder) if lines else {}
            self._file = path.open("a", encoding="ascii", newline="\n")
            self._file.truncate(sum(map(len, lines)))
            if not lines:
                self._write(dict(run))
        except OSError as error:
            raise _unwritable(folder, error) from error
        self._folder = folder

    def add(self, name: str, record: Mapping[str, Any]) -> None:
        """Note what became of a study.

        Raises:
            MimirError: ``OUTPUT_UNWRITABLE``.
        """
        self.records[name] = dict(record)
        try:
            self._write({"name": name, **record})
        except OSError as error:
            raise _unwritable(self._folder, error) from error

    def _write(self, record: Mapping[str, Any]) -> None:
        self._file.write(json.dumps(record) + "\n")
        self._file.flush()
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


def _whole_lines(path: Path) -> list[str]:
    """The ledger's lines but for the torn last one of a killed run; none if there is no ledger."""
    if not path.exists():
        return []
    with path.open(encoding="ascii", errors="replace", newline="") as file:
        return [line for line in file if line.endswith("\n")]


def _records(
    lines: Sequence[str], run: Mapping[str, Any], folder: Path
) -> dict[str, dict[str, Any]]:
    try:
        header, *records = (json.loads(line) for line in lines)
        if header == json.loads(json.dumps(run)):
            return {record.pop("name"): record for record in records}
    except (ValueError, AttributeError, KeyError):
        pass
    raise MimirError(
        "OUTPUT_IN_USE",
        f"'{folder}' holds results of another run (other modules, level or version)",
        "Choose another folder, or --overwrite to start anew.",
    )


def _unwritable(folder: Path, error: OSError) -> MimirError:
    return MimirError(
        "OUTPUT_UNWRITABLE",
        f"results cannot be written to '{folder}' ({error.strerror})",
        "Choose another folder or make room; a run that stopped can be started again.",
    )
