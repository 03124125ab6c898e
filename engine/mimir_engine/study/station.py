"""One table position of a study: images on common voxels and their affine."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

import numpy as np

from mimir_engine.headers.contrast import Contrast
from mimir_engine.study.volume import spacing_of


@dataclass(frozen=True)
class Station:
    """One table position: the images of one acquisition, all on the same voxels.

    Attributes:
        images: By contrast, ``[slice, row, column]`` (foot to head, anterior to posterior, right to
            left); uint16 as stored if the modality LUT is the identity, else float32.
        affine: ``(4, 4)`` float64, ``(column, row, slice, 1)`` to LPS millimetres.
        phases: In-phase and opposed-phase of a few slices, only to compare them: by contrast and
            index of the slice, ``[row, column]``. Empty if they are not there.
    """

    images: Mapping[Contrast, np.ndarray]
    affine: np.ndarray
    phases: Mapping[Contrast, Mapping[int, np.ndarray]] = field(default_factory=dict)

    @property
    def water(self) -> np.ndarray:
        """The water image."""
        return self.images[Contrast.WATER]

    @property
    def fat(self) -> np.ndarray:
        """The fat image."""
        return self.images[Contrast.FAT]

    @property
    def shape(self) -> tuple[int, int, int]:
        """Number of slices, rows, columns."""
        slices, rows, columns = next(iter(self.images.values())).shape
        return slices, rows, columns

    @property
    def spacing_mm(self) -> tuple[float, float, float]:
        """Voxel spacing along column, row and slice index, in millimetres."""
        return spacing_of(self.affine)

    @property
    def top_mm(self) -> tuple[float, float, float]:
        """LPS position of the first voxel (row 0, column 0) of the slice nearest the head."""
        x, y, z = (self.affine @ np.array([0.0, 0.0, self.shape[0] - 1.0, 1.0]))[:3].tolist()
        return x, y, z


def unread_stations(count: int) -> tuple[Station, ...]:
    """Return stations whose images are not known, only that they had water and fat."""
    empty = np.empty((0, 0, 0), np.float32)
    return (Station({Contrast.WATER: empty, Contrast.FAT: empty}, np.eye(4)),) * count
