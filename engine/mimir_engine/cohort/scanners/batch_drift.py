"""Compare the batch of a run with the scans that its modules know, and write drift.csv."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from mimir_engine.checks.scan_numbers import SCAN_NUMBERS
from mimir_engine.cohort.scanners.drift import GroupDrift, find_drift
from mimir_engine.cohort.scanners.scan_number_table import ScanNumberTable
from mimir_engine.files.csv_writer import write_csv
from mimir_engine.inference_module.format import InferenceModule
from mimir_engine.inference_module.module_reference import module_reference
from mimir_engine.measuring.flags import BATCH_DRIFTED

DRIFT_FILE = "drift.csv"
COLUMNS = (
    *("reference", "group", "scans", "number", "meaning", "median", "reference_median"),
    *("z", "z_limit", "verdict"),
)
#: What drift can mean.
MEANING = (
    "The scanner, its protocol or its software may have changed, or the people are others; the"
    " numbers do not tell which. Values and intervals may be off: look at images of the batch."
)

#: What was found for each reference, by its name.
Drifts = Mapping[str, Sequence[GroupDrift]]


def compare_batch(modules: Sequence[InferenceModule], table: ScanNumberTable) -> Drifts:
    """Compare a batch with each module that knows what its own scans are like."""
    references = {module.name: module_reference(module) for module in modules}
    return {
        name: find_drift(reference, table)
        for name, reference in references.items()
        if reference is not None
    }


def write_drift(path: Path, drifts: Drifts) -> None:
    """Write one row for each group, and one for each of its numbers.

    Raises:
        MimirError: ``OUTPUT_UNWRITABLE``.
    """
    rows = (
        row for name, groups in drifts.items() for group in groups for row in _rows(name, group)
    )
    write_csv(path, COLUMNS, rows)


def _rows(reference: str, group: GroupDrift) -> Sequence[Sequence[object]]:
    own = (reference, group.group, group.scans)
    whole = ("all", "all numbers together", None, None, None, None, _verdict(group))
    numbers = (
        (
            *(number.name, SCAN_NUMBERS[number.name], number.median, number.reference),
            *(number.z, group.z_limit, "drifted" if number.has_drifted else "as usual"),
        )
        for number in group.numbers
    )
    return [(*own, *cells) for cells in (whole, *numbers)]


def _verdict(group: GroupDrift) -> str:
    if not group.numbers:
        return "too few scans"
    return "drifted" if group.has_drifted else "as usual"


def drift_events(drifts: Drifts) -> list[dict[str, Any]]:
    """Describe what was found: for events, ``run.json`` and the command line.

    Returns:
        For each reference: ``reference``, ``code`` (`BATCH_DRIFTED`) and ``meaning``, both empty
        without drift, and ``groups`` with ``group``, ``scans``, ``verdict`` and ``sentence``.
    """
    drifted = {name for name, groups in drifts.items() if any(g.has_drifted for g in groups)}
    return [
        {
            "reference": name,
            "code": BATCH_DRIFTED if name in drifted else "",
            "meaning": MEANING if name in drifted else "",
            "groups": [
                {
                    "group": group.group,
                    "scans": group.scans,
                    "verdict": _verdict(group),
                    "sentence": group.sentence,
                }
                for group in groups
            ],
        }
        for name, groups in drifts.items()
    ]
