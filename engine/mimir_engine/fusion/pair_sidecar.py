"""What MIMIR's sidecars tell of stitched volumes: their study, their scanner, and their ends."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path
from typing import Optional

from mimir_engine.errors import MimirError
from mimir_engine.fusion.grid import END_SLICES, OUTPUT_SPACING_MM
from mimir_engine.fusion.volume_files.sidecar import Sidecar, sidecar_of
from mimir_engine.headers.contrast import Contrast
from mimir_engine.headers.scanner import Scanner
from mimir_engine.source.source_name import uk_biobank_ids
from mimir_engine.study.finding import Finding
from mimir_engine.study.volume import Volume

#: Difference of a volume's extent from that in its sidecar, in slices: resampling rounds it.
EXTENT_TOLERANCE = 1.5


def common_sidecar(files: Iterable[tuple[Contrast, Path]]) -> Optional[Sidecar]:
    """Read the sidecar beside the water; refuse files that are known to be of different studies.

    They may be told apart by their sidecars, or by UK Biobank's names of participant and visit.

    Args:
        files: The volumes of a study, each with its contrast.

    Raises:
        MimirError: ``PAIR_STUDIES``, ``SIDECAR_INVALID``.
    """
    paths = dict(files)
    sidecars = {contrast: sidecar_of(path) for contrast, path in paths.items()}
    described = {contrast: sidecar.name for contrast, sidecar in sidecars.items() if sidecar}
    _check_same_study(described, "the JSON files beside them")
    visits = {contrast: _visit_of(path) for contrast, path in paths.items()}
    named = {contrast: visit for contrast, visit in visits.items() if any(visit)}
    _check_same_study(named, "their names")
    return sidecars[Contrast.WATER]


def _visit_of(volume: Path) -> tuple[str, str]:
    """Return participant and visit of a file such as ``6000000_20201_2_0_fat.nii.gz``."""
    return uk_biobank_ids("_".join(re.split(r"[ _.-]", volume.name)[:4]))


def _check_same_study(studies: Mapping[Contrast, object], told_by: str) -> None:
    """Refuse contrasts of different studies. The sentence names no study: names may be ids."""
    for contrast, study in studies.items():
        first = next(iter(studies))
        if study != studies[first]:
            raise MimirError(
                "PAIR_STUDIES",
                f"the {first.value} and the {contrast.value} volume are of different studies, as"
                f" {told_by} say",
                "Give volumes of one scan; look for a shifted column in the table.",
            )


def has_whole_ends(sidecar: Optional[Sidecar], volume: Volume) -> bool:
    """Return whether the slices that MIMIR cuts off at the ends are known to be in a volume."""
    return sidecar is not None and not sidecar.ends_cut and _has_extent_of(sidecar, volume)


def _has_extent_of(sidecar: Sidecar, volume: Volume) -> bool:
    """Return whether a volume is as long as its sidecar says, but for the voxel of a resampling."""
    if sidecar.extent_mm is None:
        return True
    tolerance_mm = EXTENT_TOLERANCE * max(volume.spacing_mm[2], OUTPUT_SPACING_MM[2])
    return abs(volume.extent_mm - sidecar.extent_mm) <= tolerance_mm


def find_unknown(sidecar: Optional[Sidecar], volume: Volume) -> Iterator[Finding]:
    """Find what nothing tells about stitched volumes."""
    remedy = "Measure the scan itself, or volumes of `mimir fuse` with the JSON file beside them."
    scanner = sidecar.scanner if sidecar else Scanner()
    if not scanner.vendor or not scanner.field_strength_t:
        what = "nothing tells which scanner made the volumes, or its field strength"
        yield Finding("SCANNER_UNKNOWN", what, remedy=remedy)
    ends = f"whether the {END_SLICES} slices that MIMIR cuts off at each end of a scan are in"
    if sidecar is None:
        yield Finding("ENDS_UNKNOWN", f"nothing tells {ends} the volumes", remedy=remedy)
    elif not _has_extent_of(sidecar, volume):
        what = (
            f"the volumes are {volume.extent_mm:.0f} mm long, not {sidecar.extent_mm:.0f} mm as the"
            f" JSON file beside them says: nothing tells {ends} them"
        )
        yield Finding("ENDS_UNKNOWN", what, remedy=remedy)
