"""Paint the tissues of a body of population 1."""

from __future__ import annotations

import numpy as np

from mimir_engine.phantom.anatomy.columns import PIVOT_Z_MM
from mimir_engine.phantom.body import Body, Tissue
from mimir_engine.phantom.label_map.names import TISSUES
from mimir_engine.phantom.label_map.painted_slice import PaintedSlice
from mimir_engine.phantom.render_station import paint_ellipses
from mimir_engine.phantom.scanner import COLUMNS_X_MM, ScannedStation

#: Names of the columns that consist of each tissue, in the order of ``TISSUES``.
COLUMNS_OF = (
    *(("liver",), ("spleen",), ("kidney",), ("trunk muscle", "leg muscle"), ("arm muscle",)),
    *(("trunk skin", "leg skin", "arm skin", "breast"), ("visceral fat",)),
)


class EllipsePainter:
    """Paints slices of a body of ellipses; breath moves nothing in it."""

    def __init__(self, body: Body) -> None:
        """Prepare what each column adds to its surroundings."""
        values = [
            (*(float(name in names) for names in COLUMNS_OF), tissue.water, tissue.fat)
            for name, tissue in zip(body.names, body.tissues)
        ]
        self._body = body
        self._contrast = body.minus_surroundings(np.array(values)).astype(np.float32)

    def paint(self, station: ScannedStation, index: int) -> PaintedSlice:
        """Paint a slice of a station."""
        z = float(station.z[index])
        ellipses = [table[:, 0] for table in self._body.at(station.z[index : index + 1])]
        values = paint_ellipses(ellipses, self._contrast, COLUMNS_X_MM, station.rows_y_mm)
        values[-2:] *= station.gain_of(index).astype(np.float32)
        p = self._body.person
        middle = p.shift_x + p.lean_x * (z - PIVOT_Z_MM)
        return PaintedSlice(values[:-2], values[-2:], station.sigma, middle)

    def tissue(self, name: str) -> Tissue:
        """Return the signals of a tissue of ``TISSUES``."""
        column = COLUMNS_OF[TISSUES.index(name)][0]
        return self._body.tissues[self._body.names.index(column)]
