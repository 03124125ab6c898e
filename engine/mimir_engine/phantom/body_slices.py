"""Cut a body with all slices of a study at once, for closed-form projections."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np

from mimir_engine.phantom.body import Body
from mimir_engine.phantom.rician_noise import AIR_VARIANCE, rician_mean
from mimir_engine.phantom.scanner import MAX_ROWS, PIXEL_MM, ROWS_Y_MM, ScannedStation
from mimir_engine.projection.project import BED_ROWS

#: Rows of the fused volume that projections use; those behind show the table.
SEEN_ROWS = MAX_ROWS - BED_ROWS
#: Tissue of at least this total signal counts as body: Otsu's thresholds lie far from all others.
BRIGHT = 0.30


@dataclass(frozen=True)
class BodySlices:
    """M slices from the head down, stations interleaved, and P columns cut by them.

    Sorted so, the slices that cut a column follow each other. All arrays are float32 but ``order``.

    Attributes:
        order: Index of each slice among all stations' slices, ``(M,)``.
        x: LPS x of the ellipses' centres (mm), ``(P, M)``.
        y: LPS y of the centres.
        half_x: Half-axes along x (mm), ``(P, M)``; 0 in slices that do not cut the column.
        half_y: Half-axes along y.
        signal: Water and fat of each column minus those around it, with gain, ``(2, P, M)``.
        offset: The same difference of the mean signal added by noise, ``(2, P, M)``.
        bright: The same difference of membership in the body mask, ``(P,)``.
        bias_x: Linear and quadratic coefficient of the coil bias along x, ``(2, M, 1)``.
        bias_y: The same along y.
        sigma: SD of the noise in each part of the complex signal, ``(M, 1)``.
        rows: Number of rows, ``(M, 1)``.
        seen_rows: Number of rows not behind the table, ``(M, 1)``.
        y_low: Front edge of the seen rows (mm), ``(M, 1)``.
        y_high: Back edge of the seen rows (mm), ``(M, 1)``.
        row_is_scanned: True if the station has this row, bool ``(M, SEEN_ROWS)``.
    """

    order: np.ndarray
    x: np.ndarray
    y: np.ndarray
    half_x: np.ndarray
    half_y: np.ndarray
    signal: np.ndarray
    offset: np.ndarray
    bright: np.ndarray
    bias_x: np.ndarray
    bias_y: np.ndarray
    sigma: np.ndarray
    rows: np.ndarray
    seen_rows: np.ndarray
    y_low: np.ndarray
    y_high: np.ndarray
    row_is_scanned: np.ndarray

    def present(self) -> Iterator[tuple[int, np.ndarray]]:
        """Yield the columns that are cut, each with the slices that cut it."""
        exists = (self.half_x > 0.0) & (self.half_y > 0.0)
        for index in np.flatnonzero(exists.any(axis=1)):
            yield int(index), np.flatnonzero(exists[index])

    def noise_sd(self, tissue: np.ndarray, voxels: np.ndarray) -> np.ndarray:
        """Compute the SD of sums over ``voxels``, of which ``tissue`` hold signal, the rest air."""
        variance = tissue + AIR_VARIANCE * (voxels - tissue)
        return np.asarray(self.sigma * np.sqrt(np.maximum(variance, 0.0)))

    def air(self) -> np.ndarray:
        """Compute the mean signal of a voxel of air, ``(M, 1)``."""
        return np.asarray(self.sigma * rician_mean(np.zeros(1)))


def cut_body(body: Body, stations: Sequence[ScannedStation]) -> BodySlices:
    """Cut a body with all slices of a study's stations."""
    counts = [len(station.z) for station in stations]
    z = np.concatenate([station.z for station in stations])
    order = np.argsort(-z, kind="stable")

    def each(values: Sequence[float]) -> np.ndarray:
        """Repeat a value of each station for its slices, ``(M, 1)``."""
        return np.repeat(np.asarray(values, np.float32), counts)[order, None]

    gain = np.concatenate([s.bias.along_z(len(s.z)) for s in stations])[order]
    sigma = each([s.sigma for s in stations])
    first = each([s.first_row for s in stations])
    last = np.minimum(each([s.window.stop for s in stations]), np.float32(SEEN_ROWS))
    row = np.arange(SEEN_ROWS)
    y_edge = ROWS_Y_MM[0] - PIXEL_MM / 2
    signal, offset = _differences(body, gain, sigma[:, 0])
    x, y, half_x, half_y = (table.astype(np.float32) for table in body.at(z[order]))
    bright = np.array([t.water + t.fat >= BRIGHT for t in body.tissues], np.float32)
    return BodySlices(
        order=order,
        x=x,
        y=y,
        half_x=half_x,
        half_y=half_y,
        signal=signal,
        offset=offset,
        bright=body.minus_surroundings(bright),
        bias_x=np.stack([each([s.bias.x[i] for s in stations]) for i in (0, 1)]),
        bias_y=np.stack([each([s.bias.y[i] for s in stations]) for i in (0, 1)]),
        sigma=sigma,
        rows=each([s.rows for s in stations]),
        seen_rows=last - first,
        y_low=(y_edge + PIXEL_MM * first).astype(np.float32),
        y_high=(y_edge + PIXEL_MM * last).astype(np.float32),
        row_is_scanned=(row >= first) & (row < last),
    )


def _differences(body: Body, gain: np.ndarray, sigma: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Signal and noise offset of each column minus those around it: float32 ``(2, P, M)`` each.

    The offset is the increase of the mean by taking the magnitude: large in air, small in tissue.
    It is computed with the slice's gain, without the coil bias in plane.
    """
    tissues = list(dict.fromkeys(body.tissues))
    which = [tissues.index(tissue) for tissue in body.tissues]
    levels = np.array([(tissue.water, tissue.fat) for tissue in tissues]).T
    clean = levels[:, :, None] * gain
    # Relative to the air, so that a column in the air has no surroundings to subtract.
    offset = (rician_mean(clean / sigma) - rician_mean(np.zeros(1))) * sigma - clean
    signal, offset = (
        np.stack([body.minus_surroundings(channel[which]) for channel in table])
        for table in (clean, offset)
    )
    return signal.astype(np.float32), offset.astype(np.float32)
