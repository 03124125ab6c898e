"""A few in-phase and opposed-phase slices are read; they can neither refuse nor change a study."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from dicom_builder import IMAGE_TYPES, Change, File, Scan, complete_study, write_zip
from pydicom.dataset import Dataset

from mimir_engine.study import Contrast, Station, read_study

SCAN = Scan(slices=20)
ALL = tuple(IMAGE_TYPES)


def station_of(folder: Path, files: Sequence[File]) -> Station:
    (station,) = read_study(write_zip(folder / "study.zip", files)).stations
    return station


def with_phases(change: Change) -> list[File]:
    """Water and fat as they are, in-phase and opposed-phase changed."""
    return [
        *SCAN.files(("in", "opp"), change),
        *replace(SCAN, number=SCAN.number + 2).files(("F", "W")),
    ]


def unchanged(dataset: Dataset, k: int) -> None:
    pass


def test_slices_of_both_phases_are_on_the_voxels_of_water(tmp_path: Path) -> None:
    station = station_of(tmp_path, with_phases(unchanged))
    assert {contrast: [*slices] for contrast, slices in station.phases.items()} == {
        Contrast.IN_PHASE: [6, 12],
        Contrast.OPPOSED_PHASE: [6, 12],
    }
    for index, image in station.phases[Contrast.IN_PHASE].items():
        assert np.array_equal(image, station.water[index] + station.fat[index])


def test_each_station_has_its_own(tmp_path: Path) -> None:
    files = [file for scan in complete_study() for file in scan.files(ALL)]
    for station in read_study(write_zip(tmp_path / "study.zip", files)).stations:
        for index, image in station.phases[Contrast.IN_PHASE].items():
            assert np.array_equal(image, station.water[index] + station.fat[index])


def test_their_scale_is_applied(tmp_path: Path) -> None:
    def scaled(dataset: Dataset, k: int) -> None:
        dataset.RescaleSlope, dataset.RescaleIntercept = "2", "0"

    station = station_of(tmp_path, with_phases(scaled))
    for index, image in station.phases[Contrast.IN_PHASE].items():
        assert np.array_equal(image, 2.0 * (station.water[index] + station.fat[index]))


def cut_short(dataset: Dataset, k: int) -> None:
    dataset.PixelData = dataset.PixelData[:50]


def of_other_size(dataset: Dataset, k: int) -> None:
    dataset.Rows, dataset.Columns = dataset.Columns, dataset.Rows


def elsewhere(dataset: Dataset, k: int) -> None:
    x, y, z = dataset.ImagePositionPatient
    dataset.ImagePositionPatient = [x, float(y) + 4.0, z]


def of_unknown_scale(dataset: Dataset, k: int) -> None:
    dataset.RescaleSlope = "0"


def reconstructed_otherwise(dataset: Dataset, k: int) -> None:
    dataset.ImageType = [*dataset.ImageType, "NORM"]


@pytest.mark.parametrize(
    "change", [cut_short, of_other_size, elsewhere, of_unknown_scale, reconstructed_otherwise]
)
def test_slices_that_cannot_be_compared_are_left_out_without_a_word(
    change: Change, tmp_path: Path
) -> None:
    with_them = read_study(write_zip(tmp_path / "study.zip", with_phases(change)))
    without = read_study(
        write_zip(tmp_path / "two.zip", replace(SCAN, number=SCAN.number + 2).files(("F", "W")))
    )
    (station,), (alone,) = with_them.stations, without.stations
    assert not any(station.phases.values())
    assert np.array_equal(station.water, alone.water)
    assert with_them.findings == without.findings


def test_two_scans_of_one_phase_are_not_compared(tmp_path: Path) -> None:
    twice = [file for n in (2, 3) for file in replace(SCAN, number=n).files(("in",))]
    station = station_of(tmp_path, [*twice, *replace(SCAN, number=4).files(("F", "W"))])
    assert Contrast.IN_PHASE not in station.phases
