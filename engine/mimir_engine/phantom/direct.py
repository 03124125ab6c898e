"""Projections of a phantom without its volume: line integrals of ellipses, in closed form.

What a fused volume is made of is linear in the station's voxels, slice by slice, and a projection sums
voxels along x or y: so each slice may be summed first and fused afterwards. The sum of an ellipse
along a line is its chord, and over a coil bias that is quadratic in each direction, its antiderivative.
Only the two fat-fraction planes need voxels, of one row and one column a slice.
"""
from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import Optional

import numpy as np

from mimir_engine.fusion import END_SLICES, OUTPUT_SPACING_MM, axis_samples, seam_weights
from mimir_engine.phantom.anatomy import build_body
from mimir_engine.phantom.body import Body
from mimir_engine.phantom.population import draw_person, stream
from mimir_engine.phantom.render import occupancy
from mimir_engine.phantom.scanner import (
    COLUMNS,
    LARGEST_ROWS,
    PIXEL_MM,
    ScannedStation,
    columns_x,
    draw_stations,
    rows_y,
)
from mimir_engine.projection import BED_ROWS, Views, compose, fat_fraction, liver_planes

SEEN_ROWS = LARGEST_ROWS - BED_ROWS
AIR_VARIANCE = 2.0 - np.pi / 2.0
"""Variance of the magnitude of pure complex noise of variance 1 in each part (Rayleigh)."""
BRIGHT = 0.30
"""Tissue of at least this total signal exceeds the body mask's threshold."""


def project_directly(
    seed: int,
    body: Optional[Body] = None,
    stations: Optional[Sequence[ScannedStation]] = None,
) -> np.ndarray:
    """The image that networks see of the phantom with this seed: uint8 ``(3, 256, 256)``.

    Agrees with rendering the study, fusing and projecting it, but for the noise, which is another draw
    from the same distribution.
    """
    body = build_body(draw_person(seed)) if body is None else body
    stations = draw_stations(seed) if stations is None else stations
    return compose(direct_views(body, stations, stream("projected noise", seed)))


def direct_views(
    body: Body, stations: Sequence[ScannedStation], rng: np.random.Generator
) -> Views:
    """The six views of a body before scaling to grey levels."""
    stack = _Stack.of(body, stations)
    coronal, sagittal = _coronal_sums(stack), _sagittal_sums(stack)
    bed_air = (stack.rows - stack.seen_rows) * COLUMNS * stack.sigma * rician_mean(np.zeros(1))
    weights = [
        _fusing_weights(stations, stack.order, image.sum(axis=1) + bed_air)
        for image in (coronal.water, coronal.fat)
    ]

    def fused(image: np.ndarray, channel: int = 0) -> np.ndarray:
        return _fuse(image, weights[channel])

    row, column = liver_planes(
        fused(sagittal.tissue).sum(axis=0), fused(coronal.tissue).sum(axis=0))
    planes = [
        fat_fraction(*(fused(image, channel) for channel, image in enumerate(plane)))
        for plane in (_coronal_plane(stack, row, rng), _sagittal_plane(stack, column, rng))
    ]
    views = [
        fused(image + noise_sd * rng.standard_normal(image.shape, dtype=np.float32), channel)
        for sums, noise_sd in (
            (coronal, stack.noise_sd(coronal.tissue, stack.seen_rows[:, None])),
            (sagittal, stack.noise_sd(sagittal.tissue, np.float64(COLUMNS)) * stack.row_is_scanned),
        )
        for channel, image in enumerate((sums.water, sums.fat))
    ]
    return Views(views[0], views[2], views[1], views[3], planes[0], planes[1])


def rician_mean(signal: np.ndarray) -> np.ndarray:
    """Mean of ``|signal + complex noise|`` where the noise has SD 1 in each part."""
    signals, means = _rician_table()
    large = signal + 0.5 / np.maximum(signal, 1.0)
    return np.where(signal < signals[-1], np.interp(signal, signals, means), large)


