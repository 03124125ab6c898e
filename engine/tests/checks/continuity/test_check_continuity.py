"""Slices and stations that do not continue each other are found, and good studies are silent."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace

import numpy as np
import pytest
from phantom_stations import changed, phantom_stations, smooth_stations, with_station

from mimir_engine.checks.continuity.check_continuity import check_continuity
from mimir_engine.study import Contrast, Station

SEED = 100_200


def found(stations: Sequence[Station]) -> set[str]:
    return {finding.code for finding in check_continuity(stations)}


@pytest.mark.parametrize("shift", ["none", "lean", "obese", "breathing", "noise", "scoliosis"])
def test_nothing_is_found_in_good_studies(shift: str) -> None:
    assert found(smooth_stations(SEED, shift)) == set()


@pytest.mark.parametrize("index", range(6))
def test_a_station_of_another_person_is_found(index: int) -> None:
    stations, other = list(smooth_stations(SEED)), smooth_stations(SEED + 1)
    stations[index] = replace(stations[index], images=other[index].images)
    assert found(stations) & {"SEAM_MISMATCH", "STATION_DISPLACED"}


@pytest.mark.parametrize("index", range(6))
@pytest.mark.parametrize(
    "change",
    [lambda image: image[::-1], lambda image: image[:, ::-1]],
    ids=["reversed", "front-back"],
)
def test_a_reversed_or_mirrored_station_is_found(
    index: int, change: Callable[[np.ndarray], np.ndarray]
) -> None:
    stations = with_station(smooth_stations(SEED), index, change)
    assert "SEAM_MISMATCH" in found(stations)


@pytest.mark.parametrize("index", range(4))
def test_a_station_mirrored_from_side_to_side_is_found(index: int) -> None:
    stations = with_station(smooth_stations(SEED), index, lambda image: image[:, :, ::-1])
    assert found(stations) & {"SEAM_MISMATCH", "STATION_DISPLACED", "STATION_SHIFT"}


def test_exchanged_stations_are_refused() -> None:
    one, two, three, *rest = smooth_stations(SEED)
    exchanged = [one, replace(two, images=three.images), replace(three, images=two.images)]
    findings = check_continuity([*exchanged, *rest])
    assert {f.code for f in findings} == {"SEAM_MISMATCH"}
    assert {f.severity for f in findings} == {"stop"}


@pytest.mark.parametrize("index", range(6))
def test_slices_in_a_wrong_order_are_found(index: int) -> None:
    def exchange(image: np.ndarray) -> np.ndarray:
        image, (i, j) = image.copy(), (len(image) // 4, len(image) * 3 // 4)
        image[[i, j]] = image[[j, i]]
        return image

    stations = with_station(smooth_stations(SEED), index, exchange)
    (finding,) = check_continuity(stations)
    assert (finding.code, finding.station) == ("SLICES_DISORDERED", index + 1)


def test_a_run_of_reversed_slices_is_found() -> None:
    def reverse(image: np.ndarray) -> np.ndarray:
        image = image.copy()
        image[12:28] = image[12:28][::-1]
        return image

    assert "SLICES_DISORDERED" in found(with_station(smooth_stations(SEED), 2, reverse))


@pytest.mark.parametrize("factor", [2.2, 0.45])
def test_a_step_of_the_signal_is_flagged(factor: float) -> None:
    stations = with_station(
        smooth_stations(SEED), 2, lambda image: (image * factor).astype(np.float32)
    )
    assert found(stations) == {"SEAM_STEP"}


@pytest.mark.parametrize("contrast", [Contrast.WATER, Contrast.FAT])
def test_a_scale_of_one_contrast_alone_is_flagged(contrast: Contrast) -> None:
    stations = list(smooth_stations(SEED))
    scaled = (stations[3].images[contrast] * 1.25).astype(np.float32)
    stations[3] = replace(stations[3], images={**stations[3].images, contrast: scaled})
    assert found(stations) == {"SEAM_STEP"}


@pytest.mark.parametrize(
    ("change", "words"),
    [
        (lambda image: image[:, :, ::-1], "right and left"),
        (lambda image: image[:, ::-1], "front and back"),
    ],
)
def test_a_mirrored_body_is_flagged(change: Callable[[np.ndarray], np.ndarray], words: str) -> None:
    (finding,) = check_continuity([changed(s, change) for s in smooth_stations(SEED)])
    assert (finding.code, finding.severity) == ("BODY_MIRRORED", "warning")
    assert words in finding.sentence


def test_signal_scale_and_unit_do_not_matter() -> None:
    stations = [
        changed(s, lambda image: (image * 1e30).astype(np.float32)) for s in phantom_stations(2)
    ]
    assert found(stations) == set()


def test_one_station_alone_is_checked() -> None:
    assert found(smooth_stations(SEED)[2:3]) == set()
