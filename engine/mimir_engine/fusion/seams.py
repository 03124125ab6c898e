"""Blend overlapping stations.

Overlaps are trimmed to ``MAX_SEAM_SLICES`` and cross-faded; then both stations' slices of an
overlap are scaled so that their summed mean changes linearly from the last slice above the overlap
to the first one below it. The result is one weight per slice, computed from slice means only.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from mimir_engine.errors import MimirError
from mimir_engine.fusion.grid import OUTPUT_SPACING_MM

#: Number of slices over which two stations are cross-faded.
MAX_SEAM_SLICES = 8


@dataclass(frozen=True)
class SeamWeights:
    """The resampled slices of a station to keep, head to foot, and the weight of each."""

    keep: slice
    weight: np.ndarray


def seam_weights(starts: Sequence[int], slice_means: Sequence[np.ndarray]) -> list[SeamWeights]:
    """Compute the weights of the resampled slices of all stations.

    Args:
        starts: Output index of each station's first resampled slice.
        slice_means: Mean signal of each station's resampled slices, head to foot.

    Raises:
        MimirError: ``STATION_GAP`` if two neighbours do not touch, ``STATION_LAYOUT`` if one lies
            within another.
    """
    keeps, overlaps = check_seams(starts, [len(means) for means in slice_means])
    means = [m[keep].astype(np.float64) for m, keep in zip(slice_means, keeps)]
    seams = _fades(keeps, overlaps)
    for i, overlap in enumerate(overlaps):
        factor = _ramp_factor(means[i], means[i + 1], overlap)
        seams[i].weight[len(means[i]) - overlap :] *= factor
        seams[i + 1].weight[:overlap] *= factor
    return seams


def fade_weights(starts: Sequence[int], sizes: Sequence[int]) -> list[SeamWeights]:
    """Compute the weights of the cross-fade alone, which are the same for all contrasts.

    In an overlap the weights of both stations add up to 1.

    Args:
        starts: Output index of each station's first resampled slice.
        sizes: Number of each station's resampled slices.

    Raises:
        MimirError: ``STATION_GAP``, ``STATION_LAYOUT``; see ``seam_weights``.
    """
    return _fades(*check_seams(starts, sizes))


def check_seams(starts: Sequence[int], sizes: Sequence[int]) -> tuple[list[slice], list[int]]:
    """Return the slices to keep of each station and the remaining overlaps, in output voxels.

    Args:
        starts: Output index of each station's first resampled slice.
        sizes: Number of each station's resampled slices.

    Raises:
        MimirError: ``STATION_GAP``, ``STATION_LAYOUT``; see ``seam_weights``.
    """
    _check_order(starts, sizes)
    keeps, overlaps = _trim(starts, sizes)
    _check_room([keep.stop - keep.start for keep in keeps], overlaps)
    return keeps, overlaps


def _trim(starts: Sequence[int], sizes: Sequence[int]) -> tuple[list[slice], list[int]]:
    """Return the slices to keep of each station and the remaining overlaps, in output voxels.

    If the excess is odd, the lower station loses one slice more.
    """
    first = [0] * len(sizes)
    last = list(sizes)
    overlaps = []
    for i in range(len(sizes) - 1):
        overlap = starts[i] + sizes[i] - starts[i + 1]
        if overlap < 0:
            raise MimirError(
                "STATION_GAP",
                f"stations {i + 1} and {i + 2} (from the head) are"
                f" {-overlap * OUTPUT_SPACING_MM[2]:.0f} mm apart",
                "A station may be missing. Fetch the complete study.",
            )
        excess = max(overlap - MAX_SEAM_SLICES, 0)
        last[i] -= excess // 2
        first[i + 1] = excess - excess // 2
        overlaps.append(overlap - excess)
    return [slice(a, max(a, b)) for a, b in zip(first, last)], overlaps


def _check_order(starts: Sequence[int], sizes: Sequence[int]) -> None:
    """Refuse a station that does not begin and end below the one before it."""
    stops = [start + size for start, size in zip(starts, sizes)]
    for ends in (starts, stops):
        if any(lower <= upper for upper, lower in zip(ends[:-1], ends[1:])):
            raise _station_layout()


def _check_room(sizes: Sequence[int], overlaps: Sequence[int]) -> None:
    """Refuse a station without a slice between its seams, where their ramps end."""
    for size, above, below in zip(sizes, [0, *overlaps], [*overlaps, 0]):
        if size <= above + below:
            raise _station_layout()


def _station_layout() -> MimirError:
    return MimirError(
        "STATION_LAYOUT",
        "one station lies within its neighbours, or they are not in order from head to foot",
        "Check that the study contains each station once.",
    )


def _fades(keeps: Sequence[slice], overlaps: Sequence[int]) -> list[SeamWeights]:
    weights = [np.ones(keep.stop - keep.start) for keep in keeps]
    for upper, lower, overlap in zip(weights, weights[1:], overlaps):
        fade = _fade(overlap)
        upper[len(upper) - overlap :] = fade[::-1]
        lower[:overlap] = fade
    return [SeamWeights(keep, weight) for keep, weight in zip(keeps, weights)]


def _fade(overlap: int) -> np.ndarray:
    """Return the weights of the lower station, from the head to the foot."""
    return np.arange(1, overlap + 1) / (overlap + 1)


def _ramp_factor(upper: np.ndarray, lower: np.ndarray, overlap: int) -> np.ndarray:
    """Return the factor of both stations' overlapping slices, given all their slice means."""
    top = len(upper) - overlap
    fade = _fade(overlap)
    steps = np.arange(1, overlap + 1)
    ramp = upper[top - 1] + (lower[overlap] - upper[top - 1]) * steps / (overlap + 1)
    mean = lower[:overlap] * fade + upper[top:] * fade[::-1]
    return np.divide(ramp, mean, out=np.ones(overlap), where=mean > 0)
