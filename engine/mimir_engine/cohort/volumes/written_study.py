"""What was written of one study: plain values that the ledger keeps."""

from __future__ import annotations

import os
from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass, field, fields
from pathlib import Path
from typing import Any

from mimir_engine.cohort.outcomes import Outcomes
from mimir_engine.errors import MimirError
from mimir_engine.files.json_file import from_json
from mimir_engine.study.finding import Finding

#: Largest number of a label: nnU-Net learns a class for each number up to the largest.
MAX_LABEL = 255


@dataclass(frozen=True)
class WrittenStudy:
    """The volumes of one study on disk.

    Attributes:
        eid: UK Biobank's participant number, else empty.
        instance: UK Biobank's visit number, else empty.
        volumes: Names of the volumes that were written.
        left_out: Names of those that were asked for and are not there; the findings say why.
        shapes: Slices, rows and columns: of the stitched volumes, or of each station.
        spacings_mm: Spacing along column, row and slice, of each.
        extent_mm: From the lowest to the uppermost edge.
        ends_cut: The outermost slices are left out, as stitching does.
        findings: What was noticed.
        sizes: Bytes of each file by its path in the output folder, ``/`` between folders.
        label_names: Name of each number of the label map, as text; empty without labels.
    """

    eid: str
    instance: str
    volumes: tuple[str, ...]
    left_out: tuple[str, ...]
    shapes: tuple[tuple[int, int, int], ...]
    spacings_mm: tuple[tuple[float, float, float], ...]
    extent_mm: float
    ends_cut: bool
    findings: tuple[Finding, ...]
    sizes: Mapping[str, int]
    label_names: Mapping[str, str] = field(default_factory=dict)

    def __post_init__(self) -> None:
        for number in self.label_names:
            if not number.isdecimal() or not 1 <= int(number[:9]) <= MAX_LABEL:
                raise ValueError(f"a label map has numbers from 1 to {MAX_LABEL}")

    @classmethod
    def from_entry(cls, entry: Mapping[str, Any]) -> WrittenStudy:
        """Return the volumes of a study by its entry in the ledger.

        Raises:
            KeyError, ValueError: This is not the entry of such a study.
        """
        return from_json({key.name: entry[key.name] for key in fields(cls)}, cls)

    def is_in(self, output: Path) -> bool:
        """Return whether all files are in an output folder, in their sizes."""
        return all(_size(output / path) == size for path, size in self.sizes.items())

    @property
    def codes(self) -> list[str]:
        """Codes of the findings, each once."""
        return list(dict.fromkeys(finding.code for finding in self.findings))


def written_studies(
    outcomes: Outcomes, without: Collection[str] = ()
) -> Iterator[tuple[str, WrittenStudy]]:
    """Yield name and volumes of each study of an output folder that has some, sorted by name.

    Args:
        outcomes: The outcomes of the folder.
        without: Studies to leave out.

    Raises:
        MimirError: ``LEDGER_DAMAGED``.
    """
    for name, entry in outcomes.done():
        if name not in without:
            try:
                yield name, WrittenStudy.from_entry(entry)
            except (LookupError, ValueError) as error:
                raise MimirError(
                    "LEDGER_DAMAGED",
                    f"the ledger does not say which volumes '{name}' has ({error})",
                    "Restore the folder from a copy.",
                ) from error


def _size(path: Path) -> int:
    try:
        return os.stat(path).st_size
    except OSError:
        return -1
