"""Label maps from files of any orientation, and what becomes of those that are wrong."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from small_body import AFFINE, SHAPE, ball, small_body
from volume_builder import orientations, oriented, write_nifti, write_nrrd

from mimir_engine.errors import MimirError
from mimir_engine.fusion.volume_files.image_file import write_image
from mimir_engine.labels.label_file import LabelFile, measure_label_file, read_label_map
from mimir_engine.labels.measure_labels import examine_labels
from mimir_engine.study.volume import Volume

CARET = (
    '<?xml version="1.0" encoding="UTF-8"?> <CaretExtension><VolumeInformation Index="0">'
    '<LabelTable><Label Key="1"><![CDATA[kidney_right]]></Label>'
    '<Label Key="2"><![CDATA[kidney_left]]></Label></LabelTable></VolumeInformation>'
    "</CaretExtension>"
)


def two_balls() -> Volume:
    array = np.zeros(SHAPE, np.uint8)
    array[ball((55.0, 66.0, 60.0), 20)] = 1
    array[ball((125.0, 60.0, 80.0), 20)] = 2
    return Volume(array, AFFINE)


def test_all_48_orientations_give_the_same_numbers_to_the_last_digit(tmp_path: Path) -> None:
    pytest.importorskip("nibabel", reason="NIfTI files are written by nibabel")
    fused, expected = small_body(), None
    for image in orientations(two_balls()):
        label_map = read_label_map(write_nifti(tmp_path / "map.nii", image))
        found = examine_labels(label_map, fused)
        expected = expected or found
        assert found.findings == ()
        assert [v.voxels for v in found.values] == [v.voxels for v in expected.values]
        for one, other in zip(found.values, expected.values):
            assert one.volume_l == pytest.approx(other.volume_l, rel=1e-6), "float32 header"
            assert one.core_fat_fraction_percent == other.core_fat_fraction_percent
            assert one.fat_fraction_q1_percent == other.fat_fraction_q1_percent


def test_nrrd_and_nifti_give_the_same_numbers(tmp_path: Path) -> None:
    write_image(tmp_path / "map.nii.gz", two_balls())
    write_nrrd(tmp_path / "map.nrrd", oriented(two_balls()))
    maps = [read_label_map(tmp_path / name) for name in ("map.nii.gz", "map.nrrd")]
    nifti, nrrd = (examine_labels(label_map, small_body()).values for label_map in maps)
    for one, other in zip(nifti, nrrd):
        assert one.fat_fraction_percent == other.fat_fraction_percent
        assert one.volume_l == pytest.approx(other.volume_l, rel=1e-6)


def test_names_come_from_the_file_unless_others_are_given(tmp_path: Path) -> None:
    path = tmp_path / "map.nii.gz"
    write_image(path, two_balls(), CARET)
    assert read_label_map(path).names == {1: "kidney_right", 2: "kidney_left"}
    assert read_label_map(path, {1: "thing"}).names == {1: "thing"}


def test_damaged_names_do_not_matter_if_others_are_given(tmp_path: Path) -> None:
    path = tmp_path / "map.nii.gz"
    write_image(path, two_balls(), CARET[:-40])
    with pytest.raises(MimirError, match="LABELS_INVALID"):
        read_label_map(path)
    assert read_label_map(path, {1: "thing"}).names == {1: "thing"}


def test_a_missing_file_is_a_finding(tmp_path: Path) -> None:
    measured = measure_label_file(LabelFile(tmp_path / "none.nii.gz"), small_body())
    assert [f.code for f in measured.findings] == ["LABELS_MISSING"]
    assert measured.values == ()


def test_what_is_wrong_with_a_file_is_a_finding(tmp_path: Path) -> None:
    path = tmp_path / "map.nii"
    write_image(path, two_balls())
    content = path.read_bytes()
    far = AFFINE.copy()
    far[2, 3] += 5000
    write_image(tmp_path / "far.nii", Volume(two_balls().array, far))
    halves = Volume(two_balls().array.astype(np.float32) / 2, AFFINE)
    write_image(tmp_path / "halves.nii", halves)
    (tmp_path / "cut.nii").write_bytes(content[:-100])
    (tmp_path / "text.nii").write_text("no volume")
    expected = {
        "far": "LABELS_OUTSIDE",
        "halves": "LABELS_INVALID",
        "cut": "LABELS_UNREADABLE",
        "text": "LABELS_UNREADABLE",
    }
    for name, code in expected.items():
        found = measure_label_file(LabelFile(tmp_path / f"{name}.nii"), small_body())
        assert [f.code for f in found.findings] == [code]
        is_told = "(VOLUME_UNREADABLE)" in found.findings[0].sentence
        assert is_told == (code == "LABELS_UNREADABLE")
