from __future__ import annotations

import json
from pathlib import Path
from typing import Any, Callable

import numpy as np
import pytest

from mimir_engine.errors import MimirError
from mimir_engine.fusion.fused_folder import (
    DESCRIPTION_FILE,
    WATER_FILE,
    FusedFolder,
    describe_study,
    read_fused,
    write_fused,
)
from mimir_engine.measuring.one_study import prepare, read_and_fuse


@pytest.fixture
def fused_folder(study_zip: Path, tmp_path: Path) -> Path:
    """Store the volumes of the small study."""
    study, fused = read_and_fuse(study_zip)
    write_fused(tmp_path / "fused", describe_study(study), fused.water, fused.fat)
    return tmp_path / "fused"


def test_volumes_are_read_exactly_as_written(study_zip: Path, fused_folder: Path) -> None:
    study, fused = read_and_fuse(study_zip)
    again, volumes = read_fused(fused_folder)
    assert np.array_equal(volumes.water.array, fused.water.array)
    assert np.array_equal(volumes.fat.array, fused.fat.array)
    assert np.array_equal(volumes.water.affine, fused.water.affine)
    assert (again.name, again.eid, again.instance) == (study.name, study.eid, study.instance)
    assert (again.scanner, again.findings) == (study.scanner, study.findings)
    assert len(again.stations) == len(study.stations)


def test_stored_volumes_are_projected_like_their_study(study_zip: Path, fused_folder: Path) -> None:
    study, stored = prepare(study_zip), prepare(FusedFolder(fused_folder))
    assert stored.extent_mm == study.extent_mm
    apart = np.abs(stored.projection.image.astype(int) - study.projection.image.astype(int))
    assert (apart[:2] == 0).all(), "sums of water and of fat are those of the volumes"
    # The fraction's planes are fused once more in double precision if the stations are known.
    assert (apart[2] > 1).mean() < 1e-3


def test_a_study_can_be_given_another_name(fused_folder: Path) -> None:
    assert read_fused(fused_folder, "another")[0].name == "another"


def change_description(**changes: Any) -> Callable[[Path], None]:
    def change(folder: Path) -> None:
        description = json.loads((folder / DESCRIPTION_FILE).read_text())
        (folder / DESCRIPTION_FILE).write_text(json.dumps({**description, **changes}))

    return change


def change_water(array: np.ndarray) -> Callable[[Path], None]:
    return lambda folder: np.save(folder / WATER_FILE, array)


def pickled(folder: Path) -> None:
    np.save(folder / WATER_FILE, np.array([{}], dtype=object), allow_pickle=True)


@pytest.mark.parametrize(
    "damage",
    [
        lambda folder: (folder / DESCRIPTION_FILE).unlink(),
        lambda folder: (folder / DESCRIPTION_FILE).write_text("[" * 100_000),
        lambda folder: (folder / DESCRIPTION_FILE).write_text("[]"),
        lambda folder: (folder / WATER_FILE).write_bytes(b"no array"),
        lambda folder: (folder / WATER_FILE).unlink(),
        pickled,
        change_description(affine_lps_mm=np.eye(4).tolist()),
        change_description(affine_lps_mm=[[1, 2], [3]]),
        change_description(affine_lps_mm="none"),
        change_description(scanner={"unknown": 1}),
        change_description(stations=None),
        change_water(np.zeros((2, 3, 4))),
        change_water(np.zeros((2, 3), np.float32)),
        change_water(np.zeros((2, 3, 4), np.float32)),
        change_water(np.full((2, 3, 4), np.nan, np.float32)),
    ],
)
def test_a_damaged_fused_folder_is_refused(
    fused_folder: Path, damage: Callable[[Path], object]
) -> None:
    damage(fused_folder)
    with pytest.raises(MimirError) as error:
        read_fused(fused_folder)
    assert error.value.code == "FUSED_INVALID"
