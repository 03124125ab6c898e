"""The volumes of one study, one after another: stitched, or of each station."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from typing import Optional

from mimir_engine.cohort.volumes.volume_names import (
    FAT,
    FAT_FRACTION,
    IN_PHASE,
    OPPOSED_PHASE,
    WATER,
)
from mimir_engine.fusion import FusedVolumes
from mimir_engine.fusion.fuse import Layout, fuse_contrast
from mimir_engine.headers.contrast import Contrast
from mimir_engine.projection.fat_fraction_map import fat_fraction_map
from mimir_engine.study.station import Station
from mimir_engine.study.volume import Volume

#: The contrasts that are measured, and those that are read only if they are asked for.
MEASURED = {WATER: Contrast.WATER, FAT: Contrast.FAT}
PHASES = {IN_PHASE: Contrast.IN_PHASE, OPPOSED_PHASE: Contrast.OPPOSED_PHASE}


@dataclass(frozen=True)
class Piece:
    """A volume that becomes one file.

    Attributes:
        name: One of ``VOLUMES``.
        volume: The images.
        station: Number of the station, from the head, beginning with 1; None if it is stitched.
    """

    name: str
    volume: Volume
    station: Optional[int] = None


def measured_pieces(fused: FusedVolumes, wanted: Iterable[str]) -> Iterator[Piece]:
    """Yield the stitched volumes that follow from water and fat."""
    for name in wanted:
        if name == FAT_FRACTION:
            yield Piece(name, fat_fraction_map(fused))
        elif name in MEASURED:
            yield Piece(name, fused.water if name == WATER else fused.fat)


def stitched_piece(name: str, layout: Layout, stations: Sequence[Station]) -> Piece:
    """Stitch another contrast on the grid of water and fat.

    Args:
        name: One of `PHASES`.
        layout: The places of the stations.
        stations: Their images of this contrast, on the voxels of water and fat.
    """
    return Piece(name, fuse_contrast(replace(layout, stations=stations), PHASES[name]))


def station_pieces(name: str, stations: Sequence[Station]) -> Iterator[Piece]:
    """Yield one contrast of each station, as it is stored."""
    contrast = {**MEASURED, **PHASES}[name]
    for number, station in enumerate(stations, start=1):
        yield Piece(name, Volume(station.images[contrast], station.affine), number)
