"""Read and write the header of a NIfTI file (NIfTI-1.1 and NIfTI-2, header and voxels in one).

nibabel takes the fields apart. Extensions are read here: nibabel would parse what is in them.
"""

from __future__ import annotations

import io
import struct
from contextlib import suppress
from typing import IO, Any

import numpy as np

from mimir_engine.errors import MimirError
from mimir_engine.files.optional_packages import require
from mimir_engine.fusion.volume_files.volume_error import volume_error
from mimir_engine.fusion.volume_files.volume_header import (
    VolumeHeader,
    check_dtype,
    spatial_shape,
)
from mimir_engine.fusion.volume_files.volume_stream import read_exactly
from mimir_engine.study.stack import SPACING_TOLERANCE
from mimir_engine.study.volume import Volume, spacing_of

#: Size of everything between header and voxels in bytes; the names of 117 labels take 20,000.
MAX_EXTENSION_BYTES = 4 << 20
#: Size of an extension's own header in bytes; sizes of extensions are multiples of twice that.
_EXTENSION_HEADER_BYTES = 8
#: Number of axes that the format allows.
MAX_AXES = 7
#: Distance between the places of a corner by sform and by qform that rounding explains, in mm.
MAX_AFFINE_DIFFERENCE_MM = 0.5
#: Codes of spatial units: their length in mm. Unknown ones are taken as mm.
UNITS_MM = {0: 1.0, 1: 1000.0, 2: 1.0, 3: 0.001}
#: Codes of sform and qform that say where a volume is; all others say that it is not known.
FORM_CODES = range(1, 6)
#: Code for coordinates of the scanner.
SCANNER_CODE = 1
#: Code of an extension of no registered kind: that of the names of labels in TotalSegmentator's and
#: Connectome Workbench's files.
TEXT_CODE = 0
#: From the format's RAS to LPS, and back.
_RAS_TO_LPS = np.diag([-1.0, -1.0, 1.0, 1.0])


def nifti_header_kind(front: bytes) -> Any:
    """Return nibabel's class for the header of a NIfTI file; None if the file is none.

    Args:
        front: First bytes of the file, at least 348 if it has them.

    Raises:
        MimirError: ``EXTRA_MISSING`` without nibabel; ``VOLUME_UNREADABLE`` if the file is a header
            without voxels.
    """
    first, second = front[344:348], front[4:8]
    if first == b"ni1\0" or second == b"ni2\0":
        raise volume_error("VOLUME_UNREADABLE", "its voxels are in another file (.hdr and .img)")
    if first != b"n+1\0" and second != b"n+2\0":
        return None
    require("nifti")
    from nibabel.nifti1 import Nifti1Header
    from nibabel.nifti2 import Nifti2Header

    return Nifti1Header if first == b"n+1\0" else Nifti2Header


def read_nifti_header(stream: IO[bytes], kind: Any) -> VolumeHeader:
    """Read a header up to the first voxel.

    Args:
        stream: Stands at its beginning.
        kind: nibabel's class of the header.

    Raises:
        MimirError: ``VOLUME_UNREADABLE``, ``VOLUME_NOT_SCALAR``, ``VOLUME_GEOMETRY``.
    """
    content = bytearray(kind.template_dtype.itemsize)
    read_exactly(stream, content)
    header = kind(bytes(content), check=False)
    axes = int(header["dim"][0])
    if not 1 <= axes <= MAX_AXES:
        raise volume_error("VOLUME_UNREADABLE", f"its header says that it has {axes} axes")
    sizes = [int(size) for size in header["dim"][1 : axes + 1]]
    shape = spatial_shape(sizes, range(min(axes, 3)))
    slope, intercept = _scale(header)
    return VolumeHeader(
        shape,
        _dtype(header),
        _affine(header, shape),
        slope,
        intercept,
        _extensions(stream, header),
    )


def nifti_header(volume: Volume, extension: str = "") -> bytes:
    """Return the header of a volume whose rows and columns follow in reverse: RAS+.

    Args:
        volume: Of float32, uint8 or uint16.
        extension: Text for the header.

    Raises:
        MimirError: ``EXTRA_MISSING`` without nibabel.
    """
    require("nifti")
    from nibabel.nifti1 import Nifti1Extension, Nifti1Header

    slices, rows, columns = volume.array.shape
    reversing = np.diag([-1.0, -1.0, 1.0, 1.0])
    reversing[:2, 3] = columns - 1, rows - 1
    affine = _RAS_TO_LPS @ volume.affine @ reversing
    header = Nifti1Header(endianness="<")
    header.set_data_shape((columns, rows, slices))
    header.set_data_dtype(volume.array.dtype)
    header.set_slope_inter(1.0, 0.0)
    header.set_xyzt_units("mm")
    header.set_qform(affine, SCANNER_CODE)
    header.set_sform(affine, SCANNER_CODE)
    if extension:
        header.extensions.append(Nifti1Extension(TEXT_CODE, extension.encode("utf-8")))
    content = io.BytesIO()
    header.write_to(content)
    return content.getvalue()


