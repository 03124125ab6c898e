"""What is wrong with the content of a volume file is said with a code."""

from __future__ import annotations

import gzip
import math
import os
import struct
import sys
from pathlib import Path
from typing import Any, Optional

import numpy as np
import pytest
from volume_builder import Oriented, oriented, refusal, small_volume, write_nifti, write_nrrd

from mimir_engine.errors import MimirError
from mimir_engine.fusion.volume_files import volume_stream
from mimir_engine.fusion.volume_files.image_file import read_image, read_labels, write_image
from mimir_engine.study.volume import Volume

nibabel = pytest.importorskip("nibabel")

VOLUME = small_volume()
IMAGE = oriented(VOLUME)


def nifti(folder: Path, image: Oriented = IMAGE, name: str = "v.nii", **options: Any) -> Path:
    return write_nifti(folder / name, image, **options)


def nrrd(folder: Path, image: Oriented = IMAGE, **options: Any) -> Path:
    return write_nrrd(folder / "v.nrrd", image, **options)


# --- numbers that are no image ---


@pytest.mark.parametrize("dtype", ["complex64", "complex128", "V3", "V4"])
def test_complex_numbers_and_colours_are_refused(dtype: str, tmp_path: Path) -> None:
    code = {"complex64": 32, "complex128": 1792, "V3": 128, "V4": 2304}[dtype]
    assert refusal(nifti(tmp_path, datatype=code)) == "VOLUME_NOT_SCALAR"


@pytest.mark.parametrize("code", [0, 1, 255, 1536, 2048, 77, -1])
def test_unknown_types_are_refused(code: int, tmp_path: Path) -> None:
    assert refusal(nifti(tmp_path, datatype=code)) in ("VOLUME_UNREADABLE", "VOLUME_NOT_SCALAR")
    assert refusal(nrrd(tmp_path, fields={"type": "block"})) == "VOLUME_UNREADABLE"


@pytest.mark.parametrize("dim", [(4, 6, 5, 2, 2), (5, 6, 5, 2, 1, 2), (7, 6, 5, 1, 1, 1, 1, 4)])
def test_more_than_three_dimensions_are_refused(dim: tuple[int, ...], tmp_path: Path) -> None:
    sizes = np.ones(8, int)
    sizes[: len(dim)] = dim
    assert refusal(nifti(tmp_path, dim=sizes)) == "VOLUME_NOT_SCALAR"


def test_nrrd_vectors_are_refused(tmp_path: Path) -> None:
    fields = {"dimension": "4", "sizes": "3 2 5 4", "kinds": "vector domain domain domain",
              "space directions": "none (2,0,0) (0,2,0) (0,0,2)"}  # fmt: skip
    assert refusal(nrrd(tmp_path, fields=fields)) == "VOLUME_NOT_SCALAR"
    fields["space directions"] = "(2,0,0) (2,0,0) (0,2,0) (0,0,2)"
    assert refusal(nrrd(tmp_path, fields=fields)) == "VOLUME_NOT_SCALAR"


@pytest.mark.parametrize("value", [math.nan, math.inf, -math.inf])
def test_numbers_that_are_not_finite_are_refused(value: float, tmp_path: Path) -> None:
    array = IMAGE.array.copy()
    array[5, 4, 3] = value
    assert refusal(nifti(tmp_path, Oriented(array, IMAGE.affine))) == "VOLUME_NOT_FINITE"
    assert refusal(nrrd(tmp_path, Oriented(array, IMAGE.affine))) == "VOLUME_NOT_FINITE"


def test_numbers_beyond_single_precision_are_refused(tmp_path: Path) -> None:
    large = Oriented(IMAGE.array.astype(np.float64) * 1e300, IMAGE.affine)
    assert refusal(nifti(tmp_path, large)) == "VOLUME_NOT_FINITE"
    whole = oriented(small_volume("int16"))
    assert refusal(nifti(tmp_path, whole, scl_slope=3e38)) == "VOLUME_NOT_FINITE"


def test_a_scale_without_an_intercept_is_refused(tmp_path: Path) -> None:
    assert refusal(nifti(tmp_path, scl_slope=2, scl_inter=math.nan)) == "VOLUME_UNREADABLE"


