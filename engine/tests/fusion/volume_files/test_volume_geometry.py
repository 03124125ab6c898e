"""Volumes that do not say where they are, or say it twice and differently, are refused."""

from __future__ import annotations

import math
from pathlib import Path
from typing import Any, Optional

import numpy as np
import pytest
from volume_builder import Oriented, oriented, refusal, small_volume, write_nifti, write_nrrd

from mimir_engine.errors import MimirError
from mimir_engine.fusion.volume_files.image_file import read_image

nibabel = pytest.importorskip("nibabel")

VOLUME = small_volume()
IMAGE = oriented(VOLUME)


def nifti(folder: Path, image: Oriented = IMAGE, name: str = "v.nii", **options: Any) -> Path:
    return write_nifti(folder / name, image, **options)


def nrrd(folder: Path, image: Oriented = IMAGE, **options: Any) -> Path:
    return write_nrrd(folder / "v.nrrd", image, **options)


def moved(affine: np.ndarray) -> Oriented:
    return Oriented(IMAGE.array, affine @ IMAGE.affine)


def test_a_volume_without_an_affine_is_refused(tmp_path: Path) -> None:
    assert refusal(nifti(tmp_path, codes=(0, 0))) == "VOLUME_GEOMETRY"


@pytest.mark.parametrize("signs", [(1, 1, 1), (-1, -1, 1)])
def test_the_affine_that_programs_write_by_default_is_refused(
    signs: tuple[int, ...], tmp_path: Path
) -> None:
    image = Oriented(IMAGE.array, np.diag([*signs, 1.0]))
    assert refusal(nifti(tmp_path, image)) == "VOLUME_GEOMETRY"
    assert refusal(nrrd(tmp_path, image)) == "VOLUME_GEOMETRY"


def test_sform_and_qform_that_contradict_each_other_are_refused(tmp_path: Path) -> None:
    path = nifti(tmp_path, srow_x=(2.25, 0, 0, 90))
    with pytest.raises(MimirError, match="sform and qform, contradict"):
        read_image(path)
    assert refusal(path) == "VOLUME_GEOMETRY"
    mirrored = nifti(tmp_path, srow_x=(2.25, 0, 0, 100.5 - 5 * 2.25))
    assert refusal(mirrored) == "VOLUME_GEOMETRY"


def test_an_affine_with_another_voxel_size_than_the_header_is_refused(tmp_path: Path) -> None:
    sizes = (1, 2.25, 2.5, 4.0, 0, 0, 0, 0)
    assert refusal(nifti(tmp_path, codes=(1, 0), pixdim=sizes)) == "VOLUME_GEOMETRY"


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("quatern_b", 0.9),
        ("quatern_b", math.nan),
        ("qoffset_x", math.inf),
        ("pixdim", (0.3, 2.25, 2.5, 3, 0, 0, 0, 0)),
        ("pixdim", (1, -2.25, 2.5, 3, 0, 0, 0, 0)),
        ("pixdim", (1, 0, 0, 0, 0, 0, 0, 0)),
    ],
)
def test_a_qform_that_is_no_place_is_refused(name: str, value: Any, tmp_path: Path) -> None:
    fields = {"quatern_c": 0.9, "quatern_d": 0.9} if value == 0.9 else {}
    path = nifti(tmp_path, codes=(0, 1), **{name: value}, **fields)
    assert refusal(path) == "VOLUME_GEOMETRY"


def turned(degrees: float) -> np.ndarray:
    matrix, angle = np.eye(4), math.radians(degrees)
    matrix[:2, :2] = (
        (math.cos(angle), -math.sin(angle)),
        (math.sin(angle), math.cos(angle)),
    )
    return matrix


def sheared() -> np.ndarray:
    matrix = np.eye(4)
    matrix[0, 2] = 0.02
    return matrix


@pytest.mark.parametrize(
    ("affine", "reason"),
    [
        (turned(0.1), "it is not axial"),
        (turned(45), "it is not axial"),
        (sheared(), "its axes are sheared"),
        (np.diag([0.08, 1, 1, 1]), "a voxel spacing of 0.18 x 2.5 x 3 mm"),
        (np.diag([1, 1, 10, 1]), "a voxel spacing of 2.25 x 2.5 x 30 mm"),
        (np.diag([1, 1, 0, 1]), "a voxel spacing of 2.25 x 2.5 x 0 mm"),
        (np.array([[1, 0, 0, 11_000], [0, 1, 0, 0], [0, 0, 1, 0], [0, 0, 0, 1.0]]), "of a scan"),
        (np.array([[1, 0, 0, 0], [0, 1, 0, 0], [0, 0, 1, 10_695], [0, 0, 0, 1.0]]), "metres away"),
        (np.diag([math.nan, 1, 1, 1]), "of a scan"),
    ],
)
def test_volumes_that_are_not_a_body_in_a_scanner_are_refused(
    affine: np.ndarray, reason: str, tmp_path: Path
) -> None:
    path = nrrd(tmp_path, moved(affine))
    with pytest.raises(MimirError, match=reason):
        read_image(path)
    assert refusal(path) == "VOLUME_GEOMETRY"


@pytest.mark.parametrize("code", [4, 5, 7])
def test_unknown_units_are_refused(code: int, tmp_path: Path) -> None:
    assert refusal(nifti(tmp_path, xyzt_units=code)) == "VOLUME_GEOMETRY"
    inches = {"space units": '"in" "in" "in"'}
    assert refusal(nrrd(tmp_path, fields=inches)) == "VOLUME_GEOMETRY"


@pytest.mark.parametrize(
    "fields",
    [
        {"space": None},
        {"space": "scanner-xyz"},
        {"space": "3D-right-handed"},
        {"space": "left-posterior-superior-time"},
        {"space directions": None},
        {"space directions": None, "spacings": "2.25 2.5 3"},
        {"space directions": "(1,0,0) (0,1,0) (0,0)"},
        {"space directions": "(1,0,0) (0,1,0) none"},
        {"space directions": "(1,0,0) (0,1,0) (0,0,x)"},
        {"space directions": "(1,0,0) (0,1,0) (0,0,nan)"},
        {"space origin": None},
        {"space origin": "(1,2)"},
        {"space origin": "(1e999,0,0)"},
    ],
)
def test_nrrd_files_that_do_not_say_where_they_are_are_refused(
    fields: dict[str, Optional[str]], tmp_path: Path
) -> None:
    assert refusal(nrrd(tmp_path, fields=fields)) in ("VOLUME_GEOMETRY", "VOLUME_NOT_SCALAR")
