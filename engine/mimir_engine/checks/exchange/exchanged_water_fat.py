"""Find stations, sides and slices in which water and fat are exchanged."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from typing import Optional

import numpy as np

from mimir_engine.checks.exchange.exchange_border import border_column
from mimir_engine.checks.exchange.exchange_chain import follow_fat
from mimir_engine.checks.fat_map import FatMap, fat_map
from mimir_engine.fusion import FusedVolumes
from mimir_engine.study.exchanged_part import ExchangedPart
from mimir_engine.study.finding import STOP, WARNING, Finding
from mimir_engine.study.station import Station

#: Vote of the rim below which it is not known which of water and fat is which. Phantoms, lean and
#: obese ones too, have 1.0 or more.
MIN_VOTE = 0.4
#: Part of a station's slices for which this must be known.
MIN_KNOWN = 0.8
SIDES = ("right", "left")

#: Finding of a study whose water and fat were exchanged back.
SWAP_REPAIRED = "WATER_FAT_REPAIRED"


@dataclass(frozen=True)
class Exchanged:
    """What is exchanged in a study.

    Attributes:
        parts: What is certain, for ``exchange_back``.
        findings: ``WATER_FAT_EXCHANGED`` (stop) for each part, or ``WATER_FAT_UNCERTAIN``.
    """

    parts: tuple[ExchangedPart, ...] = ()
    findings: tuple[Finding, ...] = ()

    @property
    def repaired(self) -> tuple[Finding, ...]:
        """The findings after ``exchange_back``: ``WATER_FAT_REPAIRED`` (warning) for each part."""
        return tuple(
            Finding(
                SWAP_REPAIRED,
                f"{finding.sentence}; they were exchanged back",
                WARNING,
                "Look at the fused volumes.",
                finding.station,
                finding.side,
                finding.from_mm,
                finding.to_mm,
            )
            for finding in self.findings
            if finding.code == "WATER_FAT_EXCHANGED"
        )


def find_exchanged(
    stations: Sequence[Station], maps: Optional[Sequence[FatMap]] = None
) -> Exchanged:
    """Find the parts of stations in which water and fat are exchanged.

    ``check_study`` calls it and returns its findings. To repair, call it before fusion, replace the
    stations by ``exchange_back(stations, exchanged.parts)``, and add ``exchanged.repaired`` to the
    findings; ``check_study`` then checks the repaired stations.

    Args:
        stations: From head to foot.
        maps: Their fat maps, if they are known.
    """
    maps = [fat_map(station) for station in stations] if maps is None else maps
    places = [f"station {number} (from the head)" for number in range(1, len(stations) + 1)]
    return _find(stations, maps, places)


def find_exchanged_volumes(fused: FusedVolumes) -> Exchanged:
    """Find parts of fused volumes, whose stations are not known, that are exchanged.

    They are those of ``fused.as_station``.
    """
    station = fused.as_station
    found = _find([station], [fat_map(station)], ["the volumes"])
    return replace(found, findings=tuple(replace(f, station=None) for f in found.findings))


def _find(stations: Sequence[Station], maps: Sequence[FatMap], places: Sequence[str]) -> Exchanged:
    middle_mm, *sides = follow_fat(stations, maps)
    parts, findings = [], []
    for index, (station, place) in enumerate(zip(stations, places)):
        vote = np.stack([side.vote[index] for side in sides])
        if (np.abs(vote) < MIN_VOTE).mean(axis=1).max() > 1 - MIN_KNOWN:
            findings.append(_uncertain(index, place))
        for slices, exchanged in _runs(vote <= -MIN_VOTE):
            part = _part(index, station, slices, exchanged, middle_mm)
            parts.append(part)
            strength = float(np.abs(vote[exchanged, slices]).min())
            findings.append(_finding(part, station, place, exchanged, strength))
    return Exchanged(tuple(parts), tuple(findings))


def _runs(exchanged: np.ndarray) -> Iterator[tuple[slice, np.ndarray]]:
    """Yield runs of slices that are exchanged on the same sides, and these sides.

    Args:
        exchanged: bool ``[side, slice]``.
    """
    changes = np.flatnonzero((exchanged[:, 1:] != exchanged[:, :-1]).any(axis=0)) + 1
    bounds = [0, *changes.tolist(), exchanged.shape[1]]
    for start, stop in zip(bounds, bounds[1:]):
        if exchanged[:, start].any():
            yield slice(start, stop), exchanged[:, start]


def _part(
    index: int, station: Station, slices: slice, exchanged: np.ndarray, middle_mm: float
) -> ExchangedPart:
    columns = [0, station.shape[2]]
    if not exchanged.all():
        border = border_column(station, slices, int(exchanged[1]), middle_mm)
        columns = [0, border] if exchanged[0] else [border, station.shape[2]]
    return ExchangedPart(index, slices.start, slices.stop - 1, columns[0], columns[1] - 1)


def _finding(
    part: ExchangedPart, station: Station, where: str, exchanged: np.ndarray, strength: float
) -> Finding:
    side = "" if exchanged.all() else SIDES[int(exchanged[1])]
    count, total = part.last_slice - part.first_slice + 1, station.shape[0]
    if side:
        where = f"the {side} half of {where}"
    if count < total:
        where = f"{count} of {total} slices of {where}"
    bottom, step = float(station.affine[2, 3]), station.spacing_mm[2]
    return Finding(
        "WATER_FAT_EXCHANGED",
        f"water and fat are exchanged in {where}",
        STOP,
        "Exchange them back (--swap-repair; in Slicer the button), or get another reconstruction.",
        part.station + 1,
        side,
        bottom + (part.first_slice - 0.5) * step if count < total else None,
        bottom + (part.last_slice + 0.5) * step if count < total else None,
        strength,
        MIN_VOTE,
    )


def _uncertain(index: int, place: str) -> Finding:
    return Finding(
        "WATER_FAT_UNCERTAIN",
        f"the images do not show which is water and which is fat in {place}",
        remedy="Look at its water and fat images.",
        station=index + 1,
    )
