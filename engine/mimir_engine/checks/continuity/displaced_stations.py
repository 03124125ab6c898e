"""Find neighbouring stations whose images do not fit their positions.

Scanners give a new frame of reference at every table move, so headers cannot tell whether the
patient was positioned anew. Images can: where stations overlap, they show the same slices.
"""

from __future__ import annotations

from typing import Optional

import numpy as np

from mimir_engine.checks.continuity.seam_shift import SeamShift
from mimir_engine.checks.continuity.shift_along import MIN_SHIFT_MM, shift_along
from mimir_engine.checks.continuity.shift_sideways import shift_sideways
from mimir_engine.study.finding import STOP, Finding
from mimir_engine.study.station import Station

#: Shifts along the body that are tried first, in mm: a little more than a usual overlap.
NEAR_MM = 36.0
#: Shifts along the body that are tried for stations that match neither so nor sideways, in mm.
FAR_MM = 120.0
#: Stations whose water and fat match as they lie are not displaced sideways. Without displacement
#: phantoms have 0.89 or more; 15 mm sideways make it 0.8 or less.
ALIKE = 0.9
#: A shift that reduces differences to less than two thirds is told, in the mean of the looks ...
MIN_GAIN = 1.5
#: ... if each look gains from it; where the back does not, the patient breathed ...
MIN_GAIN_OF_A_LOOK = 1.05
#: ... or if one look tells nothing, and the others gain much ...
MUCH_GAIN = 3.0
#: ... and the images are half alike then.
MIN_LIKENESS = 0.5
#: Fields of view of neighbouring stations have the same middle from left to right, up to this, in
#: mm: scanners keep it for all stations of a scan.
MIN_SIDEWAYS_MM = 20.0
#: A study is refused from this displacement on, in mm; patients may move less.
MIN_DISPLACEMENT_MM = 12.0
#: It must halve the differences in every look at least. Breathing does not: in phantoms whose
#: organs and abdomen move by 12 to 20 mm, the back never gains.
SURE_GAIN = 2.0
#: How alike the images must be after the displacement is undone.
SURE_LIKENESS = 0.8
#: Pairs of slices that must agree.
SURE_PAIRS = 2


def find_displacement(upper: Station, lower: Station, number: int) -> list[Finding]:
    """Compare the images of two neighbouring stations where they meet.

    Only what the images show clearly counts. Where they do not change along the body, as in a
    thigh, or stations only touch, nothing is found.

    Args:
        upper: Station nearer to the head.
        lower: Its neighbour.
        number: Number of the upper one, from the head.

    Returns:
        ``STATION_DISPLACED`` (stop) if a displacement is certain, ``STATION_SHIFT`` if it is not.
    """
    shift = _best_shift(upper, lower)
    where = f"stations {number} and {number + 1} (from the head)"
    if shift is None or not _is_likely(shift):
        return _sideways_positions(upper, lower, shift, where)
    if _is_sure(shift):
        return [
            Finding(
                "STATION_DISPLACED",
                f"the images of {where} are displaced against their positions by about"
                f" {_words(shift)}",
                STOP,
                "The patient may have moved or been positioned anew between them, or positions"
                " were changed. Get the original images; if they are displaced too, the study"
                " cannot be measured.",
                value=shift.distance_mm,
                threshold=MIN_DISPLACEMENT_MM,
                unit="mm",
            )
        ]
    return [
        Finding(
            "STATION_SHIFT",
            f"the images of {where} match better if shifted by about {_words(shift)}: by"
            " breathing, by a movement, or because positions are wrong",
            value=shift.distance_mm,
            threshold=MIN_SHIFT_MM,
            unit="mm",
        )
    ]


def _sideways_positions(
    upper: Station, lower: Station, shift: Optional[SeamShift], where: str
) -> list[Finding]:
    """Report stations whose positions differ sideways unless their images match as they lie."""
    apart = abs(_middle_x_mm(upper) - _middle_x_mm(lower))
    if apart < MIN_SIDEWAYS_MM or (shift is not None and shift.unmoved >= ALIKE):
        return []
    return [
        Finding(
            "STATION_SHIFT",
            f"the positions of {where} differ by {apart:.0f} mm left-right, and their images do not"
            " show that this is right",
        )
    ]


def _middle_x_mm(station: Station) -> float:
    """Return the left-right middle of a station's field of view, LPS."""
    columns = station.shape[2]
    return float((station.affine @ np.array([(columns - 1) / 2, 0.0, 0.0, 1.0]))[0])


def _best_shift(upper: Station, lower: Station) -> Optional[SeamShift]:
    """Return the shift after which two stations match best; None if it cannot be known.

    Costly searches are left to stations that do not match yet.
    """
    near = shift_along(upper, lower, NEAR_MM)
    if near is None or near.unmoved >= ALIKE:
        return near
    if near.likeness >= SURE_LIKENESS and _is_likely(near) and near.distance_mm < NEAR_MM:
        return near
    aside = shift_sideways(upper, lower)
    if aside is None or aside.likeness >= max(SURE_LIKENESS, near.likeness):
        return aside
    far = shift_along(upper, lower, FAR_MM)
    return far if far is not None and far.likeness > aside.likeness else aside


def _is_likely(shift: SeamShift) -> bool:
    """Return whether a shift explains most of the difference of two stations."""
    if shift.distance_mm < MIN_SHIFT_MM or shift.likeness < MIN_LIKENESS:
        return False
    weakest, second, *_ = sorted(shift.gains)
    mean = float(np.prod(shift.gains)) ** (1 / len(shift.gains))
    return mean >= MIN_GAIN and (weakest >= MIN_GAIN_OF_A_LOOK or second >= MUCH_GAIN)


def _is_sure(shift: SeamShift) -> bool:
    """Return whether a shift can have no other reason than wrong positions."""
    return (
        shift.distance_mm >= MIN_DISPLACEMENT_MM
        and min(shift.gains) >= SURE_GAIN
        and shift.likeness >= SURE_LIKENESS
        and shift.pairs >= SURE_PAIRS
    )


def _words(shift: SeamShift) -> str:
    """Describe a shift: "18 mm along the body (too close together)"."""
    x, y, z = shift.offset_mm
    if z:
        return f"{abs(z):.0f} mm along the body (too {'far apart' if z > 0 else 'close together'})"
    parts = {"left-right": abs(x), "front-back": abs(y)}
    return " and ".join(
        f"{mm:.0f} mm {name}" for name, mm in parts.items() if mm >= shift.distance_mm / 3
    )
