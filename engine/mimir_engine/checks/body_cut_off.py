"""Find bodies that the scan does not show completely: shoulders, knees, sides of the trunk."""

from __future__ import annotations

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
MIN_TRUNK_FACE_MM = 170.0
#: Length of such a contact along the body, in mm.
MAX_CONTACT_MM = 30.0
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
    """Find what the scan does not show of the shoulders, the knees and the sides of the trunk."""
    low, high = float(sample.z_mm[0]), float(sample.z_mm[-1])
    findings = []
    room = shoulder_room_mm(sample)
    if room < MIN_SHOULDER_ROOM_MM:
        findings.append(
            Finding(
                "BODY_CUT_OFF",
                f"the scan begins {room:.0f} mm above the shoulders; {MIN_SHOULDER_ROOM_MM:.0f} mm"
                " or more are usual",
                remedy="Look whether the shoulders are in view. Values of the whole body may be"
                " wrong.",
                from_mm=high,
                to_mm=high,
                value=room,
                threshold=MIN_SHOULDER_ROOM_MM,
                unit="mm",
            )
        )
    share = knee_share(sample)
    if share > MAX_KNEE_SHARE:
        findings.append(
            Finding(
                "BODY_CUT_OFF",
                "the scan ends above the knees: the muscles of the legs do not become thinner"
                " towards its lower end",
                remedy="Look whether the knees are in view. Values of the whole body may be wrong.",
                from_mm=low,
                to_mm=low,
                value=share,
                threshold=MAX_KNEE_SHARE,
            )
        )
    aside = off_centre_mm(sample)
    if abs(aside) > MAX_OFF_CENTRE_MM:
        side = "left" if aside > 0 else "right"
        findings.append(
            Finding(
                "BODY_CUT_OFF",
                f"the body lies {abs(aside):.0f} mm to the {side} of the middle of the image: parts"
                " of that side may be cut off",
                remedy="Look whether the arms are in view. Compare both sides with care.",
                side=side,
                value=abs(aside),
                threshold=MAX_OFF_CENTRE_MM,
                unit="mm",
            )
        )
    for side, contact in zip(("right", "left"), contact_mm(sample, MIN_TRUNK_FACE_MM)):
        if contact > MAX_CONTACT_MM:
            findings.append(
                Finding(
                    "BODY_CUT_OFF",
                    f"the trunk is cut off at the {side} border of the image, over"
                    f" {contact:.0f} mm along the body",
                    remedy="Look at the images. Volumes of fat may be too small.",
                    side=side,
                    value=contact,
                    threshold=MAX_CONTACT_MM,
                    unit="mm",
                )
            )
    return findings
