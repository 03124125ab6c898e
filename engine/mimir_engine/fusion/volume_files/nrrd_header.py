"""Read and write the header of an NRRD file (teem.sourceforge.net/nrrd/format.html).

pynrrd takes the lines apart, of which a limited number of bytes is read.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import IO, Any, Optional

import numpy as np

from mimir_engine.errors import MimirError
from mimir_engine.files.optional_packages import require
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
#: Number of axes; the format allows 16.
MAX_AXES = 16
#: Names of the types, without those of the C language that mean the same.
TYPES = {
    **{"int8": "i1", "int8_t": "i1", "signed char": "i1"},
    **{"uint8": "u1", "uint8_t": "u1", "uchar": "u1", "unsigned char": "u1"},
    **{"int16": "i2", "int16_t": "i2", "short": "i2", "short int": "i2"},
    **{"signed short": "i2", "signed short int": "i2"},
    **{"uint16": "u2", "uint16_t": "u2", "ushort": "u2"},
    **{"unsigned short": "u2", "unsigned short int": "u2"},
    **{"int32": "i4", "int32_t": "i4", "int": "i4", "signed int": "i4"},
    **{"uint32": "u4", "uint32_t": "u4", "uint": "u4", "unsigned int": "u4"},
    **{"int64": "i8", "int64_t": "i8", "longlong": "i8", "long long": "i8"},
    **{"long long int": "i8", "signed long long": "i8", "signed long long int": "i8"},
    **{"uint64": "u8", "uint64_t": "u8", "ulonglong": "u8", "unsigned long long": "u8"},
    **{"unsigned long long int": "u8", "float": "f4", "double": "f8"},
}
#: Names of the types that are written.
WRITTEN_TYPES = {"float32": "float", "uint8": "uint8", "uint16": "uint16"}
#: Patient spaces: signs of their axes in LPS.
SPACES = {
    **{"left-posterior-superior": (1, 1, 1), "lps": (1, 1, 1)},
    **{"right-anterior-superior": (-1, -1, 1), "ras": (-1, -1, 1)},
    **{"left-anterior-superior": (1, -1, 1), "las": (1, -1, 1)},
}
#: Lengths of the units in mm.
UNITS_MM = {"": 1.0, "mm": 1.0, "m": 1000.0, "um": 0.001, "µm": 0.001}
#: Encodings: whether they are gzip.
ENCODINGS = {"raw": False, "gzip": True, "gz": True}


def read_nrrd_header(stream: IO[bytes]) -> VolumeHeader:
    """Read a header up to the first byte of the voxels.

    Args:
        stream: Stands at its beginning.

    Raises:
        MimirError: ``EXTRA_MISSING`` without pynrrd; ``VOLUME_UNREADABLE``, ``VOLUME_NOT_SCALAR``,
            ``VOLUME_GEOMETRY``.
    """
    require("volumes")
    import nrrd

    lines = _lines(stream)
    try:
        with np.errstate(all="raise"):
            fields: Mapping[str, Any] = nrrd.read_header(lines)
            sizes = [int(size) for size in fields["sizes"]]
            axes = int(fields["dimension"])
    except Exception as error:  # pynrrd raises many kinds
        raise volume_error("VOLUME_UNREADABLE", "its header is damaged") from error
    if axes != len(sizes) or axes > MAX_AXES:
        raise volume_error("VOLUME_UNREADABLE", "its header says two numbers of axes")
    _check_place(fields)
    encoding = str(fields.get("encoding", "")).lower()
    if encoding not in ENCODINGS:
        what = f"it has the encoding '{encoding[:40]}'; MIMIR reads raw and gzip"
        raise volume_error("VOLUME_UNREADABLE", what)
    directions = _directions(fields, axes)
    spatial = [axis for axis, vector in enumerate(directions) if vector is not None]
    shape = spatial_shape(sizes, spatial)
    affine = _affine(fields, [vector for vector in directions if vector is not None])
    return VolumeHeader(shape, _dtype(fields), affine, is_compressed=ENCODINGS[encoding])


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


def _lines(stream: IO[bytes]) -> list[bytes]:
    """Read lines up to the blank one after the header."""
    lines: list[bytes] = []
    left = MAX_HEADER_BYTES
    while not lines or lines[-1].strip():
        lines.append(stream.readline(left))
        left -= len(lines[-1])
        if not lines[-1].endswith(b"\n"):
            raise volume_error("VOLUME_UNREADABLE", "its header has no end")
    return lines


def _check_place(fields: Mapping[str, Any]) -> None:
    """Refuse voxels that do not follow at once."""
    if "data file" in fields or "datafile" in fields:
        raise volume_error("VOLUME_UNREADABLE", "its voxels are in another file")
    skips = ("line skip", "lineskip", "byte skip", "byteskip")
    if any(fields.get(skip, 0) != 0 for skip in skips):
        raise volume_error("VOLUME_UNREADABLE", "its voxels do not follow the header at once")


def _dtype(fields: Mapping[str, Any]) -> np.dtype:
    dtype = np.dtype(TYPES.get(str(fields.get("type", "")).lower(), "V"))
    check_dtype(dtype)
    endian = str(fields.get("endian", "")).lower()
    if endian not in ("little", "big") and dtype.itemsize > 1:
        raise volume_error("VOLUME_UNREADABLE", "it does not say its byte order")
    return dtype.newbyteorder(">" if endian == "big" else "<")


def _directions(fields: Mapping[str, Any], axes: int) -> list[Optional[np.ndarray]]:
    """Return for each axis its step in space; None for one that is not in space."""
    rows = fields.get("space directions")
    if rows is None:
        raise _misplaced("it does not say where in the patient it is (space directions)")
    if len(rows) != axes or any(row is not None and len(row) != 3 for row in rows):
        raise _misplaced("its space directions are not those of a volume")
    vectors = [None if row is None else np.asarray(row, np.float64) for row in rows]
    return [None if v is None or np.isnan(v).all() else v for v in vectors]


def _affine(fields: Mapping[str, Any], directions: list[np.ndarray]) -> np.ndarray:
    """Return the affine to LPS millimetres."""
    signs = SPACES.get(str(fields.get("space", "")).lower())
    origin = fields.get("space origin")
    if signs is None or origin is None or len(origin) != 3 or len(directions) != 3:
        raise _misplaced("it does not say where in the patient it is (space, space origin)")
    units = [UNITS_MM.get(str(unit).lower()) for unit in fields.get("space units", [""] * 3)]
    if len(units) != 3 or None in units:
        raise _misplaced("its unit of length is not known")
    affine = np.eye(4)
    affine[:3, :3] = np.array(directions).T
    affine[:3, 3] = origin
    affine[:3] *= (np.array(signs, np.float64) * np.array(units, np.float64))[:, None]
    return affine


def _misplaced(what: str) -> MimirError:
    return volume_error("VOLUME_GEOMETRY", what)
