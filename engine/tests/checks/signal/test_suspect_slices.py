"""Blank slices, slices that occur twice, and contrasts that are the same."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from dicom_builder import Scan
from station_builder import station_of

from mimir_engine.checks.pixel_sample import sample_pixels
from mimir_engine.checks.signal.suspect_slices import (
    find_blank,
    find_cut_off,
    find_identical,
    find_identical_contrasts,
)
from mimir_engine.study import Contrast, Station
from mimir_engine.study.finding import STOP, Finding

GOOD = station_of(Scan(slices=12))


def with_slices(*slices: int, value: np.ndarray | int, contrast: str = "water") -> Station:
    """The good station with other pixels in some slices."""
    images = {c: image.copy() for c, image in GOOD.images.items()}
    for k in slices:
        images[Contrast(contrast)][k] = value
    return replace(GOOD, images=images)


def findings(station: Station) -> list[Finding]:
    sample = sample_pixels(station)
    return [
        *find_blank(station, sample, 3),
        *find_identical_contrasts(station, sample, 3),
        *find_identical(station, sample, 3),
    ]


def test_nothing_is_found_in_a_good_station() -> None:
    assert findings(GOOD) == []
    assert find_cut_off(GOOD, sample_pixels(GOOD), 3) == []


@pytest.mark.parametrize("slices", [(5,), (1, 4), (6, 7)])
def test_slices_that_end_in_rows_of_zeros_are_one_finding(slices: tuple[int, ...]) -> None:
    images = {c: image.copy() for c, image in GOOD.images.items()}
    for k in slices:
        images[Contrast.FAT][k, 24:] = 0
    station = replace(GOOD, images=images)
    (finding,) = find_cut_off(station, sample_pixels(station), 3)
    assert finding.code == "SLICE_BLANK"
    assert f"{len(slices)} of 12 fat slices of station 3" in finding.sentence


def test_a_field_of_view_that_is_empty_behind_in_all_slices_is_good() -> None:
    images = {c: image.copy() for c, image in GOOD.images.items()}
    for image in images.values():
        image[:, 36:] = 0
    station = replace(GOOD, images=images)
    assert find_cut_off(station, sample_pixels(station), 3) == []


@pytest.mark.parametrize(("slices", "value"), [((4, 5), 0), ((0, 1), 0), ((10, 11), 77)])
def test_blank_slices_are_one_finding_wherever_they_are(
    slices: tuple[int, ...], value: int
) -> None:
    (finding,) = findings(with_slices(*slices, value=value, contrast="fat"))
    assert finding.code == "SLICE_BLANK"
    assert finding.sentence.startswith("2 of 12 fat slices of station 3 (from the head) are")


def test_a_single_bright_pixel_between_the_sampled_ones_makes_a_slice_not_blank() -> None:
    pixels = np.zeros_like(GOOD.water[0])
    pixels[3, 3] = 500
    assert findings(with_slices(4, value=pixels)) == []


@pytest.mark.parametrize("contrast", ["water", "fat"])
def test_a_station_without_any_signal_is_refused(contrast: str) -> None:
    finding, *_ = findings(with_slices(*range(12), value=0, contrast=contrast))
    assert (finding.code, finding.severity, finding.station) == ("EMPTY_IMAGE", STOP, 3)
    assert finding.sentence.startswith(f"the {contrast} image of station 3")


@pytest.mark.parametrize("other", [5, 11])
def test_slices_with_the_same_pixels_are_found_also_far_apart(other: int) -> None:
    (finding,) = findings(with_slices(4, value=GOOD.water[other]))
    assert finding.code == "SLICES_IDENTICAL"
    assert finding.sentence.startswith("1 slice of station 3 (from the head) repeats")


def test_slices_that_differ_in_one_pixel_are_not_the_same() -> None:
    pixels = GOOD.water[5].copy()
    pixels[3, 3] += 1
    assert findings(with_slices(4, value=pixels)) == []


def test_some_fat_slices_among_the_water_slices_are_found() -> None:
    (finding,) = findings(with_slices(4, value=GOOD.fat[4]))
    assert finding.code == "SLICES_IDENTICAL"


def test_a_station_whose_water_is_its_fat_is_refused() -> None:
    twice = replace(GOOD, images=dict.fromkeys(GOOD.images, GOOD.fat))
    finding, *_ = findings(twice)
    assert (finding.code, finding.severity, finding.station) == ("CONTRASTS_IDENTICAL", STOP, 3)