@lru_cache(maxsize=1)
def _rician_table() -> tuple[np.ndarray, np.ndarray]:
    """Rician mean of signals 0..12, by numerical integration."""
    signals = np.linspace(0.0, 12.0, 241)
    noise = np.linspace(-6.0, 6.0, 121)
    weight = np.exp(-noise * noise / 2)
    weight /= weight.sum()
    magnitude = np.sqrt((signals[:, None, None] + noise[:, None]) ** 2 + noise**2)
    return signals, np.einsum("sij,i,j->s", magnitude, weight, weight)


@dataclass(frozen=True)
class _Stack:
    """A body cut by all slices of all stations: M slices, from the head down, stations interleaved.

    So each column is cut by slices that follow each other.

    Attributes:
        order: Where each slice is in the list of all stations' slices, ``(M,)``.
        ellipses: Centre x, y and half-axes x, y (LPS mm), ``(P, M)`` each.
        water, fat: Signal of each column minus its surroundings', with the slice's gain, ``(P, M)``.
        water_offset, fat_offset: The same difference of what noise adds to the mean, ``(P, M)``.
        bright: Difference of being above the body mask's threshold, ``(P,)``.
        bias_x, bias_y: Linear and quadratic coefficients of the coil bias, ``(2, M, 1)``.
        sigma, rows, seen_rows: SD of the noise, rows of the station and those not cut as bed, ``(M,)``.
        y_low, y_high: Edges of the seen rows, LPS mm, ``(M, 1)``.
        row_is_scanned: Whether the station has this row, ``(M, SEEN_ROWS)``.
    """

    order: np.ndarray
    ellipses: tuple[np.ndarray, ...]
    water: np.ndarray
    fat: np.ndarray
    water_offset: np.ndarray
    fat_offset: np.ndarray
    bright: np.ndarray
    gain: np.ndarray
    bias_x: np.ndarray
    bias_y: np.ndarray
    sigma: np.ndarray
    rows: np.ndarray
    seen_rows: np.ndarray
    y_low: np.ndarray
    y_high: np.ndarray
    row_is_scanned: np.ndarray

    @staticmethod
    def of(body: Body, stations: Sequence[ScannedStation]) -> _Stack:
        counts = [len(s.z) for s in stations]
        z = np.concatenate([s.z for s in stations])
        order = np.argsort(-z, kind="stable")

        def each(values: Sequence[float]) -> np.ndarray:
            return np.repeat(np.asarray(values, dtype=float), counts)[order]

        gain = np.concatenate([s.bias.along_z(len(s.z)) for s in stations])[order]
        sigma = each([s.sigma for s in stations])
        first, last = each([s.first_row for s in stations]), each([s.window.stop for s in stations])
        last = np.minimum(last, SEEN_ROWS)
        row = np.arange(SEEN_ROWS)
        y_edge = rows_y()[0] - PIXEL_MM / 2
        water, water_offset = _differences(body, [t.water for t in body.tissues], gain, sigma)
        fat, fat_offset = _differences(body, [t.fat for t in body.tissues], gain, sigma)
        bright = np.array([float(t.water + t.fat >= BRIGHT) for t in body.tissues])
        return _Stack(
            order=order,
            ellipses=tuple(
                table.astype(np.float32)
                for table in body.at(z[order])),
            water=water.astype(np.float32), fat=fat.astype(np.float32),
            water_offset=water_offset.astype(np.float32), fat_offset=fat_offset.astype(np.float32),
            bright=_minus_parent(body, bright[:, None])[:, 0],
            gain=gain,
            bias_x=np.stack([
                each([s.bias.x[i] for s in stations])[:, None] for i in (0, 1)]).astype(np.float32),
            bias_y=np.stack([
                each([s.bias.y[i] for s in stations])[:, None] for i in (0, 1)]).astype(np.float32),
            sigma=sigma.astype(np.float32),
            rows=each([s.rows for s in stations]),
            seen_rows=last - first,
            y_low=(y_edge + PIXEL_MM * first)[:, None].astype(np.float32),
            y_high=(y_edge + PIXEL_MM * last)[:, None].astype(np.float32),
            row_is_scanned=(row >= first[:, None]) & (row < last[:, None]),
        )

    def noise_sd(self, tissue: np.ndarray, voxels: np.ndarray) -> np.ndarray:
        """SD of the noise in a sum over ``voxels`` of which ``tissue`` hold signal, the rest air."""
        variance = tissue + AIR_VARIANCE * (voxels - tissue)
        return self.sigma[:, None] * np.sqrt(np.maximum(variance, 0.0))

    def present(self) -> Iterator[tuple[int, np.ndarray]]:
        """Columns that are cut at all, with the slices that cut them."""
        exists = (self.ellipses[2] > 0.0) & (self.ellipses[3] > 0.0)
        for index in np.flatnonzero(exists.any(axis=1)):
            yield int(index), np.flatnonzero(exists[index])


