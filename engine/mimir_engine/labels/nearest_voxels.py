"""Find the voxel of one axial grid that is nearest to each voxel of another."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from mimir_engine.study.volume import spacing_of

#: Part of a voxel by which rounding may move a position: at half of a voxel, the lower one is taken
#: on every machine.
TIE = 1e-4

Shape = tuple[int, ...]


@dataclass(frozen=True)
class NearestVoxels:
    """The nearest voxels along each axis; axial grids need no more.

    Attributes:
        axes: Of slices, rows and columns: for each index of the one grid, that of the other, intp;
            -1 where it has no voxel.
    """

    axes: tuple[np.ndarray, np.ndarray, np.ndarray]

    def plane(self, volume: np.ndarray, index: int) -> np.ndarray:
        """Return the values of a volume for a slice of the one grid; 0 beyond the volume.

        Args:
            volume: On the other grid, ``[slice, row, column]``.
            index: Slice of the one grid.
        """
        at, rows, columns = int(self.axes[0][index]), self.axes[1], self.axes[2]
        if at < 0:
            return np.zeros((len(rows), len(columns)), volume.dtype)
        values = volume[at].take(rows, 0).take(columns, 1)
        values[rows < 0] = 0
        values[:, columns < 0] = 0
        return np.asarray(values)


def nearest_voxels(
    affine: np.ndarray, shape: Shape, other_affine: np.ndarray, other_shape: Shape
) -> NearestVoxels:
    """Return the voxels of the other grid that are nearest to those of a grid.

    Args:
        affine: ``(4, 4)``, axial, of the grid.
        shape: Slices, rows and columns of the grid.
        other_affine: As ``affine``, of the other grid.
        other_shape: As ``shape``, of the other grid.
    """
    step, other_step = np.array(spacing_of(affine)), np.array(spacing_of(other_affine))
    first = (affine[:3, 3] - other_affine[:3, 3]) / other_step
    slices, rows, columns = (
        _nearest(first[axis], step[axis] / other_step[axis], shape[2 - axis], other_shape[2 - axis])
        for axis in (2, 1, 0)
    )
    return NearestVoxels((slices, rows, columns))


def _nearest(first: float, step: float, count: int, other_count: int) -> np.ndarray:
    nearest = np.floor(first + step * np.arange(count) + 0.5 - TIE)
    is_there = (nearest >= 0) & (nearest < other_count)
    return np.where(is_there, nearest, -1).astype(np.intp)
