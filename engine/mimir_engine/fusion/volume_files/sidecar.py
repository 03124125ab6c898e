"""Describe the study behind volume files: ``<name>.json`` beside them.

It says what a NIfTI file cannot: the scanner, the findings of the checks, and that the ends of the
scan were cut. It names no person, and a month and UIDs only if they were asked for.
"""

from __future__ import annotations

import json
import re
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Optional

from mimir_engine.errors import printable
from mimir_engine.files.json_file import parse_json, to_json, write_json
from mimir_engine.files.regular_file import open_regular
from mimir_engine.fusion.fused_folder import MAX_STATIONS
from mimir_engine.headers.scanner import Scanner
from mimir_engine.headers.series import MAX_TESLA
from mimir_engine.study.finding import Finding
from mimir_engine.study.identifiers import Identifiers

#: Size of a sidecar in bytes; with a hundred findings it has some 20,000.
MAX_SIDECAR_BYTES = 1 << 20
#: The key by which a sidecar of ours is told from other programs' JSON files of the same name.
OWN_KEY = "mimir_version"
#: Ends of the names of volume files: the format, and before it the contrast or nnU-Net's channel.
_FORMAT = re.compile(r"\.(nii|nii\.gz|nrrd)$", re.IGNORECASE)
_CONTRAST = re.compile(r"[_.](water|fat|in_phase|opposed_phase|fat_fraction|labels|\d{4})$")


@dataclass(frozen=True)
class Sidecar:
    """What is known about the study behind volume files.

    Attributes:
        name: The study's name.
        mimir_version: Version that wrote the volumes.
        scanner: The scanner.
        stations: Number of stations that were fused, up to ``MAX_STATIONS``; 0 if it is not known.
        ends_cut: Whether ``END_SLICES`` slices were dropped at both ends, as MIMIR's networks
            demand. With the finding ``ENDS_UNKNOWN`` nobody knows; nothing is dropped then.
        contrasts: Names of the volumes, such as ``water``.
        spacing_mm: Voxel spacing along column, row and slice index; None if it differs among them.
        extent_mm: Head-foot extent of all volumes together, voxel edges included; None if it is not
            known. Volumes of another extent were changed since.
        findings: What was noticed when the scan was read and checked.
        month: Month of the scan, ``YYYY-MM``; empty unless it was asked for.
        identifiers: UIDs of the scan; None unless they were asked for.
    """

    name: str
    mimir_version: str
    scanner: Scanner = field(default_factory=Scanner)
    stations: int = 0
    ends_cut: bool = True
    contrasts: tuple[str, ...] = ()
    spacing_mm: Optional[tuple[float, float, float]] = None
    extent_mm: Optional[float] = None
    findings: tuple[Finding, ...] = ()
    month: str = ""
    identifiers: Optional[Identifiers] = None

    def __post_init__(self) -> None:
        scanner, strength = self.scanner, self.scanner.field_strength_t
        if self.stations < 0:
            raise ValueError("'stations' must be at least 0")
        if strength is not None and not 0 <= strength <= MAX_TESLA:
            raise ValueError(f"'field_strength_t' must be from 0 to {MAX_TESLA:g}")
        vendor, model, device = map(printable, (scanner.vendor, scanner.model, scanner.device))
        object.__setattr__(self, "scanner", Scanner(vendor, model, strength, device))
        object.__setattr__(self, "stations", min(self.stations, MAX_STATIONS))
        object.__setattr__(self, "contrasts", tuple(printable(name) for name in self.contrasts))
        for key in ("name", "mimir_version", "month"):
            object.__setattr__(self, key, printable(getattr(self, key)))

    def to_json(self) -> dict[str, Any]:
        """Return the content of the file."""
        content: dict[str, Any] = to_json(self)
        return content


def write_sidecar(path: Path, sidecar: Sidecar) -> None:
    """Write a sidecar atomically.

    Raises:
        MimirError: ``OUTPUT_UNWRITABLE``.
    """
    write_json(path, sidecar)


def read_sidecar(path: Path) -> Optional[Sidecar]:
    """Read a sidecar of MIMIR.

    Other programs write JSON files of the same name, too.

    Args:
        path: The JSON file.

    Returns:
        None if there is no file, or it is not one of MIMIR's.

    Raises:
        MimirError: ``SIDECAR_INVALID`` if MIMIR wrote it and it was changed.
    """
    try:
        with open_regular(path) as file:
            content = file.read(MAX_SIDECAR_BYTES + 1)
    except OSError:
        return None
    if len(content) > MAX_SIDECAR_BYTES or not _is_own(content):
        return None
    return parse_json(content, path.name, Sidecar, "SIDECAR_INVALID")


def sidecar_of(volume: Path) -> Optional[Sidecar]:
    """Read the sidecar beside a volume file.

    Raises:
        MimirError: ``SIDECAR_INVALID``.
    """
    found = map(read_sidecar, sidecar_paths(volume))
    return next((sidecar for sidecar in found if sidecar is not None), None)


def sidecar_paths(volume: Path) -> list[Path]:
    """Return the places where the sidecar of a volume file may lie, also if there is none.

    Args:
        volume: Such as ``scan_water.nii.gz``, whose sidecar is ``scan.json`` or
            ``scan_water.json``.
    """
    stem = _FORMAT.sub("", volume.name)
    names = dict.fromkeys((stem, _CONTRAST.sub("", stem)))
    return [volume.with_name(f"{name}.json") for name in names]


def _is_own(content: bytes) -> bool:
    try:
        values = json.loads(content.decode("utf-8"))
    except (ValueError, RecursionError):
        return False
    return isinstance(values, dict) and OWN_KEY in values
