"""Paint the tissues of a body of population 2."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from mimir_engine.phantom.anatomy.columns import PIVOT_Z_MM
from mimir_engine.phantom.body import Tissue
from mimir_engine.phantom.label_map.names import TISSUES
from mimir_engine.phantom.label_map.painted_slice import PaintedSlice
from mimir_engine.phantom.scanner import COLUMNS_X_MM, ScannedStation
from mimir_engine.phantom.smooth_body.body import SmoothBody
from mimir_engine.phantom.smooth_body.conditions import Conditions
from mimir_engine.phantom.smooth_body.outline import surfaces
from mimir_engine.phantom.smooth_body.paint import paint_slice
from mimir_engine.phantom.smooth_body.shapes import Grid, occupancy

#: What the body calls the tissues, in the order of ``TISSUES``.
NAMES_IN_BODY = ("liver", "spleen", "kidney", "muscle", "muscle", "subcutaneous", "visceral")
MUSCLE, ARM_MUSCLE = TISSUES.index("muscle"), TISSUES.index("arm muscle")


class SmoothPainter:
    """Paints slices of a body of smooth shapes, whose organs move with each station's breath."""

    def __init__(self, body: SmoothBody, conditions: Sequence[Conditions]) -> None:
        """Prepare what each tissue contributes; ``conditions`` are those of all stations."""
        self._body = body
        self._conditions = conditions
        self._palette = {
            name: np.array(
                (*(float(name == own) for own in NAMES_IN_BODY), tissue.water, tissue.fat),
                np.float32,
            )
            for name, tissue in body.tissues.items()
        }

    def paint(self, station: ScannedStation, index: int) -> PaintedSlice:
        """Paint a slice of a station."""
        z = float(station.z[index])
        grid = Grid.of(COLUMNS_X_MM, station.rows_y_mm)
        condition = self._conditions[station.index]
        values = paint_slice(self._body, grid, z, self._palette, condition.breath_mm)
        gain = station.gain_of(index) * condition.gain * condition.uneven_coils(grid, z)
        values[-2:] *= gain.astype(np.float32)
        arm = self._arm(grid, z)
        values[MUSCLE] *= ~arm
        values[ARM_MUSCLE] *= arm
        p = self._body.person
        middle = p.shift_x + p.lean_x * (z - PIVOT_Z_MM) + self._body.middle(z)
        return PaintedSlice(values[:-2], values[-2:], station.sigma, middle)

    def tissue(self, name: str) -> Tissue:
        """Return the signals of a tissue of ``TISSUES``."""
        return self._body.tissues[NAMES_IN_BODY[TISSUES.index(name)]]

    def _arm(self, grid: Grid, z: float) -> np.ndarray:
        """Find the pixels of the arms: more than half of them is not in the rest of the body."""
        skin, _, armless = surfaces(self._body, self._body.grid_at(grid, z), z)
        return np.asarray(occupancy(armless, grid.spacing) < 0.5 * occupancy(skin, grid.spacing))
