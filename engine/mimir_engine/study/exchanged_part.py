"""Parts of stations in which water and fat are exchanged, and exchanging them back."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np

from mimir_engine.headers.contrast import Contrast
from mimir_engine.study.station import Station


@dataclass(frozen=True)
class ExchangedPart:
    """A block of one station whose water is stored as fat, and whose fat as water.

    Attributes:
        station: Index of the station, 0 nearest to the head.
        first_slice: Index of its first slice, 0 nearest to the feet.
        last_slice: Index of its last slice.
        first_column: Index of its first column, 0 at the patient's right.
        last_column: Index of its last column.
    """

    station: int
    first_slice: int
    last_slice: int
    first_column: int
    last_column: int

    @property
    def block(self) -> tuple[slice, slice, slice]:
        """Its voxels ``[slice, row, column]``."""
        return (
            slice(self.first_slice, self.last_slice + 1),
            slice(None),
            slice(self.first_column, self.last_column + 1),
        )


def exchange_back(
    stations: Sequence[Station], parts: Sequence[ExchangedPart]
) -> tuple[Station, ...]:
    """Return the stations with water and fat of these parts exchanged; the old ones stay.

    In-phase and opposed-phase do not change if water and fat are exchanged.

    Args:
        stations: From head to foot.
        parts: Blocks that do not overlap.
    """
    corrected = list(stations)
    for index in {part.station for part in parts}:
        station = stations[index]
        dtype = np.result_type(station.water, station.fat)
        water, fat = station.water.astype(dtype), station.fat.astype(dtype)
        for part in parts:
            if part.station == index:
                water[part.block] = station.fat[part.block]
                fat[part.block] = station.water[part.block]
        images = {**station.images, Contrast.WATER: water, Contrast.FAT: fat}
        corrected[index] = replace(station, images=images)
    return tuple(corrected)
