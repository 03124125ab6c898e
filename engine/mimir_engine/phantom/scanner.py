"""The scanner of a phantom: positions of its stations, coil sensitivity and noise.

The geometry is that of UK Biobank field 20201: six stations of 224 columns, their rows centred
alike. Overlaps, gains, coil bias and noise are invented and drawn for each study.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Union

import numpy as np

from mimir_engine.phantom.population import Person, stream

#: Pixel spacing, in both directions.
PIXEL_MM = 2.23214293
COLUMNS = 224
#: Rows of the largest station.
MAX_ROWS = 174
#: Patient x (LPS) of the column centres, the same in all stations.
COLUMNS_X_MM = -249.0 + PIXEL_MM * np.arange(COLUMNS)
#: Patient y (LPS) of the row centres of the largest station.
ROWS_Y_MM = -193.0 + PIXEL_MM * np.arange(MAX_ROWS)
#: Patient z (LPS) of the topmost slice.
TOP_Z_MM = 210.0

#: The stations from head to foot.
SLICES = (64, 44, 44, 44, 72, 64)
SLICE_SPACING_MM = (3.0, 4.5, 4.5, 4.5, 3.5, 4.0)
ROWS = (168, 174, 174, 174, 162, 156)
BREATH_HOLD = (False, True, True, True, False, False)
#: Overlap of each station with the next: mean and largest deviation, in whole mm.
OVERLAP_MM = (31.0, 31.0, 33.0, 32.0, 31.0)
OVERLAP_SPREAD_MM = 4


@dataclass(frozen=True)
class Bias:
    """Sensitivity of a station's coils, a product of one factor per direction.

    Each factor is that of `sensitivity`, with a linear and a quadratic coefficient.

    Attributes:
        gain: Signal of pure fat in the middle.
        x: Coefficients over patient x in mm.
        y: Coefficients over patient y in mm.
        z: Coefficients over -1..1, from the top to the bottom slice.
    """

    gain: float
    x: tuple[float, float]
    y: tuple[float, float]
    z: tuple[float, float]

    def along_z(self, count: int) -> np.ndarray:
        """Compute the gain of each of ``count`` slices, head to foot."""
        q = np.linspace(-1.0, 1.0, count)
        return self.gain * (1.0 + self.z[0] * q - self.z[1] * q * q)

    def in_plane(self, x: np.ndarray, y: np.ndarray) -> np.ndarray:
        """Compute the sensitivity at columns x and rows y (mm): ``(rows, columns)``."""
        return np.outer(sensitivity(y, self.y), sensitivity(x, self.x))


@dataclass(frozen=True)
class ScannedStation:
    """One table position of a phantom study; slices run head to foot, as they are acquired.

    Attributes:
        index: 0 is the neck station.
        z: Patient z (mm) of each slice, descending.
        spacing_z: Distance of the slices (mm).
        rows: Number of rows.
        breath_hold: True if it was scanned during a breath-hold, as the trunk is.
        bias: Sensitivity of its coils.
        sigma: SD of the noise in each of the two parts of the complex signal.
    """

    index: int
    z: np.ndarray
    spacing_z: float
    rows: int
    breath_hold: bool
    bias: Bias
    sigma: float

    @property
    def first_row(self) -> int:
        """Index of the station's first row among those of the largest station."""
        return (MAX_ROWS - self.rows) // 2

    @property
    def window(self) -> slice:
        """Rows of the station among those of the largest one."""
        return slice(self.first_row, self.first_row + self.rows)

    @property
    def rows_y_mm(self) -> np.ndarray:
        """Patient y (mm) of the row centres."""
        return ROWS_Y_MM[self.window]

    def gain_of(self, index: int) -> np.ndarray:
        """Compute the signal of pure fat in a slice: ``(rows, columns)``."""
        along_z = float(self.bias.along_z(len(self.z))[index])
        return along_z * self.bias.in_plane(COLUMNS_X_MM, self.rows_y_mm)


def patient_z(level: float, person: Person) -> float:
    """Convert a level of a person's body to patient z (mm)."""
    return TOP_Z_MM + (level - person.scan_top_level) * person.height


def sensitivity(
    t: Union[float, np.ndarray], coefficients: Union[tuple[float, float], np.ndarray]
) -> np.ndarray:
    """Evaluate one factor of the coil sensitivity, ``1 + linear * t - quadratic * t**2``."""
    linear, quadratic = coefficients
    return np.asarray(1.0 + linear * t - quadratic * t**2)


def draw_stations(seed: int, repeat: int = 0) -> tuple[ScannedStation, ...]:
    """Draw the six stations of the study with this seed, head to foot."""
    rng = stream("scanner", seed, repeat)
    loudness = rng.uniform(420.0, 620.0)
    noise = rng.uniform(4.0, 8.0)
    stations = []
    top = TOP_Z_MM
    for index, (slices, spacing) in enumerate(zip(SLICES, SLICE_SPACING_MM)):
        rows = ROWS[index]
        bias = Bias(
            gain=loudness * rng.uniform(0.88, 1.14),
            x=(rng.uniform(-0.08, 0.08) / 250.0, rng.uniform(0.02, 0.14) / 250.0**2),
            y=(rng.uniform(-0.08, 0.08) / 195.0, rng.uniform(0.02, 0.12) / 195.0**2),
            z=(rng.uniform(-0.06, 0.06), rng.uniform(0.04, 0.16)),
        )
        stations.append(
            ScannedStation(
                index=index,
                z=top - spacing * np.arange(slices),
                spacing_z=spacing,
                rows=rows,
                breath_hold=BREATH_HOLD[index],
                bias=bias,
                sigma=noise * rng.uniform(0.9, 1.1),
            )
        )
        if index < len(OVERLAP_MM):
            off = rng.integers(-OVERLAP_SPREAD_MM, OVERLAP_SPREAD_MM + 1)
            top -= slices * spacing - float(OVERLAP_MM[index] + off)
    return tuple(stations)
