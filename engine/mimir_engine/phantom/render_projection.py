"""Render projections of a phantom without its volume: line integrals of ellipses, in closed form.

A fused volume is linear in the stations' voxels, slice by slice, and a projection sums voxels
along x or y: so each slice can be summed first and fused afterwards. The sum of an ellipse along a
line is its chord; with a coil bias quadratic along the line, it is the antiderivative between the
chord's ends. Only the two fat-fraction planes need voxels: one row and one column per slice.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Optional, Union

import numpy as np

from mimir_engine.fusion.grid import END_SLICES, OUTPUT_SPACING_MM, axis_samples
from mimir_engine.fusion.seams import seam_weights
from mimir_engine.phantom.anatomy import build_body
from mimir_engine.phantom.body import Body
from mimir_engine.phantom.body_slices import SEEN_ROWS, BodySlices, cut_body
from mimir_engine.phantom.population import draw_person, stream
from mimir_engine.phantom.render_station import occupancy, pixels_between
from mimir_engine.phantom.scanner import (
    COLUMNS,
    COLUMNS_X_MM,
    PIXEL_MM,
    ROWS_Y_MM,
    ScannedStation,
    draw_stations,
    sensitivity,
)
from mimir_engine.phantom.shift import SHIFTS, Shift, shifted_noise, shifted_signal
from mimir_engine.projection.project import Views, compose, fat_fraction, liver_planes


def render_projection(
    seed: int, body: Optional[Body] = None, shift: Shift = SHIFTS["none"]
) -> np.ndarray:
    """Render the image that networks see of the phantom with this seed: uint8 ``(3, 256, 256)``.

    The same as rendering the study, fusing and projecting it, except for the noise, which is
    another draw from the same distribution.

    Args:
        seed: Seed of the phantom.
        body: Its body, if the caller has built it already.
        shift: Differences of signal and noise from training; the body is not changed.
    """
    body = build_body(draw_person(seed)) if body is None else body
    stations = shifted_noise(draw_stations(seed), shift)
    noise = stream("projected noise", seed)
    return compose(*_views(shifted_signal(body, shift), stations, noise))


def _views(
    body: Body, stations: Sequence[ScannedStation], rng: np.random.Generator
) -> tuple[Views, Views, Views]:
    """Compute the views of water, fat and fat fraction before scaling to grey levels."""
    slices = cut_body(body, stations)
    along_y, along_x = _along_y(slices), _along_x(slices)
    coronal, sagittal = _sums(slices, along_y), _sums(slices, along_x)
    behind = (slices.rows - slices.seen_rows) * COLUMNS * slices.air()
    fusing = [
        _fusing_weights(stations, slices.order, image.sum(axis=1) + behind[:, 0])
        for image in coronal[:2]
    ]
    row, column = liver_planes(
        *((fusing[0] @ tissue).sum(axis=0) for _, _, tissue in (sagittal, coronal))
    )
    planes = [
        fat_fraction(fusing[0] @ water, fusing[1] @ fat)
        for water, fat in (
            _plane(slices, along_y, ROWS_Y_MM[row], rng) * slices.row_is_scanned[:, row, None],
            _plane(slices, along_x, COLUMNS_X_MM[column], rng) * slices.row_is_scanned,
        )
    ]
    fused = []
    for (water, fat, tissue), lines in ((coronal, along_y), (sagittal, along_x)):
        sd = slices.noise_sd(tissue, lines.voxels) * lines.is_scanned
        for clean, weights in zip((water, fat), fusing):
            noise = sd * rng.standard_normal(clean.shape, dtype=np.float32)
            fused.append(weights @ (clean + noise))
    return Views(fused[0], fused[2]), Views(fused[1], fused[3]), Views(planes[0], planes[1])


@dataclass(frozen=True)
class _Lines:
    """The lines of voxels that one view sums, and the ellipses in its coordinates.

    Attributes:
        pixels: Positions of the view's pixels (mm), ``(n,)``.
        across, along: Centres and half-axes of the ellipses in the view and along the lines.
        low, high: Ends of the lines (mm), ``(M, 1)``.
        bias_across, bias_along: Coil bias, ``(2, M, 1)``.
        voxels: Number of voxels of a line, ``(M, 1)``.
        is_scanned: True if the station has the line, ``(M, n)`` or ``(1, 1)``.
    """

    pixels: np.ndarray
    across: tuple[np.ndarray, np.ndarray]
    along: tuple[np.ndarray, np.ndarray]
    low: np.ndarray
    high: np.ndarray
    bias_across: np.ndarray
    bias_along: np.ndarray
    voxels: np.ndarray
    is_scanned: np.ndarray


def _along_y(slices: BodySlices) -> _Lines:
    """Coronal: one line per column, through the seen rows."""
    return _Lines(
        COLUMNS_X_MM.astype(np.float32),
        (slices.x, slices.half_x),
        (slices.y, slices.half_y),
        slices.y_low,
        slices.y_high,
        slices.bias_x,
        slices.bias_y,
        slices.seen_rows,
        np.ones((1, 1), np.bool_),
    )


def _along_x(slices: BodySlices) -> _Lines:
    """Sagittal: one line per seen row of the station, through all columns."""
    low, high = COLUMNS_X_MM[[0, -1]] + np.array([-PIXEL_MM, PIXEL_MM]) / 2
    return _Lines(
        ROWS_Y_MM[:SEEN_ROWS].astype(np.float32),
        (slices.y, slices.half_y),
        (slices.x, slices.half_x),
        np.full_like(slices.y_low, low),
        np.full_like(slices.y_low, high),
        slices.bias_y,
        slices.bias_x,
        np.full_like(slices.y_low, COLUMNS),
        slices.row_is_scanned,
    )


def _sums(slices: BodySlices, lines: _Lines) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Sum water, fat and body voxels along the lines, with the mean offset by noise: ``(M, n)``."""
    shape = len(slices.order), len(lines.pixels)
    signal, offset = np.zeros((2, 2, *shape), np.float32)
    tissue = np.zeros(shape, np.float32)
    for i, at in slices.present():
        centre, half = (table[i, at, None] for table in lines.across)
        window = _window(lines.pixels, centre, half)
        if window.start >= window.stop:
            continue
        middle, reach = (table[i, at, None] for table in lines.along)
        reach = reach * _mean_half_chord(lines.pixels[window], centre, half)
        start = np.clip(middle - reach, lines.low[at], lines.high[at])
        end = np.clip(middle + reach, lines.low[at], lines.high[at])
        chord = (end - start) / PIXEL_MM
        sensed = chord * _mean_bias(start, end, lines.bias_along[:, at])
        rows = _as_slice(at)
        for channel in (0, 1):
            signal[channel, rows, window] += slices.signal[channel, i, at, None] * sensed
            offset[channel, rows, window] += slices.offset[channel, i, at, None] * chord
        if slices.bright[i]:
            tissue[rows, window] += slices.bright[i] * chord
    bias = sensitivity(lines.pixels, lines.bias_across)
    water, fat = (signal * bias + offset + lines.voxels * slices.air()) * lines.is_scanned
    return water, fat, tissue * lines.is_scanned


