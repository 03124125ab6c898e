"""Stations of phantoms, without their files, and ways to disturb them."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace
from functools import lru_cache

import numpy as np

from mimir_engine.phantom.anatomy import build_body
from mimir_engine.phantom.body import Body
from mimir_engine.phantom.population import draw_person
from mimir_engine.phantom.render_station import render_station
from mimir_engine.phantom.scan import scan_stations
from mimir_engine.phantom.scanner import COLUMNS_X_MM, PIXEL_MM, ROWS_Y_MM, draw_stations
from mimir_engine.study import Contrast, Station
from mimir_engine.study.volume import axial_affine


@lru_cache(maxsize=2)
def phantom_stations(seed: int) -> tuple[Station, ...]:
    """All six stations of a phantom, head to foot; tests must not change their pixels."""
    return stations_of_body(build_body(draw_person(seed)), seed)


def stations_of_body(body: Body, seed: int) -> tuple[Station, ...]:
    """All six stations of a body, head to foot, by the scanner with this seed."""
    stations = []
    for scan in draw_stations(seed):
        water, fat = (volume[::-1].copy() for volume in render_station(body, scan, seed))
        first = (COLUMNS_X_MM[0], ROWS_Y_MM[scan.first_row], scan.z[-1])
        affine = axial_affine(first, (PIXEL_MM, PIXEL_MM, scan.spacing_z))
        stations.append(Station({Contrast.WATER: water, Contrast.FAT: fat}, affine))
    return tuple(stations)


@lru_cache(maxsize=3)
def smooth_stations(seed: int, shift: str = "none") -> tuple[Station, ...]:
    """All six stations of a phantom of population 2, usual or shifted."""
    return scan_stations(seed, shift)


def with_station(
    stations: Sequence[Station], index: int, change: Callable[[np.ndarray], np.ndarray]
) -> list[Station]:
    """Change the pixels of one station."""
    return [changed(s, change) if k == index else s for k, s in enumerate(stations)]


def moved(station: Station, x: float = 0, y: float = 0, z: float = 0) -> Station:
    """The same pixels at another place; millimetres along the patient's axes (LPS)."""
    affine = station.affine.copy()
    affine[:3, 3] += x, y, z
    return replace(station, affine=affine)


def changed(station: Station, change: Callable[[np.ndarray], np.ndarray]) -> Station:
    """The same place with other pixels: ``change`` makes each image from the old one."""
    return replace(station, images={c: change(image) for c, image in station.images.items()})


def cut(station: Station, slices: slice) -> Station:
    """Some slices of a station, counted from the foot."""
    kept = moved(station, z=slices.indices(station.shape[0])[0] * station.spacing_mm[2])
    return changed(kept, lambda image: image[slices])
