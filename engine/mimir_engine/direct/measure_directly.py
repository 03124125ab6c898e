"""Measure the body in fused volumes, without a network.

The body is found and divided into parts; volumes, girths and fractions follow. Each method and its
limits are described in docs/direct.md.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Optional

import numpy as np

from mimir_engine.direct.body import STEP, Body, find_body
from mimir_engine.direct.completeness import (
    arms_fault,
    slice_fault,
    thigh_fault,
    trunk_fault,
)
from mimir_engine.direct.direct_measurement import QUANTITIES, DirectMeasurement
from mimir_engine.direct.girths import Girths, measure_girths
from mimir_engine.direct.parts import (
    LEFT_ARM,
    LEFT_THIGH,
    PART_NAMES,
    RIGHT_ARM,
    RIGHT_THIGH,
    TRUNK,
    Parts,
    find_parts,
)
from mimir_engine.fusion import FusedVolumes

#: A quantity's value, None if it cannot be known, and the reason.
Found = tuple[Optional[float], str]


@dataclass(frozen=True)
class DirectMeasurements:
    """What was measured in one study.

    Attributes:
        values: All quantities, in the order of ``QUANTITIES``.
        landmarks_mm: Patient z (LPS) of those in view: ``crotch``, ``right knee``, ``left knee``,
            ``shoulders``, ``waist``, ``hip``.
        body: The body on its thinned grid.
        parts: Its parts.
    """

    values: tuple[DirectMeasurement, ...]
    landmarks_mm: Mapping[str, float]
    body: Body
    parts: Parts

    def profile(self) -> dict[str, np.ndarray]:
        """Return the areas along the body, from foot to head, by column name of ``profile.csv``."""
        areas = {"body": self.body.depth, "fat": self.body.fat, "lean": self.body.lean}
        width = self.body.spacing_mm[0]
        columns = {f"{n}_cm2": depth.sum(axis=1) * (width / 100) for n, depth in areas.items()}
        return {"z_mm": self.body.z_mm, **columns}

    def regions(self) -> np.ndarray:
        """Return the part of each voxel, a key of ``PART_NAMES``: uint8, as the fused volumes."""
        thinned = self.parts.labels[:, np.newaxis] * self.body.mask
        regions = np.zeros(self.body.volume_shape, np.uint8)
        box = regions[tuple(slice(part.start, None) for part in self.body.box)]
        for axis in range(3):
            thinned = thinned.repeat(STEP, axis)
        thinned = thinned[tuple(slice(0, size) for size in box.shape)]
        box[tuple(slice(0, size) for size in thinned.shape)] = thinned
        return regions


def measure_directly(fused: FusedVolumes) -> DirectMeasurements:
    """Measure the body in the fused volumes of a study.

    Examples:
        >>> from mimir_engine import fuse, read_study
        >>> found = measure_directly(fuse(read_study("6000000_20201_2_0.zip").stations))
        >>> fat = found.values[1]
        >>> fat.name, fat.unit, fat.value > 1
        ('fat_volume', 'L', True)
    """
    body = find_body(fused)
    parts = find_parts(body)
    girths = measure_girths(body, parts)
    found = {**_volumes(body, parts), **_girths(body, parts, girths)}
    found["lean_fat_fraction"] = body.lean_fat_fraction, "no lean tissue is seen"
    found["thigh_lean_difference"] = _difference(
        found["right_thigh_lean_volume"], found["left_thigh_lean_volume"]
    )
    values = tuple(_measurement(name, *found[name]) for name in QUANTITIES)
    return DirectMeasurements(values, _landmarks(body, parts, girths), body, parts)


def _measurement(name: str, value: Optional[float], reason: str) -> DirectMeasurement:
    return DirectMeasurement(name, QUANTITIES[name], value, reason if value is None else "")


def _volumes(body: Body, parts: Parts) -> dict[str, Found]:
    """Return the volumes of the body and of its parts in L."""
    regions: dict[str, tuple[tuple[int, ...], str]] = {
        "": (tuple(PART_NAMES), ""),
        "trunk_": ((TRUNK,), trunk_fault(body, parts)),
        "right_thigh_": ((RIGHT_THIGH,), thigh_fault(body, parts, 0)),
        "left_thigh_": ((LEFT_THIGH,), thigh_fault(body, parts, 1)),
        "arms_": ((RIGHT_ARM, LEFT_ARM), arms_fault(body, parts)),
    }
    width, _, height = body.spacing_mm
    found: dict[str, Found] = {}
    for region, (labels, fault) in regions.items():
        inside = np.isin(parts.labels, labels)
        for tissue, depth in (("body_", body.depth), ("fat_", body.fat), ("lean_", body.lean)):
            litres = float((depth * inside).sum(dtype=np.float64)) * width * height / 1e6
            name = region + ("" if region and tissue == "body_" else tissue) + "volume"
            found[name] = (None if fault else litres), fault
    return found


def _girths(body: Body, parts: Parts, girths: Girths) -> dict[str, Found]:
    """Return the girths in cm, and the fat under the skin of the waist in mm."""
    waist, hip = (slice_fault(body, parts, at) for at in (girths.waist_slice, girths.hip_slice))
    right, left = (thigh_fault(body, parts, side) for side in (0, 1))
    found = {
        "waist": (girths.waist, 10, waist),
        "hip": (girths.hip, 10, hip),
        "right_thigh_girth": (girths.thighs[0], 10, right),
        "left_thigh_girth": (girths.thighs[1], 10, left),
        "subcutaneous_thickness": (girths.rim, 1, waist),
    }
    return {
        name: (None if fault or value is None else value / divisor, fault)
        for name, (value, divisor, fault) in found.items()
    }


def _difference(right: Found, left: Found) -> Found:
    """Return the left minus the right volume in percent of their mean."""
    if right[0] is None or left[0] is None:
        return None, right[1] or left[1]
    mean = (left[0] + right[0]) / 2
    return (100 * (left[0] - right[0]) / mean, "") if mean > 0 else (None, "no lean tissue is seen")


def _landmarks(body: Body, parts: Parts, girths: Girths) -> dict[str, float]:
    """Return patient z in mm of the landmarks in view."""
    found = {
        "crotch": parts.crotch,
        "right knee": parts.knees[0],
        "left knee": parts.knees[1],
        "shoulders": parts.shoulders,
        "waist": girths.waist_slice,
        "hip": girths.hip_slice,
    }
    return {name: float(body.z_mm[at]) for name, at in found.items() if at is not None}
