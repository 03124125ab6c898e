"""Scan a phantom: a body of either population and the six stations, without files.

``scan_stations`` gives what reading the phantom's archive gives.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from functools import partial
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
    Shift,
    find_shift,
    shifted_noise,
    shifted_person,
    shifted_signal,
)
from mimir_engine.phantom.smooth_body.body import SmoothBody, build_smooth_body
from mimir_engine.phantom.smooth_body.build import draw_build
from mimir_engine.phantom.smooth_body.conditions import draw_conditions
from mimir_engine.phantom.smooth_body.render import render_smooth_station
from mimir_engine.study.station import Station
from mimir_engine.study.volume import axial_affine

Pair = tuple[np.ndarray, np.ndarray]


@dataclass(frozen=True)
class Scan:
    """One scan of one phantom.

    Attributes:
        seed: Seed of the body.
        repeat: Number of the scan of this body; 0 is the first.
        person: Traits of the body, as shifted.
        stations: From head to foot.
        render: Renders water and fat of a station, uint16, slices head to foot.
        truth: Computes the true measurements.
    """

    seed: int
    repeat: int
    person: Person
    body: Union[Body, SmoothBody]
    stations: tuple[ScannedStation, ...]
    render: Callable[[ScannedStation], Pair]


def make_scan(
    seed: int, population: int = 2, shift: str = "none", size: float = 1.0, repeat: int = 0
) -> Scan:
    """Draw a body and its scan.

    Raises:
        MimirError: ``SHIFT_UNKNOWN``.
    """
    change = find_shift(shift, size)
    make = _first if population == 1 else _second
    return make(seed, change, repeat)


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
    scan = make_scan(seed, population, shift, size, repeat)
    stations = []
    for scanned in scan.stations:
        images = contrasts(*(volume[::-1].copy() for volume in scan.render(scanned)))
        kept = images if phases else {c: images[c] for c in (Contrast.WATER, Contrast.FAT)}
        corner = (COLUMNS_X_MM[0], ROWS_Y_MM[scanned.first_row], scanned.z[-1])
        stations.append(
            Station(kept, axial_affine(corner, (PIXEL_MM, PIXEL_MM, scanned.spacing_z)))
        )
    return tuple(stations)


def contrasts(water: np.ndarray, fat: np.ndarray) -> dict[Contrast, np.ndarray]:
    """Compute all four contrasts as a two-point Dixon reconstruction relates them."""
    return {
        Contrast.WATER: water,
        Contrast.FAT: fat,
        Contrast.IN_PHASE: water + fat,
        Contrast.OPPOSED_PHASE: np.where(water > fat, water - fat, fat - water),
    }


def _first(seed: int, shift: Shift, repeat: int) -> Scan:
    person = _placed(shifted_person(draw_person(seed), shift), repeat)
    body = build_body(person)
    stations = tuple(shifted_noise(draw_stations(seed, repeat), shift))
    seen = shifted_signal(body, shift)
    return Scan(seed, repeat, person, body, stations, partial(_render_first, seen, seed, repeat))


def _render_first(body: Body, seed: int, repeat: int, station: ScannedStation) -> Pair:
    return render_station(body, station, seed, repeat)


def _second(seed: int, shift: Shift, repeat: int) -> Scan:
    person = _placed(shifted_person(draw_person(seed), shift), repeat)
    body = build_smooth_body(person, draw_build(seed, shift))
    stations = tuple(shifted_noise(draw_stations(seed, repeat), shift))
    conditions = draw_conditions(seed, repeat, shift, body.hip)

    def render(station: ScannedStation) -> Pair:
        return render_smooth_station(body, station, conditions[station.index], seed, repeat)

    return Scan(seed, repeat, person, body, stations, render)


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


