"""All volumes of a study are given one after the other; in-phase is stitched as water is."""

from __future__ import annotations

import weakref
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from dicom_builder import IMAGE_TYPES, File, Scan, complete_study, write_zip
from exchanged_archive import exchanged_archive
from limited_memory import peak_megabytes
from pydicom.dataset import Dataset

from mimir_engine.errors import MimirError
from mimir_engine.fusion import FusedVolumes, fuse
from mimir_engine.fusion.fused_folder import FusedFolder, describe_study, write_fused
from mimir_engine.measuring.one_study import read_and_fuse
from mimir_engine.measuring.study_volumes import ContrastVolumes, open_volumes
from mimir_engine.phantom.dicom_study import write_study
from mimir_engine.projection.fat_fraction_map import fat_fraction_map
from mimir_engine.study import Contrast, Station, read_study
from mimir_engine.study.read import open_study
from mimir_engine.study.read_options import AS_STORED, ReadOptions

#: In the order in which they are made.
NAMES = ["water", "fat", "fat_fraction", "in_phase", "opposed_phase"]
PHASES = {"in_phase": Contrast.IN_PHASE, "opposed_phase": Contrast.OPPOSED_PHASE}


@pytest.fixture(scope="module")
def scan(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Three small stations, two of them off the output grid, with all contrasts."""
    files = [file for scan in complete_study() for file in scan.files(tuple(IMAGE_TYPES))]
    return write_zip(tmp_path_factory.mktemp("study") / "study.zip", files)


@pytest.fixture(scope="module")
def phantom(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("phantom") / "phantom.zip"
    write_study(path, 4)
    return path


def stitched(source: object, reading: ReadOptions = AS_STORED) -> dict[str, ContrastVolumes]:
    with open_volumes(source, reading=reading) as opened:  # type: ignore[arg-type]
        return {made.name: made for made in opened.stitched()}


def array_of(made: ContrastVolumes) -> np.ndarray:
    (volume,) = made.volumes
    return volume.array


def phase_stations(source: Path, contrast: Contrast) -> tuple[Station, ...]:
    with open_study(source) as opened:
        return opened.contrast_stations(contrast).stations


def with_water(stations: Sequence[Station], images: Sequence[np.ndarray]) -> FusedVolumes:
    """Fuse these images as if they were water and fat of the stations."""
    return fuse(
        [
            replace(station, images={Contrast.WATER: image, Contrast.FAT: image})
            for station, image in zip(stations, images)
        ]
    )


def overlapping(fused: FusedVolumes) -> np.ndarray:
    """Return which fused slices, foot to head, belong to more than one station."""
    assert fused.layout is not None
    count = np.zeros(len(fused.water.array), int)
    for grid, seam in zip(fused.layout.grids, fused.layout.seams[Contrast.WATER]):
        first = max(grid.z.start + seam.keep.start - 4, 0)
        count[first : grid.z.start + seam.keep.stop - 4] += 1
    return count[::-1] > 1


def test_all_volumes_are_given_in_one_order_on_one_grid(scan: Path) -> None:
    made = stitched(scan)
    assert [*made] == NAMES
    fused = fuse(read_study(scan).stations)
    for one in made.values():
        assert one.findings == ()
        (volume,) = one.volumes
        assert volume.array.shape == fused.water.array.shape
        assert volume.array.dtype == np.float32
        assert np.array_equal(volume.affine, fused.water.affine)
    assert np.array_equal(array_of(made["water"]), fused.water.array)
    assert np.array_equal(array_of(made["fat"]), fused.fat.array)
    assert np.array_equal(array_of(made["fat_fraction"]), fat_fraction_map(fused).array)


def test_only_what_is_asked_for_is_made(scan: Path) -> None:
    with open_volumes(scan) as opened:
        made = [one.name for one in opened.stitched(["opposed_phase", "fat"])]
    assert made == ["fat", "opposed_phase"]


@pytest.mark.parametrize("name", PHASES)
def test_in_phase_is_stitched_as_the_same_pixels_of_water_are(name: str, scan: Path) -> None:
    stations = phase_stations(scan, PHASES[name])
    as_water = with_water(stations, [station.images[PHASES[name]] for station in stations])
    assert np.array_equal(array_of(stitched(scan)[name]), as_water.water.array)


def noisy(dataset: Dataset, k: int) -> None:
    """Make in-phase differ from the sum of water and fat by up to 20."""
    pixels = np.frombuffer(dataset.PixelData, np.uint16)
    noise = (np.arange(len(pixels)) * 7 + k * 3) % 21
    dataset.PixelData = (pixels + noise).astype(np.uint16).tobytes()


def test_water_and_fat_differ_from_in_phase_as_in_the_stations(tmp_path: Path) -> None:
    """Outside overlaps all steps are linear, so the residual is that of the stations."""
    files: list[File] = []
    for scan in complete_study():
        files += scan.files(("in",), noisy)
        files += replace(scan, number=scan.number + 1).files(("opp", "F", "W"))
    path = write_zip(tmp_path / "study.zip", files)
    stations = read_study(path).stations
    residuals = [
        station.water.astype(np.float32) + station.fat - phase.images[Contrast.IN_PHASE]
        for station, phase in zip(stations, phase_stations(path, Contrast.IN_PHASE))
    ]
    expected = with_water(stations, residuals)
    made = stitched(path)
    found = array_of(made["water"]) + array_of(made["fat"]) - array_of(made["in_phase"])
    alone = ~overlapping(expected)
    assert 0.5 < alone.mean() < 1
    assert np.abs(expected.water.array[alone]).max() > 15
    assert np.allclose(found[alone], expected.water.array[alone], atol=0.01)


def test_water_and_fat_of_a_phantom_add_up_to_in_phase_outside_overlaps(phantom: Path) -> None:
    made = stitched(phantom)
    alone = ~overlapping(fuse(read_study(phantom).stations))
    assert (~alone).sum() == 8 * 5
    total = array_of(made["water"]) + array_of(made["fat"])
    assert np.allclose(total[alone], array_of(made["in_phase"])[alone], rtol=1e-5, atol=0.01)


def test_volumes_are_the_same_on_every_run(scan: Path) -> None:
    for one, again in zip(stitched(scan).values(), stitched(scan).values()):
        assert array_of(one).tobytes() == array_of(again).tobytes()


def test_a_contrast_that_is_left_out_stops_no_other(tmp_path: Path) -> None:
    first, *others = complete_study()
    files = [*first.files(("opp", "F", "W")), *_all_of(others)]
    made = stitched(write_zip(tmp_path / "study.zip", files))
    assert [name for name, one in made.items() if not one.volumes] == ["in_phase"]
    (finding,) = made["in_phase"].findings
    assert finding.code == "CONTRAST_LEFT_OUT"
    assert made["opposed_phase"].findings == ()


def _all_of(scans: Sequence[Scan]) -> list[File]:
    return [file for scan in scans for file in scan.files(tuple(IMAGE_TYPES))]


# ------------------------------------------------------------------ single stations


def test_stations_are_given_as_they_are_stored(scan: Path) -> None:
    study = read_study(scan)
    with open_volumes(scan) as opened:
        made = {one.name: one.volumes for one in opened.of_stations()}
    assert [*made] == ["water", "fat", "in_phase", "opposed_phase"]
    for index, station in enumerate(study.stations):
        for name, image in (
            ("water", station.water),
            ("fat", station.fat),
            ("in_phase", station.water + station.fat),
        ):
            volume = made[name][index]
            assert volume.array.dtype == np.uint16
            assert np.array_equal(volume.array, image)
            assert np.array_equal(volume.affine, station.affine)


def test_volumes_without_stations_have_water_fat_and_fat_fraction(
    scan: Path, tmp_path: Path
) -> None:
    study, fused = read_and_fuse(scan)
    write_fused(tmp_path / "fused", describe_study(study), fused.water, fused.fat)
    source = FusedFolder(tmp_path / "fused")
    made = stitched(source)
    assert [name for name, one in made.items() if one.volumes] == NAMES[:3]
    assert made["in_phase"].findings[0].code == "CONTRAST_LEFT_OUT"
    with open_volumes(source) as opened, pytest.raises(MimirError, match="STATIONS_UNKNOWN"):
        next(opened.of_stations())


# ------------------------------------------------------------------ checks and repair


def test_exchanged_water_and_fat_are_refused_or_exchanged_back(
    phantom: Path, tmp_path: Path
) -> None:
    """In-phase does not change when water and fat are exchanged."""
    exchanged = exchanged_archive(phantom, tmp_path / "exchanged.zip", 2)
    with pytest.raises(MimirError, match="WATER_FAT_EXCHANGED"):
        stitched(exchanged)
    sound, repaired = stitched(phantom), stitched(exchanged, ReadOptions(swap_repair=True))
    for name in NAMES:
        assert np.array_equal(array_of(sound[name]), array_of(repaired[name]))


# ------------------------------------------------------------------ memory


def test_water_and_fat_are_freed_before_in_phase_is_read(scan: Path) -> None:
    with open_volumes(scan) as opened:
        water = weakref.ref(opened.fused.water.array)
        volumes = opened.stitched(["in_phase"])
        assert water() is not None
        next(volumes)
        assert water() is None


def test_all_contrasts_take_no_more_than_one_volume_beside_water_and_fat(phantom: Path) -> None:
    volume = 371 * 174 * 224 * 4 / 2**20

    def all_volumes() -> None:
        with open_volumes(phantom) as opened:
            for made in opened.stitched():
                del made

    water_and_fat = peak_megabytes(lambda: read_and_fuse(phantom))
    assert peak_megabytes(all_volumes) < water_and_fat + 1.1 * volume
