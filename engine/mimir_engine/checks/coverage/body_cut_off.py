"""Find bodies that the scan does not show completely: shoulders, knees, sides of the trunk."""

from __future__ import annotations

from typing import Any

import numpy as np

from mimir_engine.checks.body_sample import BodySample, body_middle
from mimir_engine.checks.tissue_sample import MIN_BODY_SHARE
from mimir_engine.study.finding import Finding

#: Area of a slice through the shoulders in that of the chest. The neck has less than a half.
SHOULDER_AREA = 0.6
#: Part of the scan that shows the chest, counted from the head, and the legs, from the foot.
CHEST, LEGS = (0.1, 0.4), 0.35
#: Head-foot room above the shoulders, in mm. Usual phantoms have 54 or more.
MIN_SHOULDER_ROOM_MM = 40.0
#: Distance in which the legs grow from the knee to the thigh, in mm.
KNEE_HEIGHT_MM = 108.0
#: Area of lean tissue in the legs, in that so far above. Phantoms have up to 0.54 at the
#: knees, and 0.57 or more in thighs.
MAX_KNEE_SHARE = 0.56
#: Height of the body's contact with a border of the image, front to back, in mm. Arms have less.
MIN_TRUNK_FACE_MM = 200.0
#: Length of such a contact along the body, in mm. Usual phantoms have up to 110, the most obese
#: ones 280.
MAX_CONTACT_MM = 150.0
#: Distance of the middle of the body from that of the image, in mm: one arm is cut off beyond it.
#: Usual phantoms have up to 18.
MAX_OFF_CENTRE_MM = 35.0


def shoulder_room_mm(sample: BodySample) -> float:
    """Return the distance from the head end of the scan to the shoulders, in mm."""
    area = np.count_nonzero(sample.body, axis=(1, 2))
    slices = len(area)
    first, last = (int((1 - share) * slices) for share in reversed(CHEST))
    chest = float(np.median(area[first : last + 1]))
    wide = np.flatnonzero(area >= SHOULDER_AREA * chest)
    return (slices - 1 - int(wide[-1])) * sample.step_mm[0] if len(wide) else 0.0


def knee_share(sample: BodySample) -> float:
    """Return the least area of lean tissue in the legs, divided by that ``KNEE_HEIGHT_MM`` above.

    It is small if knees are in view, where bones take most of the area; 1 if it cannot be known.
    """
    lean = sample.body & (sample.water > sample.fat)
    area = np.count_nonzero(lean[: int(LEGS * len(lean))], axis=(1, 2))
    smooth = np.convolve(area, np.full(3, 1 / 3), mode="valid")
    above = smooth[int(KNEE_HEIGHT_MM / sample.step_mm[0]) :]
    share = smooth[: len(above)][above > 0] / above[above > 0]
    return float(share.min(initial=1.0))


def contact_mm(sample: BodySample, face_mm: float) -> tuple[float, float]:
    """Return the length along the body in which it touches the right and the left border.

    Args:
        sample: The thinned volume.
        face_mm: Height of the contact from front to back that counts.
    """
    height, row, _ = sample.step_mm
    faces = np.count_nonzero(sample.borders > MIN_BODY_SHARE * sample.level, axis=2) * row
    right, left = (np.count_nonzero(faces > face_mm, axis=1) * height).tolist()
    return right, left


def off_centre_mm(sample: BodySample) -> float:
    """Return how far the middle of the body lies to the left of that of the image, in mm."""
    return (body_middle(sample) - sample.body.shape[2] / 2) * sample.step_mm[2]


def find_cut_off_body(sample: BodySample) -> list[Finding]:
    """Find what the scan does not show of the shoulders, the knees and the sides of the body."""
    return [*_shoulders(sample), *_knees(sample), *_off_centre(sample), *_sides(sample)]


def _shoulders(sample: BodySample) -> list[Finding]:
    room, top = shoulder_room_mm(sample), float(sample.z_mm[-1])
    if room >= MIN_SHOULDER_ROOM_MM:
        return []
    sentence = (
        f"the scan begins {room:.0f} mm above the shoulders; {MIN_SHOULDER_ROOM_MM:.0f} mm or more"
        " are usual"
    )
    return [_finding(sentence, room, MIN_SHOULDER_ROOM_MM, "mm", from_mm=top, to_mm=top)]


def _knees(sample: BodySample) -> list[Finding]:
    share, bottom = knee_share(sample), float(sample.z_mm[0])
    if share <= MAX_KNEE_SHARE:
        return []
    sentence = (
        "the scan ends above the knees: the muscles of the legs do not become thinner towards its"
        " lower end"
    )
    return [_finding(sentence, share, MAX_KNEE_SHARE, from_mm=bottom, to_mm=bottom)]


def _off_centre(sample: BodySample) -> list[Finding]:
    aside = off_centre_mm(sample)
    if abs(aside) <= MAX_OFF_CENTRE_MM:
        return []
    side = "left" if aside > 0 else "right"
    sentence = (
        f"the body lies {abs(aside):.0f} mm to the {side} of the middle of the image: parts of that"
        " side may be cut off"
    )
    return [_finding(sentence, abs(aside), MAX_OFF_CENTRE_MM, "mm", side=side)]


def _sides(sample: BodySample) -> list[Finding]:
    return [
        _finding(
            f"the trunk is cut off at the {side} border of the image, over {contact:.0f} mm along"
            " the body",
            contact,
            MAX_CONTACT_MM,
            "mm",
            side=side,
        )
        for side, contact in zip(("right", "left"), contact_mm(sample, MIN_TRUNK_FACE_MM))
        if contact > MAX_CONTACT_MM
    ]


def _finding(sentence: str, value: float, limit: float, unit: str = "", **place: Any) -> Finding:
    remedy = "Look whether this part is in view. Values of the whole body may be wrong."
    return Finding(
        "BODY_CUT_OFF", sentence, remedy=remedy, value=value, threshold=limit, unit=unit, **place
    )
