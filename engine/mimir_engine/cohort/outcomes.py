"""Read the ledger of an output folder: which studies are done, failed or begun.

The ledger has one JSON line per event, each with a checksum. The first describes the run. Each
other line says that a run begins, how much it has to do and whom it excludes, that the reading of a
study has begun, or what came of it and when; if a study has several outcomes, the last one is
valid. A damaged line is passed over. Lines of earlier versions have no checksum; they are read only
if the first line has none either.

What was measured in a study is the *body* of its line. It is parsed, and its form checked, when it
is asked for: 50,000 studies with 70 measurements each are 3 GB.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, BinaryIO, Callable, Optional

from mimir_engine.cohort.fingerprint import Fingerprint
from mimir_engine.cohort.ledger_lines import (
    BODY,
    MAX_LINE,
    Line,
    decode,
    decode_head,
    encode,
    has_checksum,
    read_lines,
)
from mimir_engine.cohort.study_failure import StudyFailure
from mimir_engine.errors import MimirError
from mimir_engine.files.atomic import output_errors
from mimir_engine.files.regular_file import open_regular

#: File in the output folder.
LEDGER_FILE = "ledger.jsonl"

#: Bytes read at once: if a ledger is read from end to end, and if single lines are.
MANY_LINES, ONE_LINE = 1 << 20, 1 << 16

#: Checks the entry of a study that was done: if it returns a false value or raises a LookupError,
#: TypeError or ValueError, the line counts as damaged, or if it has a body, cannot be read.
EntryCheck = Callable[[Mapping[str, Any]], object]


@dataclass(frozen=True)
class Begun:
    """How often a study was begun since its last outcome, if it has any.

    Attributes:
        times: All attempts.
        alone: Attempts at which no other study was read.
    """

    times: int = 0
    alone: int = 0


@dataclass(frozen=True)
class LastRun:
    """The last run of a folder that had something to do.

    Attributes:
        began: When, in seconds since 1970.
        studies: Number of its studies, those that were done before included.
        to_do: Number of studies that it had to do.
        settings: What ``run.json`` says of it, beside what all results depend on.
        excluded: Studies of earlier runs that it left out.
        times: When each of its studies ended, in seconds since 1970, in the order of the ledger.
    """

    began: int
    studies: int
    to_do: int
    settings: Mapping[str, Any]
    excluded: tuple[str, ...] = ()
    times: tuple[int, ...] = ()

    @property
    def left(self) -> int:
        """Number of studies that are still to be done."""
        return max(self.to_do - len(self.times), 0)

    @property
    def entry(self) -> dict[str, Any]:
        """What a ledger notes when this run begins."""
        keys = ("began", "studies", "to_do", "settings")
        excluded = {"excluded": list(self.excluded)} if self.excluded else {}
        return {"run": {**{key: getattr(self, key) for key in keys}, **excluded}}

    def line(self) -> bytes:
        """Return the line of a ledger that says that this run begins."""
        return encode(self.entry)


class Outcomes:
    """What came of the studies of an output folder; memory holds only names and offsets.

    Another process may go on writing meanwhile: what it adds later is not seen.

    Attributes:
        folder: The output folder.
        run: What the results depend on; empty if there is no ledger.
        damaged_lines: Damaged lines that no earlier run of this folder has found.
    """

    def __init__(self, folder: Path, is_valid: EntryCheck = lambda entry: True) -> None:
        """Read the ledger of an output folder as it is now; a folder without one has no outcomes.

        Args:
            folder: The output folder.
            is_valid: Checks the entries of studies that were done.

        Raises:
            MimirError: ``LEDGER_DAMAGED`` if the first line is damaged, ``OUTPUT_UNWRITABLE``.
        """
        self.folder, self.run = folder, dict[str, Any]()
        self._path, self._is_valid = folder / LEDGER_FILE, is_valid
        self._needs_checksum = True
        self._offsets: dict[str, int] = {}
        self._codes: dict[str, str] = {}
        self._begun: dict[str, Begun] = {}
        self._last_run: dict[str, Any] = {}
        self._times: list[int] = []
        self._end = self._damaged = self._reported = self.damaged_lines = 0
        with output_errors(self._path):
            try:
                file = open_regular(self._path, MANY_LINES)
            except FileNotFoundError:
                return
            with file:
                for line in read_lines(file):
                    self._take_line(line)
        self.damaged_lines += max(self._damaged - self._reported, 0)

    def _take_line(self, line: Line) -> None:
        if line.offset == 0:
            self._take_run(line)
        elif line.is_complete:
            entry = self._valid_entry(line.content)
            self._damaged += entry is None
            if entry:
                self._take(entry, line.offset)
        elif not line.content.startswith(b"{"):  # not what a killed run leaves
            self.damaged_lines += 1
        self._end = line.end if line.is_complete else self._end

    def _take_run(self, line: Line) -> None:
        """Read the first line; one of earlier versions has no checksum."""
        if not line.is_complete and line.content.startswith(b"{"):
            return  # killed at its first line
        self._needs_checksum = has_checksum(line.content)
        run = decode(line.content, needs_checksum=False)
        if run is None or "name" in run:
            raise self._damage("the first line, which describes the run, is damaged")
        self.run = run

    def _valid_entry(self, content: bytes) -> Optional[dict[str, Any]]:
        """Return the entry of a line after the first; None if the line is damaged."""
        entry = decode_head(content, self._needs_checksum)
        return entry if entry and self._has_form(entry) else None

    def _has_form(self, entry: Mapping[str, Any]) -> bool:
        try:
            return bool(self._check(entry))
        except (LookupError, TypeError, ValueError):
            return False

    def _check(self, entry: Mapping[str, Any]) -> object:
        if "run" in entry:
            run = entry["run"]
            are_counts = _are_counts(run["began"], run["studies"], run["to_do"])
            excluded = run.get("excluded", [])
            are_names = isinstance(excluded, list) and all(isinstance(n, str) for n in excluded)
            has_others = len(run) > 4 + ("excluded" in run)
            return are_counts and are_names and isinstance(run["settings"], dict) and not has_others
        if "name" not in entry:
            return _are_counts(entry["damaged_lines"])
        if not isinstance(entry["name"], str) or not _are_counts(entry.get("time", 0)):
            return False
        if "begun" in entry:
            return entry["begun"] in ("alone", "with others")
        if "files" in entry:
            Fingerprint.from_json(entry["files"])
        if "code" in entry:
            return isinstance(entry["code"], str) and isinstance(entry["reason"], str)
        return entry[BODY] == {} if BODY in entry else self._is_valid(entry)

    def _take(self, entry: Mapping[str, Any], offset: int) -> None:
        name = entry.get("name", "")
        if "run" in entry:
            self._last_run, self._times = entry["run"], []
        elif "name" not in entry:
            self._reported = entry["damaged_lines"]
        elif "begun" in entry:
            before = self._begun.get(name, Begun())
            alone = before.alone + (entry["begun"] == "alone")
            self._begun[name] = Begun(before.times + 1, alone)
        else:
            self._begun.pop(name, None)
            self._offsets[name] = offset
            self._times.append(entry.get("time", 0))
            self._codes.pop(name, None)
            if "code" in entry:
                self._codes[name] = entry["code"]

    @property
    def last_run(self) -> Optional[LastRun]:
        """The last run that had something to do; None if none has begun since version 0.8."""
        if not self._last_run:
            return None
        excluded = tuple(self._last_run.get("excluded", ()))
        return LastRun(**{**self._last_run, "excluded": excluded}, times=tuple(self._times))

    @property
    def excluded(self) -> tuple[str, ...]:
        """Studies whose lines are still in the ledger though the last run excluded them."""
        return self.last_run.excluded if self.last_run else ()

    def codes(self) -> Counter[str]:
        """Count the studies that failed, by code."""
        return Counter(self._codes[name] for name in self._codes if name in self._offsets)

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
        with output_errors(self._path), open(self._path, "rb", ONE_LINE) as file:
            return self._entry_at(file, name)

    def heads(self, names: Collection[str]) -> Iterator[tuple[str, dict[str, Any]]]:
        """Yield name and last entry without its body of each of these studies that has one.

        Raises:
            MimirError: ``LEDGER_DAMAGED`` if the file was changed meanwhile.
        """
        with output_errors(self._path), open(self._path, "rb", ONE_LINE) as file:
            for name in names:
                if name in self._offsets:
                    entry = decode_head(self._line_at(file, name), self._needs_checksum)
                    yield name, self._own(name, entry)

    def lines(self) -> Iterator[bytes]:
        """Yield the line of each study's last entry, sorted by name; its checksum is right.

        Raises:
            MimirError: ``LEDGER_DAMAGED`` if the file was changed meanwhile.
        """
        with output_errors(self._path), open(self._path, "rb", ONE_LINE) as file:
            for name in self.names():
                line = self._line_at(file, name)
                self._own(name, decode_head(line, self._needs_checksum))
                yield line

    def entries(self) -> Iterator[tuple[str, dict[str, Any]]]:
        """Yield name and last entry of each study, sorted by name, read from disk one by one.

        Raises:
            MimirError: ``LEDGER_DAMAGED`` if the file was changed meanwhile, or a body does not
                have the form that it should have.
        """
        with output_errors(self._path), open(self._path, "rb", ONE_LINE) as file:
            for name in self.names():
                yield name, self._entry_at(file, name)

    def _entry_at(self, file: BinaryIO, name: str) -> dict[str, Any]:
        """Return an entry with what its body holds, as it was given to the ledger."""
        entry = self._own(name, decode(self._line_at(file, name), self._needs_checksum))
        entry.pop("time", None)
        if BODY not in entry:  # its form is known
            return entry
        entry = {**entry.pop(BODY), **entry}
        if not self._has_form(entry):
            raise self._damage(f"the line of the study '{name}' is not of a run of this version")
        return entry

    def _line_at(self, file: BinaryIO, name: str) -> bytes:
        file.seek(self._offsets[name])
        return file.readline(MAX_LINE)

    def _own(self, name: str, entry: Optional[dict[str, Any]]) -> dict[str, Any]:
        if entry is None or entry.get("name") != name:
            raise self._damage("the file was changed during the run")
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

    def _damage(self, what: str) -> MimirError:
        return MimirError(
            "LEDGER_DAMAGED",
            f"'{self._path}': {what}",
            "Restore the file from a copy, choose another folder, or use --overwrite to start"
            " again.",
        )


def _are_counts(*values: object) -> bool:
    return all(type(value) is int and value >= 0 for value in values)


def read_outcomes(folder: Path, is_valid: EntryCheck = lambda entry: True) -> Outcomes:
    """Read what came of the studies of an output folder, but for those that its last run excluded.

    Raises:
        MimirError: As `Outcomes`; ``RESULTS_MISSING`` if the folder has no ledger.
    """
    outcomes = Outcomes(folder, is_valid)
    if not outcomes.run:
        raise MimirError(
            "RESULTS_MISSING",
            f"'{folder}' holds no results of MIMIR",
            "Give the output folder of a run.",
        )
    outcomes.pass_over(outcomes.excluded)
    return outcomes
