"""Where the images of a study come from: its files, or volumes that were fused before."""

from __future__ import annotations

from pathlib import Path
from typing import Union

from mimir_engine.fusion.fused_folder import FusedFolder
from mimir_engine.fusion.volume_pair import VolumePair
from mimir_engine.source.open_source import StudySource

#: A study's files, its fused volumes, or a pair of stitched volumes.
Source = Union[StudySource, FusedFolder, VolumePair]


def paths_of(source: Source) -> list[Path]:
    """Return the files and folders that hold a study."""
    if isinstance(source, VolumePair):
        return [path for _, path in source.files()]
    if isinstance(source, FusedFolder):
        return [source.path]
    return [Path(source)] if isinstance(source, (str, Path)) else [Path(path) for path in source]
