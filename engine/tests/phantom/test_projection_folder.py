"""Folders of projections for training."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from mimir_engine.errors import MimirError
from mimir_engine.files.folder_lock import folder_lock
from mimir_engine.fusion import fuse
from mimir_engine.phantom import projection_folder
from mimir_engine.phantom.anatomy import build_body
from mimir_engine.phantom.population import draw_person
from mimir_engine.phantom.projection_folder import write_projections
from mimir_engine.phantom.render_projection import render_projection
from mimir_engine.phantom.scan import scan_stations
from mimir_engine.projection import project
from mimir_engine.training.dataset import load_dataset

SEEDS = range(11, 14)
FILES = ("images.npy", "targets.npy", "studies.csv", "dataset.json")


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Three phantoms from an uninterrupted run."""
    folder = tmp_path_factory.mktemp("made")
    write_projections(folder, SEEDS)
    return folder


def contents(folder: Path) -> dict[str, bytes]:
    return {name: (folder / name).read_bytes() for name in FILES}


def test_rows_are_the_phantoms_of_the_seeds(made: Path) -> None:
    images, targets = (np.load(made / f"{name}.npy") for name in ("images", "targets"))
    assert images.shape == (3, 3, 256, 256)
    assert images.dtype == np.uint8
    for row, seed in enumerate(SEEDS):
        assert np.array_equal(images[row], render_projection(seed))
        truth = build_body(draw_person(seed)).truth()
        assert targets[row] == pytest.approx(list(truth.values()), rel=1e-6)


def test_the_folder_is_a_data_set(made: Path) -> None:
    dataset = load_dataset(made)
    assert [study.name for study in dataset.studies] == [f"60000{seed}_20201_2_0" for seed in SEEDS]
    kinds = {definition.name: definition.kind for definition in dataset.definitions}
    assert kinds.pop("sex") == "class"
    assert set(kinds.values()) == {"quantity"}
    assert dataset.provenance == {
        "population": "mimir_engine.phantom.population",
        "phantoms": 3,
        "first_seed": 11,
        "last_seed": 13,
    }
    height = dataset.targets[:, dataset.target_names.index("height")]
    assert ((height > 130) & (height < 210)).all()
    assert list(dataset.covariates) == ["sex"]


class Killed(Exception):
    """Stands for a kill: the run ends at once."""


def test_a_killed_run_is_resumed_to_the_same_files(
    made: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(projection_folder, "CHUNK", 1)

    def kill(done: int, total: int) -> None:
        raise Killed

    with pytest.raises(Killed):
        write_projections(tmp_path, SEEDS, progress=kill)
    with pytest.raises(MimirError, match="DATASET_INCOMPLETE: 2 of 3"):
        load_dataset(tmp_path)
    with (tmp_path / "images.npy").open("ab") as file:
        file.write(b"half an image")
    reports: list[tuple[int, int]] = []
    write_projections(tmp_path, SEEDS, progress=lambda done, total: reports.append((done, total)))
    assert reports == [(2, 3), (3, 3)]
    assert contents(tmp_path) == contents(made)
    write_projections(tmp_path, SEEDS, progress=kill)  # nothing is left to do


def test_two_processes_write_the_same_files_as_one(made: Path, tmp_path: Path) -> None:
    write_projections(tmp_path, SEEDS, processes=2)
    assert contents(tmp_path) == contents(made)


def test_a_folder_of_other_phantoms_or_of_an_earlier_version_is_refused(
    made: Path, tmp_path: Path
) -> None:
    with pytest.raises(MimirError, match="PHANTOM_FOLDER"):
        write_projections(made, range(11, 15))
    with pytest.raises(MimirError, match="PHANTOM_FOLDER"):
        write_projections(made, SEEDS, shift="noise")
    np.save(tmp_path / "images.npy", np.zeros((3, 3, 4, 4), np.uint8))
    (tmp_path / "projections.json").write_text("{}")
    with pytest.raises(MimirError, match="PHANTOM_FOLDER"):
        write_projections(tmp_path, SEEDS)
    with pytest.raises(MimirError, match=r"DATASET_UNREADABLE.*have to be made again"):
        load_dataset(tmp_path)
    assert sorted(path.name for path in tmp_path.iterdir()) == ["images.npy", "projections.json"]


def test_two_runs_do_not_share_a_folder(tmp_path: Path) -> None:
    with folder_lock(tmp_path), pytest.raises(MimirError, match="OUTPUT_IN_USE"):
        write_projections(tmp_path, SEEDS)
    assert list(tmp_path.iterdir()) == []


def test_population_2_is_scanned_fused_and_projected(tmp_path: Path) -> None:
    write_projections(tmp_path, range(11, 12), shift="contrast", size=0.5, population=2)
    (image,) = np.load(tmp_path / "images.npy")
    assert np.array_equal(image, project(fuse(scan_stations(11, "contrast", 0.5))).image)
    assert load_dataset(tmp_path).provenance == {
        "population": "mimir_engine.phantom.smooth_body",
        "phantoms": 1,
        "first_seed": 11,
        "last_seed": 11,
        "shift": "contrast",
        "shift_size": 0.5,
    }
