"""The population that synthetic bodies are drawn from.

Ranges resemble those of middle-aged volunteers (height, BMI, visceral fat, liver volume and fat),
but nothing here is fitted to people: the numbers serve to test a network that is trained on
phantoms from end to end.

Seeds
-----
Everything random about a phantom comes from ``stream(purpose, seed)``. By convention phantoms for
training and calibration have seeds below 1,000,000; phantoms with seeds from 2,000,000 on are never
used in training and serve for evaluation.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

#: Names of the populations in the provenance of data and networks. Both have the same traits; the
#: bodies of the first are stacks of ellipses, those of the second smooth shapes.
POPULATIONS = {1: "mimir_engine.phantom.population", 2: "mimir_engine.phantom.smooth_body"}

FEMALE, MALE = 0, 1

_STREAMS = {
    "person": 11,
    "scanner": 12,
    "noise": 13,
    "projected noise": 14,
    "build": 15,
    "conditions": 16,
    "position": 17,
    "variety": 18,
}


def stream(purpose: str, seed: int, repeat: int = 0) -> np.random.Generator:
    """Create random numbers for a purpose in ``_STREAMS``, others for each repeat of a scan."""
    entropy = (_STREAMS[purpose], seed, repeat) if repeat else (_STREAMS[purpose], seed)
    return np.random.default_rng(np.random.SeedSequence(entropy))


@dataclass(frozen=True)
class Person:
    """Traits of one phantom.

    Lengths are in mm, volumes in L; levels are heights above the sole as fractions of the body's.
    All refer to the stylised shapes of ``mimir_engine.phantom.anatomy``.

    Attributes:
        seed: The seed that drew this person.
        sex: ``FEMALE`` or ``MALE``.
        height: Body height.
        frame: Skeletal width; 1 is a woman of mean height.
        muscle: Muscle thickness; 1 is a woman's.
        muscle_fat: Fat fraction inside muscle, 0..1.
        liver_fat: Fat fraction inside the liver, 0..1.
        subcutaneous: Thickness of the abdomen's subcutaneous fat.
        hip_fat: Thickness at hips and thighs relative to that.
        front_fat: Thickness at the belly relative to that.
        breast: Radius of the breasts; 0 in men.
        visceral: Visceral adipose tissue.
        liver: Volume of the liver.
        bowel: Everything in the lower abdominal cavity that is not fat.
        bladder: Filling of the bladder.
        mesentery: Share of the visceral fat that lies between the bowel loops.
        belly_depth: Depth over width of the lower abdominal cavity.
        crotch_level: Level of the crotch.
        knee_level: Level of the knees.
        shoulder_level: Level of the shoulders.
        dome_level: Top of the abdominal cavity, under the diaphragm.
        scan_top_level: Level at which the scan begins.
        shift_x: Shift to the left.
        shift_y: Shift backwards.
        lean_x: Sideways lean of the body's axis, mm per mm.
        arm: Thickness of the arms; 1 is the mean.
        arm_gap: Gap between arms and trunk.
        leg_gap: Gap between the knees.
        asymmetry: Relative difference of right and left leg, arm and lung.
        clutter: Seed of variation that is not measured: the bowel's loops.
    """

    seed: int
    sex: int
    height: float
    frame: float
    muscle: float
    muscle_fat: float
    subcutaneous: float
    hip_fat: float
    front_fat: float
    breast: float
    visceral: float
    liver: float
    liver_fat: float
    bowel: float
    bladder: float
    mesentery: float
    belly_depth: float
    crotch_level: float
    knee_level: float
    shoulder_level: float
    dome_level: float
    scan_top_level: float
    shift_x: float
    shift_y: float
    lean_x: float
    arm: float
    arm_gap: float
    leg_gap: float
    asymmetry: tuple[float, float, float]
    clutter: int


def draw_person(seed: int) -> Person:
    """Draw the person with this seed; adiposity and muscularity affect several traits at once."""
    rng = stream("person", seed)

    def normal(mean: float, sd: float, low: float = -3.0, high: float = 3.0) -> float:
        """Draw from a normal distribution, clipped to mean + [low, high] SD."""
        return mean + sd * float(np.clip(rng.standard_normal(), low, high))

    def skewed(median: float, log_sd: float, minimum: float, maximum: float) -> float:
        """Draw from a log-normal distribution within limits."""
        return float(np.clip(median * np.exp(log_sd * rng.standard_normal()), minimum, maximum))

    sex = int(rng.random() < 0.5)
    adiposity, muscularity = normal(0.0, 1.0), normal(0.0, 1.0)
    height = normal(1770.0, 70.0) if sex == MALE else normal(1630.0, 65.0)
    relative_height = height / 1630.0
    return Person(
        seed=seed,
        sex=sex,
        height=height,
        frame=normal(1.06 if sex == MALE else 1.0, 0.045) * relative_height**0.6,
        muscle=(1.2 if sex == MALE else 1.0) * float(np.exp(0.11 * muscularity + 0.04 * adiposity)),
        muscle_fat=skewed(0.045 * np.exp(0.15 * adiposity), 0.35, 0.015, 0.16),
        subcutaneous=skewed(
            (16.0 if sex == MALE else 23.0) * np.exp(0.40 * adiposity), 0.15, 3.5, 58.0
        ),
        hip_fat=normal(0.62 if sex == MALE else 0.92, 0.09),
        front_fat=normal(1.1, 0.12),
        breast=0.0 if sex == MALE else skewed(36.0 * np.exp(0.20 * adiposity), 0.18, 18.0, 62.0),
        visceral=skewed((3.8 if sex == MALE else 2.1) * np.exp(0.33 * adiposity), 0.38, 0.3, 10.0),
        liver=skewed(1.42 * relative_height**1.5 * np.exp(0.05 * adiposity), 0.17, 1.0, 2.8),
        liver_fat=skewed(0.038 * np.exp(0.35 * adiposity), 0.65, 0.01, 0.30),
        bowel=skewed(2.6 * relative_height**1.5, 0.16, 1.5, 4.0),
        bladder=0.04 + 0.36 * rng.random(),
        mesentery=0.10 + 0.12 * rng.random(),
        belly_depth=normal(0.64, 0.04),
        crotch_level=normal(0.464 if sex == MALE else 0.459, 0.005),
        knee_level=normal(0.283, 0.002),
        shoulder_level=normal(0.818, 0.003),
        dome_level=normal(0.708, 0.005),
        scan_top_level=normal(0.872, 0.007),
        shift_x=normal(0.0, 6.0),
        shift_y=normal(0.0, 1.5),
        lean_x=normal(0.0, 0.008),
        arm=float(np.exp(normal(0.0, 0.08))),
        arm_gap=3.0 + 12.0 * rng.random(),
        leg_gap=4.0 + 30.0 * rng.random(),
        asymmetry=(normal(0.0, 0.015), normal(0.0, 0.04), normal(0.0, 0.03)),
        clutter=int(rng.integers(2**31)),
    )
