"""Read phantom studies with the engine's own reader."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import time
import zipfile
from pathlib import Path

import numpy as np
import pydicom
import pytest

from mimir_engine.cli import main
from mimir_engine.files.folder_lock import folder_lock
from mimir_engine.phantom.body import TRUTHS
from mimir_engine.phantom.dicom_study import study_name, write_study
from mimir_engine.phantom.scan import make_scan
from mimir_engine.phantom.scanner import SLICES, draw_stations
from mimir_engine.study import DixonStudy, read_study

SEED = 21


@pytest.fixture(scope="module")
def path(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A study with water and fat only, which is what the engine reads."""
    path = tmp_path_factory.mktemp("phantom") / f"{study_name(SEED)}.zip"
    write_study(path, SEED, contrasts=("water", "fat"))
    return path


@pytest.fixture(scope="module")
def study(path: Path) -> DixonStudy:
    return read_study(path)


def test_name_is_that_of_a_uk_biobank_study(study: DixonStudy):
    assert study_name(SEED) == "6000021_20201_2_0"
    assert (study.eid, study.instance) == ("6000021", "2")


def test_the_reader_has_no_findings(study: DixonStudy):
    assert study.findings == ()


def test_headers_mark_the_study_as_synthetic(study: DixonStudy):
    assert study.scanner.model == "MIMIR phantom (synthetic)"
    assert study.scanner.vendor == "SIEMENS"
    assert study.scanner.field_strength_t == 1.5


def test_voxels_are_unchanged_by_dicom(study: DixonStudy):
    scan = make_scan(SEED)
    assert len(study.stations) == 6
    for index in (0, 4):
        water, fat = scan.render(scan.stations[index])
        assert np.array_equal(study.stations[index].water, water[::-1])
        assert np.array_equal(study.stations[index].fat, fat[::-1])


def test_geometry_is_unchanged_by_dicom(study: DixonStudy):
    for station, scanned in zip(study.stations, draw_stations(SEED)):
        assert station.top_mm[2] == pytest.approx(scanned.z[0])
        assert station.spacing_mm == pytest.approx((2.23214293, 2.23214293, scanned.spacing_z))


def test_manifest_lists_every_file_once(path: Path):
    with zipfile.ZipFile(path) as archive:
        names = [name for name in archive.namelist() if name.endswith(".dcm")]
        rows = archive.read("manifest.csv").decode().splitlines()
    assert len(names) == len(set(names)) == 2 * sum(SLICES)
    assert [row.split(",")[0] for row in rows[1:]] == names


def test_truth_lies_beside_the_study(path: Path):
    note = json.loads((path.parent / f"{study_name(SEED)}.truth.json").read_text())
    assert note["seed"] == SEED
    assert note["units"] == TRUTHS
    assert note["truth"] == pytest.approx(make_scan(SEED).truths()[0])


def test_no_other_file_is_written(path: Path):
    assert {file.name for file in path.parent.iterdir()} == {
        path.name,
        f"{study_name(SEED)}.truth.json",
    }


def test_in_phase_and_opposed_phase_follow_from_water_and_fat(tmp_path: Path):
    path = tmp_path / "whole.zip"
    write_study(path, SEED)
    neck: dict[str, np.ndarray] = {}
    with zipfile.ZipFile(path) as archive:
        names = [name for name in archive.namelist() if name.endswith(".dcm")]
        for name in names[: 4 * SLICES[0] : SLICES[0]]:
            with archive.open(name) as file:
                image = pydicom.dcmread(file)
            neck[image.ImageType[3]] = image.pixel_array.astype(int)
    assert len(names) == 1328
    assert np.array_equal(neck["IN_PHASE"], neck["WATER"] + neck["FAT"])
    assert np.array_equal(neck["OPP_PHASE"], np.abs(neck["WATER"] - neck["FAT"]))


@pytest.mark.skipif(os.name == "nt", reason="Windows has no such kill")
def test_a_killed_command_leaves_nothing_that_the_next_does_not_remove(tmp_path: Path):
    command = ["phantom", "--light", "--seed", str(SEED), "--output", str(tmp_path)]
    with subprocess.Popen(
        [sys.executable, "-m", "mimir_engine", *command], stdout=subprocess.DEVNULL
    ) as process:
        while not any(tmp_path.glob(".mimir-*.part")):
            assert process.poll() is None
            time.sleep(0.01)
        process.kill()
    assert main(command) == 0
    name = study_name(SEED)
    assert {file.name for file in tmp_path.iterdir()} == {f"{name}.zip", f"{name}.truth.json"}


def test_two_commands_do_not_share_a_folder(tmp_path: Path, capsys: pytest.CaptureFixture[str]):
    with folder_lock(tmp_path):
        assert main(["phantom", "--output", str(tmp_path)]) == 2
    assert "OUTPUT_IN_USE" in capsys.readouterr().err
    assert list(tmp_path.iterdir()) == []
