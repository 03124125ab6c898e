"""Runs, data and options that `mimir package` refuses, with real ResNet18s of random weights."""

from __future__ import annotations

import json
import shutil
from dataclasses import replace
from pathlib import Path

import pytest

pytest.importorskip("torch")

from finished_runs import (
    DEFINITIONS,
    IDENTITY,
    dataset,
    out_of_fold,
    write_crossvalidation,
)
from image_folder_builder import write_image_folder

from mimir_engine.cli import main
from mimir_engine.cohort.inclusion.persons import PersonRule
from mimir_engine.errors import MimirError
from mimir_engine.evaluation.predictions import write_predictions
from mimir_engine.files.csv_writer import write_csv
from mimir_engine.files.folder_lock import name_lock
from mimir_engine.training.checkpoint import load_checkpoint, save_checkpoint
from mimir_engine.training.identity import PHANTOM, read_identity
from mimir_engine.training.package import package


def test_another_visit_of_a_person_of_the_training_does_not_calibrate(
    work: Path, tmp_path: Path
) -> None:
    shutil.copytree(work / "run1", tmp_path / "run")
    rows = [("1000002_20201_3_0", "1000002", "used"), ("KI-1", "1000003", "used")]
    write_csv(tmp_path / "run" / "studies.csv", ("study", "person", "state"), rows)
    with pytest.raises(MimirError, match=r"DATASET_MISMATCH: 2 persons .* part of the training"):
        package([tmp_path / "run"], [work / "held-out"], tmp_path / "module", PHANTOM)
    package([tmp_path / "run"], [work / "cv"], tmp_path / "module", PHANTOM)  # out of fold


def test_studies_of_unknown_persons_do_not_calibrate(work: Path, tmp_path: Path) -> None:
    names = tuple(f"KI-{row // 2}_v{row % 2}" for row in range(600))
    write_predictions(tmp_path / "table.csv", replace(out_of_fold(), studies=names))
    source, options = tmp_path / "table.csv", {"overwrite": True}
    with pytest.raises(MimirError, match="PERSONS_UNKNOWN"):
        package([work / "run1"], [source], tmp_path / "module", PHANTOM)
    for rule, persons in ((PersonRule(r"^(.+)_v"), 300), (PersonRule(each_its_own=True), 600)):
        module = package(
            [work / "run1"], [source], tmp_path / "module", PHANTOM, persons=rule, **options
        )
        assert module.provenance["calibration"]["persons"] == persons


def test_the_training_data_are_refused_for_calibration(work: Path, tmp_path: Path) -> None:
    for runs in ([work / "run1"], [work / "run1", work / "run2"]):
        with pytest.raises(MimirError, match=r"DATASET_MISMATCH.*are the training data"):
            package(runs, [work / "training1"], tmp_path / "module", PHANTOM)
    assert not (tmp_path / "module").exists()


def test_held_out_data_of_other_targets_are_refused(work: Path, tmp_path: Path) -> None:
    renamed = (DEFINITIONS[0], replace(DEFINITIONS[1], name="spleenVolume"))
    write_image_folder(tmp_path / "other", replace(dataset(4, seed=2), definitions=renamed))
    with pytest.raises(MimirError, match=r"DATASET_MISMATCH.*targets"):
        package([work / "run1"], [tmp_path / "other"], tmp_path / "module", PHANTOM)


def test_runs_of_different_kinds_and_unfinished_runs_are_refused(
    work: Path, tmp_path: Path
) -> None:
    run = load_checkpoint(work / "run1")
    (tmp_path / "other").mkdir()
    save_checkpoint(tmp_path / "other", replace(run, projection="another"))
    with pytest.raises(MimirError, match="RUNS_DIFFER"):
        package([work / "run1", tmp_path / "other"], [work / "cv"], tmp_path / "module", PHANTOM)
    save_checkpoint(tmp_path / "other", replace(run, finished=False, step=7))
    with pytest.raises(MimirError, match=r"TRAINING_UNFINISHED.*done 7"):
        package([tmp_path / "other"], [work / "cv"], tmp_path / "module", PHANTOM)


@pytest.mark.parametrize(
    ("arguments", "code"),
    [
        ([], "WRONG_USE: give either runs or --recalibrate"),
        (["run1", "--recalibrate", "livers"], "WRONG_USE: give either runs or --recalibrate"),
        (["run1", "--calibrated"], "WRONG_USE: --calibrated requires"),
        (["--recalibrate", "livers", "--eight-bit"], "WRONG_USE: --eight-bit has no effect"),
        (["run1"], "IDENTITY_MISSING"),
    ],
)
def test_wrong_use_is_reported_before_any_work(
    arguments: list[str],
    code: str,
    work: Path,
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
) -> None:
    paths = [str(work / part) if not part.startswith("--") else part for part in arguments]
    options = ["--calibration", str(work / "cv"), "--output", str(tmp_path / "module")]
    assert main(["package", *paths, *options]) == 2
    assert capsys.readouterr().err.startswith(code)
    assert not (tmp_path / "module").exists()


def test_a_cross_validation_of_other_networks_is_refused(work: Path, tmp_path: Path) -> None:
    write_crossvalidation(tmp_path / "cv", "resnet50")
    with pytest.raises(MimirError, match=r"CALIBRATION_MISMATCH.*is resnet50, the module's res"):
        package([work / "run1"], [tmp_path / "cv"], tmp_path / "module", PHANTOM)
    (tmp_path / "cv" / "crossvalidation.json").write_text("{}", "utf-8")
    with pytest.raises(MimirError, match=r"CALIBRATION_UNREADABLE.*crossvalidation\.json"):
        package([work / "run1"], [tmp_path / "cv"], tmp_path / "module", PHANTOM)


def test_a_path_without_calibration_data_is_refused(work: Path, tmp_path: Path) -> None:
    for nothing in (tmp_path, tmp_path / "gone.csv"):
        with pytest.raises(MimirError, match="CALIBRATION_UNREADABLE"):
            package([work / "run1"], [nothing], tmp_path / "module", PHANTOM)


def test_an_identity_is_read_and_unknown_keys_are_refused(work: Path, tmp_path: Path) -> None:
    identity = read_identity(work / "identity.json")
    assert (identity.name, identity.limits) == ("livers", ("It has never seen a liver.",))
    assert identity.accepts.stations == (6,)
    (tmp_path / "identity.json").write_text(json.dumps({**IDENTITY, "colour": "red"}), "utf-8")
    with pytest.raises(MimirError, match=r"IDENTITY_INVALID.*unknown key 'colour'"):
        read_identity(tmp_path / "identity.json")


def test_two_commands_do_not_write_the_same_module(work: Path, tmp_path: Path) -> None:
    place = tmp_path / "module"
    with name_lock(place), pytest.raises(MimirError, match="OUTPUT_IN_USE"):
        package([work / "run1"], [work / "cv"], place, PHANTOM)
    with name_lock(tmp_path / "another"):
        package([work / "run1"], [work / "cv"], place, PHANTOM)
    assert list(tmp_path.iterdir()) == [place]
