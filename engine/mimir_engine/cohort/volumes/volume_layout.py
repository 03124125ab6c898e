"""Where the volumes of each study lie in an output folder.

- ``plain``: ``volumes/<name>/<name>_water.nii.gz``, and so on;
- ``stations``: ``stations/<name>/<name>_station1_water.nii.gz``, from the head to the feet;
- ``nnunet``: ``imagesTs/<name>_0000.nii.gz``, one file per channel, as nnU-Net reads them; with
  labels ``imagesTr/<name>_0000.nii.gz`` and ``labelsTr/<name>.nii.gz``.

Beside the volumes lies ``<name>.json``; a study without it is unfinished.
"""

from __future__ import annotations

import os
import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path, PurePosixPath
from typing import Any, Optional

from mimir_engine.cohort.volumes.arrangements import (
    CHANNELS,
    FORMATS,
    LAYOUTS,
    NIFTI,
    NNUNET,
    NRRD,
    PLAIN,
    STATIONS,
)
from mimir_engine.errors import MimirError
from mimir_engine.files.atomic import output_errors
from mimir_engine.files.file_names import distinct_file_name, safe_file_name
from mimir_engine.files.json_file import from_json
from mimir_engine.files.optional_packages import require
from mimir_engine.measuring.volume_names import FAT_FRACTION, VOLUMES
from mimir_engine.source.source_name import ANONYMOUS_NAME

#: Ending of the files of each format.
ENDINGS = {NIFTI: ".nii.gz", NRRD: ".nrrd"}
#: Ending of the file that describes the volumes of a study.
SIDECAR = ".json"
#: Folder of the volumes of all studies.
FOLDERS = {PLAIN: "volumes", STATIONS: "stations"}
IMAGES, TRAINING_IMAGES, TRAINING_LABELS = "imagesTs", "imagesTr", "labelsTr"
#: Names that nnU-Net could take for a channel of another case.
_LIKE_A_CHANNEL = re.compile(r".*_[0-9]{4}", re.DOTALL)
#: Key of a run's record under which its layout stands.
RECORD = "volumes"


