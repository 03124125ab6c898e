"""Stitched volumes that cannot be measured get a code each, and stop no other study."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

pytest.importorskip("nibabel", reason="NIfTI files are read with nibabel (extra nifti)")

from cohort_builder import run_infer
from pair_builder import write_pair
from volume_builder import Oriented, oriented, write_nifti

from mimir_engine import fuse, read_study
from mimir_engine.cohort.sources import NamedSource
from mimir_engine.fusion import FusedVolumes
from mimir_engine.fusion.volume_pair import VolumePair
from mimir_engine.study.volume import Volume

#: Writes a bad pair into a folder.
Writer = Callable[[FusedVolumes, Path], VolumePair]


@pytest.fixture(scope="module")
def fused(study_zip: Path) -> FusedVolumes:
    return fuse(read_study(study_zip).stations)


def with_fat(change: Callable[[np.ndarray], np.ndarray]) -> Writer:
    """A pair whose fat has other values, or another shape."""

    def write(fused: FusedVolumes, folder: Path) -> VolumePair:
        array = change(fused.fat.array.copy())
        return write_pair(folder, replace(fused, fat=Volume(array, fused.fat.affine)))

    return write


def with_fat_file(change: Callable[[Oriented, Path], object]) -> Writer:
    """A pair whose file of fat is written in another way."""

    def write(fused: FusedVolumes, folder: Path) -> VolumePair:
        pair = write_pair(folder, fused)
        change(oriented(fused.fat), pair.fat)
        return pair

    return write


def not_a_number(array: np.ndarray) -> np.ndarray:
    array[2, 3, 4] = np.nan
    return array


def four_axes(image: Oriented, path: Path) -> None:
    write_nifti(path, Oriented(np.stack([image.array] * 2, axis=-1), image.affine))


def without_place(image: Oriented, path: Path) -> None:
    write_nifti(path, image, codes=(0, 0))


def oblique(image: Oriented, path: Path) -> None:
    angle = np.radians(5)
    turn = np.eye(4)
    turn[1:3, 1:3] = [[np.cos(angle), -np.sin(angle)], [np.sin(angle), np.cos(angle)]]
    write_nifti(path, Oriented(image.array, turn @ image.affine))


def complex_numbers(image: Oriented, path: Path) -> None:
    write_nifti(path, Oriented(image.array.astype(np.complex64), image.affine))


def changed_sidecar(fused: FusedVolumes, folder: Path) -> VolumePair:
    pair = write_pair(folder, fused)
    (folder / "a.json").write_text('{"mimir_version": "0.9.0", "name": 7}', "utf-8")
    return pair


def same_file(fused: FusedVolumes, folder: Path) -> VolumePair:
    pair = write_pair(folder, fused)
    return VolumePair(pair.water, pair.water)


def absent(fused: FusedVolumes, folder: Path) -> VolumePair:
    return replace(write_pair(folder, fused), in_phase=folder / "none.nii")


def other_visit(fused: FusedVolumes, folder: Path) -> VolumePair:
    pairs = [write_pair(folder, fused, f"1000001_20201_{visit}_0") for visit in (2, 3)]
    return VolumePair(pairs[0].water, pairs[1].fat)


BAD: dict[str, Writer] = {
    "FILE_UNREADABLE": absent,
    "VOLUME_UNREADABLE": with_fat_file(lambda image, path: path.write_bytes(b"no volume" * 99)),
    "VOLUME_NOT_SCALAR": with_fat_file(four_axes),
    "VOLUME_NOT_SCALAR ": with_fat_file(complex_numbers),
    "VOLUME_GEOMETRY": with_fat_file(without_place),
    "VOLUME_GEOMETRY ": with_fat_file(oblique),
    "VOLUME_NOT_FINITE": with_fat(not_a_number),
    "PAIR_GRID": with_fat(lambda array: array[:, :, :-1]),
    "PAIR_STUDIES": other_visit,
    "EMPTY_IMAGE": with_fat(np.zeros_like),
    "CONTRASTS_IDENTICAL": same_file,
    "SIDECAR_INVALID": changed_sidecar,
}


def test_each_bad_pair_has_its_code_and_the_good_one_is_measured(
    fused: FusedVolumes, tmp_path: Path
) -> None:
    pairs = {code: write(fused, tmp_path / f"{n}") for n, (code, write) in enumerate(BAD.items())}
    pairs["good"] = write_pair(tmp_path / "good", fused)
    run = run_infer([NamedSource(*item) for item in pairs.items()], (), tmp_path / "out", jobs=2)
    assert run.failed == {code: code.strip() for code in BAD}
    assert [result.name for result in run.cohort.results] == ["good"]
