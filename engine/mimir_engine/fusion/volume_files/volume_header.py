"""What the header of a volume file says about the voxels that follow it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from mimir_engine.fusion.volume_files.volume_error import volume_error

#: Largest size of a voxel in bytes.
MAX_VOXEL_BYTES = 8


@dataclass(frozen=True)
class VolumeHeader:
    """A checked header: the voxels follow in the stream from which it was read.

    Attributes:
        shape: Numbers of voxels along the three axes of the file; the first runs fastest.
        dtype: Type and byte order of the stored numbers: integers or floating-point numbers.
        affine: ``(4, 4)`` float64, from an index of the file's axes to LPS millimetres.
        slope: Factor of the stored numbers.
        intercept: What is added to their product.
        extensions: Texts that programs added to the header.
        is_compressed: The voxels are compressed by gzip, apart from the header.
    """

    shape: tuple[int, int, int]
    dtype: np.dtype
    affine: np.ndarray
    slope: float = 1.0
    intercept: float = 0.0
    extensions: tuple[str, ...] = ()
    is_compressed: bool = False

    @property
    def is_scaled(self) -> bool:
        """True if the stored numbers are not the values themselves."""
        return (self.slope, self.intercept) != (1.0, 0.0)


def check_dtype(dtype: np.dtype) -> None:
    """Refuse voxels that are not single numbers of known types.

    Raises:
        MimirError: ``VOLUME_NOT_SCALAR``, ``VOLUME_UNREADABLE``.
    """
    if dtype.kind == "c":
        raise volume_error("VOLUME_NOT_SCALAR", "its voxels are complex numbers")
    if dtype.names:
        raise volume_error("VOLUME_NOT_SCALAR", "its voxels are colours")
    if dtype.kind not in "iuf" or not 0 < dtype.itemsize <= MAX_VOXEL_BYTES:
        raise volume_error("VOLUME_UNREADABLE", "its voxels have a type that MIMIR does not read")


def spatial_shape(sizes: Sequence[int], spatial: Sequence[int]) -> tuple[int, int, int]:
    """Return the numbers of voxels along the three spatial axes; the others must have one.

    Args:
        sizes: Of all axes.
        spatial: Numbers of the spatial axes; with less than three, the rest have one voxel.

    Raises:
        MimirError: ``VOLUME_NOT_SCALAR``, ``VOLUME_UNREADABLE``.
    """
    if not sizes or min(sizes) < 1:
        raise volume_error("VOLUME_UNREADABLE", "it has an axis without voxels")
    others = [size for axis, size in enumerate(sizes) if axis not in spatial]
    if len(spatial) > 3 or any(size > 1 for size in others):
        shown = " x ".join(map(str, sizes))
        raise volume_error("VOLUME_NOT_SCALAR", f"it has more than three dimensions ({shown})")
    x, y, z = [*(sizes[axis] for axis in spatial), 1, 1][:3]
    return x, y, z
