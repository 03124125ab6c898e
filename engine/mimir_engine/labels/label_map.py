"""A segmentation: a label map with its place in the patient and the names of its labels."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

import numpy as np

from mimir_engine.study.volume import axial_affine, spacing_of

#: Departure from an axial affine that rounding explains, in mm per voxel.
AXIAL_TOLERANCE_MM = 1e-3


@dataclass(frozen=True)
class LabelMap:
    """A label map on a grid of its own, in the engine's conventions (``study.volume``).

    Examples:
        >>> LabelMap(np.ones((40, 50, 60), np.uint16), np.diag([2.0, 2.0, 5.0, 1.0])).voxel_l
        2e-05

    Attributes:
        array: uint16 ``[slice, row, column]``; 0 is background.
        affine: ``(4, 4)``, axial, ``(column, row, slice, 1)`` to LPS millimetres.
        names: Names of labels as they were given, by number; some or all may be missing.

    Raises:
        ValueError: The array is not uint16 with three axes, or the affine is not axial.
    """

    array: np.ndarray
    affine: np.ndarray
    names: Mapping[int, str] = field(default_factory=dict)

    def __post_init__(self) -> None:
        if self.array.dtype != np.uint16 or self.array.ndim != 3:
            raise ValueError("a label map is uint16 and has three axes")
        axial = axial_affine(self.affine[:3, 3].tolist(), self.spacing_mm)
        if not np.allclose(self.affine, axial, rtol=0, atol=AXIAL_TOLERANCE_MM):
            raise ValueError("the affine of a label map is axial with positive steps")

    @property
    def spacing_mm(self) -> tuple[float, float, float]:
        """Distance of voxel centres along column, row and slice index, in millimetres."""
        return spacing_of(self.affine)

    @property
    def voxel_l(self) -> float:
        """Volume of a voxel in litres."""
        x, y, z = self.spacing_mm
        return x * y * z / 1e6
