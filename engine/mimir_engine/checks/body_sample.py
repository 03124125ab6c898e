"""Thin out fused volumes, and tell the body from the air."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from mimir_engine.checks.tissue_sample import TissueSample
from mimir_engine.fusion import FusedVolumes

#: Distance of the slices, rows and columns that are looked at, in voxels: about 9 mm each.
STEPS = (3, 4, 4)
#: Slices in which parts of a body can be told: half of those of a neck-to-knee scan.
MIN_SLICES = 60


@dataclass(frozen=True)
class BodySample(TissueSample):
    """A thinned fused volume.

    Attributes:
        water: ``[slice, row, column]``, foot to head, float32.
        fat: The same of fat.
        borders: Sum of water and fat in the first and in the last column of the volume, the
            patient's right and left end: ``(2, slices, rows)``.
        z_mm: Patient z of the slices.
        step_mm: Distance of the slices, rows and columns.
    """

    water: np.ndarray
    fat: np.ndarray
    borders: np.ndarray
    z_mm: np.ndarray
    step_mm: tuple[float, float, float]


def body_middle(sample: BodySample) -> float:
    """Return the mean column of the body, from the right border; the image's middle without one."""
    pixels = np.count_nonzero(sample.body, axis=(0, 1))
    columns = np.arange(len(pixels)) + 0.5
    return float(np.average(columns, weights=pixels if pixels.any() else np.ones(len(pixels))))


def body_sample(fused: FusedVolumes) -> BodySample:
    """Thin out the fused volumes of a study."""
    along, rows, columns = STEPS
    water, fat = fused.water.array[::along], fused.fat.array[::along]
    ends = [water[:, ::rows, k] + fat[:, ::rows, k] for k in (0, -1)]
    x, y, z = fused.water.spacing_mm
    return BodySample(
        np.ascontiguousarray(water[:, ::rows, ::columns]),
        np.ascontiguousarray(fat[:, ::rows, ::columns]),
        np.stack(ends),
        fused.water.affine[2, 3] + along * z * np.arange(len(water)),
        (along * z, rows * y, columns * x),
    )