@pytest.mark.parametrize("value", [0.5, -1, 65_536, math.nan, math.inf])
def test_other_numbers_are_no_labels(value: float, tmp_path: Path) -> None:
    array = IMAGE.array.astype(np.float64)
    array[5, 4, 3] = value
    path = nifti(tmp_path, Oriented(array, IMAGE.affine))
    with pytest.raises(MimirError, match=r"LABELS_INVALID: volume .* whole numbers"):
        read_labels(path)


def test_labels_are_not_rounded_after_scaling(tmp_path: Path) -> None:
    path = nifti(tmp_path, oriented(small_volume("int16")), scl_slope=0.1)
    with pytest.raises(MimirError, match="LABELS_INVALID"):
        read_labels(path)


# --- sizes and damage ---


def test_a_missing_file_is_named(tmp_path: Path) -> None:
    assert refusal(tmp_path / "gone.nii") == "FILE_UNREADABLE"
    assert refusal(tmp_path) == "FILE_UNREADABLE"


@pytest.mark.skipif(not hasattr(os, "mkfifo"), reason="no pipes with names")
def test_a_pipe_is_refused(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "pipe.nii")
    assert refusal(tmp_path / "pipe.nii") == "FILE_UNREADABLE"


OTHER_FILES = {
    "an empty file": b"",
    "the beginning of a gzip file": b"\x1f\x8b",
    "the beginning of an NRRD file": b"NRRD",
    "an NRRD file without fields": b"NRRD0005\n\n",
    "an NRRD header without an end": b"NRRD0005\n" + b"#" * 500_000,
    "a zip archive": b"PK\3\4" * 100,
    "zeros": bytes(400),
    "nothing, compressed": gzip.compress(b""),
    "zeros, compressed": gzip.compress(bytes(400)),
    "compressed twice": gzip.compress(gzip.compress(bytes(400))),
}


@pytest.mark.parametrize("kind", OTHER_FILES)
def test_other_files_are_refused(kind: str, tmp_path: Path) -> None:
    (tmp_path / "v.nii").write_bytes(OTHER_FILES[kind])
    assert refusal(tmp_path / "v.nii") == "VOLUME_UNREADABLE"


