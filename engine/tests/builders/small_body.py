"""A small body in fused volumes, whose fat fraction is known everywhere, and balls in it."""

from __future__ import annotations

import numpy as np

from mimir_engine.fusion import FusedVolumes
from mimir_engine.fusion.grid import OUTPUT_SPACING_MM
from mimir_engine.study.volume import Volume, axial_affine

#: Slices, rows and columns.
SHAPE = (48, 60, 80)
ORIGIN_MM = (-90.0, -70.0, -300.0)
AFFINE = axial_affine(ORIGIN_MM, OUTPUT_SPACING_MM)


def positions_mm(affine: np.ndarray = AFFINE, shape: tuple[int, ...] = SHAPE) -> np.ndarray:
    """Patient x, y and z of every voxel: ``[3, slice, row, column]``."""
    z, y, x = np.indices(shape)
    return np.stack([affine[k, 3] + affine[k, k] * i for k, i in enumerate((x, y, z))])


def in_body(places: np.ndarray) -> np.ndarray:
    """True in the body, an upright cylinder."""
    x, y, _ = places - np.array(ORIGIN_MM).reshape(3, 1, 1, 1)
    return (((x - 88) / 75) ** 2 + ((y - 66) / 52) ** 2) < 1


def percent(places: np.ndarray) -> np.ndarray:
    """Fat fraction of the body in percent: it grows to the left, to the back and to the head."""
    x, y, z = places - np.array(ORIGIN_MM).reshape(3, 1, 1, 1)
    return 5 + x / 4 + y / 8 + z / 10


def small_body() -> FusedVolumes:
    """Water and fat of the body; their sum is 1000 in it and 0 in air."""
    places = positions_mm()
    fat = 10 * percent(places)
    water = 1000 - fat
    inside = in_body(places)
    water, fat = (np.where(inside, image, 0).astype(np.float32) for image in (water, fat))
    return FusedVolumes(Volume(water, AFFINE), Volume(fat, AFFINE))


def ball(
    centre_mm: tuple[float, float, float],
    radius_mm: float,
    affine: np.ndarray = AFFINE,
    shape: tuple[int, ...] = SHAPE,
) -> np.ndarray:
    """True in a ball; its centre counts from the first voxel of the body's volumes."""
    places = positions_mm(affine, shape) - np.array(ORIGIN_MM).reshape(3, 1, 1, 1)
    away = places - np.array(centre_mm).reshape(3, 1, 1, 1)
    return (away**2).sum(axis=0) < radius_mm**2
