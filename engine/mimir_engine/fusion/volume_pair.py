"""Stitched volumes of water and fat, made by any program, as the source of a study."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass, fields
from pathlib import Path
from typing import Optional

#: Suffixes of files that hold one volume.
VOLUME_SUFFIXES = (".nii.gz", ".nii", ".nrrd")
#: What a file of water adds to the name of its study: a word, or nnU-Net's channel.
_WATER_ENDING = re.compile(r"(^|[ _.-])(water|wat|w|0000)$", re.IGNORECASE | re.ASCII)


@dataclass(frozen=True)
class VolumePair:
    """A source whose stations were stitched before: one file per contrast, all on one grid.

    Attributes:
        water: NIfTI or NRRD file of the water volume.
        fat: That of the fat volume.
        in_phase: That of the in-phase volume, if there is one.
        opposed_phase: That of the opposed-phase volume, if there is one.
    """

    water: Path
    fat: Path
    in_phase: Optional[Path] = None
    opposed_phase: Optional[Path] = None

    def files(self) -> Iterator[tuple[str, Path]]:
        """Yield the name of each contrast that there is, and its file."""
        for field in fields(self):
            path = getattr(self, field.name)
            if path is not None:
                yield field.name, path


def name_of_volumes(water: Path) -> str:
    """Return the name of a study by its file of water; that of the folder if the file has no own.

    Examples:
        >>> name_of_volumes(Path("6000000_20201_2_0_water.nii.gz"))
        '6000000_20201_2_0'
        >>> name_of_volumes(Path("patient_7/water.nrrd")), name_of_volumes(Path("p8_0000.nii.gz"))
        ('patient_7', 'p8')
    """
    name = without_volume_suffix(water.name)
    return _WATER_ENDING.sub("", name) or water.absolute().parent.name or name


def without_volume_suffix(name: str) -> str:
    """Return the name of a file without the suffix of a volume.

    Examples:
        >>> without_volume_suffix("liver.v2.NII.GZ"), without_volume_suffix("scan.zip")
        ('liver.v2', 'scan.zip')
    """
    suffix = next((s for s in VOLUME_SUFFIXES if name.lower().endswith(s)), "")
    return name[: len(name) - len(suffix)]
