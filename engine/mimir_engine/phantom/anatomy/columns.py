"""Elliptic columns while a body is built: shapes over the heights, and the list they go to."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Optional, Union

import numpy as np

from mimir_engine.phantom.body import Body, Tissue, mixed
from mimir_engine.phantom.population import Person
from mimir_engine.phantom.scanner import TOP_Z_MM

#: Distance (mm) of the heights at which the ellipses are written down; between them all is linear.
STEP_MM = 4.0
#: Patient y (LPS mm) of the table's surface, on which everybody lies.
TABLE_Y_MM = 139.0
#: Signal of all skeletal muscle, water and fat together.
MUSCLE_SIGNAL = 0.74
#: A person's axis leans about this patient z (mm), in the middle of the scan.
PIVOT_Z_MM = -300.0

#: Points (level, value) of a curve; levels are heights above the sole as fractions of the body's.
Points = Sequence[tuple[float, float]]
Profile = Union[float, np.ndarray]


@dataclass(frozen=True)
class Ellipses:
    """A stack of ellipses, one a height: centre ``x``, ``y`` and half-axes ``a``, ``b`` in mm."""

    x: np.ndarray
    y: np.ndarray
    a: np.ndarray
    b: np.ndarray

    def part(self, u: float, v: float, a: float, b: float, profile: Profile = 1.0) -> Ellipses:
        """A shape inside: centre ``u``, ``v`` and half-axes ``a``, ``b`` in units of the half-axes.

        The half-axes are times ``profile``. Shapes disjoint in the unit disc are so in every body.
        """
        return Ellipses(
            self.x + u * self.a, self.y + v * self.b, a * self.a * profile, b * self.b * profile
        )

    def spot(self, u: float, v: float, a: Profile, b: Profile) -> Ellipses:
        """A shape with its centre in units of the half-axes but its own half-axes in mm."""
        zero = np.zeros_like(self.x)
        return Ellipses(self.x + u * self.a, self.y + v * self.b, zero + a, zero + b)

    def times(self, profile: Profile) -> Ellipses:
        """The same centres, half-axes times ``profile``."""
        return Ellipses(self.x, self.y, self.a * profile, self.b * profile)


@dataclass
class Columns:
    """The columns of one person so far.

    Attributes:
        h: Heights above the sole (mm), ascending: every ``STEP_MM``, and both sides of the crotch.
    """

    person: Person
    h: np.ndarray
    names: list[str] = field(default_factory=list)
    tissues: list[Tissue] = field(default_factory=list)
    parents: list[Optional[int]] = field(default_factory=list)
    ellipses: list[Ellipses] = field(default_factory=list)

    @staticmethod
    def of(person: Person) -> Columns:
        """No columns yet."""
        crotch = person.crotch_level * person.height
        heights = np.arange(0.0, person.height + STEP_MM, STEP_MM)
        return Columns(person, np.union1d(heights, [crotch - 0.01, crotch + 0.01]))

    @property
    def level(self) -> np.ndarray:
        """The heights as fractions of the body height."""
        return self.h / self.person.height

    @property
    def muscle_tissue(self) -> Tissue:
        """The person's muscle, with the fat inside it."""
        return mixed(MUSCLE_SIGNAL, self.person.muscle_fat)

    def curve(self, points: Points) -> np.ndarray:
        """A smooth curve through points, at all heights; level beyond the first and last point."""
        levels, values = zip(*sorted(points))
        return smooth(np.interp(self.level, levels, values))

    def between(self, low: float, high: float) -> np.ndarray:
        """1 between two levels, else 0."""
        return ((self.level >= low) & (self.level <= high)).astype(float)

    def bulge(self, middle: float, half: float, power: float = 2.0) -> np.ndarray:
        """sqrt(1 - |t|^power), t = -1..1 within ``half`` of a level; 0 outside.

        With power 2 the profile of an ellipsoid, with more that of a barrel.
        """
        t = np.abs(self.level - middle) / half
        return np.sqrt(np.clip(1.0 - t**power, 0.0, None))

    def add(self, name: str, tissue: Tissue, parent: Optional[int], ellipses: Ellipses) -> int:
        """Add a column inside ``parent`` (None: in the air) and return its index."""
        self.names.append(name)
        self.tissues.append(tissue)
        self.parents.append(parent)
        self.ellipses.append(ellipses)
        return len(self.names) - 1

    def volume_l(self, ellipses: Ellipses) -> float:
        """Volume (L) of a stack of ellipses."""
        area = np.pi * ellipses.a * ellipses.b
        return float(np.sum((area[1:] + area[:-1]) / 2 * np.diff(self.h))) / 1e6

    def body(self) -> Body:
        """The finished body, laid on the scanner's table."""
        p = self.person
        x, y, a, b = (
            np.stack([getattr(e, axis) for e in self.ellipses]) for axis in ("x", "y", "a", "b")
        )
        z = TOP_Z_MM + self.h - p.scan_top_level * p.height
        empty = (a <= 0.0) | (b <= 0.0)
        return Body(
            person=p,
            z=z,
            names=tuple(self.names),
            tissues=tuple(self.tissues),
            parents=tuple(self.parents),
            centre_x=x + p.shift_x + p.lean_x * (z - PIVOT_Z_MM),
            centre_y=y + p.shift_y,
            half_x=np.where(empty, 0.0, a),
            half_y=np.where(empty, 0.0, b),
        )


def smooth(line: np.ndarray) -> np.ndarray:
    """A line over the heights with its corners rounded, over about 3 cm."""
    kernel = np.hanning(17)[1:-1]
    return np.convolve(np.pad(line, 7, mode="edge"), kernel / kernel.sum(), mode="valid")
