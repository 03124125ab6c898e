"""Read and write the header of an NRRD file (teem.sourceforge.net/nrrd/format.html).

A header is read up to a limited size; it may not name another file.
"""

from __future__ import annotations

import math
import re
from collections.abc import Mapping, Sequence
from typing import IO, Optional

import numpy as np

from mimir_engine.errors import MimirError
from mimir_engine.fusion.volume_files.volume_error import volume_error
from mimir_engine.fusion.volume_files.volume_header import (
    VolumeHeader,
    check_dtype,
    spatial_shape,
)
from mimir_engine.study.volume import Volume

NRRD_MAGIC = b"NRRD"
#: Size of a header in bytes; a segmentation of Slicer with 117 segments has some 60,000.
MAX_HEADER_BYTES = 1 << 18
#: Types of numbers, each with its names: those of C, and those with a size.
_NAMES = {
    "i1": ("int8", "int8_t", "signed char"),
    "u1": ("uint8", "uint8_t", "uchar", "unsigned char"),
    "i2": ("int16", "int16_t", "short", "short int", "signed short", "signed short int"),
    "u2": ("uint16", "uint16_t", "ushort", "unsigned short", "unsigned short int"),
    "i4": ("int32", "int32_t", "int", "signed int"),
    "u4": ("uint32", "uint32_t", "uint", "unsigned int"),
    "i8": (
        *("int64", "int64_t", "longlong", "long long", "long long int"),
        *("signed long long", "signed long long int"),
    ),
    "u8": (
        *("uint64", "uint64_t", "ulonglong", "unsigned long long"),
        "unsigned long long int",
    ),
    "f4": ("float",),
    "f8": ("double",),
}
TYPES = {name: dtype for dtype, names in _NAMES.items() for name in names}
#: Names of the types that are written.
WRITTEN_TYPES = {"float32": "float", "uint8": "uint8", "uint16": "uint16"}
#: Patient spaces: signs of their axes in LPS.
SPACES = {
    "left-posterior-superior": (1, 1, 1),
    "lps": (1, 1, 1),
    "right-anterior-superior": (-1, -1, 1),
    "ras": (-1, -1, 1),
    "left-anterior-superior": (1, -1, 1),
    "las": (1, -1, 1),
}
#: Lengths of the units in mm.
UNITS_MM = {"": 1.0, "mm": 1.0, "m": 1000.0, "um": 0.001, "µm": 0.001}
#: Encodings: whether they are gzip.
ENCODINGS = {"raw": False, "gzip": True, "gz": True}
#: What programs add to the fields, such as the names of Slicer's segments.
_PAIR = re.compile(r"[^#:][^:]*:=")
#: A number of voxels along an axis.
_SIZE = re.compile(r"[0-9]{1,18}")
#: Steps along the axes.
_VECTORS = re.compile(r"none|\([^()]*\)", re.IGNORECASE)


def read_nrrd_header(stream: IO[bytes]) -> VolumeHeader:
    """Read a header up to the first byte of the voxels.

    Args:
        stream: Stands at its beginning.

    Raises:
        MimirError: ``VOLUME_UNREADABLE``, ``VOLUME_NOT_SCALAR``, ``VOLUME_GEOMETRY``.
    """
    lines = _lines(stream)
    fields = _fields(lines)
    _check_place(fields)
    encoding = fields.get("encoding", "").lower()
    if encoding not in ENCODINGS:
        what = f"it has the encoding '{encoding[:40]}'; MIMIR reads raw and gzip"
        raise volume_error("VOLUME_UNREADABLE", what)
    sizes = _sizes(fields)
    directions = _directions(fields, len(sizes))
    spatial = [axis for axis, vector in enumerate(directions) if vector is not None]
    shape = spatial_shape(sizes, spatial)
    affine = _affine(fields, [vector for vector in directions if vector is not None])
    pairs = "\n".join(line for line in lines if _PAIR.match(line))
    return VolumeHeader(
        shape,
        _dtype(fields),
        affine,
        extensions=(pairs,) if pairs else (),
        is_compressed=ENCODINGS[encoding],
    )


