"""Image numbers tell of lost slices, however stations and contrasts are divided into series."""

from __future__ import annotations

from collections.abc import Iterable

import pytest
from assembly_builder import codes, plans_of
from dicom_builder import Change, File, complete_study
from pydicom.dataset import Dataset

STATIONS = complete_study()


def one_series(numbers: dict[str, int], per: str) -> Change:
    """One series of water and fat; numbers begin anew in each ``per``: station, contrast, both."""

    def change(dataset: Dataset, k: int) -> None:
        contrast = dataset.SeriesDescription[-1]
        station = dataset.AcquisitionTime
        key = {"station": station, "contrast": contrast, "both": station + contrast}[per]
        numbers[key] = dataset.InstanceNumber = numbers.get(key, 0) + 1
        dataset.AcquisitionNumber = [scan.time for scan in STATIONS].index(station) + 1
        dataset.SeriesInstanceUID, dataset.SeriesNumber = "2.25.5", 501
        dataset.SeriesDescription = "Dixon"

    return change


def without_top(files: Iterable[File], station: int, slices: int) -> list[File]:
    time = STATIONS[station].time
    lost = tuple(f"_{c}_{time}_{k:03d}.dcm" for c in "FW" for k in range(slices))
    return [file for file in files if not file.name.endswith(lost)]


def study(per: str) -> list[File]:
    numbers: dict[str, int] = {}
    change = one_series(numbers, per)
    return [file for scan in STATIONS for file in scan.files(change=change)]


@pytest.mark.parametrize("per", ["station", "contrast", "both"])
def test_a_complete_series_of_all_stations_is_silent(per: str) -> None:
    plans, findings = plans_of(study(per))
    assert (len(plans), findings) == (3, [])


@pytest.mark.parametrize("per", ["station", "both"])
@pytest.mark.parametrize("station", [0, 1, 2])
def test_lost_slices_are_found_where_numbers_begin_anew(per: str, station: int) -> None:
    _, findings = plans_of(without_top(study(per), station, 2))
    assert codes(findings) == ["SLICES_LOST"]


def test_lost_slices_are_found_where_each_contrast_is_numbered_throughout() -> None:
    _, findings = plans_of(without_top(study("contrast"), 0, 2))
    assert codes(findings) == ["SLICES_LOST"]
