"""In-phase and opposed-phase are read wholly, or left out with a sentence; nothing else stops."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from compressed_builder import JPEG_LOSSLESS, losslessly_compressed, needs_imagecodecs
from dicom_builder import (
    DEFLATED,
    EXPLICIT,
    IMAGE_TYPES,
    IMPLICIT,
    Change,
    File,
    Scan,
    complete_study,
    enhanced_file,
    write_zip,
)
from pydicom.dataset import Dataset

from mimir_engine.study import Contrast
from mimir_engine.study.phase_stations import ContrastStations
from mimir_engine.study.read import open_study, read_study

ALL = tuple(IMAGE_TYPES)
SUFFIXES = {Contrast.IN_PHASE: "in", Contrast.OPPOSED_PHASE: "opp"}


def all_contrasts(scans: Iterable[Scan] = complete_study(), syntax: str = EXPLICIT) -> list[File]:
    return [file for scan in scans for file in scan.files(ALL, syntax=syntax)]


def read(
    folder: Path, files: Sequence[File], contrast: Contrast = Contrast.IN_PHASE
) -> ContrastStations:
    with open_study(write_zip(folder / "study.zip", files)) as opened:
        assert opened.study.stations
        return opened.contrast_stations(contrast)


def reason(folder: Path, files: Sequence[File], contrast: Contrast = Contrast.IN_PHASE) -> str:
    """Return why a contrast is left out; water and fat are read as without it."""
    found = read(folder, files, contrast)
    (finding,) = found.findings
    assert (finding.code, finding.severity) == ("CONTRAST_LEFT_OUT", "note")
    assert not found.stations
    return finding.sentence


def expected(scan: Scan, contrast: Contrast) -> np.ndarray:
    suffix = SUFFIXES[contrast]
    return np.stack([scan.pixels(suffix, k) for k in reversed(range(scan.slices))])


def with_changed(
    change: Change, scans: Sequence[Scan] = complete_study(), only: int = 1
) -> list[File]:
    """A study in which in-phase of one station is changed."""
    files = []
    for k, scan in enumerate(scans):
        files += scan.files(("in",), change if k == only else None)
        files += replace(scan, number=scan.number + 1).files(("opp", "F", "W"))
    return files


@pytest.mark.parametrize("contrast", SUFFIXES)
def test_all_slices_are_read_as_stored(contrast: Contrast, tmp_path: Path) -> None:
    found = read(tmp_path, all_contrasts(), contrast)
    assert found.findings == ()
    for scan, station in zip(complete_study(), found.stations):
        assert [*station.images] == [contrast]
        assert station.images[contrast].dtype == np.uint16
        assert np.array_equal(station.images[contrast], expected(scan, contrast))


def test_they_are_on_the_voxels_of_water(tmp_path: Path) -> None:
    with open_study(write_zip(tmp_path / "study.zip", all_contrasts())) as opened:
        found = opened.contrast_stations(Contrast.IN_PHASE)
        for station, phase in zip(opened.study.stations, found.stations):
            assert station.shape == phase.shape
            assert np.array_equal(station.affine, phase.affine)
            assert np.array_equal(station.water + station.fat, phase.images[Contrast.IN_PHASE])


def test_where_water_and_fat_were_cropped_they_are_too(tmp_path: Path) -> None:
    scan = Scan(slices=20)
    fat = replace(scan, number=3).files(("F",), leave_out=[0])
    files = [*scan.files(("in", "opp")), *fat, *replace(scan, number=4).files(("W",))]
    (station,) = read(tmp_path, files).stations
    assert np.array_equal(station.images[Contrast.IN_PHASE], expected(scan, Contrast.IN_PHASE)[:-1])


@pytest.mark.parametrize("syntax", [IMPLICIT, DEFLATED])
def test_every_encoding_is_read(syntax: str, tmp_path: Path) -> None:
    (station,) = read(tmp_path, all_contrasts([Scan(slices=20)], syntax)).stations
    image = station.images[Contrast.IN_PHASE]
    assert np.array_equal(image, expected(Scan(slices=20), Contrast.IN_PHASE))


def test_compressed_pixels_are_decoded(tmp_path: Path) -> None:
    needs_imagecodecs()
    scan = Scan(slices=4)
    files = [
        File(f"{k}_{suffix}.dcm", losslessly_compressed(scan.dataset(suffix, k, n), JPEG_LOSSLESS))
        for n, suffix in enumerate(ALL)
        for k in range(scan.slices)
    ]
    (station,) = read(tmp_path, files).stations
    assert np.array_equal(station.images[Contrast.IN_PHASE], expected(scan, Contrast.IN_PHASE))


def test_frames_of_an_enhanced_file_are_read(tmp_path: Path) -> None:
    types = [("opp", "OUT_PHASE"), ("W", "WATER"), ("in", "IN_PHASE"), ("F", "FAT")]
    files = [enhanced_file(scan, types) for scan in complete_study()]
    for contrast in SUFFIXES:
        found = read(tmp_path, files, contrast)
        for scan, station in zip(complete_study(), found.stations):
            assert np.array_equal(station.images[contrast], expected(scan, contrast))


def test_a_scale_is_applied(tmp_path: Path) -> None:
    def scaled(dataset: Dataset, k: int) -> None:
        dataset.RescaleSlope, dataset.RescaleIntercept = "2", "0"

    scan = Scan(slices=20)
    files = [*scan.files(("in",), scaled), *replace(scan, number=2).files(("opp", "F", "W"))]
    image = read(tmp_path, files).stations[0].images[Contrast.IN_PHASE]
    assert image.dtype == np.float32
    assert np.array_equal(image, 2.0 * expected(scan, Contrast.IN_PHASE))


def test_an_image_that_is_there_twice_is_read_once(tmp_path: Path) -> None:
    scan = Scan(slices=20)
    copies = [File(f"copy_{file.name}", file.content) for file in scan.files(("in",))]
    found = read(tmp_path, [*all_contrasts([scan]), *copies])
    assert found.findings == ()
    assert found.stations[0].shape[0] == scan.slices


# ------------------------------------------------------------------ left out


def test_a_study_without_them_says_so(tmp_path: Path) -> None:
    files = [file for scan in complete_study() for file in scan.files()]
    assert reason(tmp_path, files) == "in-phase is left out: the study has no such images"


def test_one_station_without_them_leaves_out_the_contrast(tmp_path: Path) -> None:
    first, *others = complete_study()
    files = [*first.files(), *all_contrasts(others)]
    assert "the station from z = -58 to 2 mm has no such images" in reason(tmp_path, files)


def test_a_missing_slice_leaves_out_the_contrast(tmp_path: Path) -> None:
    scan = Scan(slices=20)
    files = [*scan.files(("in",), leave_out=[7]), *replace(scan, number=2).files(("F", "W"))]
    assert "no image at 1 of the 20 places of water" in reason(tmp_path, files)


def cut_short(dataset: Dataset, k: int) -> None:
    if k == 3:
        dataset.PixelData = dataset.PixelData[:50]


def of_other_size(dataset: Dataset, k: int) -> None:
    dataset.Rows, dataset.Columns = dataset.Columns, dataset.Rows


def elsewhere(dataset: Dataset, k: int) -> None:
    x, y, z = dataset.ImagePositionPatient
    dataset.ImagePositionPatient = [x, float(y) + 4.0, z]


def of_other_pixels(dataset: Dataset, k: int) -> None:
    dataset.PixelSpacing = ["4", "3.5"]


def tilted(dataset: Dataset, k: int) -> None:
    dataset.ImageOrientationPatient = ["1", "0", "0", "0", "0.9998", "0.02"]


def of_unknown_scale(dataset: Dataset, k: int) -> None:
    dataset.RescaleSlope = "0"


def negative(dataset: Dataset, k: int) -> None:
    dataset.RescaleSlope, dataset.RescaleIntercept = "1", "-400"


def reconstructed_otherwise(dataset: Dataset, k: int) -> None:
    dataset.ImageType = [*dataset.ImageType, "NORM"]


@pytest.mark.parametrize(
    ("change", "words"),
    [
        (cut_short, "are cut off"),
        (of_other_size, "does not lie on the voxels of water"),
        (elsewhere, "does not lie on the voxels of water"),
        (of_other_pixels, "does not lie on the voxels of water"),
        (tilted, "does not lie on the voxels of water"),
        (of_unknown_scale, "RescaleSlope '0'"),
        (negative, "have different signal scales"),
        (reconstructed_otherwise, "were reconstructed in another way than water"),
    ],
)
def test_one_bad_station_leaves_out_the_contrast_alone(
    change: Change, words: str, tmp_path: Path
) -> None:
    files = with_changed(change)
    sentence = reason(tmp_path, files)
    assert sentence.startswith("in-phase is left out: ")
    assert words in sentence
    assert read(tmp_path, files, Contrast.OPPOSED_PHASE).stations
    study = read_study(write_zip(tmp_path / "bad.zip", files))
    good = read_study(write_zip(tmp_path / "good.zip", all_contrasts()))
    for station, other in zip(study.stations, good.stations):
        assert np.array_equal(station.water, other.water)
        assert np.array_equal(station.fat, other.fat)


def test_different_images_at_one_place_leave_out_the_contrast(tmp_path: Path) -> None:
    scan = Scan(slices=20)
    again = [File(f"again_{file.name}", file.content) for file in scan.files(("in",), _brighter)]
    assert "different images at z = -114.0 mm" in reason(tmp_path, [*all_contrasts([scan]), *again])


def _brighter(dataset: Dataset, k: int) -> None:
    pixels = np.frombuffer(dataset.PixelData, np.uint16) + np.uint16(1)
    dataset.PixelData = pixels.tobytes()


def test_negative_noise_is_set_to_zero_and_said(tmp_path: Path) -> None:
    def noisy(dataset: Dataset, k: int) -> None:
        dataset.RescaleSlope, dataset.RescaleIntercept = "1", "-5"

    found = read(tmp_path, with_changed(noisy, [Scan(slices=20)], only=0))
    assert [finding.code for finding in found.findings] == ["NEGATIVE_SIGNAL"]
    assert found.stations[0].images[Contrast.IN_PHASE].min() == 0
