"""A body cut by all slices of a study at once: the input of closed-form projections."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import Union

import numpy as np

from mimir_engine.phantom.body import Body
from mimir_engine.phantom.scanner import LARGEST_ROWS, PIXEL_MM, ScannedStation, rows_y
from mimir_engine.projection.project import BED_ROWS

#: Rows of the fused volume that projections see; those behind show the table.
SEEN_ROWS = LARGEST_ROWS - BED_ROWS
#: Tissue of at least this total signal counts as body: Otsu's thresholds lie far from all others.
BRIGHT = 0.30
#: Variance of the magnitude of complex noise of variance 1 in each part (Rayleigh).
AIR_VARIANCE = 2.0 - np.pi / 2.0


@dataclass(frozen=True)
class Slices:
    """M slices from the head down, stations interleaved, and P columns cut by them.

    Sorted so, the slices that cut a column follow each other. All arrays are float32 but ``order``.

    Attributes:
        order: Where each slice is in the list of all stations' slices, ``(M,)``.
        x, y, half_x, half_y: Ellipses (mm), ``(P, M)``; half-axes 0 where a column is not cut.
        signal: Water and fat of each column minus those around it, with gain, ``(2, P, M)``.
        offset: The same difference of what noise adds to the mean signal, ``(2, P, M)``.
        bright: The same difference of belonging to the body mask, ``(P,)``.
        bias_x, bias_y: Linear and quadratic coefficient of the coil bias, ``(2, M, 1)``.
        sigma: SD of the noise in each part of the complex signal, ``(M, 1)``.
        rows, seen_rows: Rows of the station, and those of them not behind the table, ``(M, 1)``.
        y_low, y_high: Edges of the seen rows (mm), ``(M, 1)``.
        row_is_scanned: Whether the station has this row, bool ``(M, SEEN_ROWS)``.
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
        """Columns that are cut at all, with the slices that cut them."""
        exists = (self.half_x > 0.0) & (self.half_y > 0.0)
        for index in np.flatnonzero(exists.any(axis=1)):
            yield int(index), np.flatnonzero(exists[index])

    def noise_sd(self, tissue: np.ndarray, voxels: np.ndarray) -> np.ndarray:
        """SD of the noise in sums over ``voxels``: ``tissue`` of them hold signal, the rest air."""
        variance = tissue + AIR_VARIANCE * (voxels - tissue)
        return np.asarray(self.sigma * np.sqrt(np.maximum(variance, 0.0)))

    def air(self) -> np.ndarray:
        """Mean signal of a voxel of air, ``(M, 1)``."""
        return np.asarray(self.sigma * rician_mean(np.zeros(1)))


def cut(body: Body, stations: Sequence[ScannedStation]) -> Slices:
    """Cut a body with all slices of a study's stations."""
    counts = [len(station.z) for station in stations]
    z = np.concatenate([station.z for station in stations])
    order = np.argsort(-z, kind="stable")

    def each(values: Sequence[float]) -> np.ndarray:
        """A value of each station as one of each slice, ``(M, 1)``."""
        return np.repeat(np.asarray(values, np.float32), counts)[order, None]

    gain = np.concatenate([s.bias.along_z(len(s.z)) for s in stations])[order]
    sigma = each([s.sigma for s in stations])
    first = each([s.first_row for s in stations])
    last = np.minimum(each([s.window.stop for s in stations]), np.float32(SEEN_ROWS))
    row = np.arange(SEEN_ROWS)
    y_edge = rows_y()[0] - PIXEL_MM / 2
    signal, offset = _differences(body, gain, sigma[:, 0])
    x, y, half_x, half_y = (table.astype(np.float32) for table in body.at(z[order]))
    bright = np.array([t.water + t.fat >= BRIGHT for t in body.tissues], np.float32)
    return Slices(
        order=order,
        x=x,
        y=y,
        half_x=half_x,
        half_y=half_y,
        signal=signal,
        offset=offset,
        bright=_minus_parent(body, bright),
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

    The offset is what taking the magnitude adds to the mean: all there is in air, little in tissue.
    It is taken at the slice's gain, the coil bias in plane left aside.
    """
    tissues = list(dict.fromkeys(body.tissues))
    which = [tissues.index(tissue) for tissue in body.tissues]
    levels = np.array([(tissue.water, tissue.fat) for tissue in tissues]).T
    clean = levels[:, :, None] * gain
    # Relative to the air, so that a column in the air has nothing to be compared with.
    offset = (rician_mean(clean / sigma) - rician_mean(np.zeros(1))) * sigma - clean
    signal, offset = (
        np.stack([_minus_parent(body, channel[which]) for channel in table])
        for table in (clean, offset)
    )
    return signal.astype(np.float32), offset.astype(np.float32)


def _minus_parent(body: Body, values: np.ndarray) -> np.ndarray:
    """Each column's value minus that of the column around it, 0 in the air: ``(P, ...)``."""
    parents = [len(values) if parent is None else parent for parent in body.parents]
    padded = np.concatenate([values, np.zeros_like(values[:1])])
    return np.asarray(values - padded[parents])


def rician_mean(signal: Union[float, np.ndarray]) -> np.ndarray:
    """Mean of ``|signal + complex noise|`` where the noise has SD 1 in each part."""
    signals, means = _rician_table()
    large = signal + 0.5 / np.maximum(signal, 1.0)
    return np.where(np.less(signal, signals[-1]), np.interp(signal, signals, means), large)


@lru_cache(maxsize=1)
def _rician_table() -> tuple[np.ndarray, np.ndarray]:
    """Rician means of signals 0..12, by numerical integration."""
    signals = np.linspace(0.0, 12.0, 241)
    noise = np.linspace(-6.0, 6.0, 121)
    weight = np.exp(-noise * noise / 2)
    weight /= weight.sum()
    magnitude = np.sqrt((signals[:, None, None] + noise[:, None]) ** 2 + noise**2)
    return signals, np.einsum("sij,i,j->s", magnitude, weight, weight)