def _minus_parent(body: Body, values: np.ndarray) -> np.ndarray:
    """Each column's value minus that of the column around it (0 in the air): ``(P, ...)``."""
    parents = np.array([-1 if p is None else p for p in body.parents])
    padded = np.concatenate([values, np.zeros_like(values[:1])])
    return np.asarray(values - padded[parents])


def _differences(
    body: Body, signals: Sequence[float], gain: np.ndarray, sigma: np.ndarray
) -> tuple[np.ndarray, np.ndarray]:
    """Signal and noise offset of each column minus its surroundings', ``(P, M)`` each.

    The offset is what taking the magnitude adds to the mean; in the air it is that of pure noise.
    """
    levels, which = np.unique(np.asarray([*signals, 0.0]), return_inverse=True)
    clean = levels[:, None] * gain
    offset = rician_mean(clean / sigma) * sigma - clean
    parents = np.array([-1 if p is None else p for p in body.parents])
    own, around = which[:-1], which[parents]
    return clean[own] - clean[around], offset[own] - offset[around]


@dataclass(frozen=True)
class _Sums:
    """Sums along one direction, ``(M, pixels)``: signal of water and fat, number of bright voxels."""

    water: np.ndarray
    fat: np.ndarray
    tissue: np.ndarray


def _coronal_sums(stack: _Stack) -> _Sums:
    """Sums along y of the seen rows."""
    x, y, half_x, half_y = stack.ellipses
    return _sums(
        stack, columns_x(), (x, half_x), (y, half_y), (stack.y_low, stack.y_high),
        stack.bias_x, stack.bias_y, stack.seen_rows[:, None] * np.ones(COLUMNS))


def _sagittal_sums(stack: _Stack) -> _Sums:
    """Sums along x; rows that a station lacks stay 0."""
    x, y, half_x, half_y = stack.ellipses
    edges = columns_x()[[0, -1]] + np.array([-PIXEL_MM, PIXEL_MM]) / 2
    low, high = (np.full_like(stack.y_low, edge) for edge in edges)
    sums = _sums(
        stack, rows_y()[:SEEN_ROWS], (y, half_y), (x, half_x), (low, high),
        stack.bias_y, stack.bias_x, np.full((len(stack.gain), SEEN_ROWS), float(COLUMNS)))
    return _Sums(*(image * stack.row_is_scanned for image in (sums.water, sums.fat, sums.tissue)))