@pytest.mark.parametrize("name", ["v.nii", "v.nii.gz", "v.nrrd"])
@pytest.mark.parametrize("fast", [True, False])
def test_a_file_that_is_cut_off_anywhere_is_refused(
    name: str, fast: bool, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    if not fast:
        monkeypatch.setattr(volume_stream, "fast_gzip", gzip)
    noise = np.random.default_rng(0).random(VOLUME.array.shape).astype(np.float32)
    write_image(tmp_path / name, Volume(noise, VOLUME.affine))
    content = (tmp_path / name).read_bytes()
    for size in {*range(0, len(content), 7), len(content) - 1}:
        (tmp_path / name).write_bytes(content[:size])
        assert refusal(tmp_path / name) in ("VOLUME_UNREADABLE", "VOLUME_GEOMETRY"), size


@pytest.mark.parametrize("name", ["v.nii", "v.nii.gz"])
def test_more_bytes_than_the_header_says_are_refused(name: str, tmp_path: Path) -> None:
    longer = Oriented(np.concatenate([IMAGE.array, IMAGE.array], 2), IMAGE.affine)
    sizes = (3, 6, 5, 4, 1, 1, 1, 1)
    assert refusal(nifti(tmp_path, longer, name, dim=sizes)) == "VOLUME_UNREADABLE"


def test_a_wrong_checksum_is_noticed(tmp_path: Path) -> None:
    path = nifti(tmp_path, name="v.nii.gz")
    content = bytearray(path.read_bytes())
    content[-8] ^= 1
    path.write_bytes(content)
    assert refusal(path) == "VOLUME_UNREADABLE"


@pytest.mark.parametrize("dim", [0, 8, -1])
def test_an_impossible_number_of_axes_is_refused(dim: int, tmp_path: Path) -> None:
    sizes = (dim, 6, 5, 4, 1, 1, 1, 1)
    assert refusal(nifti(tmp_path, dim=sizes)) == "VOLUME_UNREADABLE"


@pytest.mark.parametrize("size", [0, -1, -32768])
def test_an_axis_without_voxels_is_refused(size: int, tmp_path: Path) -> None:
    assert refusal(nifti(tmp_path, dim=(3, 6, size, 4, 1, 1, 1, 1))) == "VOLUME_UNREADABLE"


def test_freesurfers_other_meaning_of_sizes_is_not_taken(tmp_path: Path) -> None:
    path = nifti(tmp_path, dim=(3, -1, 1, 1, 1, 1, 1, 1), glmin=120)
    assert refusal(path) == "VOLUME_UNREADABLE"


@pytest.mark.parametrize("offset", [0, 100, 353.5, 1e9, math.nan, -math.inf])
def test_voxels_that_begin_elsewhere_are_refused(offset: float, tmp_path: Path) -> None:
    assert refusal(nifti(tmp_path, vox_offset=offset)) == "VOLUME_UNREADABLE"


@pytest.mark.parametrize("size", [-16, 1, 8, 48, 2**31 - 1])
def test_an_extension_that_lies_about_its_size_is_refused(size: int, tmp_path: Path) -> None:
    path = nifti(tmp_path, vox_offset=352 + 32)
    content = path.read_bytes()
    extension = b"\1\0\0\0" + struct.pack("<ii", size, 0) + bytes(24)
    path.write_bytes(content[:348] + extension + content[352:])
    assert refusal(path) == "VOLUME_UNREADABLE"


def test_an_extension_that_is_not_text_is_passed_over(tmp_path: Path) -> None:
    path = nifti(tmp_path, vox_offset=352 + 48)
    content = path.read_bytes()
    extensions = struct.pack("<ii", 16, 2) + b"\xff" * 8 + struct.pack("<ii", 32, 6) + b"a" * 24
    path.write_bytes(content[:348] + b"\1\0\0\0" + extensions + content[352:])
    assert read_image(path).extensions == ("a" * 24,)


def test_a_header_without_its_voxels_is_refused(tmp_path: Path) -> None:
    assert refusal(nifti(tmp_path, magic=b"ni1")) == "VOLUME_UNREADABLE"
    assert refusal(nifti(tmp_path, kind="Nifti2", magic=b"ni2")) == "VOLUME_UNREADABLE"


@pytest.mark.parametrize(
    "fields",
    [
        {"data file": "/etc/passwd"},
        {"datafile": "LIST"},
        {"byte skip": "-1"},
        {"lineskip": "3"},
        {"encoding": "bzip2"},
        {"encoding": "ascii"},
        {"encoding": None},
        {"sizes": None},
        {"sizes": "6 5"},
        {"sizes": "6 5 -4"},
        {"sizes": "6 5 4.5"},
        {"sizes": "6 5 0"},
        {"sizes": "9" * 5000 + " 5 4"},
        {"dimension": None},
        {"dimension": "4"},
        {"type": None},
        {"endian": None},
        {"Type": "float"},
    ],
)
def test_damaged_nrrd_headers_are_refused(fields: dict[str, Optional[str]], tmp_path: Path) -> None:
    assert refusal(nrrd(tmp_path, fields=fields)) == "VOLUME_UNREADABLE"


def test_an_nrrd_file_has_the_bytes_that_it_says(tmp_path: Path) -> None:
    raw = {"encoding": "raw"}
    content = IMAGE.array.tobytes(order="F")
    for data in (content[:-1], content + b"\0"):
        assert refusal(nrrd(tmp_path, fields=raw, data=data)) == "VOLUME_UNREADABLE"
        assert refusal(nrrd(tmp_path, data=gzip.compress(data))) == "VOLUME_UNREADABLE"
    assert refusal(nrrd(tmp_path, data=content)) == "VOLUME_UNREADABLE"


def test_nifti_without_its_package_says_what_to_install(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = nifti(tmp_path)
    monkeypatch.setitem(sys.modules, "nibabel", None)
    with pytest.raises(MimirError, match="EXTRA_MISSING"):
        read_image(path)
    with pytest.raises(MimirError, match="EXTRA_MISSING"):
        write_image(tmp_path / "new.nii.gz", VOLUME)
    write_image(tmp_path / "v.nrrd", VOLUME)
    assert np.array_equal(read_image(tmp_path / "v.nrrd").array, VOLUME.array)
