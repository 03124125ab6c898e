"""Stitched volumes of a study as files."""

from __future__ import annotations

from pathlib import Path

from mimir_engine.fusion import FusedVolumes
from mimir_engine.fusion.volume_files.image_file import write_image
from mimir_engine.fusion.volume_pair import VolumePair


def write_pair(
    folder: Path, fused: FusedVolumes, name: str = "a", suffix: str = ".nii"
) -> VolumePair:
    """Write water and fat as ``<name>_water`` and ``<name>_fat``."""
    folder.mkdir(parents=True, exist_ok=True)
    pair = VolumePair(folder / f"{name}_water{suffix}", folder / f"{name}_fat{suffix}")
    write_image(pair.water, fused.water)
    write_image(pair.fat, fused.fat)
    return pair
