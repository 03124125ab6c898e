"""The layout of nnU-Net: channels, label maps and ``dataset.json``."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path

import numpy as np
import pytest
from cohort_builder import write_studies
from stitched_builder import files_in, lps_array, table, write_scan

pytest.importorskip("nibabel", reason="NIfTI files need nibabel")

from mimir_engine.cli import DONE, SOME_FAILED, WRONG_USE, main
from mimir_engine.fusion import fuse
from mimir_engine.fusion.volume_files.image_file import write_image
from mimir_engine.study import read_study
from mimir_engine.study.volume import Volume

Capture = pytest.CaptureFixture[str]


@pytest.fixture(scope="module")
def archives(tmp_path_factory: pytest.TempPathFactory) -> list[Path]:
    return write_studies(tmp_path_factory.mktemp("studies"), ["a", "b"])


@pytest.fixture(scope="module")
def grid(archives: list[Path]) -> Volume:
    """The stitched water of all studies here, which have one grid."""
    return fuse(read_study(archives[0]).stations).water


def caret(names: Mapping[int, str]) -> str:
    """Names of labels as TotalSegmentator writes them."""
    labels = "".join(f'<Label Key="{k}">{name}</Label>' for k, name in names.items())
    return f"<CaretExtension><VolumeInformation><LabelTable>{labels}</LabelTable>" + (
        "</VolumeInformation></CaretExtension>"
    )


def write_labels(
    path: Path, grid: Volume, numbers: Mapping[int, str], shift_mm: float = 0.0
) -> None:
    """Write a map in which each number has one slice."""
    array = np.zeros(grid.array.shape, np.uint16)
    for place, number in enumerate(numbers):
        array[place] = number
    affine = grid.affine.copy()
    affine[0, 3] += shift_mm
    path.parent.mkdir(exist_ok=True)
    write_image(path, Volume(array, affine), caret({k: n for k, n in numbers.items() if n}))


def test_channels_have_the_order_that_was_asked_for(archives: list[Path], tmp_path: Path) -> None:
    words = ["fuse", *map(str, archives), "--output", str(tmp_path), "--layout", "nnunet"]
    assert main([*words, "--contrasts", "fat,water"]) == DONE
    assert files_in(tmp_path) == [
        f"imagesTs/{name}{ending}"
        for name in ("a", "b")
        for ending in (".json", "_0000.nii.gz", "_0001.nii.gz")
    ]
    fused = fuse(read_study(archives[0]).stations)
    for channel, volume in enumerate((fused.fat, fused.water)):
        array, _ = lps_array(tmp_path / "imagesTs" / f"a_{channel:04d}.nii.gz")
        assert np.array_equal(array, volume.array)
    assert not (tmp_path / "dataset.json").exists()


def test_a_study_without_one_of_the_channels_is_listed(tmp_path: Path) -> None:
    write_scan(tmp_path / "scans" / "whole.zip")
    write_scan(tmp_path / "scans" / "light.zip", ("F", "W"))
    out = tmp_path / "out"
    words = ["fuse", str(tmp_path / "scans"), "--output", str(out), "--layout", "nnunet"]
    assert main([*words, "--contrasts", "in_phase,water"]) == SOME_FAILED
    (failure,) = table(out / "failures.csv")
    assert (failure["name"], failure["code"]) == ("light", "CHANNEL_MISSING")
    assert "lack the channel in_phase" in failure["reason"]
    endings = (".json", "_0000.nii.gz", "_0001.nii.gz")
    assert files_in(out) == [f"imagesTs/whole{ending}" for ending in endings]


def test_label_maps_make_a_data_set_to_train_with(
    archives: list[Path], grid: Volume, tmp_path: Path
) -> None:
    labels, out = tmp_path / "labels", tmp_path / "out"
    write_labels(labels / "a.nii.gz", grid, {1: "liver", 4: "spleen"})
    write_labels(labels / "b.labels.nii.gz", grid, {1: "liver", 2: ""})
    words = ["fuse", *map(str, archives), "--output", str(out), "--layout", "nnunet"]
    assert main([*words, "--labels", str(labels)]) == DONE
    images = [f"imagesTr/{n}{e}" for n in "ab" for e in (".json", "_0000.nii.gz", "_0001.nii.gz")]
    assert files_in(out) == sorted([*images, "labelsTr/a.nii.gz", "labelsTr/b.nii.gz"])
    dataset = json.loads((out / "dataset.json").read_text())
    assert dataset == {
        "channel_names": {"0": "water", "1": "fat"},
        "labels": {"background": 0, "liver": 1, "label_2": 2, "label_3": 3, "spleen": 4},
        "numTraining": 2,
        "file_ending": ".nii.gz",
    }
    array, affine = lps_array(out / "labelsTr" / "a.nii.gz")
    assert array.dtype == np.uint8
    assert np.unique(array).tolist() == [0, 1, 4]
    _, of_image = lps_array(out / "imagesTr" / "a_0000.nii.gz")
    assert np.array_equal(affine, of_image)


def test_label_maps_that_do_not_fit_fail_their_studies_alone(
    archives: list[Path], grid: Volume, tmp_path: Path
) -> None:
    paths = write_studies(tmp_path / "more", ["shifted", "large", "unlabelled", "broken"])
    labels, out = tmp_path / "labels", tmp_path / "out"
    write_labels(labels / "a.nii.gz", grid, {1: "liver"})
    write_labels(labels / "shifted.nii.gz", grid, {1: "liver"}, shift_mm=1.0)
    write_labels(labels / "large.nii.gz", grid, {300: "liver"})
    (labels / "broken.nii").write_bytes(b"no map")
    words = ["fuse", *map(str, (archives[0], *paths)), "--output", str(out), "--layout", "nnunet"]
    words += ["--labels", str(labels)]
    assert main(words) == SOME_FAILED
    assert {row["name"]: row["code"] for row in table(out / "failures.csv")} == {
        "shifted": "LABELS_OTHER_GRID",
        "large": "LABELS_NOT_FOR_NNUNET",
        "unlabelled": "LABELS_MISSING",
        "broken": "VOLUME_UNREADABLE",
    }
    assert json.loads((out / "dataset.json").read_text())["numTraining"] == 1
    assert {name.partition("/")[2][0] for name in files_in(out)} == {"a"}
    write_labels(labels / "unlabelled.nii.gz", grid, {1: "liver"})
    assert main(words) == SOME_FAILED
    assert json.loads((out / "dataset.json").read_text())["numTraining"] == 2


def test_a_changed_label_map_is_copied_again(
    archives: list[Path], grid: Volume, tmp_path: Path, capfd: Capture
) -> None:
    labels, out = tmp_path / "labels", tmp_path / "out"
    write_labels(labels / "a.nii.gz", grid, {1: "liver"})
    words = ["fuse", str(archives[0]), "--output", str(out), "--layout", "nnunet"]
    assert main([*words, "--labels", str(labels)]) == DONE
    write_labels(labels / "a.nii.gz", grid, {1: "liver", 2: "spleen"})
    capfd.readouterr()
    assert main([*words, "--labels", str(labels)]) == DONE
    assert "already done" not in capfd.readouterr().err
    assert "spleen" in json.loads((out / "dataset.json").read_text())["labels"]


def test_maps_that_name_a_number_differently_make_no_data_set(
    archives: list[Path], grid: Volume, tmp_path: Path, capfd: Capture
) -> None:
    labels, out = tmp_path / "labels", tmp_path / "out"
    write_labels(labels / "a.nii.gz", grid, {1: "liver"})
    write_labels(labels / "b.nii.gz", grid, {1: "spleen"})
    words = ["fuse", *map(str, archives), "--output", str(out), "--layout", "nnunet"]
    assert main([*words, "--labels", str(labels)]) == WRONG_USE
    error = capfd.readouterr().err
    assert "LABEL_NAMES_DIFFER: the label map of 'b' calls label 1 'spleen', that of 'a'" in error
    assert not (out / "dataset.json").exists()
    assert len(table(out / "volumes.csv")) == 2


def test_people_who_withdraw_leave_no_volume_and_no_case(
    archives: list[Path], grid: Volume, tmp_path: Path
) -> None:
    labels, out, plain = tmp_path / "labels", tmp_path / "out", tmp_path / "plain"
    for name in "ab":
        write_labels(labels / f"{name}.nii.gz", grid, {1: "liver"})
    words = ["fuse", *map(str, archives), "--output", str(out), "--layout", "nnunet"]
    assert main([*words, "--labels", str(labels)]) == DONE
    words = ["fuse", *map(str, archives), "--output", str(plain), "--contrasts", "water"]
    assert main(words) == DONE
    (plain / "volumes" / "b" / "liver.nii.gz").touch()  # of this person, by another program
    withdrawn = tmp_path / "withdrawn.txt"
    withdrawn.write_text("b\n")
    for folder in (out, plain):
        assert main(["forget", str(folder), "--exclude", str(withdrawn)]) == DONE
        assert [row["name"] for row in table(folder / "volumes.csv")] == ["a"]
        assert json.loads((folder / "run.json").read_text())["done"] == 1
        assert '"b"' not in (folder / "ledger.jsonl").read_text()
    assert json.loads((out / "dataset.json").read_text())["numTraining"] == 1
    assert {name.partition("/")[2][0] for name in files_in(out)} == {"a"}
    assert files_in(plain) == ["volumes/a/a.json", "volumes/a/a_water.nii.gz"]
    assert not (plain / "volumes" / "b").exists()
