"""Stations whose images do not fit their positions are found, and nothing else is."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import replace

import numpy as np
import pytest
from phantom_stations import changed, cut, moved, phantom_stations

from mimir_engine.checks.continuity.displaced_stations import find_displacement
from mimir_engine.study import Contrast, Station
from mimir_engine.study.volume import axial_affine

#: z of the uppermost slice of the lower station of ``synthetic``.
LOWER_TOP_MM = 30.0


def what_is_found(stations: Sequence[Station]) -> str:
    """The codes and the sentences of the findings."""
    return " ".join(
        f"{f.code}: {f.sentence}"
        for number, (upper, lower) in enumerate(zip(stations, stations[1:]), 1)
        for f in find_displacement(upper, lower, number)
    )


def noisy(station: Station, sd: float) -> Station:
    rng = np.random.default_rng(7)

    def rician(image: np.ndarray) -> np.ndarray:
        noise = rng.normal(0, sd, (2, *image.shape))
        return np.hypot(image + noise[0], noise[1]).astype(np.float32)

    return changed(station, rician)


def overlapping_by(upper: Station, lower: Station, mm: float) -> Station:
    """The lower station without its upper slices, so that it reaches ``mm`` into the upper one."""
    _, _, step = lower.spacing_mm
    bottom = upper.affine[2, 3] - upper.spacing_mm[2] / 2
    keep = int((bottom + mm - step / 2 - lower.affine[2, 3]) / step) + 1
    return cut(lower, slice(0, keep))


@pytest.mark.parametrize("seed", range(3))
def test_nothing_is_found_in_a_good_study(seed: int) -> None:
    assert what_is_found(phantom_stations(seed)) == ""


@pytest.mark.parametrize("seam", range(5))
@pytest.mark.parametrize(
    ("offset", "words"),
    [
        ((0, 0, 18), r"mm along the body \(too close together\)"),
        ((0, 0, -18), r"mm along the body \(too far apart\)"),
        ((15, 0, 0), "mm left-right"),
        ((0, -15, 0), "mm front-back"),
    ],
)
def test_a_displaced_station_is_refused_at_each_seam(
    seam: int, offset: tuple[float, float, float], words: str
) -> None:
    upper, lower = phantom_stations(3)[seam : seam + 2]
    found = what_is_found([upper, moved(lower, *offset)])
    assert re.match(rf"STATION_DISPLACED: .*stations 1 and 2 .* (1\d|20) {words}", found)


def test_two_halves_of_a_study_are_told_by_the_number_of_their_stations() -> None:
    stations = phantom_stations(3)
    halves = [*stations[:3], *(moved(station, z=18) for station in stations[3:])]
    assert re.match("STATION_DISPLACED: .*stations 3 and 4", what_is_found(halves))


@pytest.mark.parametrize("offset", [(0, 0, 10), (0, 0, -10), (10, 0, 0), (0, 10, 0)])
def test_a_smaller_displacement_is_flagged(offset: tuple[float, float, float]) -> None:
    upper, lower = phantom_stations(3)[2:4]
    assert what_is_found([upper, moved(lower, *offset)]).startswith("STATION_SHIFT: ")


@pytest.mark.parametrize("offset", [(0, 0, 60), (0, 0, -28), (30, 0, 0)])
def test_a_larger_displacement_is_found_too(offset: tuple[float, float, float]) -> None:
    upper, lower = phantom_stations(3)[2:4]
    found = what_is_found([upper, moved(lower, *offset)])
    assert found.startswith("STATION_DISPLACED: ")


@pytest.mark.parametrize("overlap_mm", [0, 3, 9])
def test_stations_that_hardly_overlap_or_only_touch_are_not_accused(overlap_mm: float) -> None:
    stations = phantom_stations(2)
    for upper, lower in zip(stations, stations[1:]):
        assert what_is_found([upper, overlapping_by(upper, lower, overlap_mm)]) == ""


@pytest.mark.parametrize(("sd", "scale"), [(0, 3.0), (0, 1e33), (30, 1.0), (30, 0.4)])
def test_noise_and_signal_scale_do_not_matter(sd: float, scale: float) -> None:
    upper, lower = phantom_stations(3)[2:4]
    lower = changed(lower, lambda image: (image * scale).astype(np.float32))
    upper, lower = noisy(upper, sd), noisy(lower, sd * scale)
    assert what_is_found([upper, lower]) == ""
    assert what_is_found([upper, moved(lower, z=18)]).startswith("STATION_")


def test_stations_may_differ_in_voxels_and_field_of_view() -> None:
    upper, lower = phantom_stations(3)[2:4]
    coarser = changed(lower, lambda image: image[::2, 5:-8:2, 9:-3:3])
    affine = np.diag([3.0, 2.0, 2.0, 1.0]) * lower.affine.diagonal()
    affine[:3, 3] = lower.affine[:3, 3] + [9, 5, 0] * lower.affine.diagonal()[:3]
    coarser = replace(coarser, affine=affine)
    assert what_is_found([upper, coarser]) == ""
    assert what_is_found([upper, moved(coarser, z=18)]).startswith("STATION_")
    assert "495 mm left-right" in what_is_found([upper, moved(lower, x=495)])


@pytest.mark.parametrize("seam", range(5))
@pytest.mark.parametrize("x", [-60, 60])
def test_stations_far_apart_sideways_are_never_silent(seam: int, x: float) -> None:
    upper, lower = phantom_stations(3)[seam : seam + 2]
    assert "left-right" in what_is_found([upper, moved(lower, x=x)])


def test_images_that_do_not_change_along_the_body_accuse_no_one() -> None:
    upper, lower = phantom_stations(3)[2:4]
    one = {contrast: image[:1] for contrast, image in upper.images.items()}
    alike = [
        noisy(
            replace(s, images={c: np.repeat(one[c], s.shape[0], axis=0) for c in one}),
            8,
        )
        for s in (upper, replace(lower, affine=lower.affine))
    ]
    for z in (0, 18, -18):
        assert what_is_found([alike[0], moved(alike[1], z=z)]) == ""


@pytest.mark.parametrize("damaged", [slice(0, 2), slice(2, 8), slice(0, 12)])
def test_blank_slices_at_a_seam_accuse_no_one(damaged: slice) -> None:
    def blank(image: np.ndarray) -> np.ndarray:
        image = image.copy()
        image[damaged] = 0
        return image

    upper, lower = phantom_stations(3)[2:4]
    assert what_is_found([changed(upper, blank), lower]) == ""
    assert what_is_found([upper, changed(lower, lambda image: blank(image[::-1])[::-1])]) == ""


def test_a_damaged_slice_at_a_seam_accuses_no_one_and_hides_nothing() -> None:
    def damage(image: np.ndarray) -> np.ndarray:
        image = image.copy()
        image[3] = np.random.default_rng(7).integers(0, 900, image[3].shape)
        return image

    upper, lower = phantom_stations(3)[2:4]
    upper = changed(upper, damage)
    assert what_is_found([upper, lower]) == ""
    assert what_is_found([upper, moved(lower, z=18)]).startswith("STATION_DISPLACED: ")


def test_organs_that_move_in_a_body_that_does_not_are_breathing() -> None:
    upper, lower = synthetic(0.0)
    breathing = [upper, synthetic(15.0)[1]]
    assert what_is_found([upper, lower]) == ""
    assert what_is_found(breathing) == ""
    assert what_is_found([upper, moved(lower, z=15)]).startswith("STATION_DISPLACED: ")


def synthetic(organ_z_mm: float) -> tuple[Station, Station]:
    """Two stations of a body that widens towards the foot, with an organ inside.

    The front of the body rises with the organ, as in breathing; its back stays.
    """
    z = 4.0 * np.arange(30)[:, np.newaxis, np.newaxis]
    y, x = np.mgrid[-80:80, -100:100] * 2.0
    stations = []
    for bottom in (0.0, LOWER_TOP_MM - 29 * 4.0):
        at = bottom + z
        half = (90 - at * 0.3) * np.where(y < 0, 1 - organ_z_mm / 300, 1)
        radius = x**2 / (130 - at * 0.4) ** 2 + y**2 / half**2
        organ = (x + 30) ** 2 + y**2 + (at - organ_z_mm) ** 2 < 60**2
        water = np.select([radius > 1, radius > 0.8, organ], [5, 40, 700], 300)
        fat = np.select([radius > 1, radius > 0.8, organ], [5, 600, 30], 90)
        images = {Contrast.WATER: water.astype(np.uint16), Contrast.FAT: fat.astype(np.uint16)}
        stations.append(Station(images, axial_affine((-200.0, -160.0, bottom), (2.0, 2.0, 4.0))))
    return stations[0], stations[1]
