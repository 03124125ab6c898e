"""Turn an error in one study into a code and a reason, without stopping the other studies."""

from __future__ import annotations

import logging
import traceback
from collections.abc import Iterable
from dataclasses import astuple, dataclass
from pathlib import Path

import mimir_engine
from mimir_engine.errors import MimirError
from mimir_engine.files.csv_writer import write_csv

_log = logging.getLogger(__name__)


@dataclass(frozen=True)
class StudyFailure:
    """A study without results: its name, a stable code, and a reason of one line."""

    name: str
    code: str
    reason: str


def failure_of(name: str, error: Exception) -> StudyFailure:
    """Describe an error in one study; an unforeseen one is a fault of MIMIR."""
    if isinstance(error, MimirError):
        return StudyFailure(name, error.code, error.reason)
    if isinstance(error, MemoryError):
        return StudyFailure(name, "OUT_OF_MEMORY", "there is not enough memory for this study.")
    _log.debug("study %s", name, exc_info=error)
    return StudyFailure(name, "INTERNAL_ERROR", f"MIMIR failed {fault(error)}. Please report it.")


def write_failures(folder: Path, failures: Iterable[StudyFailure]) -> None:
    """Write ``failures.csv``.

    Raises:
        MimirError: ``OUTPUT_UNWRITABLE``.
    """
    write_csv(folder / "failures.csv", ("name", "code", "reason"), map(astuple, failures))


def fault(error: BaseException) -> str:
    """Name the place in the engine where an unforeseen error arose.

    The error's own text is left out, which may quote a patient's data.
    """
    home = Path(mimir_engine.__path__[0])
    frames = traceback.extract_tb(error.__traceback__)
    ours = [frame for frame in frames if home in Path(frame.filename).parents]
    kind = type(error).__name__
    return f"({kind} at {Path(ours[-1].filename).name}:{ours[-1].lineno})" if ours else f"({kind})"