def _sums(
    stack: _Stack,
    pixels: np.ndarray,
    across: tuple[np.ndarray, np.ndarray],
    along: tuple[np.ndarray, np.ndarray],
    limits: tuple[np.ndarray, np.ndarray],
    bias_across: np.ndarray,
    bias_along: np.ndarray,
    voxels: np.ndarray,
) -> _Sums:
    """Sum all columns along one direction.

    Args:
        pixels: Positions of the image's pixels (mm), ``(n,)``.
        across, along: Centres and half-axes of the ellipses in the image and along the sum, ``(P, M)``.
        limits: Edges of the field of view along the sum (mm), ``(M, 1)`` each.
        bias_across, bias_along: Coil bias, ``(2, M, 1)``.
        voxels: Number of voxels summed, ``(M, n)``.
    """
    signal = np.zeros((2, *voxels.shape), np.float32)
    offset = np.zeros((2, *voxels.shape), np.float32)
    tissue = np.zeros(voxels.shape, np.float32)
    pixels = pixels.astype(np.float32)
    for i, at in stack.present():
        centre, half = across[0][i, at, None], across[1][i, at, None]
        window = _window(pixels, float((centre - half).min()), float((centre + half).max()))
        if window.start >= window.stop:
            continue
        reach = along[1][i, at, None] * _mean_half_chord(pixels[window], centre, half)
        middle = along[0][i, at, None]
        low, high = limits[0][at], limits[1][at]
        start, end = np.clip(middle - reach, low, high), np.clip(middle + reach, low, high)
        chord = (end - start) / PIXEL_MM
        linear, quadratic = bias_along[0, at], bias_along[1, at]
        # Mean of 1 + linear t - quadratic t² over the chord, from its two ends.
        mean_bias = 1.0 + linear / 2 * (start + end) - quadratic / 3 * (
            start * start + start * end + end * end)
        seen = chord * mean_bias
        rows = _as_slice(at)
        for channel, (clean, extra) in enumerate(
                ((stack.water, stack.water_offset), (stack.fat, stack.fat_offset))):
            signal[channel, rows, window] += clean[i, at, None] * seen
            offset[channel, rows, window] += extra[i, at, None] * chord
        if stack.bright[i]:
            tissue[rows, window] += stack.bright[i] * chord
    bias = 1.0 + bias_across[0] * pixels - bias_across[1] * pixels**2
    air = voxels * stack.sigma[:, None] * rician_mean(np.zeros(1))
    return _Sums(signal[0] * bias + offset[0] + air, signal[1] * bias + offset[1] + air, tissue)


def _as_slice(at: np.ndarray) -> np.ndarray | slice:
    """Consecutive indices as a slice, which numpy adds to without copying."""
    consecutive = at[-1] - at[0] + 1 == len(at)
    return slice(int(at[0]), int(at[-1]) + 1) if consecutive else at


def _window(pixels: np.ndarray, low: float, high: float) -> slice:
    """Pixels touched by the interval from ``low`` to ``high``."""
    first, last = np.searchsorted(pixels, [low - PIXEL_MM, high + PIXEL_MM])
    return slice(int(first), int(last))


def _mean_half_chord(pixels: np.ndarray, centre: np.ndarray, half: np.ndarray) -> np.ndarray:
    """Half chord of an ellipse of unit half-axis along the sum, averaged over each pixel: 0..1."""
    edges = np.append(pixels - PIXEL_MM / 2, pixels[-1] + PIXEL_MM / 2)
    u = np.clip((edges - centre) / half, -1.0, 1.0)
    area = np.arcsin(u)
    area += u * np.sqrt(1.0 - u * u)
    return np.asarray((area[:, 1:] - area[:, :-1]) * (half / (2 * PIXEL_MM)))


