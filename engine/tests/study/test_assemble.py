"""Slices are grouped into stations by their headers; ambiguous studies are refused."""

from __future__ import annotations

import random

import numpy as np
import pytest
from assembly_builder import BELOW, SCAN, code, plans_of, z_of
from dicom_builder import all_files, complete_study

from mimir_engine.study import Contrast

# ------------------------------------------------------------------ good studies


def test_slices_of_a_station_are_ordered_from_foot_to_head() -> None:
    (plan,), findings = plans_of(SCAN.files())
    assert findings == []
    assert z_of(plan) == z_of(plan, Contrast.FAT) == [-12, -6, 0, 6, 12, 18, 24, 30]
    np.testing.assert_allclose(
        plan.affine, [[4, 0, 0, -78], [0, 4, 0, -94], [0, 0, 6, -12], [0, 0, 0, 1]]
    )


def test_stations_are_ordered_from_head_to_foot_in_any_order_of_files() -> None:
    files = list(all_files(complete_study()))
    random.Random(5).shuffle(files)
    plans, findings = plans_of(files)
    assert findings == []
    assert [max(z_of(plan)) for plan in plans] == [0, -36, -81]


def test_neighbours_that_overlap_by_less_than_half_are_two_stations() -> None:
    assert len(plans_of(SCAN.files(), BELOW.files())[0]) == 2


def test_water_and_fat_of_one_series_are_separated() -> None:
    """Philips writes classic files as one series, with the contrast in ImageType."""

    def one_series(dataset: Dataset, k: int) -> None:
        dataset.SeriesInstanceUID, dataset.SeriesNumber = "2.25.5", 501
        dataset.SeriesDescription = "mDIXON"

    (plan,), _ = plans_of(SCAN.files(change=one_series))
    assert set(plan.crops) == {Contrast.WATER, Contrast.FAT}


# ------------------------------------------------------------------ studies and contrasts


def test_a_source_without_dixon_images_is_refused() -> None:
    assert code() == "NO_DIXON"
    assert code(SCAN.files(("in", "opp"))) == "NO_DIXON"


@pytest.mark.parametrize("present", ["W", "F"])
def test_a_missing_contrast_is_refused(present: str) -> None:
    assert code(SCAN.files((present, "in"))) == "CONTRAST_MISSING"


@pytest.mark.parametrize("missing", ["W", "F"])
def test_a_station_without_one_contrast_is_refused(missing: str) -> None:
    rest = [c for c in ("F", "W") if c != missing]
    assert code(SCAN.files(), BELOW.files(rest)) == "STATION_INCOMPLETE"