def nrrd_header(volume: Volume) -> bytes:
    """Return the header of a volume that follows by gzip, in its own order: LPS millimetres."""
    slices, rows, columns = volume.array.shape
    lines = (
        "NRRD0005",
        f"type: {WRITTEN_TYPES[volume.array.dtype.name]}",
        "dimension: 3",
        "space: left-posterior-superior",
        f"sizes: {columns} {rows} {slices}",
        "space directions: " + " ".join(_vector(column) for column in volume.affine[:3, :3].T),
        "kinds: domain domain domain",
        "endian: little",
        "encoding: gzip",
        f"space origin: {_vector(volume.affine[:3, 3])}",
    )
    return "\n".join((*lines, "", "")).encode("ascii")


def _vector(values: np.ndarray) -> str:
    return f"({','.join(repr(value) for value in values.tolist())})"


def _lines(stream: IO[bytes]) -> list[str]:
    """Read the lines between the first one and the blank one after the header."""
    lines: list[bytes] = []
    left = MAX_HEADER_BYTES
    while not lines or lines[-1].strip():
        lines.append(stream.readline(left))
        left -= len(lines[-1])
        if not lines[-1].endswith(b"\n"):
            raise volume_error("VOLUME_UNREADABLE", "its header has no end")
    return [line.decode("utf-8", "replace").strip() for line in lines[1:-1]]


def _fields(lines: Sequence[str]) -> Mapping[str, str]:
    """Return the fields by name, without comments and what programs add."""
    fields: dict[str, str] = {}
    for line in lines:
        if line.startswith("#") or _PAIR.match(line):
            continue
        name, colon, value = line.partition(":")
        if not colon or name.lower() in fields:
            raise volume_error("VOLUME_UNREADABLE", "its header is damaged")
        fields[name.lower()] = value.strip()
    return fields


def _check_place(fields: Mapping[str, str]) -> None:
    """Refuse voxels that do not follow at once."""
    if "data file" in fields or "datafile" in fields:
        raise volume_error("VOLUME_UNREADABLE", "its voxels are in another file")
    skips = ("line skip", "lineskip", "byte skip", "byteskip")
    if any(fields.get(skip, "0") != "0" for skip in skips):
        raise volume_error("VOLUME_UNREADABLE", "its voxels do not follow the header at once")


def _sizes(fields: Mapping[str, str]) -> list[int]:
    words = fields.get("sizes", "").split()
    if fields.get("dimension") != str(len(words)) or not all(map(_SIZE.fullmatch, words)):
        raise volume_error("VOLUME_UNREADABLE", "its header does not say how many voxels it has")
    return [int(word) for word in words]


def _dtype(fields: Mapping[str, str]) -> np.dtype:
    dtype = np.dtype(TYPES.get(fields.get("type", "").lower(), "V"))
    check_dtype(dtype)
    endian = fields.get("endian", "").lower()
    if endian not in ("little", "big") and dtype.itemsize > 1:
        raise volume_error("VOLUME_UNREADABLE", "it does not say its byte order")
    return dtype.newbyteorder(">" if endian == "big" else "<")


def _directions(fields: Mapping[str, str], axes: int) -> list[Optional[list[float]]]:
    """Return for each axis its step in space; None for one that is not in space."""
    words = _VECTORS.findall(fields.get("space directions", ""))
    if len(words) != axes:
        raise _misplaced("it does not say where in the patient it is (space directions)")
    return [None if word.lower() == "none" else _numbers(word) for word in words]


def _affine(fields: Mapping[str, str], directions: list[list[float]]) -> np.ndarray:
    """Return the affine to LPS millimetres."""
    signs = SPACES.get(fields.get("space", "").lower())
    if signs is None or len(directions) != 3 or "space origin" not in fields:
        raise _misplaced("it does not say where in the patient it is (space, space origin)")
    units = re.findall(r'"([^"]*)"', fields.get("space units", '"" "" ""'))
    lengths = [UNITS_MM.get(unit.lower(), math.nan) for unit in units]
    if len(lengths) != 3 or any(map(math.isnan, lengths)):
        raise _misplaced("its unit of length is not known")
    affine = np.eye(4)
    affine[:3] = np.array([*directions, _numbers(fields["space origin"])]).T
    affine[:3] *= np.array([sign * length for sign, length in zip(signs, lengths)])[:, None]
    return affine


def _numbers(vector: str) -> list[float]:
    """Return the three numbers of a vector in brackets."""
    try:
        x, y, z = (float(word) for word in vector.strip("()").split(","))
    except ValueError:
        raise _misplaced("its affine is not one of a volume") from None
    return [x, y, z]


def _misplaced(what: str) -> MimirError:
    return volume_error("VOLUME_GEOMETRY", what)