def _fusing_weights(
    stations: Sequence[ScannedStation], order: np.ndarray, slice_sums: np.ndarray
) -> np.ndarray:
    """Weight of each of the M slices in each fused slice, head to foot, ends cut: ``(fused, M)``.

    Args:
        order: Where each of the M slices is in the list of all stations' slices.
        slice_sums: Sum of each slice's voxels, ``(M,)``, which the seams' ramps hang on.
    """
    in_turn = np.empty_like(slice_sums)
    in_turn[order] = slice_sums
    per_station = np.split(in_turn, np.cumsum([len(s.z) for s in stations])[:-1])
    spacing = OUTPUT_SPACING_MM[2]
    top = stations[0].z[0]
    axes = [
        axis_samples((top - s.z[0]) / spacing, s.spacing_z / spacing, len(s.z)) for s in stations]
    means = [
        ((1 - axis.weight) * sums[axis.lower] + axis.weight * sums[axis.upper])
        / (s.rows * COLUMNS)
        for s, axis, sums in zip(stations, axes, per_station)]
    seams = seam_weights([axis.start for axis in axes], means)
    weights = np.zeros((axes[-1].start + len(axes[-1].lower), sum(len(s.z) for s in stations)))
    first = 0
    for station, axis, seam in zip(stations, axes, seams):
        kept = np.arange(len(axis.lower))[seam.keep]
        rows = axis.start + kept
        share = axis.weight[kept]
        weights[rows, first + axis.lower[kept]] += (1 - share) * seam.weight
        weights[rows, first + axis.upper[kept]] += share * seam.weight
        first += len(station.z)
    return weights[END_SLICES:-END_SLICES, order].astype(np.float32)


def _fuse(image: np.ndarray, weights: np.ndarray) -> np.ndarray:
    """Fuse a stack's image slice by slice: ``(fused, pixels)`` float32."""
    return weights @ image.astype(np.float32, copy=False)


def _coronal_plane(stack: _Stack, row: int, rng: np.random.Generator) -> np.ndarray:
    """Water and fat of one row of voxels in each slice, with noise: ``(2, M, COLUMNS)``."""
    x, y, half_x, half_y = stack.ellipses
    image = _plane(stack, columns_x(), (x, half_x), rows_y()[row], (y, half_y),
                   stack.bias_x, stack.bias_y, rng)
    return image * stack.row_is_scanned[:, row, None]


def _sagittal_plane(stack: _Stack, column: int, rng: np.random.Generator) -> np.ndarray:
    """Water and fat of one column of voxels in each slice, with noise: ``(2, M, SEEN_ROWS)``."""
    x, y, half_x, half_y = stack.ellipses
    image = _plane(stack, rows_y()[:SEEN_ROWS], (y, half_y), columns_x()[column], (x, half_x),
                   stack.bias_y, stack.bias_x, rng)
    return image * stack.row_is_scanned


def _plane(
    stack: _Stack,
    pixels: np.ndarray,
    across: tuple[np.ndarray, np.ndarray],
    position: float,
    through: tuple[np.ndarray, np.ndarray],
    bias_across: np.ndarray,
    bias_through: np.ndarray,
    rng: np.random.Generator,
) -> np.ndarray:
    """Water and fat where a plane cuts the slices: ``(2, M, pixels)``."""
    signal = np.zeros((2, len(stack.gain), len(pixels)), np.float32)
    pixels = pixels.astype(np.float32)
    for i, at in stack.present():
        at = at[np.abs(position - through[0][i, at]) < through[1][i, at] + PIXEL_MM]
        if not len(at):
            continue
        centre, half = across[0][i, at, None], across[1][i, at, None]
        window = _window(pixels, float((centre - half).min()), float((centre + half).max()))
        if window.start >= window.stop:
            continue
        share = occupancy(
            pixels[window] - centre, position - through[0][i, at, None], half, through[1][i, at, None])
        rows = _as_slice(at)
        signal[0, rows, window] += stack.water[i, at, None] * share
        signal[1, rows, window] += stack.fat[i, at, None] * share
    signal *= 1.0 + bias_across[0] * pixels - bias_across[1] * pixels**2
    signal *= 1.0 + bias_through[0] * position - bias_through[1] * position**2
    noise = stack.sigma[:, None] * rng.standard_normal((2, *signal.shape), dtype=np.float32)
    return np.asarray(np.hypot(signal + noise[0], noise[1]))
