"""Stations of ``mimir fuse --layout stations`` are what dcm2niix makes of the same series."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
import zipfile
from pathlib import Path

import numpy as np
import pytest

from mimir_engine.cli import DONE, main
from mimir_engine.phantom.dicom_study import write_study

nibabel = pytest.importorskip("nibabel", reason="NIfTI files need nibabel")

PLACES = f"{Path(sys.executable).parent}{os.pathsep}{os.environ.get('PATH', '')}"
DCM2NIIX = shutil.which("dcm2niix", path=PLACES)
pytestmark = pytest.mark.skipif(DCM2NIIX is None, reason="dcm2niix is not installed")

#: Places of voxels in mm: dcm2niix writes single precision.
TOLERANCE_MM = 1e-3
#: Ends of the series' descriptions.
CONTRASTS = {"water": "W", "fat": "F", "in_phase": "in", "opposed_phase": "opp"}


def height_mm(path: Path) -> int:
    """Return the height of the middle of a volume, to the millimetre."""
    image = nibabel.load(path)
    middle = image.affine @ [*((np.array(image.shape) - 1) / 2), 1]
    return round(float(middle[2]))


def stations_of_dcm2niix(archive: Path, folder: Path) -> dict[tuple[str, int], Path]:
    """Convert an archive; return the file of each contrast and height of a station."""
    dicom, converted = folder / "dicom", folder / "converted"
    converted.mkdir(parents=True)
    zipfile.ZipFile(archive).extractall(dicom)
    command = [str(DCM2NIIX), "-z", "n", "-b", "y", "-f", "%s", "-o", str(converted), str(dicom)]
    subprocess.run(command, check=True, stdout=subprocess.DEVNULL)
    found = {}
    for sidecar in converted.glob("*.json"):
        description = json.loads(sidecar.read_text("utf-8"))["SeriesDescription"]
        image = sidecar.with_suffix(".nii")
        found[description.rpartition("_")[2], height_mm(image)] = image
    return found


@pytest.mark.parametrize(("seed", "population"), [(1, 1), (2, 2)])
def test_stations_are_those_of_dcm2niix(tmp_path: Path, seed: int, population: int) -> None:
    archive, output = tmp_path / "scan.zip", tmp_path / "out"
    write_study(archive, seed, population=population)
    expected = stations_of_dcm2niix(archive, tmp_path)
    command = ["fuse", str(archive), "--layout", "stations", "--jobs", "1"]
    assert main([*command, "--output", str(output)]) == DONE
    files = sorted(output.glob("stations/scan/*.nii.gz"))
    assert len(files) == len(expected) == 24
    for path in files:
        contrast = path.name.partition("_station")[2].partition("_")[2].partition(".")[0]
        other = nibabel.load(expected[CONTRASTS[contrast], height_mm(path)])
        ours, other = nibabel.load(path), nibabel.as_closest_canonical(other)
        assert np.abs(ours.affine - other.affine).max() < TOLERANCE_MM
        assert np.array_equal(np.asarray(ours.dataobj), np.asarray(other.dataobj))
