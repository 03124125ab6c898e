from __future__ import annotations

import io
import json
import os
from pathlib import Path
from typing import Any, Callable

import numpy as np
import pytest
from limited_memory import peak_megabytes

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


def declare(shape: tuple[int, ...], order: bool = False, kind: str = "<f4") -> Callable[..., None]:
    """Write a volume whose header declares another array than there is."""

    def change(folder: Path) -> None:
        content = io.BytesIO()
        header = {"descr": kind, "fortran_order": order, "shape": shape}
        np.lib.format.write_array_header_1_0(content, header)
        (folder / WATER_FILE).write_bytes(content.getvalue() + bytes(96))

    return change


def zip_as_volume(folder: Path) -> None:
    np.savez(folder / "other.npz", water=np.zeros((2, 3, 4), np.float32))
    (folder / "other.npz").replace(folder / WATER_FILE)


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
        change_water(np.zeros((2, 3, 4), ">f4")),
        change_water(np.asfortranarray(np.ones((2, 3, 4), np.float32))),
        zip_as_volume,
        declare((10_000, 10_000, 10_000)),
        declare((2, -3, -4)),
        declare((2, 3, 4), order=True),
        declare((2, 3, 4), kind="|O"),
        declare((2, 3, 5)),
        change_description(scanner={"vendor": 5, "model": "", "field_strength_t": 3}),
        change_description(scanner={"vendor": "", "model": "", "field_strength_t": "many"}),
        change_description(scanner={"vendor": "", "model": "", "field_strength_t": float("nan")}),
        change_description(findings=[{"code": "A", "sentence": {}}]),
        change_description(affine_lps_mm=[[1e400] * 4] * 4),
    ],
)
def test_a_damaged_fused_folder_is_refused(
    fused_folder: Path, damage: Callable[[Path], object]
) -> None:
    damage(fused_folder)

    def read() -> None:
        with pytest.raises(MimirError) as raised:
            read_fused(fused_folder)
        errors.append(raised.value)

    errors: list[MimirError] = []
    assert peak_megabytes(read) < 50
    (error,) = errors
    assert error.code == "FUSED_INVALID"


@pytest.mark.skipif(not hasattr(os, "mkfifo"), reason="pipes have names only on POSIX")
def test_a_pipe_in_a_fused_folder_does_not_block(fused_folder: Path) -> None:
    (fused_folder / WATER_FILE).unlink()
    os.mkfifo(fused_folder / WATER_FILE)
    with pytest.raises(MimirError, match="FUSED_INVALID"):
        read_fused(fused_folder)


def test_short_memory_is_not_called_a_damaged_folder(
    fused_folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fails(*arguments: object) -> None:
        raise MemoryError

    monkeypatch.setattr(np, "fromfile", fails)
    with pytest.raises(MemoryError):
        read_fused(fused_folder)