def _plane(
    slices: BodySlices, lines: _Lines, position: float, rng: np.random.Generator
) -> np.ndarray:
    """Render water and fat, with noise, of the plane at a position of the lines: ``(2, M, n)``."""
    signal = np.zeros((2, len(slices.order), len(lines.pixels)), np.float32)
    for i, at in slices.present():
        at = at[np.abs(position - lines.along[0][i, at]) < lines.along[1][i, at] + PIXEL_MM]
        if not len(at):
            continue
        centre, half = (table[i, at, None] for table in lines.across)
        window = _window(lines.pixels, centre, half)
        if window.start >= window.stop:
            continue
        middle, depth = (table[i, at, None] for table in lines.along)
        share = occupancy(lines.pixels[window] - centre, position - middle, half, depth)
        for channel in (0, 1):
            signal[channel, _as_slice(at), window] += slices.signal[channel, i, at, None] * share
    signal *= sensitivity(lines.pixels, lines.bias_across) * sensitivity(position, lines.bias_along)
    noise = slices.sigma * rng.standard_normal((2, *signal.shape), dtype=np.float32)
    return np.asarray(np.hypot(signal + noise[0], noise[1]))


def _window(pixels: np.ndarray, centre: np.ndarray, half: np.ndarray) -> slice:
    """Find the pixels that any of the ellipses touches."""
    return pixels_between(pixels, float((centre - half).min()), float((centre + half).max()))


def _mean_half_chord(pixels: np.ndarray, centre: np.ndarray, half: np.ndarray) -> np.ndarray:
    """Average the half chord of ellipses with half-axis 1 along the lines over each pixel: 0..1."""
    edges = np.append(pixels - PIXEL_MM / 2, pixels[-1] + PIXEL_MM / 2)
    u = np.clip((edges - centre) / half, -1.0, 1.0)
    area = np.arcsin(u)
    area += u * np.sqrt(1.0 - u * u)
    return np.asarray((area[:, 1:] - area[:, :-1]) * (half / (2 * PIXEL_MM)))


def _mean_bias(start: np.ndarray, end: np.ndarray, bias: np.ndarray) -> np.ndarray:
    """Average the coil sensitivity from ``start`` to ``end`` (mm)."""
    linear, quadratic = bias
    square = start * start + start * end + end * end
    return np.asarray(1.0 + linear / 2 * (start + end) - quadratic / 3 * square)


def _as_slice(at: np.ndarray) -> Union[np.ndarray, slice]:
    """Convert consecutive indices to a slice, to which numpy adds without copying."""
    first, last = int(at[0]), int(at[-1])
    return slice(first, last + 1) if last - first + 1 == len(at) else at


def _fusing_weights(
    stations: Sequence[ScannedStation], order: np.ndarray, slice_sums: np.ndarray
) -> np.ndarray:
    """Compute the weights of the M slices in each fused slice, head to foot: ``(fused, M)``.

    Args:
        stations: From head to foot.
        order: Index of each of the M slices among all stations' slices.
        slice_sums: Sum of all voxels of each slice, ``(M,)``; the ramps at the seams depend on it.
    """
    counts = [len(station.z) for station in stations]
    sums = np.empty_like(slice_sums)
    sums[order] = slice_sums
    spacing, top = OUTPUT_SPACING_MM[2], stations[0].z[0]
    axes = [
        axis_samples((top - s.z[0]) / spacing, s.spacing_z / spacing, count)
        for s, count in zip(stations, counts)
    ]
    means = [
        ((1 - axis.weight) * own[axis.lower] + axis.weight * own[axis.upper]) / (s.rows * COLUMNS)
        for s, axis, own in zip(stations, axes, np.split(sums, np.cumsum(counts)[:-1]))
    ]
    seams = seam_weights([axis.start for axis in axes], means)
    weights = np.zeros((axes[-1].stop, sum(counts)))
    for axis, seam, first in zip(axes, seams, np.cumsum([0, *counts])):
        kept = np.arange(len(axis.lower))[seam.keep]
        share = axis.weight[kept]
        weights[axis.start + kept, first + axis.lower[kept]] += (1 - share) * seam.weight
        weights[axis.start + kept, first + axis.upper[kept]] += share * seam.weight
    return weights[END_SLICES:-END_SLICES, order].astype(np.float32)
