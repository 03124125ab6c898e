"""Check the label maps that `mimir phantom --labels` writes, and the truth beside them."""

from __future__ import annotations

import json
from pathlib import Path
from xml.etree import ElementTree

import numpy as np
import pytest

from mimir_engine.cli import WRONG_USE, main
from mimir_engine.fusion import fuse
from mimir_engine.fusion.volume_files.image_file import read_labels
from mimir_engine.phantom.label_map import label_scan, label_truths
from mimir_engine.phantom.label_map.label_file import label_table
from mimir_engine.phantom.label_map.names import LABELS
from mimir_engine.phantom.label_map.truth import LABEL_UNITS
from mimir_engine.phantom.scan import make_scan
from mimir_engine.study import read_study

nibabel = pytest.importorskip("nibabel", reason="NIfTI files need nibabel")

SEED = 31
NAME = f"60000{SEED}_20201_2_0"
FILES = {f"{NAME}.zip", f"{NAME}.labels.nii.gz", f"{NAME}.truth.json"}


def phantom(folder: Path, *options: str) -> Path:
    """Run `mimir phantom` for one small phantom of population 1."""
    usual = ("--light", "--population", "1", "--seed", str(SEED))
    assert main(["phantom", "--output", str(folder), *usual, *options]) == 0
    return folder


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return phantom(tmp_path_factory.mktemp("labels"), "--labels")


def test_the_map_lies_on_the_grid_of_the_fused_study(folder: Path) -> None:
    fused = fuse(read_study(folder / f"{NAME}.zip").stations)
    labels = read_labels(folder / f"{NAME}.labels.nii.gz")
    assert labels.array.shape == fused.water.array.shape
    assert np.allclose(labels.affine, fused.water.affine, rtol=0, atol=1e-4)
    assert np.array_equal(labels.array, label_scan(make_scan(SEED, 1)).array)


def test_another_reader_finds_bytes_names_and_sides(folder: Path) -> None:
    image = nibabel.load(folder / f"{NAME}.labels.nii.gz")
    assert image.get_data_dtype() == np.uint8
    assert nibabel.aff2axcodes(image.affine) == ("R", "A", "S")
    (extension,) = image.header.extensions
    content = extension.get_content()
    text = content.decode() if isinstance(content, bytes) else str(content)
    table = ElementTree.fromstring(text.strip("\0 \n")).iter("Label")
    names = {int(row.attrib["Key"]): row.text for row in table}
    assert names == {number: label.name for number, label in LABELS.items()}
    numbers = {name: number for number, name in names.items()}
    data = np.asarray(image.dataobj)
    for pair in ("kidney", "thigh_muscle", "arm_muscle"):
        right, left = (
            np.argwhere(data == numbers[f"{pair}_{side}"]).mean(axis=0)
            for side in ("right", "left")
        )
        to_right = (image.affine[:3, :3] @ (right - left))[0]
        assert to_right > 0, "RAS: x grows towards the patient's right"


def test_the_table_has_a_colour_for_each_label() -> None:
    rows = list(ElementTree.fromstring(label_table()).iter("Label"))
    colours = {(row.attrib["Red"], row.attrib["Green"], row.attrib["Blue"]) for row in rows}
    assert len(colours) == len(rows) == len(LABELS)


def test_the_truth_holds_each_label(folder: Path) -> None:
    note = json.loads((folder / f"{NAME}.truth.json").read_text())
    assert note["label_units"] == LABEL_UNITS
    expected = label_truths(label_scan(make_scan(SEED, 1)))
    assert list(note["labels"]) == list(expected)
    for name, truth in expected.items():
        assert note["labels"][name] == pytest.approx(truth)


def test_labels_are_added_to_phantoms_without(folder: Path, tmp_path: Path) -> None:
    phantom(tmp_path)
    assert {path.name for path in tmp_path.iterdir()} == FILES - {f"{NAME}.labels.nii.gz"}
    assert "labels" not in json.loads((tmp_path / f"{NAME}.truth.json").read_text())
    phantom(tmp_path, "--labels")
    for name in FILES:
        assert (tmp_path / name).read_bytes() == (folder / name).read_bytes(), name


def test_phantoms_with_labels_are_kept(folder: Path) -> None:
    before = {path.name: path.stat().st_mtime_ns for path in folder.iterdir()}
    for options in (("--labels",), ()):
        phantom(folder, *options)
        assert {path.name: path.stat().st_mtime_ns for path in folder.iterdir()} == before


def test_a_phantom_without_truth_is_made_again_byte_for_byte(folder: Path, tmp_path: Path) -> None:
    """The truth is written last: a killed command leaves none."""
    (tmp_path / f"{NAME}.labels.nii.gz").write_bytes(b"of a killed command")
    phantom(tmp_path, "--labels")
    assert {path.name for path in tmp_path.iterdir()} == FILES
    for name in FILES:
        assert (tmp_path / name).read_bytes() == (folder / name).read_bytes(), name


def test_each_repeat_of_a_shifted_phantom_has_its_labels(tmp_path: Path) -> None:
    phantom(tmp_path, "--labels", "--repeat", "2", "--shift", "contrast", "--shift-size", "0.5")
    notes = [json.loads(path.read_text()) for path in sorted(tmp_path.glob("*.truth.json"))]
    maps = sorted(tmp_path.glob("*.labels.nii.gz"))
    assert len(notes) == len(maps) == 2
    first, again = (read_labels(path) for path in maps)
    assert not np.array_equal(first.array, again.array)
    usual = label_truths(label_scan(make_scan(SEED, 1)))["spleen"]["fat_fraction_percent"]
    for note in notes:
        assert note["labels"]["spleen"]["fat_fraction_percent"] > (usual or 0.0)


def test_projections_have_no_labels(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    command = ["phantom", "--output", str(tmp_path / "data"), "--projections", "--labels"]
    assert main(command) == WRONG_USE
    assert "--labels belong to scans" in capsys.readouterr().err
    assert not (tmp_path / "data").exists()
