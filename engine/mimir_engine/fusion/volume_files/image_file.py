"""Read and write one volume as a file: NIfTI or NRRD, of any axis order."""

from __future__ import annotations

import math
from collections.abc import Callable
from contextlib import nullcontext
from dataclasses import dataclass
from pathlib import Path
from typing import IO

import numpy as np

from mimir_engine.files.atomic import atomic_file
from mimir_engine.fusion.grid import MAX_VOXELS
from mimir_engine.fusion.volume_files.axial_order import AxialOrder, axial_order
from mimir_engine.fusion.volume_files.nifti_header import (
    nifti_header,
    nifti_header_kind,
    read_nifti_header,
)
from mimir_engine.fusion.volume_files.nrrd_header import (
    NRRD_MAGIC,
    nrrd_header,
    read_nrrd_header,
)
from mimir_engine.fusion.volume_files.volume_error import volume_error
from mimir_engine.fusion.volume_files.volume_header import VolumeHeader
from mimir_engine.fusion.volume_files.volume_stream import (
    check_end,
    deflated,
    inflated,
    opened_volume,
    read_exactly,
)
from mimir_engine.study.volume import Volume

#: Types of numbers that are written.
WRITTEN_DTYPES = ("float32", "uint8", "uint16")
#: Ends of the names of files that are written.
WRITTEN_SUFFIXES = (".nii.gz", ".nii", ".nrrd")
#: First bytes that tell the format.
_FRONT_BYTES = 348
#: Largest label.
MAX_LABEL = 65_535


@dataclass(frozen=True)
class ImageFile:
    """A volume that was read from a file.

    Attributes:
        array: ``[slice, row, column]`` in the engine's axes; float32, or integers as stored.
        affine: ``(4, 4)`` float64, ``(column, row, slice, 1)`` to LPS millimetres; axial, with
            positive steps.
        extensions: Texts of the NIfTI header's extensions; of an NRRD header the lines
            ``key:=value``, as one text.
    """

    array: np.ndarray
    affine: np.ndarray
    extensions: tuple[str, ...] = ()


def read_image(path: Path, max_voxels: int = MAX_VOXELS) -> ImageFile:
    """Read a volume; what it is, its content tells.

    Integers stay as they are stored. Scale factors are applied, in double precision; that gives
    float32, as do other floating-point numbers.

    Args:
        path: ``.nii``, ``.nii.gz`` or ``.nrrd``.
        max_voxels: Larger volumes are refused.

    Raises:
        MimirError: ``FILE_UNREADABLE``, ``EXTRA_MISSING``, ``VOLUME_UNREADABLE``,
            ``VOLUME_TOO_LARGE``, ``VOLUME_NOT_SCALAR``, ``VOLUME_GEOMETRY``,
            ``VOLUME_NOT_FINITE``.
    """
    return _read(path, max_voxels, _image_dtype, _image_values)


def read_labels(path: Path) -> ImageFile:
    """Read a label map as uint16: whole numbers from 0 to 65535, also if stored otherwise.

    Raises:
        MimirError: As `read_image`; ``LABELS_INVALID`` for all other numbers.
    """
    return _read(path, MAX_VOXELS, lambda header: np.dtype(np.uint16), _label_values)


def write_image(path: Path, volume: Volume, extension: str = "") -> None:
    """Write a volume atomically, compressed as by ``gzip -1``; the same volume, the same bytes.

    A NIfTI file is RAS+, with sform and qform equal and in the scanner's coordinates, and never
    scaled. An NRRD file is LPS, in the order of the array.

    Args:
        path: Ends with ``.nii.gz``, ``.nii`` (not compressed) or ``.nrrd``.
        volume: Its array is float32, uint8 or uint16.
        extension: Text for the header of a NIfTI file, such as the names of labels.

    Raises:
        MimirError: ``EXTRA_MISSING``, ``OUTPUT_UNWRITABLE``.
        ValueError: The name ends otherwise, or the array is of another type.
    """
    if volume.array.dtype.name not in WRITTEN_DTYPES:
        raise ValueError(f"{volume.array.dtype} is not one of {WRITTEN_DTYPES}")
    name = path.name.lower()
    if not name.endswith(WRITTEN_SUFFIXES):
        raise ValueError(f"'{path.name}' does not end with one of {WRITTEN_SUFFIXES}")
    is_nrrd = name.endswith(".nrrd")
    header = nrrd_header(volume) if is_nrrd else nifti_header(volume, extension)
    array = volume.array if is_nrrd else volume.array[:, ::-1, ::-1]
    with atomic_file(path) as file:
        if is_nrrd:  # its header is not compressed
            file.write(header)
        with nullcontext(file) if name.endswith(".nii") else deflated(file) as stream:
            if not is_nrrd:
                stream.write(header)
            for plane in array:  # so that no second volume lies in memory
                stored = np.ascontiguousarray(plane, array.dtype.newbyteorder("<"))
                stream.write(stored.view(np.uint8).data.cast("B"))


