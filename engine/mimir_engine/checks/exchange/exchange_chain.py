"""Follow fat from slice to slice through all stations: where does it become lean?

Neighbouring slices show fat at the same places, within a station and where two stations meet.
Where water and fat are exchanged from some slice on, all of fat meets lean tissue. Each side is
followed through the whole study, and the rim of the body tells which parts are right.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from mimir_engine.checks.exchange.fatty_rim import fatty_rim
from mimir_engine.checks.fat_map import POINTS_MM, FatMap, agreement
from mimir_engine.study.station import Station

#: Slices are linked if their agreement is this or more. Phantoms have 0.45 or more.
MIN_LINK = 0.3
#: They show the opposite if it is this or less. Where stations meet, phantoms have 0.79 or more, or
#: -0.79 or less; slices of different places reach -0.4.
MAX_OPPOSITE = -0.5
#: Common body of two slices below which nothing is known, in points of the fat map.
MIN_POINTS = 4.0


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
        half: Its fat map, from head to foot, of slices that resemble a neighbour; a damaged slice
            does not.
        slices: Their indices.
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
    clear = _is_clear(_links(half.contrast[slices]))
    linked = np.zeros(len(slices), bool)
    linked[1:] |= clear
    linked[:-1] |= clear
    slices = slices[linked]
    kept = half.at(slices)
    return _Strand(kept, slices, _links(kept.contrast))


def _links(fat: np.ndarray) -> np.ndarray:
    value, weight = agreement(fat[:-1], fat[1:], (1, 2))
    return np.where(weight >= MIN_POINTS, value, 0.0)


def _signs(links: np.ndarray) -> np.ndarray:
    return np.where(links <= MAX_OPPOSITE, -1.0, 1.0)


def _is_clear(links: np.ndarray) -> np.ndarray:
    return (links >= MIN_LINK) | (links <= MAX_OPPOSITE)


def _seam_link(upper: _Strand, lower: _Strand) -> float:
    """Return the agreement of the last slice of a station with the first one of the next.

    All slices at the same place tell about it; where stations only touch, the nearest ones.
    """
    (i, j), (rows, columns), (lower_rows, lower_columns) = upper.half.same_places(lower.half)
    fat = upper.half.contrast[i, rows, columns]
    lower_fat = lower.half.contrast[j, lower_rows, lower_columns]
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
    part = np.cumsum(~_is_clear(links))
    rim, weight = np.concatenate(
        [np.zeros((2, 0)), *(r[:, s.slices] for r, s in zip(rims, strands))], axis=1
    )
    total = np.bincount(part, sign * rim * weight)
    vote = sign * (total / np.maximum(np.bincount(part, weight), 1.0))[part]
    ends = np.cumsum([len(s.slices) for s in strands])
    return Polarity(
        tuple(
            _nearest(s.slices, vote[end - len(s.slices) : end], len(half.z_mm))
            for s, half, end in zip(strands, maps, ends)
        ),
        links[1:],
    )


def _nearest(slices: np.ndarray, values: np.ndarray, count: int) -> np.ndarray:
    """Give each slice the value of the nearest one that has a value; 0 if there is none."""
    if not len(slices):
        return np.zeros(count)
    apart = np.abs(np.arange(count)[:, np.newaxis] - slices)
    return np.asarray(values[apart.argmin(axis=1)])
