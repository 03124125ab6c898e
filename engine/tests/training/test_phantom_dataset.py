"""Phantom projections as a data set for training."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from mimir_engine.errors import MimirError
from mimir_engine.phantom.projections import write_projections
from mimir_engine.training.dataset import describe_phantoms, load_dataset, phantom_dataset


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("phantoms")
    write_projections(folder, range(3))
    return folder


def test_phantom_projections_become_a_data_set(folder: Path) -> None:
    describe_phantoms(folder)
    dataset = load_dataset(folder)
    assert len(dataset) == 3
    assert dataset.images.shape == (3, 3, 256, 256)
    kinds = {definition.name: definition.kind for definition in dataset.definitions}
    assert kinds.pop("sex") == "class"
    assert set(kinds.values()) == {"quantity"}
    assert dataset.provenance["last_seed"] == 2
    height = dataset.targets[:, dataset.target_names.index("height")]
    assert ((height > 130) & (height < 210)).all()


def test_rows_can_be_chosen(folder: Path) -> None:
    part = phantom_dataset(folder, 1, 3)
    assert np.array_equal(part.images, np.load(folder / "images.npy")[1:3])
    assert (part.provenance["first_seed"], part.provenance["phantoms"]) == (1, 2)


def test_a_folder_still_being_made_is_refused(folder: Path) -> None:
    done = np.load(folder / "done.npy")
    np.save(folder / "done.npy", np.array([True, False, True]))
    try:
        with pytest.raises(MimirError, match="DATASET_INCOMPLETE: 1 of 3"):
            describe_phantoms(folder)
    finally:
        np.save(folder / "done.npy", done)
