"""Check many studies without measuring them: findings of their headers, stations and volumes.

The folder of a run holds

* ``findings.csv``: one row per finding;
* ``checks.csv``: one row per study: clear, flagged or stopped, and the codes of its findings;
* ``failures.csv``: the studies that could not be read, and the reasons;
* ``ledger.jsonl``: the outcomes, so that a run can be resumed.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import astuple, dataclass, fields
from functools import partial
from pathlib import Path
from typing import Any, Optional

import mimir_engine
from mimir_engine.cohort.ask_readers import ask_readers
from mimir_engine.cohort.events import Listener
from mimir_engine.cohort.ledger import Ledger
from mimir_engine.cohort.pending_studies import pending_studies
from mimir_engine.cohort.reader_calls import FUNCTIONS
from mimir_engine.cohort.sources import NamedSource, source_fields
from mimir_engine.cohort.study_failure import StudyFailure, write_failures
from mimir_engine.cohort.study_loop import StudyDone, StudyWork, run_studies, tell_damage
from mimir_engine.files.csv_writer import write_csv
from mimir_engine.files.file_names import distinct_file_name
from mimir_engine.files.json_file import from_json, to_json
from mimir_engine.readers.reader_limits import DEFAULT_LIMITS, ReaderLimits
from mimir_engine.readers.readers import Readers
from mimir_engine.study.finding import STOP, WARNING, Finding
from mimir_engine.study.read_options import AS_STORED, ReadOptions

#: States of a study in events and tables.
CLEAR, FLAGGED, STOPPED, FAILED = "clear", "flagged", "stopped", "failed"


@dataclass(frozen=True)
class CheckOptions:
    """Options of a run.

    Attributes:
        jobs: Studies read at once, each in a process of its own; each needs about 250 MB.
        reading: How studies are read.
        limits: What reading one study may take.
        pictures: Folder for a picture of each study with findings; None if not asked for.
    """

    jobs: int = 1
    reading: ReadOptions = AS_STORED
    limits: ReaderLimits = DEFAULT_LIMITS
    pictures: Optional[Path] = None


def check_studies(
    sources: Iterable[NamedSource], listener: Listener, options: CheckOptions
) -> tuple[int, int]:
    """Check studies in readers, and tell the listener of each.

    Args:
        sources: Studies, of different names.
        listener: Receives an event ``check`` for each study, in the order of the sources.
        options: How.

    Returns:
        Number of studies, and how many of them would be refused.

    Raises:
        MimirError: ``READER_NOT_STARTED``.
    """
    done = refused = 0
    ask = partial(_check, options=options)
    for event in ask_readers(list(sources), ask, _failed, options.jobs, options.limits):
        done += 1
        refused += event["state"] in (STOPPED, FAILED)
        listener(event)
    return done, refused


def check_cohort(
    sources: Sequence[NamedSource],
    folder: Path,
    listener: Listener,
    options: CheckOptions,
    overwrite: bool = False,
) -> tuple[int, int, int]:
    """Check studies, note each outcome in a folder, and write its tables; a stopped run resumes.

    Args:
        sources: Studies, of different names.
        folder: Made if it does not exist.
        listener: Receives every event; see ``mimir_engine.cohort.events``.
        options: How.
        overwrite: Start again in a folder that holds outcomes.

    Returns:
        Numbers of studies in the folder that were checked, that were stopped, and that could not
        be read.

    Raises:
        MimirError: for the folder; never for a single study.
    """
    run = {"mimir": mimir_engine.__version__, "checks": to_json(options.reading)}
    with (
        Ledger(folder, run, overwrite, _is_entry) as ledger,
        Readers(FUNCTIONS, options.limits) as readers,
    ):
        tell_damage(ledger, listener)
        pending = pending_studies(sources, ledger, options.limits)
        ledger.begin(len(sources), len(pending))
        already_done = len(sources) - len(pending)
        listener({"event": "run", "studies": len(sources), "already_done": already_done})
        work: StudyWork[Mapping[str, Any]] = StudyWork(
            lambda source: _check(readers, source, options), _finished, options.limits
        )
        run_studies(pending, ledger, work, listener, options.jobs)
        failures = list(ledger.failures())
        write_csv(folder / "findings.csv", _FINDING_COLUMNS, _finding_rows(ledger))
        write_csv(folder / "checks.csv", ("name", "state", "findings"), _study_rows(ledger))
        write_failures(folder, failures)
        stopped = sum(entry["state"] == STOPPED for _, entry in ledger.done())
        return len(ledger) - len(failures), stopped, len(failures)


def _check(readers: Readers, source: NamedSource, options: CheckOptions) -> dict[str, Any]:
    """Return the event ``check`` of a study."""
    picture = ""
    if options.pictures is not None:
        picture = str((options.pictures / distinct_file_name(source.name)).absolute()) + ".png"
    arguments = {
        "source": source_fields(source),
        "reading": to_json(options.reading),
        "picture": picture or None,
    }
    reply = readers.call("check_source", arguments).value
    findings = [
        {
            **finding,
            "sentence": source.shown(finding["sentence"]),
        }
        for finding in reply["findings"]
    ]
    found = [from_json(finding, Finding) for finding in findings]
    stop = next((finding for finding in found if finding.severity == STOP), None)
    is_flagged = any(finding.severity == WARNING for finding in found)
    return {
        "event": "check",
        "name": source.name,
        "state": STOPPED if stop else FLAGGED if is_flagged else CLEAR,
        "code": stop.code if stop else "",
        "reason": " ".join(filter(None, (f"{stop.sentence}.", stop.remedy))) if stop else "",
        "findings": findings,
        "picture": picture if reply["is_drawn"] else "",
    }


def _failed(failure: StudyFailure) -> dict[str, Any]:
    """Return the event of a study that could not be read."""
    reason = {"code": failure.code, "reason": failure.reason, "findings": [], "picture": ""}
    return {"event": "check", "name": failure.name, "state": FAILED, **reason}


def _finished(events: Sequence[Mapping[str, Any]]) -> Iterator[StudyDone]:
    """Give the outcome of each study that was checked."""
    for event in events:
        entry = {key: event[key] for key in ("name", "state", "findings", "picture")}
        codes = [finding["code"] for finding in event["findings"]]
        yield StudyDone(entry, codes, {"check": event["state"], "picture": event["picture"]})


#: Columns of ``findings.csv``: the study's name, then the fields of a finding.
_FINDING_COLUMNS = ("name", *(field.name for field in fields(Finding)))


def _finding_rows(ledger: Ledger) -> Iterator[tuple[Any, ...]]:
    for name, entry in ledger.done():
        for finding in entry["findings"]:
            cells = astuple(from_json(finding, Finding))
            yield (name, *("" if cell is None else cell for cell in cells))


def _study_rows(ledger: Ledger) -> Iterator[tuple[str, str, str]]:
    for name, entry in ledger.done():
        codes = dict.fromkeys(finding["code"] for finding in entry["findings"])
        yield name, entry["state"], ";".join(codes)


def _is_entry(entry: Mapping[str, Any]) -> bool:
    """Return True if a line of the ledger holds what the tables need."""
    for finding in entry["findings"]:
        from_json(finding, Finding)
    return isinstance(entry["state"], str)
