"""Scan a phantom: a body of either population and the six stations, without files.

``scan_stations`` gives what reading the phantom's archive gives.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Union

import numpy as np

from mimir_engine.headers.contrast import Contrast
from mimir_engine.phantom.anatomy import build_body
from mimir_engine.phantom.body import Body
from mimir_engine.phantom.population import Person, draw_person, stream
from mimir_engine.phantom.render_station import render_station
from mimir_engine.phantom.scanner import (
    COLUMNS_X_MM,
    PIXEL_MM,
    ROWS_Y_MM,
    ScannedStation,
    draw_stations,
)
from mimir_engine.phantom.shift import (
    drawn_shift,
    shifted_noise,
    shifted_person,
    shifted_signal,
)
from mimir_engine.phantom.smooth_body.body import SmoothBody, build_smooth_body
from mimir_engine.phantom.smooth_body.build import draw_build
from mimir_engine.phantom.smooth_body.conditions import Conditions, draw_conditions
from mimir_engine.phantom.smooth_body.render import render_smooth_station
from mimir_engine.phantom.smooth_body.truth import direct_truth, profile_of, truth
from mimir_engine.study.station import Station
from mimir_engine.study.volume import axial_affine

Pair = tuple[np.ndarray, np.ndarray]


@dataclass(frozen=True)
class Scan:
    """One scan of one phantom.

    Attributes:
        seed: Seed of the body.
        repeat: Number of the scan of this body.
        identity: What tells it from all other scans.
        person: Traits of the body, as shifted.
        body: The body, as shifted.
        seen: The body with the signals that the scanner sees.
        stations: From head to foot.
        conditions: How each station was scanned; population 1 has none.
    """

    seed: int
    repeat: int
    identity: tuple[object, ...]
    person: Person
    body: Union[Body, SmoothBody]
    seen: Union[Body, SmoothBody]
    stations: tuple[ScannedStation, ...]
    conditions: tuple[Conditions, ...]

    def render(self, station: ScannedStation) -> Pair:
        """Render water and fat of a station, uint16, slices head to foot."""
        if isinstance(self.seen, Body):
            return render_station(self.seen, station, self.seed, self.repeat)
        return render_smooth_station(self.seen, self.conditions, self.seed, self.repeat, station)

    def truths(self) -> tuple[dict[str, float], dict[str, float]]:
        """Compute the true measurements: those of ``TRUTHS`` and of ``DIRECT_TRUTHS``.

        Population 1 has none of the second kind.
        """
        if isinstance(self.body, Body):
            return self.body.truth(), {}
        profile = profile_of(self.body)
        return truth(self.body, profile), direct_truth(self.body, profile, self.stations)


def make_scan(
    seed: int, population: int = 2, shift: str = "none", size: float = 1.0, repeat: int = 0
) -> Scan:
    """Draw a body and its scan.

    Raises:
        MimirError: ``SHIFT_UNKNOWN``.
    """
    change = drawn_shift(shift, size, seed)
    person = _placed(shifted_person(draw_person(seed), change), repeat)
    stations = tuple(shifted_noise(draw_stations(seed, repeat), change))
    # The first scan of population 1 has the UIDs of all versions.
    other = (population, shift, size, repeat)
    identity = ("mimir phantom", seed, *(() if other == (1, "none", 1.0, 0) else other))
    if population == 1:
        body = build_body(person)
        seen = shifted_signal(body, change)
        return Scan(seed, repeat, identity, person, body, seen, stations, ())
    smooth = build_smooth_body(person, draw_build(seed, change))
    conditions = draw_conditions(seed, repeat, change, smooth.hip)
    return Scan(seed, repeat, identity, person, smooth, smooth, stations, conditions)


def scan_stations(
    seed: int,
    shift: str = "none",
    size: float = 1.0,
    repeat: int = 0,
    population: int = 2,
    phases: bool = False,
) -> tuple[Station, ...]:
    """Scan a phantom: the stations that reading its archive gives, head to foot.

    Args:
        seed: Seed of the body.
        shift: Name of the difference from usual; see `mimir_engine.phantom.shift`.
        size: Size of that difference; 1 is as named.
        repeat: Another number scans the same body again.
        population: 1 or 2.
        phases: Also compute in-phase and opposed-phase.
    """
    return stations_of(make_scan(seed, population, shift, size, repeat), phases)


def stations_of(scan: Scan, phases: bool = False) -> tuple[Station, ...]:
    """Render the stations of a scan; see `scan_stations`."""
    stations = []
    for scanned in scan.stations:
        images = all_contrasts(*(volume[::-1].copy() for volume in scan.render(scanned)))
        kept = images if phases else {c: images[c] for c in (Contrast.WATER, Contrast.FAT)}
        stations.append(Station(kept, station_affine(scanned)))
    return tuple(stations)


def station_affine(scanned: ScannedStation) -> np.ndarray:
    """Return the affine of a station's images, foot to head: ``(4, 4)``, to LPS millimetres."""
    corner = (COLUMNS_X_MM[0], ROWS_Y_MM[scanned.first_row], scanned.z[-1])
    return axial_affine(corner, (PIXEL_MM, PIXEL_MM, scanned.spacing_z))


def all_contrasts(water: np.ndarray, fat: np.ndarray) -> dict[Contrast, np.ndarray]:
    """Compute all four contrasts as a two-point Dixon reconstruction relates them."""
    return {
        Contrast.WATER: water,
        Contrast.FAT: fat,
        Contrast.IN_PHASE: water + fat,
        Contrast.OPPOSED_PHASE: np.where(water > fat, water - fat, fat - water),
    }


def _placed(person: Person, repeat: int) -> Person:
    """Lay a person on the table anew for each repeat."""
    if not repeat:
        return person
    rng = stream("position", person.seed, repeat)
    return replace(
        person,
        shift_x=float(rng.normal(0.0, 6.0)),
        lean_x=float(np.clip(rng.normal(0.0, 0.008), -0.024, 0.024)),
        scan_top_level=float(np.clip(rng.normal(0.872, 0.007), 0.851, 0.893)),
    )
