"""Keep a run's results on disk until they are shown, also if Slicer crashes.

A run's folder has the engine's ledger and results, one folder of details per study, and a record:
the options, and each study's UID with its conditions. It has no patient's name and no path, only
its owner can read it, and it is removed when the run ends. Fused volumes are removed as soon as
they are shown.
"""

from __future__ import annotations

import csv
import json
import shutil
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import dataclass, fields
from hashlib import sha256
from pathlib import Path
from typing import Any, Optional

from MIMIRLib.analysis.request import AnalysisRequest, StudyRequest
from MIMIRLib.analysis.study_outcome import StudyOutcome
from MIMIRLib.engine.import_engine import import_engine

RECORD_FILE, RESULTS, DETAILS = "record.json", "results", "details"
#: The engine's table of studies that failed.
FAILURES_FILE = "failures.csv"
#: Form of the record; others are not read.
RECORD_FORMAT = 1
#: Size of a record in bytes; a study has some 150.
MAX_RECORD_BYTES = 64 << 20


@dataclass(frozen=True)
class RunFolder:
    """The folder of one run.

    Attributes:
        path: The folder.
        request: Inference modules and options, without studies.
        conditions: The studies' conditions by key; empty for those that had no files. Studies that
            were made of nodes of the scene are left out.
    """

    path: Path
    request: AnalysisRequest
    conditions: Mapping[str, str]

    @property
    def results(self) -> Path:
        """The engine's output folder."""
        return self.path / RESULTS

    @property
    def details(self) -> Path:
        """Where the engine writes one folder per study."""
        return self.path / DETAILS

    @property
    def done(self) -> int:
        """Number of studies that were measured."""
        from mimir_engine.cohort.study_folder import MEASUREMENTS_FILE

        return sum(1 for _file in self.details.glob(f"*/{MEASUREMENTS_FILE}"))

    def study(self, name: str) -> Path:
        """Return the folder of a study's details."""
        from mimir_engine.cohort.study_folder import StudyFolders

        return StudyFolders(self.details).path(name)

    def has(self, name: str) -> bool:
        """Return whether a study was measured."""
        from mimir_engine.cohort.study_folder import MEASUREMENTS_FILE

        return (self.study(name) / MEASUREMENTS_FILE).is_file()

    def has_volumes(self, name: str) -> bool:
        """Return whether a study's fused volumes are there."""
        return all(path.is_file() for path in self._volumes(name))

    def drop_volumes(self, name: str) -> None:
        """Remove a study's fused volumes, once they are shown."""
        for path in self._volumes(name):
            with suppress(OSError):
                path.unlink()

    def drop(self, name: str) -> None:
        """Remove all that is known of a study, so that the engine measures it."""
        shutil.rmtree(self.study(name), ignore_errors=True)

    def failures(self, studies: Mapping[str, StudyRequest]) -> Iterator[StudyOutcome]:
        """Yield those of some studies that have failed, after the engine's end.

        Args:
            studies: The studies by name.
        """
        from mimir_engine.files.csv_writer import unescape_cell

        if studies:
            with open(self.results / FAILURES_FILE, encoding="utf-8", newline="") as file:
                for row in csv.DictReader(file):
                    study = studies.get(unescape_cell(row["name"]))
                    if study is not None:
                        reason = unescape_cell(row["reason"])
                        yield StudyOutcome(study.key, code=row["code"], reason=reason)

    @contextmanager
    def held(self) -> Iterator[frozenset[str]]:
        """Keep other processes from the folder; it is removed at the end, unless Slicer crashes.

        Yields:
            The studies whose details an interrupted run may have left, under the same conditions.

        Raises:
            MimirError: ``OUTPUT_IN_USE``, ``OUTPUT_UNWRITABLE``.
        """
        from mimir_engine.files.folder_lock import folder_lock

        self.path.mkdir(mode=0o700, parents=True, exist_ok=True)
        try:
            with folder_lock(self.path):
                earlier = None if self.request.repeat else _read(self.path)
                if earlier is None:
                    self._empty()
                self._write()
                try:
                    yield frozenset(
                        key
                        for key, conditions in self.conditions.items()
                        if earlier and conditions and earlier.conditions.get(key) == conditions
                    )
                finally:
                    self._empty()
        finally:
            with suppress(OSError):
                self.path.rmdir()

    def _volumes(self, name: str) -> list[Path]:
        from mimir_engine.cohort.study_folder import VOLUME_FILES

        return [self.study(name) / file for file in VOLUME_FILES]

    def _empty(self) -> None:
        (self.path / RECORD_FILE).unlink(missing_ok=True)  # first: the run has ended
        for folder in (self.results, self.details):
            shutil.rmtree(folder, ignore_errors=True)

    def _write(self) -> None:
        from mimir_engine.files.json_file import write_json

        options = {
            field.name: getattr(self.request, field.name)
            for field in fields(self.request)
            if field.name != "studies"
        }
        record = {"format": RECORD_FORMAT, "options": options, "studies": dict(self.conditions)}
        write_json(self.path / RECORD_FILE, record)


def run_folder(
    runs: Path, request: AnalysisRequest, settings: str, conditions: Mapping[str, str]
) -> RunFolder:
    """Return the folder of a run: the same for the same studies, settings and kind of images.

    Args:
        runs: Folder of all runs.
        request: Inference modules and options.
        settings: See ``settings_of``.
        conditions: Those of each study by key.
    """
    identity = json.dumps([settings, sorted(conditions), request.volumes]).encode("ascii")
    return RunFolder(runs / sha256(identity).hexdigest()[:16], request, conditions)


def interrupted_run(runs: Path) -> Optional[RunFolder]:
    """Return the latest run that was interrupted after its first study; remove the others' folders.

    A run that goes on in this or another process is left alone.
    """
    engine = import_engine()
    from mimir_engine.files.folder_lock import folder_lock

    found: Optional[RunFolder] = None
    folders = [path for path in runs.glob("*") if path.is_dir()] if runs.is_dir() else []
    for path in sorted(folders, key=_time_of, reverse=True):
        with suppress(OSError, engine.MimirError):
            with folder_lock(path):
                run = None if found else _read(path)
            if run is not None and run.conditions and run.done:
                found = run
            else:
                shutil.rmtree(path, ignore_errors=True)
    return found


def discard_run(run: RunFolder) -> None:
    """Remove the folder of an interrupted run."""
    shutil.rmtree(run.path, ignore_errors=True)


def _time_of(path: Path) -> float:
    try:
        return (path / RECORD_FILE).stat().st_mtime
    except OSError:
        return 0.0


def _read(path: Path) -> Optional[RunFolder]:
    """Read the folder of a run; None if its record is missing, damaged or of another version."""
    try:
        with open(path / RECORD_FILE, "rb") as file:
            record: Any = json.loads(file.read(MAX_RECORD_BYTES))
        options = {**record["options"], "modules": tuple(record["options"]["modules"])}
        conditions = {str(key): str(text) for key, text in record["studies"].items()}
        is_known = record["format"] == RECORD_FORMAT
        request = AnalysisRequest((), **options)
    except (OSError, ValueError, TypeError, LookupError, AttributeError, RecursionError):
        return None
    return RunFolder(path, request, conditions) if is_known else None
