"""Numbers, names and colours of the labels, and which label a tissue has where."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from mimir_engine.phantom.population import Person
from mimir_engine.phantom.scanner import patient_z

RIGHT, LEFT = 0, 1
#: Tissues that are painted apart from each other; side and height give them a label.
TISSUES = ("liver", "spleen", "kidney", "muscle", "arm muscle", "subcutaneous fat", "visceral fat")
#: Parts of the body that lie above each other.
EVERYWHERE, TRUNK, THIGHS = "everywhere", "trunk", "thighs"
#: Height of a thigh's lower end above the knee: that of the true volume of thigh muscle.
ABOVE_KNEE = 0.03


@dataclass(frozen=True)
class Label:
    """One label.

    Attributes:
        name: As TotalSegmentator names it, where it has the structure.
        tissue: One of `TISSUES`.
        colour: Red, green and blue, 0 to 255.
        sides: `RIGHT`, `LEFT` or both.
        part: `TRUNK`, `THIGHS` or `EVERYWHERE`.
    """

    name: str
    tissue: str
    colour: tuple[int, int, int]
    sides: tuple[int, ...] = (RIGHT, LEFT)
    part: str = EVERYWHERE


#: The labels by their numbers, which follow each other, as nnU-Net demands.
LABELS = dict(
    enumerate(
        (
            Label("liver", "liver", (190, 90, 60)),
            Label("spleen", "spleen", (140, 80, 170)),
            Label("kidney_right", "kidney", (0, 150, 130), (RIGHT,)),
            Label("kidney_left", "kidney", (70, 200, 170), (LEFT,)),
            Label("thigh_muscle_right", "muscle", (200, 60, 90), (RIGHT,), THIGHS),
            Label("thigh_muscle_left", "muscle", (240, 120, 140), (LEFT,), THIGHS),
            Label("trunk_muscle", "muscle", (160, 50, 50), part=TRUNK),
            Label("arm_muscle_right", "arm muscle", (60, 110, 200), (RIGHT,)),
            Label("arm_muscle_left", "arm muscle", (120, 170, 240), (LEFT,)),
            Label("subcutaneous_fat", "subcutaneous fat", (240, 210, 90)),
            Label("visceral_fat", "visceral fat", (240, 150, 40)),
        ),
        start=1,
    )
)


def labels_at(z: float, person: Person) -> np.ndarray:
    """Find the label of each tissue at a height (patient z in mm).

    Returns:
        Numbers on the right and on the left side, 0 without a label: uint8 ``(2, tissues)``.
    """
    part = _part_at(z, person)
    numbers = np.zeros((2, len(TISSUES)), np.uint8)
    for number, label in LABELS.items():
        if label.part in (EVERYWHERE, part):
            numbers[list(label.sides), TISSUES.index(label.tissue)] = number
    return numbers


def _part_at(z: float, person: Person) -> str:
    """Find the part at a height; the knees are in none."""
    if z >= patient_z(person.crotch_level, person):
        return TRUNK
    return THIGHS if z >= patient_z(person.knee_level + ABOVE_KNEE, person) else ""
