"""Faults of a scan that headers do not tell, each made from the stations of a good scan.

A fault takes the stations, from head to foot, those of another person, and random numbers; it
returns changed stations and never changes the old ones. Sizes are those of ``FAULTS``.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace
from typing import Optional

import numpy as np

from mimir_engine.headers.contrast import Contrast
from mimir_engine.study.exchanged_part import ExchangedPart, exchange_back
from mimir_engine.study.station import Station

WATER, FAT = Contrast.WATER, Contrast.FAT
Stations = list[Station]
Fault = Callable[[Stations, Stations, np.random.Generator], Stations]
Image = Callable[[np.ndarray], np.ndarray]


def with_station(stations: Stations, index: int, station: Station) -> Stations:
    """Replace one station."""
    return [station if k == index else old for k, old in enumerate(stations)]


def with_images(station: Station, change: Image, contrasts: Sequence[Contrast]) -> Station:
    """Change the images of a station; those of the other contrasts stay."""
    images = {c: change(image) if c in contrasts else image for c, image in station.images.items()}
    return replace(station, images=images)


def moved(station: Station, x: float = 0.0, y: float = 0.0, z: float = 0.0) -> Station:
    """Change the position of a station, in mm (LPS)."""
    affine = station.affine.copy()
    affine[:3, 3] += (x, y, z)
    return replace(station, affine=affine)


def in_station(index: int, change: Image, contrasts: Sequence[Contrast] = (WATER, FAT)) -> Fault:
    """Make a fault that changes the pixels of one station."""
    return lambda stations, _, __: with_station(
        stations, index, with_images(stations[index], change, contrasts)
    )


def in_all(change: Image, contrasts: Sequence[Contrast] = (WATER, FAT)) -> Fault:
    """Make a fault that changes the pixels of all stations."""
    return lambda stations, _, __: [with_images(s, change, contrasts) for s in stations]


def shifted(
    index: int, x: float = 0.0, y: float = 0.0, z: float = 0.0, below: bool = False
) -> Fault:
    """Make a fault that moves a station, or also all below it, against the others."""

    def fault(stations: Stations, _: Stations, __: np.random.Generator) -> Stations:
        last = len(stations) if below else index + 1
        return [moved(s, x, y, z) if index <= k < last else s for k, s in enumerate(stations)]

    return fault


def scaled(factor: float) -> Image:
    """Make a change that multiplies pixels, within 16 bits."""
    return lambda image: np.clip(np.rint(image * factor), 0, 65535).astype(np.uint16)


def clipped(share: float) -> Image:
    """Make a change that cuts pixels off at a share of the largest."""
    return lambda image: np.minimum(image, np.uint16(share * image.max()))


def slices_changed(chosen: Callable[[int], Sequence[int]], change: Image) -> Image:
    """Make a change of some slices; ``chosen`` gives their indices for a number of slices."""

    def changed(image: np.ndarray) -> np.ndarray:
        result = image.copy()
        for k in chosen(len(image)):
            result[k] = change(image[k])
        return result

    return changed


def slices_exchanged(first: float, second: float) -> Image:
    """Make a change that exchanges two slices; their places are shares of the station."""

    def changed(image: np.ndarray) -> np.ndarray:
        i, j = int(first * len(image)), int(second * len(image))
        result = image.copy()
        result[[i, j]] = image[[j, i]]
        return result

    return changed


def slices_shuffled(image: np.ndarray) -> np.ndarray:
    """Put all slices into a random order, the same for images of one length."""
    return image[np.random.default_rng(len(image)).permutation(len(image))]


def hot_pixels(count: int, value: int, rows: Optional[slice] = None) -> Image:
    """Make a change that sets some pixels of the middle slice to a value."""

    def changed(image: np.ndarray) -> np.ndarray:
        result = image.copy()
        middle = result[len(image) // 2]
        if rows is not None:
            middle[rows] = value
        else:
            rng = np.random.default_rng(count)
            lines, columns = (rng.integers(n // 4, 3 * n // 4, count) for n in middle.shape)
            middle[lines, columns] = value
        return result

    return changed


def noisy(sd: float) -> Image:
    """Make a change that adds noise."""

    def changed(image: np.ndarray) -> np.ndarray:
        noise = np.random.default_rng(image.size).standard_normal(image.shape, np.float32)
        return np.clip(np.abs(image + sd * noise), 0, 65535).astype(np.uint16)

    return changed


def cut(first: int, last: int) -> Fault:
    """Make a fault that drops slices from the head end of the first and the foot of the last."""

    def fault(stations: Stations, _: Stations, __: np.random.Generator) -> Stations:
        top, bottom = stations[0], stations[-1]
        stop = top.shape[0] - first
        shorter = with_images(top, lambda image: image[:stop], tuple(top.images))
        low = with_images(bottom, lambda image: image[last:], tuple(bottom.images))
        return [shorter, *stations[1:-1], moved(low, z=last * bottom.spacing_mm[2])]

    return fault


def stretched(index: int, factors: tuple[float, float, float]) -> Fault:
    """Make a fault that changes the voxel size of one station along column, row and slice."""

    def fault(stations: Stations, _: Stations, __: np.random.Generator) -> Stations:
        affine = stations[index].affine.copy()
        affine[:3, :3] *= factors
        return with_station(stations, index, replace(stations[index], affine=affine))

    return fault


def from_other(*indices: int, contrasts: Sequence[Contrast] = (WATER, FAT)) -> Fault:
    """Make a fault that takes stations, or contrasts of them, from another person."""

    def fault(stations: Stations, other: Stations, _: np.random.Generator) -> Stations:
        result = list(stations)
        for k in indices:
            taken = {c: other[k].images[c] for c in contrasts}
            result[k] = replace(stations[k], images={**stations[k].images, **taken})
        return result

    return fault


def stations_exchanged(first: int, second: int) -> Fault:
    """Make a fault that exchanges the pixels of two stations of one size."""

    def fault(stations: Stations, _: Stations, __: np.random.Generator) -> Stations:
        one, two = stations[first], stations[second]
        changed = with_station(stations, first, replace(one, images=two.images))
        return with_station(changed, second, replace(two, images=one.images))

    return fault


def water_fat_exchanged(
    *indices: int, side: str = "", slices: tuple[float, float] = (0.0, 1.0)
) -> Fault:
    """Make a fault that exchanges water and fat, in a side or in slices if asked for."""

    def fault(stations: Stations, _: Stations, __: np.random.Generator) -> Stations:
        return list(exchange_back(stations, exchanged_parts(stations, indices, side, slices)))

    return fault


def exchanged_parts(
    stations: Sequence[Station],
    indices: Sequence[int],
    side: str = "",
    slices: tuple[float, float] = (0.0, 1.0),
) -> list[ExchangedPart]:
    """Return parts of stations: of one side or both, from one share of the slices to another."""
    parts = []
    for k in indices:
        count, _, columns = stations[k].shape
        first, stop = (int(share * count) for share in slices)
        low = 0 if side != "left" else columns // 2
        high = columns if side != "right" else columns // 2
        parts.append(ExchangedPart(k, first, stop - 1, low, high - 1))
    return parts


def middle(count: int) -> list[int]:
    """Choose the middle slice."""
    return [count // 2]


def every_third(count: int) -> list[int]:
    """Choose every third slice."""
    return list(range(1, count, 3))


def end_third(count: int) -> list[int]:
    """Choose the third of the slices nearest to the feet."""
    return list(range(count // 3))


def lower_half_rows(image: np.ndarray) -> np.ndarray:
    """Lose the posterior half of a slice."""
    result = image.copy()
    result[len(image) // 2 :] = 0
    return result


#: Changes of a scan that no header tells, by name.
SILENT_CHANGES: dict[str, Fault] = {
    "slices of station 1 reversed": in_station(0, lambda image: image[::-1]),
    "slices of station 3 reversed": in_station(2, lambda image: image[::-1]),
    "slices of station 6 reversed": in_station(5, lambda image: image[::-1]),
    "slices of all stations reversed": in_all(lambda image: image[::-1]),
    "two slices of station 2 exchanged": in_station(1, slices_exchanged(0.2, 0.8)),
    "two slices of station 5 exchanged": in_station(4, slices_exchanged(0.3, 0.7)),
    "two water slices of station 3 exchanged": in_station(2, slices_exchanged(0.2, 0.8), (WATER,)),
    "slices of station 4 shuffled": in_station(3, slices_shuffled),
    "water of station 2 zero": in_station(1, np.zeros_like, (WATER,)),
    "fat of station 5 zero": in_station(4, np.zeros_like, (FAT,)),
    "station 3 zero": in_station(2, np.zeros_like),
    "every third slice of station 4 zero": in_station(
        3, slices_changed(every_third, np.zeros_like)
    ),
    "a third of station 5 zero": in_station(4, slices_changed(end_third, np.zeros_like)),
    "posterior half of a third of station 3 zero": in_station(
        2, slices_changed(end_third, lower_half_rows)
    ),
    "station 1 mirrored left-right": in_station(0, lambda image: image[:, :, ::-1]),
    "station 3 mirrored left-right": in_station(2, lambda image: image[:, :, ::-1]),
    "station 5 mirrored left-right": in_station(4, lambda image: image[:, :, ::-1]),
    "station 2 mirrored front-back": in_station(1, lambda image: image[:, ::-1]),
    "station 6 mirrored front-back": in_station(5, lambda image: image[:, ::-1]),
    "all stations mirrored left-right": in_all(lambda image: image[:, :, ::-1]),
    "all stations mirrored front-back": in_all(lambda image: image[:, ::-1]),
    "water of station 3 mirrored left-right": in_station(
        2, lambda image: image[:, :, ::-1], (WATER,)
    ),
    "stations 2 and 3 exchanged": stations_exchanged(1, 2),
    "stations 3 and 4 exchanged": stations_exchanged(2, 3),
    "station 1 from another person": from_other(0),
    "station 3 from another person": from_other(2),
    "station 6 from another person": from_other(5),
    "stations 1 to 3 from another person": from_other(0, 1, 2),
    "water from another person": from_other(*range(6), contrasts=(WATER,)),
    "fat of station 4 from another person": from_other(3, contrasts=(FAT,)),
    "station 3 moved 12 mm left": shifted(2, x=12.0),
    "station 5 moved 12 mm backwards": shifted(4, y=12.0),
    "station 4 moved 12 mm towards the head": shifted(3, z=12.0),
    "station 2 moved 12 mm towards the feet": shifted(1, z=-12.0),
    "stations 4 to 6 moved 12 mm towards the head": shifted(3, z=12.0, below=True),
    "stations 4 to 6 moved 12 mm left": shifted(3, x=12.0, below=True),
    "water cut off at half its largest": in_all(clipped(0.5), (WATER,)),
    "fat cut off at half its largest": in_all(clipped(0.5), (FAT,)),
    "water of station 3 cut off at half its largest": in_station(2, clipped(0.5), (WATER,)),
    "a hot pixel in water": in_station(2, hot_pixels(1, 60_000), (WATER,)),
    "ten hot pixels in fat": in_station(1, hot_pixels(10, 30_000), (FAT,)),
    "a hot row in water": in_station(3, hot_pixels(0, 20_000, slice(80, 81)), (WATER,)),
    "water of station 3 doubled": in_station(2, scaled(2.0), (WATER,)),
    "fat of station 4 doubled": in_station(3, scaled(2.0), (FAT,)),
    "station 2 doubled": in_station(1, scaled(2.0)),
    "water doubled": in_all(scaled(2.0), (WATER,)),
    "fat doubled": in_all(scaled(2.0), (FAT,)),
    "water halved": in_all(scaled(0.5), (WATER,)),
    "a slice of station 3 doubled": in_station(2, slices_changed(middle, scaled(2.0))),
    "a water slice of station 5 doubled": in_station(
        4, slices_changed(middle, scaled(2.0)), (WATER,)
    ),
    "100 added to water": in_all(lambda image: image + np.uint16(100), (WATER,)),
    "a noisy slice in station 3": in_station(2, slices_changed(middle, noisy(150.0))),
    "station 4 noisy": in_station(3, noisy(60.0)),
    "60 mm cut at the head": cut(20, 0),
    "60 mm cut at the knees": cut(0, 15),
    "station 6 missing": lambda stations, _, __: stations[:-1],
    "station 3 stretched 20 % along the body": stretched(2, (1.0, 1.0, 1.2)),
    "station 4 stretched 10 % across": stretched(3, (1.1, 1.1, 1.0)),
    "water and fat of station 3 exchanged": water_fat_exchanged(2),
    "water and fat of all stations exchanged": water_fat_exchanged(*range(6)),
    "water and fat of the right leg exchanged": water_fat_exchanged(4, 5, side="right"),
    "water and fat of part of station 2 exchanged": water_fat_exchanged(1, slices=(0.0, 0.4)),
    "water and fat of a slice of station 3 exchanged": water_fat_exchanged(2, slices=(0.5, 0.53)),
}


def sized_faults(size: float) -> dict[str, Fault]:
    """Return the faults that come in sizes, 1 being the size as named."""
    return {
        "cut at the head (60 mm)": cut(round(20 * size), 0),
        "cut at the knees (60 mm)": cut(0, round(15 * size)),
        "station moved sideways (12 mm)": shifted(2, x=12.0 * size),
        "station moved backwards (12 mm)": shifted(2, y=12.0 * size),
        "station moved along the body (12 mm)": shifted(3, z=12.0 * size),
        "water of a station scaled (x 1.5)": in_station(2, scaled(1.5**size), (WATER,)),
        "fat of a station scaled (x 1.5)": in_station(3, scaled(1.5**size), (FAT,)),
        "water of all stations scaled (x 1.5)": in_all(scaled(1.5**size), (WATER,)),
        "water scaled in a third of a station (x 1.5)": in_station(
            2, slices_changed(end_third, scaled(1.5**size)), (WATER,)
        ),
        "a slice scaled (x 1.5)": in_station(2, slices_changed(middle, scaled(1.5**size))),
        "water cut off (at 0.5)": in_all(clipped(1 / (1 + size)), (WATER,)),
        "ten hot pixels (20,000)": in_station(1, hot_pixels(10, round(20_000 * size)), (WATER,)),
        "a noisy slice (SD 100)": in_station(2, slices_changed(middle, noisy(100.0 * size))),
        "zero slices (4)": in_station(
            2, slices_changed(lambda count: range(4, 4 + round(4 * size)), np.zeros_like)
        ),
        "neighbouring slices exchanged (4 apart)": in_station(2, _exchanged_apart(round(4 * size))),
        "stations of another person (1)": from_other(*range(2, 2 + max(1, round(size)))),
    }


def _exchanged_apart(distance: int) -> Image:
    def changed(image: np.ndarray) -> np.ndarray:
        result = image.copy()
        first = len(image) // 3
        result[[first, first + distance]] = image[[first + distance, first]]
        return result

    return changed
