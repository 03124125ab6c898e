"""Find the engine's axes in a volume of any axis order, and check its geometry."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from mimir_engine.errors import MimirError
from mimir_engine.fusion.volume_files.volume_error import volume_error
from mimir_engine.headers.slices import MAX_POSITION_MM
from mimir_engine.study.stack import AXIAL_TOLERANCE, MAX_SPACING_MM, MIN_SPACING_MM
from mimir_engine.study.volume import axial_affine, spacing_of

#: Scalar product of two axes' directions that two deviations of ``AXIAL_TOLERANCE`` explain.
MAX_SHEAR = 2 * AXIAL_TOLERANCE


@dataclass(frozen=True)
class AxialOrder:
    """How the axes of a file lie in the patient.

    Attributes:
        axes: The file's axes along column, row and slice index.
        is_reversed: For each of them, whether the file counts against the engine's direction.
        affine: ``(4, 4)`` float64 in the engine's axes, axial, to LPS millimetres.
    """

    axes: tuple[int, int, int]
    is_reversed: tuple[bool, bool, bool]
    affine: np.ndarray

    def in_file_order(self, array: np.ndarray) -> np.ndarray:
        """Return a view of an array ``[slice, row, column]`` with the axes of the file."""
        reversed_or_not = tuple(slice(None, None, -1 if r else 1) for r in self.is_reversed)
        view = array.transpose(2, 1, 0)[reversed_or_not]
        return view.transpose([self.axes.index(axis) for axis in range(3)])


def axial_order(shape: tuple[int, int, int], affine: np.ndarray) -> AxialOrder:
    """Find the engine's axes among those of a file.

    A volume that deviates from axial by no more than ``AXIAL_TOLERANCE`` (rounding, or a table
    that is not quite level) is taken as axial; its middle keeps its place.

    Args:
        shape: Numbers of voxels along the file's axes.
        affine: ``(4, 4)``, from an index of the file's axes to LPS millimetres.

    Raises:
        MimirError: ``VOLUME_GEOMETRY``.
    """
    if not np.isfinite(affine).all() or np.abs(affine).max() > MAX_POSITION_MM:
        raise _refused("its affine is not one of a scan")
    if np.array_equal(np.abs(affine), np.eye(4)):
        raise _refused("its affine says only that voxels have 1 mm and begin at 0, as by default")
    spacing = np.array(spacing_of(affine))
    if not ((spacing >= MIN_SPACING_MM) & (spacing <= MAX_SPACING_MM)).all():
        shown = " x ".join(f"{mm:.3g}" for mm in spacing)
        raise _refused(f"it has a voxel spacing of {shown} mm")
    cosines = affine[:3, :3] / spacing
    axes = np.abs(cosines).argmax(axis=1)
    axial = np.zeros((3, 3))
    axial[range(3), axes] = np.sign(cosines[range(3), axes])
    if np.abs(cosines - axial).max() > AXIAL_TOLERANCE:
        products = np.abs(cosines.T @ cosines - np.eye(3)).max()
        raise _refused("its axes are sheared" if products > MAX_SHEAR else "it is not axial")
    is_reversed = axial[range(3), axes] < 0
    counts = np.array(shape)
    first = np.zeros(3)
    first[axes] = np.where(is_reversed, counts[axes] - 1, 0)
    untilting = (affine[:3, :3] - axial * spacing) @ ((counts - 1) / 2 - first)
    origin = affine[:3, :3] @ first + affine[:3, 3] + untilting
    last = origin + spacing[axes] * (counts[axes] - 1)
    if max(np.abs(origin).max(), np.abs(last).max()) > MAX_POSITION_MM:
        raise _refused("it lies metres away from the scanner")
    x, y, z = axes.tolist()
    flips = is_reversed.tolist()
    new = axial_affine(origin.tolist(), spacing[axes].tolist())
    return AxialOrder((x, y, z), (flips[0], flips[1], flips[2]), new)


def _refused(what: str) -> MimirError:
    return volume_error("VOLUME_GEOMETRY", what)
