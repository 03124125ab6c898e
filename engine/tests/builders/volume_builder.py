"""Volume files of any axis order and header, made by nibabel and by hand."""

from __future__ import annotations

import gzip
import itertools
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Optional

import numpy as np
import pytest

from mimir_engine.errors import MimirError
from mimir_engine.fusion.volume_files.image_file import read_image
from mimir_engine.study.volume import Volume, axial_affine

#: From RAS to LPS and back.
RAS_LPS = np.diag([-1.0, -1.0, 1.0, 1.0])
#: Names of NumPy's types in NRRD headers.
NRRD_TYPES = {"int8": "signed char", "float32": "float", "float64": "double"}


def small_volume(dtype: str = "float32", shape: tuple[int, int, int] = (4, 5, 6)) -> Volume:
    """Return a volume of different whole numbers, with three spacings, away from the origin."""
    array = np.arange(np.prod(shape)).reshape(shape) % 120
    return Volume(array.astype(dtype), axial_affine((-100.5, -60.25, -700.0), (2.25, 2.5, 3.0)))


@dataclass(frozen=True)
class Oriented:
    """A volume as a file stores it.

    Attributes:
        array: Indexed by the file's axes, the fastest first.
        affine: From an index to LPS millimetres.
    """

    array: np.ndarray
    affine: np.ndarray


def orientations(volume: Volume) -> Iterator[Oriented]:
    """Yield a volume in all 48 orders and directions of its axes."""
    for axes in itertools.permutations(range(3)):
        for flips in itertools.product((False, True), repeat=3):
            yield oriented(volume, axes, flips)


def oriented(
    volume: Volume,
    axes: tuple[int, ...] = (0, 1, 2),
    flips: tuple[bool, ...] = (False, False, False),
) -> Oriented:
    """Return a volume with its column, row and slice axes in another order and direction."""
    array = volume.array.transpose(2, 1, 0).transpose(axes)
    index = np.eye(4)
    index[:3, :3] = np.eye(3)[:, axes]
    affine = volume.affine @ index
    for axis in np.flatnonzero(flips):
        affine[:, 3] += affine[:, axis] * (array.shape[axis] - 1)
        affine[:, axis] *= -1
        array = np.flip(array, axis)
    return Oriented(array, affine)


def write_nifti(
    path: Path,
    image: Oriented,
    kind: str = "Nifti1",
    big_endian: bool = False,
    codes: tuple[int, int] = (1, 1),
    **fields: Any,
) -> Path:
    """Write a NIfTI file with nibabel.

    Args:
        path: ``.nii`` or ``.nii.gz``.
        image: Array and affine.
        kind: ``Nifti1`` or ``Nifti2``.
        big_endian: Byte order.
        codes: Of sform and qform.
        **fields: Values of the header that differ.
    """
    import nibabel

    header = getattr(nibabel, f"{kind}Header")(endianness=">" if big_endian else "<")
    header.set_data_shape(image.array.shape)
    header.set_data_dtype(image.array.dtype)
    affine = RAS_LPS @ image.affine
    header.set_sform(affine, codes[0])
    header.set_qform(affine, codes[1])
    header["vox_offset"] = header.single_vox_offset
    header["scl_slope"], header["scl_inter"] = 1, 0
    for name, value in fields.items():
        header[name] = value
    stored = image.array.astype(image.array.dtype.newbyteorder(header.endianness))
    content = header.binaryblock + bytes(4) + stored.tobytes(order="F")
    path.write_bytes(gzip.compress(content, 1) if path.suffix == ".gz" else content)
    return path


def write_nrrd(
    path: Path,
    image: Oriented,
    space: Optional[str] = "left-posterior-superior",
    big_endian: bool = False,
    fields: Optional[Mapping[str, Optional[str]]] = None,
    data: Optional[bytes] = None,
) -> Path:
    """Write an NRRD file by hand.

    Args:
        path: The file.
        image: Array and affine, in the space.
        space: Name of the space.
        big_endian: Byte order.
        fields: Fields that differ, or None for those that are left out.
        data: What follows the header; by default as the encoding says.
    """
    vectors = [f"({','.join(map(repr, v))})" for v in image.affine[:3].T.tolist()]
    values = {
        "type": NRRD_TYPES.get(image.array.dtype.name, image.array.dtype.name),
        "dimension": str(image.array.ndim),
        "space": space,
        "sizes": " ".join(map(str, image.array.shape)),
        "space directions": " ".join(vectors[:3]),
        "endian": "big" if big_endian else "little",
        "encoding": "gzip",
        "space origin": vectors[3],
        **(fields or {}),
    }
    lines = [f"{name}: {value}" for name, value in values.items() if value is not None]
    order = ">" if big_endian else "<"
    stored = image.array.astype(image.array.dtype.newbyteorder(order)).tobytes(order="F")
    if data is None:
        data = gzip.compress(stored, 1) if values["encoding"] == "gzip" else stored
    header = "\n".join(("NRRD0004", "# by hand", "key:=value", *lines, "", ""))
    path.write_bytes(header.encode("utf-8") + data)
    return path


def refusal(path: Path) -> str:
    """Return the code with which a volume is refused; the message must name it, and a remedy."""
    with pytest.raises(MimirError) as caught:
        read_image(path)
    assert path.name in caught.value.what
    assert caught.value.remedy
    return caught.value.code
