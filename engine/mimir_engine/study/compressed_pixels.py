"""Decompress pixels with pydicom, after a look at the streams themselves."""

from __future__ import annotations

import warnings
from importlib.util import find_spec
from typing import Any, Optional

import numpy as np

from mimir_engine.errors import MimirError
from mimir_engine.headers.slices import Slice
from mimir_engine.study.jpeg_size import jpeg_sizes

#: Beginning of the transfer syntaxes of all kinds of JPEG.
_JPEG = "1.2.840.10008.1.2.4."
_HIGH_THROUGHPUT = "1.2.840.10008.1.2.4.20"
#: Marker segments at the beginning of a JPEG 2000 stream: its start and size, and then, only in
#: high-throughput streams, its capabilities (ISO/IEC 15444-1 A.4 and A.5, 15444-15 A.3).
_START_AND_SIZE, _CAPABILITIES = b"\xff\x4f\xff\x51", b"\xff\x50"
#: Beginnings of transfer syntaxes with compressed pixels, their names, and the packages that decode
#: them; empty if none is needed or known.
_COMPRESSIONS = {
    _HIGH_THROUGHPUT: ("high-throughput JPEG 2000", "pylibjpeg pylibjpeg-openjpeg"),
    "1.2.840.10008.1.2.4.9": ("JPEG 2000", "mimir-engine[compressed]"),
    "1.2.840.10008.1.2.4.8": ("JPEG-LS", "mimir-engine[compressed]"),
    "1.2.840.10008.1.2.4.7": ("lossless JPEG", "mimir-engine[compressed]"),
    "1.2.840.10008.1.2.4.5": ("JPEG", "mimir-engine[compressed]"),
    "1.2.840.10008.1.2.4.1": ("MPEG video", ""),
    "1.2.840.10008.1.2.5": ("run-length encoding", ""),
}


def decompressed(dataset: Any, syntax: str, image: Slice) -> np.ndarray:
    """Return the frames of a file with compressed pixels.

    Args:
        dataset: The file as pydicom reads it.
        syntax: Its transfer syntax.
        image: A slice of the file.

    Returns:
        ``[frame, row, column]``, unsigned integers.

    Raises:
        MimirError: ``PIXELS_UNREADABLE``.
    """
    if syntax.startswith(_HIGH_THROUGHPUT) and not _is_high_throughput(dataset.PixelData):
        raise unreadable(image, "another kind of stream", syntax)
    for size in jpeg_sizes(dataset.PixelData) if syntax.startswith(_JPEG) else ():
        if size != (image.rows, image.columns):
            raise unreadable(image, f"their streams have the size {size}", syntax)
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            # pydicom cuts run-length encoded pixels that are more than the header declares.
            warnings.filterwarnings("error", message=".*RLE segment contains")
            pixels = np.asarray(dataset.pixel_array)
    except MemoryError:
        raise
    except Exception as error:  # pydicom and its plugins raise many kinds
        _check_memory(image)
        raise unreadable(image, type(error).__name__, syntax) from error
    form = image.series.pixel_format
    if pixels.dtype.kind not in "iu" or form.high_bit != form.stored - 1:
        raise unreadable(image, f"{pixels.dtype}, highest bit {form.high_bit}", syntax)
    unsigned = pixels.view(pixels.dtype.str.replace("i", "u"))
    return unsigned[np.newaxis] if pixels.ndim == 2 else unsigned


def unreadable(image: Slice, reason: str, syntax: Optional[str] = None) -> MimirError:
    """Describe pixels that cannot be decoded; ``syntax`` if they are compressed."""
    what = (
        f"the pixels of file '{image.entry.shown}' of series '{image.series.description}'"
        f" cannot be decoded ({reason})"
    )
    if syntax is None:
        return MimirError("PIXELS_UNREADABLE", what, "Export or download the study again.")
    kind, package = next(
        (known for start, known in _COMPRESSIONS.items() if syntax.startswith(start)), ("", "")
    )
    remedy = "Export the study uncompressed (explicit VR little endian)"
    if package and not _is_installed(package):
        remedy += f", or install a decoder: pip install '{package}'"
    compression = f"compressed as {kind or 'an unknown kind'}, {syntax}"
    return MimirError("PIXELS_UNREADABLE", f"{what}; they are {compression}", f"{remedy}.")


def _check_memory(image: Slice) -> None:
    """Raise MemoryError if memory is short: pydicom hides it behind an error of its decoders."""
    bytearray(4 * image.rows * image.columns * image.series.pixel_format.allocated // 8)


def _is_high_throughput(content: bytes) -> bool:
    """Return whether encapsulated pixels begin with a high-throughput JPEG 2000 stream."""
    start = content.find(_START_AND_SIZE) + len(_START_AND_SIZE)
    size = int.from_bytes(content[start : start + 2], "big")
    return start >= len(_START_AND_SIZE) and content.startswith(_CAPABILITIES, start + size)


def _is_installed(package: str) -> bool:
    module = "gdcm" if package.startswith("mimir") else "openjpeg"
    return find_spec(module) is not None