def _read(
    path: Path,
    max_voxels: int,
    dtype_of: Callable[[VolumeHeader], np.dtype],
    values_of: Callable[[np.ndarray, VolumeHeader], np.ndarray],
) -> ImageFile:
    with opened_volume(path) as stream:
        with np.errstate(all="ignore"):  # what is not finite is refused
            header = _header(stream)
        voxels = math.prod(header.shape)
        if voxels > max_voxels:
            shown = " x ".join(map(str, header.shape))
            what = f"it has {shown} voxels; the limit is {max_voxels:,}"
            raise volume_error("VOLUME_TOO_LARGE", what)
        order = axial_order(header.shape, header.affine)
        array = _empty(header.shape, order, dtype_of(header))
        content = inflated(stream) if header.is_compressed else stream
        _fill(order.in_file_order(array), content, header, values_of)
    return ImageFile(array, order.affine, header.extensions)


def _header(stream: IO[bytes]) -> VolumeHeader:
    """Read the header of either format."""
    front = stream.read(_FRONT_BYTES)
    stream.seek(0)
    if front.startswith(NRRD_MAGIC):
        return read_nrrd_header(stream)
    kind = nifti_header_kind(front)
    if kind is None:
        raise volume_error("VOLUME_UNREADABLE", "it is neither a NIfTI nor an NRRD file")
    return read_nifti_header(stream, kind)


def _empty(shape: tuple[int, int, int], order: AxialOrder, dtype: np.dtype) -> np.ndarray:
    columns, rows, slices = (shape[axis] for axis in order.axes)
    return np.empty((slices, rows, columns), dtype)


def _fill(
    target: np.ndarray,
    stream: IO[bytes],
    header: VolumeHeader,
    values_of: Callable[[np.ndarray, VolumeHeader], np.ndarray],
) -> None:
    """Read the voxels plane by plane into an array that has the axes of the file."""
    fastest, middle, slowest = header.shape
    plane = np.empty((middle, fastest), header.dtype)
    for index in range(slowest):
        read_exactly(stream, plane.view(np.uint8).data.cast("B"))
        target[:, :, index] = values_of(plane, header).T
    check_end(stream)


def _image_dtype(header: VolumeHeader) -> np.dtype:
    is_stored = header.dtype.kind in "iu" and not header.is_scaled
    return header.dtype.newbyteorder("=") if is_stored else np.dtype(np.float32)


def _image_values(plane: np.ndarray, header: VolumeHeader) -> np.ndarray:
    with np.errstate(all="ignore"):
        if header.is_scaled:
            plane = plane * np.float64(header.slope) + header.intercept
        elif header.dtype.kind in "iu":
            return plane
        values = plane.astype(np.float32)
    if not np.isfinite(values).all():
        raise volume_error("VOLUME_NOT_FINITE", "it has values that are not finite numbers")
    return values


def _label_values(plane: np.ndarray, header: VolumeHeader) -> np.ndarray:
    with np.errstate(all="ignore"):
        if header.is_scaled:
            plane = plane * np.float64(header.slope) + header.intercept
        labels = plane.astype(np.uint16)
    if not ((plane >= 0) & (plane <= MAX_LABEL)).all() or not np.array_equal(labels, plane):
        what = f"it has values that are not whole numbers from 0 to {MAX_LABEL}"
        raise volume_error("LABELS_INVALID", what)
    return labels
