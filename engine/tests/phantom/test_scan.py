"""Check scans of phantoms without files: both populations, shifts, repeats."""

from __future__ import annotations

import json
import zipfile
from pathlib import Path

import numpy as np
import pytest

from mimir_engine.cli import WRONG_USE, main
from mimir_engine.errors import MimirError
from mimir_engine.phantom.body import TRUTHS
from mimir_engine.phantom.dicom_study import study_name, write_study
from mimir_engine.phantom.scan import make_scan, scan_stations
from mimir_engine.phantom.shift import SHIFTS, find_shift
from mimir_engine.phantom.smooth_body.truth import DIRECT_TRUTHS
from mimir_engine.study import Contrast, Station, read_study

SEED = 31
#: Pixels of seed 3 of population 1: a column of water and of fat in the middle stations.
PIXELS = [
    [0, 373, 33, 218, 370, 384, 29],
    [2, 40, 519, 188, 25, 39, 502],
    [8, 13, 422, 39, 330, 421, 41],
    [3, 9, 37, 583, 55, 47, 578],
]


@pytest.fixture(scope="module")
def usual() -> tuple[Station, ...]:
    return scan_stations(SEED)


def test_population_1_keeps_its_pixels() -> None:
    """The included module was trained on them."""
    scan = make_scan(3, population=1)
    volumes = [volume for station in scan.stations[2:4] for volume in scan.render(station)]
    seen = [volume[20, 20:160:20, 100].astype(int) for volume in volumes]
    assert np.abs(np.subtract(seen, PIXELS)).max() <= 1


@pytest.mark.parametrize("population", [1, 2])
def test_a_scan_is_what_reading_its_archive_gives(population: int, tmp_path: Path) -> None:
    path = tmp_path / f"{study_name(SEED)}.zip"
    write_study(path, SEED, population=population, shift="noise", size=0.5)
    study = read_study(path)
    assert study.findings == ()
    scanned = scan_stations(SEED, "noise", 0.5, population=population, phases=True)
    for own, read in zip(scanned, study.stations):
        assert np.allclose(own.affine, read.affine, atol=1e-4)
        for contrast, image in read.images.items():
            assert image.dtype == own.images[contrast].dtype == np.uint16
            assert np.array_equal(image, own.images[contrast])


def test_phases_are_made_when_they_are_asked_for(usual: tuple[Station, ...]) -> None:
    assert set(usual[0].images) == {Contrast.WATER, Contrast.FAT}
    assert set(scan_stations(SEED, phases=True)[0].images) == set(Contrast)


def test_a_repeat_is_the_same_body_with_another_position_and_other_noise() -> None:
    first, again = make_scan(SEED), make_scan(SEED, repeat=1)
    assert again.person.height == first.person.height
    assert again.person.shift_x != first.person.shift_x
    assert again.stations[0].bias != first.stations[0].bias
    corners = [scan.render(scan.stations[0])[0][:, :8, :8] for scan in (first, again)]
    assert not np.array_equal(*corners)
    truths = [scan.truths()[0] for scan in (first, again)]
    assert truths[1] == pytest.approx(truths[0], rel=5e-3)


def test_repeats_are_further_visits(tmp_path: Path) -> None:
    command = ["phantom", "--light", "--seed", str(SEED), "--output", str(tmp_path)]
    assert main([*command, "--repeat", "2", "--population", "1"]) == 0
    names = sorted(path.name for path in tmp_path.glob("*.zip"))
    assert names == [f"6000031_20201_{visit}_0.zip" for visit in (2, 3)]
    series = []
    for name in names:
        with zipfile.ZipFile(tmp_path / name) as archive:
            series.append(set(archive.namelist()))
    assert series[0] & series[1] == {"manifest.csv"}


def test_the_note_holds_the_truth_of_measurements_without_a_network(tmp_path: Path) -> None:
    write_study(tmp_path / "own.zip", SEED, ("water", "fat"), population=2, shift="lean", size=0.5)
    note = json.loads((tmp_path / "own.truth.json").read_text())
    assert set(note["truth"]) == set(TRUTHS)
    assert set(note["direct"]) == set(DIRECT_TRUTHS)
    assert (note["population"], note["shift"], note["size"]) == (2, "lean", 0.5)


def brightness(stations: tuple[Station, ...], contrast: Contrast) -> np.ndarray:
    """Mean signal of the body in each station."""
    return np.array([s.images[contrast][s.images[contrast] > 150].mean() for s in stations])


@pytest.mark.parametrize("name", [name for name in SHIFTS if name != "none"])
def test_each_shift_changes_the_scan(name: str, usual: tuple[Station, ...]) -> None:
    pairs = zip(usual, scan_stations(SEED, name))
    assert any((np.abs(1.0 * a.water - b.water) > 8).sum() > 1000 for a, b in pairs)


def test_twice_the_size_is_twice_as_far_from_usual() -> None:
    half, whole = (find_shift("obese", size) for size in (0.5, 1.0))
    assert half.fat**2 == pytest.approx(whole.fat)
    half, whole = (find_shift("ghosts", size) for size in (0.5, 1.0))
    assert 2 * half.ghosts == whole.ghosts


def test_contrast_changes_water_and_leaves_fat(usual: tuple[Station, ...]) -> None:
    darker = scan_stations(SEED, "contrast")
    for contrast, factor in ((Contrast.WATER, 0.8), (Contrast.FAT, 1.0)):
        ratio = brightness(darker, contrast) / brightness(usual, contrast)
        assert ratio == pytest.approx(np.full(6, factor), abs=0.06)


def test_gain_steps_in_one_station(usual: tuple[Station, ...]) -> None:
    ratio = brightness(scan_stations(SEED, "gain"), Contrast.FAT) / brightness(usual, Contrast.FAT)
    assert np.sum(np.abs(np.log(ratio)) > 0.3) == 1


def test_metal_leaves_a_void_at_the_right_hip() -> None:
    x, y, z = make_scan(SEED).body.hip  # type: ignore[union-attr]
    station = next(s for s in scan_stations(SEED, "metal", 1.5) if s.top_mm[2] > z > s.affine[2, 3])
    column, row, level, _ = np.linalg.solve(station.affine, (x, y, z, 1.0)).round().astype(int)
    around = np.s_[level - 3 : level + 4, row - 5 : row + 6, column - 5 : column + 6]
    assert x < 0
    assert station.water[around].mean() < 20
    assert station.fat[around].mean() < 20


def test_shifts_of_population_2_are_refused_for_population_1(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    command = ["phantom", "--output", str(tmp_path), "--shift", "metal", "--population", "1"]
    assert main(command) == WRONG_USE
    assert "--shift metal requires --population 2" in capsys.readouterr().err


def test_an_unknown_shift_is_refused() -> None:
    with pytest.raises(MimirError, match="SHIFT_UNKNOWN"):
        make_scan(SEED, shift="everything")
