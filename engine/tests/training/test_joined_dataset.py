"""Several folders of images make one data set."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

pytest.importorskip("torch")

from image_folder_builder import write_image_folder
from small_training import small_dataset

from mimir_engine.cohort.images.image_folder import StudyId
from mimir_engine.errors import MimirError
from mimir_engine.training.data_selection import choose_data
from mimir_engine.training.dataset import load_dataset
from mimir_engine.training.joined_dataset import open_joined


@pytest.fixture
def folders(tmp_path: Path) -> tuple[Path, Path]:
    """Two sites, of 22 and 4 studies; the second has a person of the first."""
    first = replace(small_dataset(256), provenance={"population": "A"})
    names = [StudyId(f"{n}_30", str(n), "30") for n in (0, 101, 102, 103)]
    second = replace(first.subset(np.arange(4)), studies=tuple(names))
    second = replace(second, provenance={"population": "B"})
    return (
        write_image_folder(tmp_path / "one", first),
        write_image_folder(tmp_path / "two", second),
    )


def test_images_and_targets_of_all_folders_stay_together(folders: tuple[Path, Path]) -> None:
    joined = open_joined(folders, load_dataset)
    one, two = map(load_dataset, folders)
    assert len(joined) == 26
    rows = np.array([25, 0, 21, 22])
    expected = [two.read_images(np.array([3])), one.read_images(np.array([0, 21]))]
    expected.append(two.read_images(np.array([0])))
    assert np.array_equal(joined.read_images(rows), np.concatenate(expected))
    assert np.array_equal(joined.targets[22:], two.targets, equal_nan=True)
    assert joined.provenance["population"] == "A and B"
    assert [part["population"] for part in joined.provenance["parts"]] == ["A", "B"]


def test_a_person_of_two_folders_is_one_person(folders: tuple[Path, Path]) -> None:
    chosen = choose_data(folders)
    assert chosen.provenance["studies"] == 26
    assert chosen.provenance["persons"] == 23, "20 of the first, 3 more of the second"


def test_one_folder_is_opened_as_it_is(folders: tuple[Path, Path]) -> None:
    assert open_joined(folders[:1], load_dataset).provenance == {"population": "A"}


def test_a_study_in_two_folders_is_refused(folders: tuple[Path, Path], tmp_path: Path) -> None:
    again = write_image_folder(tmp_path / "three", load_dataset(folders[0]))
    with pytest.raises(MimirError, match=r"DATASET_MISMATCH.*0_20.*two folders"):
        open_joined((folders[0], again), load_dataset)


def test_folders_of_other_targets_are_refused(folders: tuple[Path, Path], tmp_path: Path) -> None:
    data = load_dataset(folders[1])
    other = replace(data, targets=data.targets[:, :1], definitions=data.definitions[:1])
    folder = write_image_folder(tmp_path / "three", other)
    with pytest.raises(MimirError, match=r"DATASET_MISMATCH.*three has other targets than one"):
        open_joined((folders[0], folder), load_dataset)