def _dtype(header: Any) -> np.dtype:
    try:
        dtype: np.dtype = header.get_data_dtype()
    except KeyError:
        dtype = np.dtype("V")
    check_dtype(dtype)
    return dtype


def _scale(header: Any) -> tuple[float, float]:
    """Return slope and intercept: 1 and 0 if the slope is 0 or not finite, as the format says."""
    slope, intercept = float(header["scl_slope"]), float(header["scl_inter"])
    if slope == 0 or not np.isfinite(slope):
        return 1.0, 0.0
    if not np.isfinite(intercept):
        raise volume_error("VOLUME_UNREADABLE", "its scale factors are not numbers")
    return slope, intercept


def _affine(header: Any, shape: tuple[int, int, int]) -> np.ndarray:
    """Return the affine to LPS millimetres: the sform, or else the qform; both must agree."""
    has_sform, has_qform = (int(header[f]) in FORM_CODES for f in ("sform_code", "qform_code"))
    unit = UNITS_MM.get(int(header["xyzt_units"]) % 8)
    if unit is None:
        raise _misplaced("its unit of length is not known")
    if not has_sform and not has_qform:
        raise _misplaced("it does not say where in the patient it is (sform and qform code 0)")
    scale = np.diag([unit, unit, unit, 1.0])
    sform = scale @ header.get_sform() if has_sform else None
    qform = scale @ _qform(header) if has_qform else None
    if sform is None:
        return _RAS_TO_LPS @ qform
    if qform is not None and not _agree(sform, qform, shape):
        raise _misplaced("its two affines, sform and qform, contradict each other")
    pixdim = unit * np.abs(np.array(header["pixdim"][1:4], np.float64))
    if not np.allclose(pixdim, spacing_of(sform), rtol=SPACING_TOLERANCE, atol=0):
        shown = [" x ".join(f"{mm:.3g}" for mm in each) for each in (pixdim, spacing_of(sform))]
        what = f"its header says {shown[0]} mm for a voxel, but its affine {shown[1]} mm"
        raise _misplaced(what)
    return _RAS_TO_LPS @ sform


def _qform(header: Any) -> np.ndarray:
    from nibabel.spatialimages import HeaderDataError

    if header["pixdim"][0] == 0:  # as many programs write; the format takes it as 1
        header["pixdim"][0] = 1
    try:
        affine: np.ndarray = header.get_qform()
        return affine
    except (HeaderDataError, ValueError) as error:
        raise _misplaced("its qform is not a rotation") from error


def _agree(one: np.ndarray, other: np.ndarray, shape: tuple[int, int, int]) -> bool:
    """Return whether two affines put the corners of a volume at the same places."""
    corners = np.array(list(np.ndindex(2, 2, 2))) * (np.array(shape) - 1)
    difference = one - other
    apart_mm = np.abs(corners @ difference[:3, :3].T + difference[:3, 3]).max()
    return bool(apart_mm <= MAX_AFFINE_DIFFERENCE_MM)


def _extensions(stream: IO[bytes], header: Any) -> tuple[str, ...]:
    """Read up to the first voxel; return the extensions that are text."""
    offset, begun = float(header["vox_offset"]), header.template_dtype.itemsize
    if not 0 < offset - begun <= MAX_EXTENSION_BYTES or not offset.is_integer():
        raise volume_error("VOLUME_UNREADABLE", "its header says that voxels begin elsewhere")
    content = bytearray(int(offset) - begun)
    read_exactly(stream, content)
    texts = []
    at = 4
    while content[0] and at + 2 * _EXTENSION_HEADER_BYTES <= len(content):
        (size,) = struct.unpack_from(f"{header.endianness}i", content, at)
        if size < 2 * _EXTENSION_HEADER_BYTES or at + size > len(content):
            raise volume_error("VOLUME_UNREADABLE", "an extension of its header is damaged")
        value = bytes(content[at + _EXTENSION_HEADER_BYTES : at + size]).rstrip(b"\0")
        with suppress(UnicodeDecodeError):  # it is not text
            texts.append(value.decode("utf-8"))
        at += size
    return tuple(texts)


def _misplaced(what: str) -> MimirError:
    return volume_error("VOLUME_GEOMETRY", what)
