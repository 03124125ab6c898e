"""What is being removed from an output folder: kept there until all of it is done.

A command that was interrupted has removed some traces of a person, and perhaps those that its names
were found by. The plan lets the same command find them once more.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from mimir_engine.cohort.excluded_table import FORGOTTEN, INVALID, read_counts
from mimir_engine.cohort.output_files import PLAN_FILE
from mimir_engine.files.atomic import output_errors
from mimir_engine.files.json_file import read_json, write_json

#: Bytes of a plan: 100,000 names of studies are 3 MB.
MAX_BYTES = 64 << 20


@dataclass(frozen=True)
class Plan:
    """Studies that are being removed.

    Attributes:
        names: Their names.
        before: Number of studies that were removed from the folder before.
    """

    names: tuple[str, ...]
    before: int = 0

    @property
    def forgotten(self) -> int:
        """Number of studies that are removed from the folder when this is done."""
        return self.before + len(self.names)


def read_plan(folder: Path) -> Plan:
    """Read the plan of a command that was interrupted; without one, nothing is planned.

    Raises:
        MimirError: ``RESULT_TABLE_INVALID``.
    """
    if (folder / PLAN_FILE).exists():
        return read_json(folder / PLAN_FILE, Plan, INVALID, MAX_BYTES)
    return Plan((), read_counts(folder).get(FORGOTTEN, 0))


def write_plan(folder: Path, plan: Plan) -> None:
    """Write the plan, before anything is removed.

    Raises:
        MimirError: ``OUTPUT_UNWRITABLE``.
    """
    write_json(folder / PLAN_FILE, plan)


def remove_plan(folder: Path) -> None:
    """Remove the plan, when all is done.

    Raises:
        MimirError: ``OUTPUT_UNWRITABLE``.
    """
    with output_errors(folder / PLAN_FILE):
        (folder / PLAN_FILE).unlink(missing_ok=True)
