"""A three-dimensional image and its place in the patient.

The conventions of the engine:

- arrays are indexed ``[slice, row, column]``;
- slices run from foot to head, rows from anterior to posterior, columns from the patient's right
  to the left, so that all three indices grow along DICOM's patient axes;
- coordinates are DICOM's patient coordinates, LPS, in millimetres;
- an affine maps ``(column, row, slice, 1)`` to the centre of that voxel.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np


@dataclass(frozen=True)
class Volume:
    """An axial image volume with its place in patient space.

    Attributes:
        array: ``[slice, row, column]``, in the scanner's signal units: float32; of a single station
            uint16 if its stored values are the signal.
        affine: ``(4, 4)`` float64, ``(column, row, slice, 1)`` to LPS millimetres.
    """

    array: np.ndarray
    affine: np.ndarray

    @property
    def spacing_mm(self) -> tuple[float, float, float]:
        """Distance of voxel centres along column, row and slice index, in millimetres."""
        return spacing_of(self.affine)

    @property
    def extent_mm(self) -> float:
        """Head-foot extent in millimetres, voxel edges included."""
        return self.array.shape[0] * self.spacing_mm[2]


def axial_affine(origin_mm: Sequence[float], spacing_mm: Sequence[float]) -> np.ndarray:
    """Return the ``(4, 4)`` float64 affine of an axial volume, to LPS millimetres.

    Args:
        origin_mm: Centre of the first voxel, LPS.
        spacing_mm: Spacing along column, row and slice index.
    """
    affine = np.diag([*spacing_mm, 1.0])
    affine[:3, 3] = origin_mm
    return affine


def spacing_of(affine: np.ndarray) -> tuple[float, float, float]:
    """Return the spacing along column, row and slice index in mm: the lengths of the columns."""
    x, y, z = np.sqrt((affine[:3, :3] ** 2).sum(axis=0)).tolist()
    return x, y, z
