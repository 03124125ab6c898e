"""Follow fat from slice to slice through all stations: where does it become lean?

Neighbouring slices show fat at the same places, within a station and where two stations meet.
Where water and fat are exchanged from some slice on, all of fat meets lean tissue. Each side is
followed through the whole study, and the rim of the body tells which parts are right.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from mimir_engine.checks.fat_map import POINTS_MM, FatMap, agreement
from mimir_engine.checks.fatty_rim import fatty_rim
from mimir_engine.study.station import Station

#: Weaker links between slices tell nothing. Phantoms have 0.45 or more, or -0.45 or less.
MIN_LINK = 0.3
#: Common body of two slices below which nothing is known, in points of the fat map.
MIN_POINTS = 4.0
#: Slices of two stations are at the same place if not farther apart, in slice distances.
NEAR = 0.75


@dataclass(frozen=True)
class Polarity:
    """Whether water and fat are right on one side of the body, by station and slice.

    Attributes:
        vote: For each slice of each station the vote of the rim of all slices that hang together
            with it: above 0 right, below 0 exchanged, 0 not known.
        links: Strength of the links between slices, and where stations meet, from head to foot.
    """

    vote: tuple[np.ndarray, ...]
    links: np.ndarray


def follow_fat(
    stations: Sequence[Station], maps: Sequence[FatMap]
) -> tuple[float, Polarity, Polarity]:
    """Follow both halves of the body through all stations.

    Args:
        stations: From head to foot.
        maps: Their fat maps.

    Returns:
        Patient x between both halves in mm; the right and the left half.
    """
    middle = _middle(maps)
    middle_mm = (middle - 0.5) * POINTS_MM[0]
    rims = [fatty_rim(station, middle_mm) for station in stations]
    right, left = (
        _follow([m.half(middle, side) for m in maps], [rim[side] for rim in rims])
        for side in (0, 1)
    )
    return middle_mm, right, left


def _middle(maps: Sequence[FatMap]) -> int:
    """Return the column of the common grid in the middle of the body."""
    total = points = 0
    for each in maps:
        count = np.count_nonzero(each.contrast, axis=(0, 1))
        total += int((count * (each.first[1] + np.arange(len(count)))).sum())
        points += int(count.sum())
    return round(total / max(points, 1))


@dataclass(frozen=True)
class _Strand:
    """One half of a station.

    Attributes:
        half: Its fat map.
        slices: Slices that resemble a neighbour, from head to foot; a damaged slice does not.
        links: Agreement of each with the next one.
    """

    half: FatMap
    slices: np.ndarray
    links: np.ndarray

    @property
    def sign(self) -> np.ndarray:
        """1 for slices that agree with the first one, -1 for those that show the opposite."""
        return np.asarray(np.concatenate([[1.0], np.cumprod(_signs(self.links))]))


def _strand(half: FatMap) -> _Strand:
    shows = agreement(half.contrast, half.contrast, (1, 2))[1] >= MIN_POINTS
    slices = np.flatnonzero(shows)[::-1]
    clear = np.abs(_links(half.contrast[slices])) >= MIN_LINK
    linked = np.zeros(len(slices), bool)
    linked[1:] |= clear
    linked[:-1] |= clear
    slices = slices[linked]
    return _Strand(half, slices, _links(half.contrast[slices]))


def _links(fat: np.ndarray) -> np.ndarray:
    value, weight = agreement(fat[:-1], fat[1:], (1, 2))
    return np.where(weight >= MIN_POINTS, value, 0.0)


def _signs(links: np.ndarray) -> np.ndarray:
    return np.where(links <= -MIN_LINK, -1.0, 1.0)


def _seam_link(upper: _Strand, lower: _Strand) -> float:
    """Return the agreement of the last slice of a station with the first one of the next.

    All slices at the same place tell about it; where stations only touch, the nearest ones.
    """
    (rows, columns), (lower_rows, lower_columns) = upper.half.common(lower.half)
    z, lower_z = upper.half.z_mm[upper.slices], lower.half.z_mm[lower.slices]
    apart = np.abs(z[:, np.newaxis] - lower_z)
    i, j = np.nonzero(apart <= max(NEAR * lower.half.spacing_mm, apart.min() + 1e-3))
    fat = upper.half.contrast[upper.slices[i], rows, columns]
    lower_fat = lower.half.contrast[lower.slices[j], lower_rows, lower_columns]
    value, weight = agreement(fat, lower_fat, (1, 2))
    if weight.max() < MIN_POINTS:
        return 0.0
    value *= upper.sign[i] * upper.sign[-1] * lower.sign[j]
    return float((value * weight).sum() / weight.sum())


def _follow(maps: Sequence[FatMap], rims: Sequence[np.ndarray]) -> Polarity:
    """Follow one half of the body from head to foot; its rims are votes and their weights."""
    strands = [_strand(half) for half in maps]
    shown = [s for s in strands if len(s.slices)]
    seams = [0.0, *(_seam_link(*pair) for pair in zip(shown, shown[1:]))]
    links = np.concatenate([[0.0], *([seam, *s.links] for seam, s in zip(seams, shown))])[1:]
    sign = np.cumprod(_signs(links))
    part = np.cumsum(np.abs(links) < MIN_LINK)
    rim, weight = np.concatenate(
        [np.zeros((2, 0)), *(r[:, s.slices] for r, s in zip(rims, strands))], axis=1
    )
    total = np.bincount(part, sign * rim * weight)
    vote = sign * (total / np.maximum(np.bincount(part, weight), 1.0))[part]
    ends = np.cumsum([len(s.slices) for s in strands])
    return Polarity(
        tuple(
            _nearest(s.slices, vote[end - len(s.slices) : end], len(s.half.z_mm))
            for s, end in zip(strands, ends)
        ),
        links[1:],
    )


def _nearest(slices: np.ndarray, values: np.ndarray, count: int) -> np.ndarray:
    """Give each slice the value of the nearest one that has a value; 0 if there is none."""
    if not len(slices):
        return np.zeros(count)
    apart = np.abs(np.arange(count)[:, np.newaxis] - slices)
    return np.asarray(values[apart.argmin(axis=1)])
