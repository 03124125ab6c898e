"""Find voids well inside the body on one side, as metal makes them."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from mimir_engine.checks.body_sample import BodySample, body_middle
from mimir_engine.study.finding import Finding

#: Signal of a void, as a share of the body's mean signal.
MAX_VOID_SHARE = 0.2
#: How far tissue may lie on each side of a void, in doublings of a pixel: 13 cm in legs and pelvis,
#: as around a hip prosthesis, and 6 cm above, where lungs are. Gaps between legs, or between arms
#: and trunk, are open to the front.
LOW_DOUBLINGS, HIGH_DOUBLINGS = 4, 3
#: Slices that are looked at together: 8 cm.
WINDOW = 9
#: Part of the scan, from the foot, that shows legs and pelvis; lungs and most bowel lie above.
LEGS_AND_PELVIS = 0.48
#: Volume by which voids of one side exceed those of the other, in mL: in legs and pelvis, and
#: above. Usual phantoms have up to 20 and 60; a hip prosthesis has some 150.
MAX_LOW_ML, MAX_HIGH_ML = 30.0, 120.0


@dataclass(frozen=True)
class OneSidedVoid:
    """The part of a scan in which voids of both sides differ most.

    Attributes:
        volume_ml: Difference of their volume.
        side: The side with more.
        from_mm: Patient z of the lower end of the part.
        to_mm: Patient z of its upper end.
    """

    volume_ml: float
    side: str
    from_mm: float
    to_mm: float


def one_sided_voids(sample: BodySample) -> tuple[OneSidedVoid, OneSidedVoid]:
    """Return the largest one-sided void of legs and pelvis, and of the rest."""
    border = int(LEGS_AND_PELVIS * len(sample.body))
    low = _largest(sample, slice(0, border), LOW_DOUBLINGS)
    return low, _largest(sample, slice(border, None), HIGH_DOUBLINGS)


def _voids(sample: BodySample, doublings: int) -> np.ndarray:
    """Return where it is dark, with tissue on all six sides."""
    found = sample.total < MAX_VOID_SHARE * sample.level
    for axis in range(3):
        body, kept = np.moveaxis(sample.body, axis, 0), np.moveaxis(found, axis, 0)
        for order in (slice(None), slice(None, None, -1)):
            near = body[order].copy()
            for step in (2**power for power in range(doublings)):
                near[:-step] |= near[step:].copy()
            kept[order] &= near
    return found


def _largest(sample: BodySample, part: slice, doublings: int) -> OneSidedVoid:
    found = _voids(sample, doublings)
    middle = round(body_middle(sample))
    right, left = (
        np.count_nonzero(side, axis=(1, 2)) for side in (found[..., :middle], found[..., middle:])
    )
    voxel_ml = float(np.prod(sample.step_mm)) / 1000
    more_right = (np.convolve(right - left, np.ones(WINDOW), mode="same") * voxel_ml)[part]
    if not len(more_right):
        return OneSidedVoid(0.0, "", 0.0, 0.0)
    k = int(np.abs(more_right).argmax())
    half, z = WINDOW * sample.step_mm[0] / 2, float(sample.z_mm[part][k])
    side = "right" if more_right[k] > 0 else "left"
    return OneSidedVoid(float(abs(more_right[k])), side, z - half, z + half)


def find_dark_voids(sample: BodySample) -> list[Finding]:
    """Find voids in one side of the body that the other side does not have."""
    return [
        Finding(
            "DARK_VOID",
            f"{void.volume_ml:.0f} mL of the {void.side} side of the body are dark, around z ="
            f" {(void.from_mm + void.to_mm) / 2:.0f} mm, and not of the other side: metal or gas",
            remedy="Look at the images. Do not rely on volumes of that part.",
            side=void.side,
            from_mm=void.from_mm,
            to_mm=void.to_mm,
            value=void.volume_ml,
            threshold=limit,
            unit="mL",
        )
        for void, limit in zip(one_sided_voids(sample), (MAX_LOW_ML, MAX_HIGH_ML))
        if void.volume_ml > limit
    ]
