"""Cross-validate: predict every study with a network that has not seen its person."""

from __future__ import annotations

import csv
import json
import shutil
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

torch = pytest.importorskip("torch")

from one_thread import one_thread  # noqa: E402
from small_training import SMALL, small_dataset  # noqa: E402

from mimir_engine.errors import MimirError  # noqa: E402
from mimir_engine.evaluation.predictions import read_predictions  # noqa: E402
from mimir_engine.files.folder_lock import folder_lock  # noqa: E402
from mimir_engine.training.checkpoint import load_checkpoint  # noqa: E402
from mimir_engine.training.crossvalidate import OUT_OF_FOLD, crossvalidate  # noqa: E402
from mimir_engine.training.fit import Progress  # noqa: E402
from mimir_engine.training.predict import predict_dataset  # noqa: E402

RECIPE = replace(SMALL, architecture="resnet18", steps=4)


class Killed(Exception):
    """Stands for a kill: the run ends at once."""


@pytest.fixture(scope="module")
def finished(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Three folds of a ResNet18 from an uninterrupted run."""
    folder = tmp_path_factory.mktemp("whole")
    with one_thread():
        assert crossvalidate(small_dataset(), folder, RECIPE, folds=3)
    return folder


def test_every_study_has_a_prediction_of_a_network_that_has_not_seen_its_person(
    finished: Path,
) -> None:
    dataset = small_dataset()
    found = read_predictions(finished / "out_of_fold.csv")
    assert found.names == ("water", "fat")
    assert found.units == ("%", "g")
    assert found.studies == tuple(study.name for study in dataset.studies)
    np.testing.assert_allclose(found.reference, dataset.targets / [1, 1000])
    assert np.isfinite(found.mean).all()
    assert (found.sd > 0).all()
    assert found.groups["sex"][:3] == ("female", "male", "female")
    assert set(found.groups["age_band"]) == {"50-59", "60-69"}
    for fold in ("1", "2", "3"):
        with (finished / f"fold-{fold}" / "studies.csv").open(newline="") as file:
            trained = {row["person"] for row in csv.DictReader(file)}
        held_out = {p for p, f in zip(found.groups["person"], found.groups["fold"]) if f == fold}
        assert held_out
        assert trained == {study.person for study in dataset.studies} - held_out


def test_predictions_are_those_of_the_fold_s_own_network_in_the_target_s_unit(
    finished: Path,
) -> None:
    found = read_predictions(finished / "out_of_fold.csv")
    dataset, run = small_dataset(), load_checkpoint(finished / "fold-2")
    rows = np.flatnonzero(np.array(found.groups["fold"]) == "2")
    from torchvision.models import resnet18

    network = resnet18(num_classes=4).eval()
    network.load_state_dict(run.network)
    with torch.no_grad():
        output = network(torch.from_numpy(dataset.images[rows]).float()).double().numpy()
    scale = run.standardisation
    mean = (output[:, 0::2] * scale.sd + scale.mean) / [1, 1000]
    sd = np.exp(output[:, 1::2] / 2) * scale.sd / [1, 1000]
    np.testing.assert_allclose(found.mean[rows], mean, rtol=1e-4)
    np.testing.assert_allclose(found.sd[rows], sd, rtol=1e-4)
    again, _ = predict_dataset(run, dataset.subset(rows))
    # The folds were predicted with one thread, which adds up in another order: float32's rounding.
    np.testing.assert_allclose(again, found.mean[rows], rtol=1e-5)


def test_a_killed_run_continues_within_its_fold_and_ends_with_the_same_numbers(
    finished: Path, tmp_path: Path
) -> None:
    steps: list[tuple[int, int]] = []
    for kill in ((1, 2), (2, 1), (3, 4)):

        def progress(fold: int, done: Progress, kill: tuple[int, int] = kill) -> None:
            steps.append((fold, done.step))
            if steps[-1] == kill:
                raise Killed

        with one_thread(), pytest.raises(Killed):
            crossvalidate(small_dataset(), tmp_path, RECIPE, 3, progress, checkpoint_seconds=0)
        assert not json.loads((tmp_path / "crossvalidation.json").read_text())["finished"]

    def note(fold: int, done: Progress) -> None:
        steps.append((fold, done.step))

    with one_thread():
        crossvalidate(small_dataset(), tmp_path, RECIPE, 3, note, checkpoint_seconds=0)
    for name in ("out_of_fold.csv", "folds.csv"):
        assert (tmp_path / name).read_bytes() == (finished / name).read_bytes()
    assert set(steps) == {(fold, step) for fold in (1, 2, 3) for step in (1, 2, 3, 4)}
    assert len(steps) < 2 * 12  # a killed run does not start again


def test_damaged_predictions_of_a_fold_are_made_again(finished: Path, tmp_path: Path) -> None:
    folder = tmp_path / "damaged"
    shutil.copytree(finished, folder)
    description = json.loads((folder / "crossvalidation.json").read_text())
    (folder / "crossvalidation.json").write_text(json.dumps({**description, "finished": False}))
    (folder / "fold-1" / "predictions.npz").write_bytes(bytes(999))
    (folder / "fold-2" / "predictions.npz").write_bytes(b"PK\x03\x04")
    with one_thread():
        assert crossvalidate(small_dataset(), folder, RECIPE, 3)
    assert (folder / OUT_OF_FOLD).read_bytes() == (finished / OUT_OF_FOLD).read_bytes()


def test_two_cross_validations_do_not_share_a_folder(tmp_path: Path) -> None:
    with folder_lock(tmp_path), pytest.raises(MimirError, match="OUTPUT_IN_USE"):
        crossvalidate(small_dataset(), tmp_path, RECIPE, 3)
    assert list(tmp_path.iterdir()) == []


def test_a_finished_cross_validation_is_left_unchanged(finished: Path) -> None:
    before = {path: path.stat().st_mtime_ns for path in finished.rglob("*")}
    assert crossvalidate(small_dataset(), finished, RECIPE, folds=3)
    assert {path: path.stat().st_mtime_ns for path in finished.rglob("*")} == before


def test_another_recipe_or_data_set_is_refused(finished: Path) -> None:
    with pytest.raises(MimirError, match=r"CROSSVALIDATION_MISMATCH.*other recipe"):
        crossvalidate(small_dataset(), finished, replace(RECIPE, seed=1), folds=3)
    with pytest.raises(MimirError, match=r"CROSSVALIDATION_MISMATCH.*other folds"):
        crossvalidate(small_dataset(), finished, RECIPE, folds=4)
    other = replace(small_dataset(), targets=small_dataset().targets + 1)
    with pytest.raises(MimirError, match=r"CROSSVALIDATION_MISMATCH.*other data"):
        crossvalidate(other, finished, RECIPE, folds=3)
