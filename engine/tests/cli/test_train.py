"""`mimir train` and `mimir crossvalidate` from folders to results."""

from __future__ import annotations

import csv
import json
from pathlib import Path

import numpy as np
import pytest

torch = pytest.importorskip("torch")

from one_thread import one_thread  # noqa: E402
from small_training import small_dataset  # noqa: E402

from mimir_engine.cli import DONE, WRONG_USE, main  # noqa: E402
from mimir_engine.evaluation.predictions import read_predictions  # noqa: E402
from mimir_engine.files.csv_writer import write_csv  # noqa: E402
from mimir_engine.training.checkpoint import load_checkpoint  # noqa: E402

Capture = pytest.CaptureFixture[str]
QUICK = ("--recipe", "short", "--steps", "1", "--device", "cpu")


@pytest.fixture
def data(tmp_path: Path) -> Path:
    """Images as of scans, with a table of targets and a list of withdrawn participants."""
    dataset, folder = small_dataset(), tmp_path / "data"
    folder.mkdir()
    np.save(folder / "images.npy", dataset.images)
    studies = [(row, s.name, s.eid, s.instance) for row, s in enumerate(dataset.studies)]
    write_csv(folder / "studies.csv", ("row", "name", "eid", "instance"), studies)
    known = {**dataset.covariates, "water": dataset.targets[:, 0]}
    rows = [
        (study.name, name, values[row])
        for row, study in enumerate(dataset.studies)
        for name, values in known.items()
    ]
    table = [*rows, ("nobody", "water", 90.0)]
    write_csv(tmp_path / "targets.csv", ("study", "target", "value"), table)
    (tmp_path / "withdrawn.txt").write_text("0\n5\n")
    return folder


def options(data: Path) -> list[str]:
    home = data.parent
    tables = ["--targets", str(home / "targets.csv"), "--exclude", str(home / "withdrawn.txt")]
    return [str(data), *tables, "--only-targets", "water", *QUICK]


def test_an_ensemble_has_one_run_per_seed_and_lists_studies_left_out(
    data: Path, tmp_path: Path, capsys: Capture
) -> None:
    command = ["train", *options(data), "--output", str(tmp_path / "runs"), "--seeds", "0,3"]
    with one_thread():
        assert main(command) == DONE
    lines = capsys.readouterr().err.splitlines()
    assert lines[:5] == [
        "19 studies of 18 persons, 1 target",
        "persons are known by participants of UK Biobank",
        "--exclude: matched 2 of 2 ids; studies left out: 3",
        "3 excluded, listed in studies.csv",
        "1 in the tables, but without an image, listed in studies.csv",
    ]
    assert lines[5].startswith("seed-0: step 1/1  loss ")
    assert "left" not in lines[5]  # nothing is known after one step
    one, other = (load_checkpoint(tmp_path / "runs" / f"seed-{seed}") for seed in (0, 3))
    assert one.finished
    assert other.finished
    assert (one.recipe.seed, other.recipe.seed) == (0, 3)
    assert [definition.name for definition in one.definitions] == ["water"]
    assert not torch.equal(one.network["conv1.weight"], other.network["conv1.weight"])
    with (tmp_path / "runs" / "seed-3" / "studies.csv").open(newline="") as file:
        states = [row["state"] for row in csv.DictReader(file)]
    assert {state: states.count(state) for state in states} == {
        "used": 19,
        "excluded": 3,
        "unknown": 1,
    }


def test_cross_validation_writes_its_tables_and_does_nothing_when_repeated(
    data: Path, tmp_path: Path, capsys: Capture
) -> None:
    folder = tmp_path / "cv"
    command = ["crossvalidate", *options(data), "--output", str(folder), "--folds", "2"]
    with one_thread():
        assert main(command) == DONE
    lines = capsys.readouterr().err.splitlines()
    assert lines[5].startswith("fold 1/2: step 1/1  loss ")
    assert lines[-1] == f"2 folds done; see {folder / 'out_of_fold.csv'}"
    found = read_predictions(folder / "out_of_fold.csv")
    assert (found.names, len(found)) == (("water",), 19)
    assert set(found.groups) == {"person", "fold", "sex", "age_band"}
    description = json.loads((folder / "crossvalidation.json").read_text())
    assert description["finished"]
    assert description["data"]["provenance"]["ids"]["exclude"]["studies_left_out"] == 3
    before = (folder / "out_of_fold.csv").stat().st_mtime_ns
    assert main(command) == DONE
    assert "step" not in capsys.readouterr().err
    assert (folder / "out_of_fold.csv").stat().st_mtime_ns == before


def test_seeds_that_are_not_integers_are_refused(data: Path, capsys: Capture) -> None:
    command = ["train", *options(data), "--output", str(data / "run"), "--seeds", "a,b"]
    assert main(command) == WRONG_USE
    assert capsys.readouterr().err.startswith(
        "WRONG_USE: --seeds must be a comma-separated list of integers"
    )


def test_a_recipe_without_its_initial_weights_is_refused_before_training(
    data: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: Capture
) -> None:
    def unavailable(*_: object, **__: object) -> dict[str, torch.Tensor]:
        raise OSError("no network")

    monkeypatch.setattr("torchvision.models.WeightsEnum.get_state_dict", unavailable)
    command = [*options(data), "--recipe", "published", "--output", str(tmp_path / "run")]
    for name in ("train", "crossvalidate"):
        assert main([name, *command]) == WRONG_USE
        assert "IMAGENET_UNAVAILABLE" in (told := capsys.readouterr().err)
        assert "--recipe short" in told.splitlines()[-1]
    assert not (tmp_path / "run").exists()


def test_targets_are_no_longer_chosen_with_only(data: Path, capsys: Capture) -> None:
    command = [*options(data), "--only", "water", "--output", str(data / "run")]
    assert main(["train", *command]) == WRONG_USE
    told = capsys.readouterr().err
    assert told.startswith("EXCLUSIONS_UNREADABLE: the list of ids water cannot be read")
    assert "Targets are chosen with --only-targets" in told
