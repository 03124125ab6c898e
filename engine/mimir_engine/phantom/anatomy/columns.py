"""Collect the elliptic columns of a body while it is built."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Optional, Union

import numpy as np

from mimir_engine.phantom.body import Body, Tissue, mixed
from mimir_engine.phantom.population import Person
from mimir_engine.phantom.scanner import TOP_Z_MM

#: Distance (mm) of the heights at which ellipses are stored; between them all is linear.
STEP_MM = 4.0
#: Patient y (LPS mm) of the table's surface, on which the person lies.
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
    """A stack of ellipses, one per height: centre ``x``, ``y`` and half-axes ``a``, ``b`` in mm."""

    x: np.ndarray
    y: np.ndarray
    a: np.ndarray
    b: np.ndarray

    def part(self, u: float, v: float, a: float, b: float, profile: Profile = 1.0) -> Ellipses:
        """Create a shape inside, centre and half-axes in units of the half-axes.

        The half-axes are multiplied by ``profile``. Shapes that are disjoint in the unit disc are
        disjoint in every body.
        """
        return Ellipses(
            self.x + u * self.a, self.y + v * self.b, a * self.a * profile, b * self.b * profile
        )

    def spot(self, u: float, v: float, a: Profile, b: Profile) -> Ellipses:
        """Create a shape inside: centre in units of the half-axes, half-axes in mm."""
        zero = np.zeros_like(self.x)
        return Ellipses(self.x + u * self.a, self.y + v * self.b, zero + a, zero + b)

    def times(self, profile: Profile) -> Ellipses:
        """Multiply the half-axes by ``profile``."""
        return Ellipses(self.x, self.y, self.a * profile, self.b * profile)


class Columns:
    """The columns of one person so far.

    Attributes:
        h: Heights above the sole (mm), ascending: every ``STEP_MM``, and both sides of the crotch.
    """

    def __init__(self, person: Person) -> None:
        crotch = person.crotch_level * person.height
        heights = np.arange(0.0, person.height + STEP_MM, STEP_MM)
        self.person = person
        self.h = np.union1d(heights, [crotch - 0.01, crotch + 0.01])
        self._columns: list[tuple[str, Tissue, Optional[int], Ellipses]] = []

    @property
    def level(self) -> np.ndarray:
        """Heights as fractions of the body height."""
        return self.h / self.person.height

    @property
    def muscle_tissue(self) -> Tissue:
        """Tissue of the person's muscle, with its fat."""
        return mixed(MUSCLE_SIGNAL, self.person.muscle_fat)

    def curve(self, points: Points) -> np.ndarray:
        """Draw a smooth curve through points, constant beyond the first and last point."""
        levels, values = zip(*sorted(points))
        return smooth(np.interp(self.level, levels, values))

    def between(self, low: float, high: float) -> np.ndarray:
        """Return 1 between two levels, else 0."""
        return ((self.level >= low) & (self.level <= high)).astype(float)

    def bulge(self, middle: float, half: float, power: float = 2.0) -> np.ndarray:
        """Compute sqrt(1 - |t|^power), t = -1..1 within ``half`` of a level; 0 outside.

        With power 2 the profile of an ellipsoid, with more that of a barrel.
        """
        t = np.abs(self.level - middle) / half
        return np.sqrt(np.clip(1.0 - t**power, 0.0, None))

    def add(self, name: str, tissue: Tissue, parent: Optional[int], ellipses: Ellipses) -> int:
        """Add a column inside ``parent`` (None: in the air) and return its index."""
        self._columns.append((name, tissue, parent, ellipses))
        return len(self._columns) - 1

    def volume_l(self, ellipses: Ellipses) -> float:
        """Compute the volume (L) of a stack of ellipses."""
        area = np.pi * ellipses.a * ellipses.b
        return float(np.sum((area[1:] + area[:-1]) / 2 * np.diff(self.h))) / 1e6

    def body(self) -> Body:
        """Create the finished body on the scanner's table."""
        p = self.person
        names, tissues, parents, ellipses = zip(*self._columns)
        x, y, a, b = (np.stack([getattr(e, axis) for e in ellipses]) for axis in "xyab")
        z = TOP_Z_MM + self.h - p.scan_top_level * p.height
        empty = (a <= 0.0) | (b <= 0.0)
        return Body(
            person=p,
            z=z,
            names=names,
            tissues=tissues,
            parents=parents,
            centre_x=x + p.shift_x + p.lean_x * (z - PIVOT_Z_MM),
            centre_y=y + p.shift_y,
            half_x=np.where(empty, 0.0, a),
            half_y=np.where(empty, 0.0, b),
        )


def smooth(line: np.ndarray) -> np.ndarray:
    """Round the corners of a line over the heights, over about 3 cm."""
    kernel = np.hanning(17)[1:-1]
    return np.convolve(np.pad(line, 7, mode="edge"), kernel / kernel.sum(), mode="valid")
