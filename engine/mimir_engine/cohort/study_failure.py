"""A study without results, and the table of such studies."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import astuple, dataclass
from pathlib import Path
from typing import Callable

from mimir_engine.errors import error_of
from mimir_engine.files.csv_writer import write_csv


@dataclass(frozen=True)
class StudyFailure:
    """A study without results: its name, a stable code, and a reason of one line."""

    name: str
    code: str
    reason: str


def failure_of(
    name: str, error: Exception, shown: Callable[[str], str] = lambda text: text
) -> StudyFailure:
    """Describe an error in one study; an unforeseen one is a fault of MIMIR.

    Args:
        name: The study's name.
        error: The error.
        shown: Takes what must not be shown out of the reason.
    """
    known = error_of(error)
    return StudyFailure(name, known.code, shown(known.reason))


def write_failures(folder: Path, failures: Iterable[StudyFailure]) -> None:
    """Write ``failures.csv``.

    Raises:
        MimirError: ``OUTPUT_UNWRITABLE``.
    """
    write_csv(folder / "failures.csv", ("name", "code", "reason"), map(astuple, failures))