@dataclass(frozen=True)
class VolumeLayout:
    """How the volumes of a run are arranged.

    Attributes:
        arrangement: ``plain``, ``nnunet`` or ``stations``.
        file_format: ``nifti`` or ``nrrd``.
        volumes: Names of the volumes that were asked for, in the order of nnU-Net's channels; empty
            for all that a study has.
        has_labels: Label maps lie beside the volumes, so that nnU-Net can be trained with them.
    """

    arrangement: str = PLAIN
    file_format: str = NIFTI
    volumes: tuple[str, ...] = ()
    has_labels: bool = False

    def __post_init__(self) -> None:
        known = self.arrangement in LAYOUTS and self.file_format in FORMATS
        if not known or not {*VOLUMES}.issuperset(self.volumes):
            raise ValueError("there is no such layout, format or volume")
        if len({*self.volumes}) != len(self.volumes):
            raise ValueError("a volume is named twice")
        if self.arrangement == STATIONS and FAT_FRACTION in self.volumes:
            raise ValueError("fat fractions are computed of stitched volumes only")
        if self.arrangement != NNUNET and self.has_labels:
            raise ValueError("label maps belong to the layout of nnU-Net")

    @property
    def ending(self) -> str:
        """Ending of the files of volumes."""
        return ENDINGS[self.file_format]

    def require_packages(self) -> None:
        """Check for the packages that the format needs.

        Raises:
            MimirError: ``EXTRA_MISSING``, ``EXTRA_BROKEN``.
        """
        if self.file_format == NIFTI:
            require("nifti")

    @property
    def wanted(self) -> tuple[str, ...]:
        """Names of the volumes that are looked for in a study."""
        if self.volumes or self.is_strict:
            return self.volumes or CHANNELS
        is_stitched = self.arrangement != STATIONS
        return tuple(name for name in VOLUMES if is_stitched or name != FAT_FRACTION)

    @property
    def is_strict(self) -> bool:
        """True if a study that lacks one of the volumes is of no use."""
        return self.arrangement == NNUNET

    def stem(self, name: str) -> str:
        """Return the beginning of the names of a study's files."""
        is_misleading = _LIKE_A_CHANNEL.fullmatch(name) and not ANONYMOUS_NAME.fullmatch(name)
        is_distinct = self.arrangement == NNUNET and is_misleading
        return distinct_file_name(name) if is_distinct else safe_file_name(name)

    def volume(self, name: str, volume: str, station: Optional[int] = None) -> PurePosixPath:
        """Return the file of a volume, relative to the output folder.

        Args:
            name: Name of the study.
            volume: One of ``VOLUMES``.
            station: Number of the station, beginning with 1 at the head; None if it is stitched.
        """
        if self.arrangement == NNUNET:
            ending = f"{self.wanted.index(volume):04d}"
        else:
            ending = volume if station is None else f"station{station}_{volume}"
        return self._folder(name) / f"{self.stem(name)}_{ending}{self.ending}"

    def labels(self, name: str) -> PurePosixPath:
        """Return the file of a study's label map."""
        return PurePosixPath(TRAINING_LABELS, f"{self.stem(name)}{self.ending}")

    def sidecar(self, name: str) -> PurePosixPath:
        """Return the file that describes a study's volumes."""
        return self._folder(name) / f"{self.stem(name)}{SIDECAR}"

    def files_of(self, output: Path, name: str) -> list[Path]:
        """Return the files that a run wrote for a study and that are in an output folder."""
        if self.arrangement == NNUNET:
            channels = [self.volume(name, volume) for volume in self.wanted]
            labels = [self.labels(name)] if self.has_labels else []
            named = [output / path for path in (self.sidecar(name), *channels, *labels)]
            return [path for path in named if os.path.lexists(path)]
        folder = output / self._folder(name)
        own = _own_names(self.stem(name), self.ending)
        with output_errors(folder):
            found = sorted(os.listdir(folder)) if folder.is_dir() else []
        return [folder / file for file in found if own.fullmatch(file)]

    def traces_of(self, output: Path, name: str) -> list[Path]:
        """Return all that is about a study, what others have put into its folder included."""
        if self.arrangement == NNUNET:
            return self.files_of(output, name)
        folder = output / self._folder(name)
        return [folder] if os.path.lexists(folder) else []

    def check_names(self, names: Iterable[str]) -> None:
        """Check that no two studies have the same files, also where case does not count.

        Raises:
            MimirError: ``NAME_REPEATED``.
        """
        seen: dict[str, str] = {}
        for name in names:
            other = seen.setdefault(self.stem(name).casefold(), name)
            if other != name:
                raise MimirError(
                    "NAME_REPEATED",
                    f"the volumes of '{other}' and '{name}' would have the same file names",
                    "Give each a unique name with --sources; upper and lower case do not count.",
                )

    def _folder(self, name: str) -> PurePosixPath:
        if self.arrangement != NNUNET:
            return PurePosixPath(FOLDERS[self.arrangement], self.stem(name))
        return PurePosixPath(TRAINING_IMAGES if self.has_labels else IMAGES)


def layout_of_run(run: Mapping[str, Any]) -> Optional[VolumeLayout]:
    """Return the layout of a run by its record; None if it wrote no volumes.

    Raises:
        MimirError: ``LEDGER_DAMAGED``.
    """
    if RECORD not in run:
        return None
    try:
        return from_json(run[RECORD], VolumeLayout)
    except ValueError as error:
        raise MimirError(
            "LEDGER_DAMAGED",
            f"the ledger does not say how the volumes are arranged ({error})",
            "Restore the folder from a copy.",
        ) from error


def _own_names(stem: str, ending: str) -> re.Pattern[str]:
    """Match the names of the files of a study in its own folder."""
    volume = rf"(_station[0-9]+)?_({'|'.join(VOLUMES)}){re.escape(ending)}"
    return re.compile(rf"{re.escape(stem)}({volume}|{re.escape(SIDECAR)})")
