"""The population that synthetic bodies are drawn from, written down in this one place.

Ranges follow middle-aged volunteers of a large imaging study (height, BMI, visceral fat, liver volume and
fat), but nothing here is fitted to people: the numbers are chosen, so that a network trained on
phantoms can be tested from end to end, and they say nothing about anybody.

Seeds
-----
Everything random about a phantom comes from ``stream(purpose, seed)``. By agreement

* training phantoms have seeds 0, 1, 2, ...
* held-out phantoms (variance calibration) have seeds 1_000_000, ...
* phantoms for a fresh evaluation have seeds 2_000_000, ...
"""
from __future__ import annotations

from dataclasses import dataclass

import numpy as np

TRAINING_SEEDS = 0
HELD_OUT_SEEDS = 1_000_000
FRESH_SEEDS = 2_000_000

FEMALE, MALE = 0, 1

_STREAMS = {"person": 11, "scanner": 12, "noise": 13, "projected noise": 14}


def stream(purpose: str, seed: int) -> np.random.Generator:
    """The random numbers of one ``purpose`` ("person", "scanner", "noise", "projected noise") of a phantom."""
    return np.random.default_rng(np.random.SeedSequence((_STREAMS[purpose], seed)))


@dataclass(frozen=True)
class Person:
    """What makes one phantom differ from another. Lengths in mm, volumes in L, ``h`` = height above the sole.

    Fractions named ``*_level`` are of the body height. Widths and thicknesses are those of the
    stylised shapes in :mod:`mimir_engine.phantom.body`.
    """

    seed: int
    sex: int
    height: float
    frame: float
    """Skeletal width, 1 = a woman of mean height."""
    muscle: float
    """Muscle thickness, 1 = a woman's mean."""
    muscle_fat: float
    """Fat fraction inside muscle, 0..1."""
    subcutaneous: float
    """Thickness of abdominal subcutaneous fat."""
    hip_fat: float
    """Thickness of hip and thigh fat relative to abdominal fat."""
    front_fat: float
    """Front relative to side thickness of abdominal fat."""
    breast: float
    """Size of the breasts (radius; 0 for men)."""
    visceral: float
    """Visceral adipose tissue, L."""
    liver: float
    liver_fat: float
    """Fat fraction of the liver, 0..1."""
    bowel: float
    """Volume of everything in the lower abdominal cavity that is not fat, L."""
    bladder: float
    mesentery: float
    """Share of the visceral fat that lies between the bowel loops."""
    belly_depth: float
    """Depth over width of the abdominal cavity."""
    crotch_level: float
    knee_level: float
    shoulder_level: float
    dome_level: float
    """Top of the abdominal cavity (dome of the diaphragm)."""
    scan_top_level: float
    """Height above the sole of the first slice, set by whoever positioned the person."""
    shift_x: float
    """Position on the table, + = to the patient's left."""
    shift_y: float
    lean_x: float
    """Sideways lean of the body's axis, mm per mm."""
    arm: float
    """Thickness of the arms, 1 = mean."""
    arm_gap: float
    leg_gap: float
    """Gap between the knees."""
    asymmetry: tuple[float, float, float]
    """Right minus left (relative) of legs, arms and lungs."""
    clutter: int
    """Seed of what differs without being measured: bowel loops, vertebrae."""


def draw_person(seed: int) -> Person:
    """The person with this seed. Latent traits are standard normal and shared by what they influence."""
    rng = stream("person", seed)

    def normal(mean: float, sd: float, low: float = -3.0, high: float = 3.0) -> float:
        """A normal draw, cut to mean + [low, high] SD."""
        return mean + sd * float(np.clip(rng.standard_normal(), low, high))

    def skewed(median: float, log_sd: float, minimum: float, maximum: float) -> float:
        """A log-normal draw within limits."""
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
        subcutaneous=skewed((16.0 if sex == MALE else 23.0) * np.exp(0.40 * adiposity), 0.15, 3.5, 58.0),
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
