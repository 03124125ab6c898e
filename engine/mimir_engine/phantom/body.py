"""A synthetic body of elliptic columns, from which truth, voxels and projections are computed.

A column is a stack of axis-aligned ellipses of one tissue, lying inside one parent column (or in
the air) and disjoint from its siblings. Additive quantities (signal, mass, volume) are then sums
over all columns of the column's own value minus its parent's. Levels are heights above the sole as
fractions of body height; coordinates are the patient's (LPS, mm): x to the left, y backwards, z
upwards.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Optional

import numpy as np

from mimir_engine.phantom.population import Person
from mimir_engine.phantom.scanner import patient_z

#: Density of adipose and of lean tissue (kg/L).
ADIPOSE_DENSITY, LEAN_DENSITY = 0.92, 1.06

#: Name and unit of each true measurement of a phantom, in the order of ``Body.truth``.
TRUTHS = {
    "sex": "",
    "height": "cm",
    "weight": "kg",
    "visceralFatVolume": "L",
    "abdominalSubcutaneousFatVolume": "L",
    "totalFatVolume": "L",
    "liverVolume": "L",
    "liverFat": "%",
    "thighMuscleVolume": "L",
    "totalLeanVolume": "L",
    "waist": "cm",
}


@dataclass(frozen=True)
class Tissue:
    """Signal of a tissue (about 1 for pure fat, before gain and coil bias) and density (kg/L)."""

    water: float
    fat: float
    density: float = LEAN_DENSITY


AIR = Tissue(0.0, 0.0, 0.0)
ADIPOSE = Tissue(0.06, 0.92, ADIPOSE_DENSITY)
LUNG = Tissue(0.07, 0.02, 0.30)
CORTICAL_BONE = Tissue(0.04, 0.03)
RED_MARROW = Tissue(0.22, 0.52)
FEMUR_MARROW = Tissue(0.10, 0.74)
ARM_MARROW = Tissue(0.12, 0.70)
VISCERA = Tissue(0.66, 0.05)
SPLEEN = Tissue(0.58, 0.03)
KIDNEY = Tissue(0.82, 0.04)
BLOOD = Tissue(0.52, 0.03)
FLUID = Tissue(0.50, 0.02)
BRAIN = Tissue(0.70, 0.05)


def mixed(signal: float, fat_fraction: float) -> Tissue:
    """Mix lean tissue of a given total signal with fat inside its cells."""
    return Tissue(signal * (1 - fat_fraction), signal * fat_fraction)


@dataclass(frozen=True)
class Body:
    """The columns of one person, stored at common heights; linear between them.

    Attributes:
        person: The person it was built for.
        z: Patient z (mm) of the ``K`` heights, ascending, from sole to crown: ``(K,)``.
        names: Names of the ``P`` columns; several may share one.
        tissues: Tissue of each column.
        parents: Index of the column it lies in, None in the air; parents come before children.
        centre_x: LPS x of the ellipses' centres (mm), ``(P, K)``.
        centre_y: LPS y of the centres.
        half_x: Half-axes along x (mm), ``(P, K)``; 0 at heights without the column.
        half_y: Half-axes along y.
    """

    person: Person
    z: np.ndarray
    names: tuple[str, ...]
    tissues: tuple[Tissue, ...]
    parents: tuple[Optional[int], ...]
    centre_x: np.ndarray
    centre_y: np.ndarray
    half_x: np.ndarray
    half_y: np.ndarray

    def at(self, z: np.ndarray) -> tuple[np.ndarray, np.ndarray, np.ndarray, np.ndarray]:
        """Interpolate the ellipses: centre x, y and half-axes x, y (mm), ``(P, len(z))`` each."""
        upper = np.clip(np.searchsorted(self.z, z), 1, len(self.z) - 1)
        lower = upper - 1
        weight = np.clip((z - self.z[lower]) / (self.z[upper] - self.z[lower]), 0.0, 1.0)
        inside = (z >= self.z[0]) & (z <= self.z[-1])

        def between(table: np.ndarray) -> np.ndarray:
            return np.asarray(table[:, lower] * (1 - weight) + table[:, upper] * weight)

        return (
            between(self.centre_x),
            between(self.centre_y),
            between(self.half_x) * inside,
            between(self.half_y) * inside,
        )

    def minus_surroundings(self, values: np.ndarray) -> np.ndarray:
        """Subtract from each column's value that of the column around it, 0 in air: ``(P, ...)``.

        With these factors or differences, a sum over columns counts each without its children.
        """
        parents = [len(values) if parent is None else parent for parent in self.parents]
        padded = np.concatenate([values, np.zeros_like(values[:1])])
        return np.asarray(values - padded[parents])

    def z_of(self, level: float) -> float:
        """Convert a level to patient z (mm)."""
        return patient_z(level, self.person)

    def volumes_l(self, low: float = 0.0, high: float = 1.1) -> np.ndarray:
        """Compute the volume (L) of each column with its children between two levels: ``(P,)``.

        Exact for half-axes that are linear between the heights.
        """
        a, b = self.half_x, self.half_y
        aligned = a[:, :-1] * b[:, :-1] + a[:, 1:] * b[:, 1:]
        crossed = a[:, :-1] * b[:, 1:] + a[:, 1:] * b[:, :-1]
        slabs = np.diff(self.z) * np.pi / 6e6 * (2 * aligned + crossed)
        edges = np.clip(self.z, self.z_of(low), self.z_of(high))
        return np.asarray(slabs @ (np.diff(edges) / np.diff(self.z)))

    def own_volume_l(self, name: str, low: float = 0.0, high: float = 1.1) -> float:
        """Compute the volume (L) of the columns of a name, without their children."""
        chosen = np.array([float(own == name) for own in self.names])
        return float(self.minus_surroundings(chosen) @ self.volumes_l(low, high))

    def truth(self) -> dict[str, float]:
        """Compute all true measurements, in the order and units of ``TRUTHS``.

        Fat and lean tissue are counted between knees and neck, without the arms, which leave the
        field of view in wide bodies; abdominal subcutaneous fat between hip joints and diaphragm;
        weight includes all parts of the body.
        """
        p = self.person
        hip, knee = p.crotch_level + 0.05, p.knee_level + 0.03
        density = np.array([tissue.density for tissue in self.tissues])
        fat, lean = self._fat_and_lean_l(p.knee_level + 0.02, p.shoulder_level + 0.02)
        return {
            "sex": float(p.sex),
            "height": p.height / 10.0,
            "weight": float(self.minus_surroundings(density) @ self.volumes_l()),
            "visceralFatVolume": self.own_volume_l("visceral fat"),
            "abdominalSubcutaneousFatVolume": self.own_volume_l("trunk skin", hip, p.dome_level),
            "totalFatVolume": fat,
            "liverVolume": self.own_volume_l("liver"),
            "liverFat": 100.0 * p.liver_fat,
            "thighMuscleVolume": self.own_volume_l("leg muscle", knee, p.crotch_level),
            "totalLeanVolume": lean,
            "waist": self._girth_mm("trunk skin", 0.605) / 10.0,
        }

    def _fat_and_lean_l(self, low: float, high: float) -> tuple[float, float]:
        """Volume (L) of adipose tissue, and of the rest without air and lung; no arms."""
        arm = np.array([name.startswith("arm") for name in self.names])
        adipose = np.array([float(tissue == ADIPOSE) for tissue in self.tissues])
        solid = np.array([float(tissue not in (AIR, LUNG)) for tissue in self.tissues])
        volumes = np.where(arm, 0.0, self.volumes_l(low, high))
        fat = float(self.minus_surroundings(adipose) @ volumes)
        return fat, float(self.minus_surroundings(solid) @ volumes) - fat

    def _girth_mm(self, name: str, level: float) -> float:
        """Perimeter of a column at a level."""
        index, z = self.names.index(name), self.z_of(level)
        a, b = (np.interp(z, self.z, table[index]) for table in (self.half_x, self.half_y))
        return perimeter(float(a), float(b))


def perimeter(a: float, b: float) -> float:
    """Compute the perimeter of an ellipse with half-axes ``a`` and ``b`` (Ramanujan's first)."""
    return float(np.pi * (3 * (a + b) - np.sqrt((3 * a + b) * (a + 3 * b))))
