"""Read the pixels of slices: from the file through stored values to signal.

All encodings lead to the same stored values: only decompression is left to pydicom.
"""

from __future__ import annotations

import io
import warnings
from collections.abc import Sequence
from dataclasses import dataclass, replace
from importlib.util import find_spec
from itertools import groupby
from typing import Any, Optional

import numpy as np

from mimir_engine.errors import MimirError
from mimir_engine.headers.little_endian import DataTooShort, Unexpected, pixel_bytes
from mimir_engine.headers.pixel_format import PixelFormat
from mimir_engine.headers.rescale import Rescale
from mimir_engine.headers.slices import Slice
from mimir_engine.study.jpeg_size import jpeg_sizes

#: Size of the decoded pixels of one file in bytes.
MAX_DECODED_BYTES = 512 * 2**20
#: Noise in air may be below zero, by no more than this share of the largest signal.
MAX_NEGATIVE_SHARE = 0.1
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


@dataclass(frozen=True)
class Signal:
    """The signal of some slices.

    Attributes:
        array: ``[slice, row, column]``; uint16 if all stored values are, and need no scale, else
            float32. Never negative; zero at padding.
        uses_other_bits: Whether bits outside the stored values were set, and ignored.
        has_negative: Whether values below zero were set to zero.
    """

    array: np.ndarray
    uses_other_bits: bool = False
    has_negative: bool = False


def load_slices(slices: Sequence[Slice]) -> Signal:
    """Read the signal of one or more slices of one size, in the order given.

    Raises:
        MimirError: ``PIXELS_TRUNCATED``, ``PIXELS_UNREADABLE``, ``PIXELS_UNSUPPORTED``, and any
            error of ``Entry.read``.
    """
    signal = _scaled(slices)
    lowest = 0.0 if signal.array.dtype == np.uint16 else float(signal.array.min(initial=0))
    if lowest < -MAX_NEGATIVE_SHARE * float(signal.array.max(initial=0)):
        raise MimirError(
            "PIXELS_UNSUPPORTED",
            f"the signal of series '{slices[0].series.description}' is negative, down to"
            f" {lowest:.4g}: it is not a magnitude image",
            "Export the magnitude images with their original scaling.",
        )
    if lowest == 0:
        return signal
    return replace(signal, array=np.maximum(signal.array, 0, out=signal.array), has_negative=True)


def first_difference(pairs: Sequence[tuple[Slice, Slice]]) -> Optional[Slice]:
    """Return the first slice whose signal is not that of its partner; None if all are equal.

    Raises:
        MimirError: As ``load_slices``.
    """
    for _, group in groupby(pairs, key=lambda both: [(s.rows, s.columns) for s in both]):
        ones, others = zip(*group)
        for image, one, other in zip(ones, _scaled(ones).array, _scaled(others).array):
            if not np.array_equal(one, other):
                return image
    return None


def _scaled(slices: Sequence[Slice]) -> Signal:
    """Read the signal of slices, which may be negative."""
    formats = {s.series.pixel_format for s in slices}
    scales = {s.rescale for s in slices}
    raw = _read_raw(slices, max(f.allocated for f in formats))
    if len(formats) == len(scales) == 1:
        return _signal(raw, formats.pop(), scales.pop())
    parts = [
        _signal(raw[k : k + 1], s.series.pixel_format, s.rescale) for k, s in enumerate(slices)
    ]
    return Signal(
        np.concatenate([part.array for part in parts]),
        any(part.uses_other_bits for part in parts),
    )


def _signal(raw: np.ndarray, form: PixelFormat, rescale: Rescale) -> Signal:
    """Turn pixels as they lie in the file into signal."""
    raw = raw.astype(f"u{form.allocated // 8}", copy=False)
    values, uses_other_bits = form.stored_values(raw)
    padding = form.is_padding(values)
    if form.is_uint16 and rescale.is_identity:
        array = values.astype(np.uint16, copy=False)
    else:
        array = rescale.signal(values)
    if padding is not None:
        array[padding] = 0
    return Signal(array, uses_other_bits)


def _read_raw(slices: Sequence[Slice], bits: int) -> np.ndarray:
    """Read the pixels of slices as unsigned integers of the given number of bits."""
    raw = np.empty((len(slices), slices[0].rows, slices[0].columns), f"u{bits // 8}")
    targets = iter(raw)
    for _, file_slices in groupby(slices, key=lambda s: id(s.entry)):
        images = list(file_slices)
        frames = _frames(images[0])
        for image in images:
            index = image.frame or 0
            if frames.shape[1:] != (image.rows, image.columns) or index >= len(frames):
                raise _unreadable(image, f"their shape is {frames.shape}")
            next(targets)[:] = frames[index]
    return raw


def _frames(image: Slice) -> np.ndarray:
    """Read all frames of a slice's file: ``[frame, row, column]``, unsigned integers."""
    if image.pixels is None:
        return _pydicom_frames(image)
    try:
        value = pixel_bytes(image.entry.read(-1), image.pixels)
    except DataTooShort:
        raise _truncated(image) from None
    except Unexpected:
        raise _unreadable(image, "unexpected encoding") from None
    return _native(value, 1, image, "<")


def _native(value: Any, frames: int, image: Slice, byte_order: str) -> np.ndarray:
    """Return uncompressed pixels; refuse more or fewer than the header declares."""
    bytes_ = image.series.pixel_format.allocated // 8
    size = frames * image.rows * image.columns * bytes_
    if len(value) < size:
        raise _truncated(image)
    if len(value) > size:
        raise _unreadable(image, f"more than {frames} x {image.rows} x {image.columns} values")
    array = np.frombuffer(value, f"{byte_order}u{bytes_}")
    return array.reshape(frames, image.rows, image.columns)


def _pydicom_frames(image: Slice) -> np.ndarray:
    """Read the frames of a file in any encoding with pydicom."""
    import pydicom

    content = io.BytesIO(image.entry.read(-1))
    syntax: Optional[str] = None
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            # pydicom cuts run-length encoded pixels that are more than the header declares.
            warnings.filterwarnings("error", message=".*RLE segment contains")
            dataset = pydicom.dcmread(content)
            transfer_syntax = dataset.file_meta.TransferSyntaxUID
            frames = int(dataset.get("NumberOfFrames") or 1)
            bytes_ = frames * image.rows * image.columns * image.series.pixel_format.allocated // 8
            if bytes_ > MAX_DECODED_BYTES:
                raise _unreadable(image, f"more than {MAX_DECODED_BYTES // 2**20} MB")
            if not transfer_syntax.is_compressed or transfer_syntax.is_deflated:
                order = "<" if transfer_syntax.is_little_endian else ">"
                return _native(dataset.PixelData, frames, image, order)
            syntax = str(transfer_syntax)
            if syntax.startswith(_HIGH_THROUGHPUT) and not _is_high_throughput(dataset.PixelData):
                raise _unreadable(image, "another kind of stream", syntax)
            for size in jpeg_sizes(dataset.PixelData) if syntax.startswith(_JPEG) else ():
                if size != (image.rows, image.columns):
                    raise _unreadable(image, f"their streams have the size {size}", syntax)
            pixels = np.asarray(dataset.pixel_array)
    except MimirError:
        raise
    except Exception as error:  # pydicom and its plugins raise many kinds
        raise _unreadable(image, type(error).__name__, syntax) from error
    form = image.series.pixel_format
    if pixels.dtype.kind not in "iu" or form.high_bit != form.stored - 1:
        raise _unreadable(image, f"{pixels.dtype}, highest bit {form.high_bit}", syntax)
    unsigned = pixels.view(pixels.dtype.str.replace("i", "u"))
    return unsigned[np.newaxis] if pixels.ndim == 2 else unsigned


def _is_high_throughput(content: bytes) -> bool:
    """Return whether encapsulated pixels begin with a high-throughput JPEG 2000 stream."""
    start = content.find(_START_AND_SIZE) + len(_START_AND_SIZE)
    size = int.from_bytes(content[start : start + 2], "big")
    return start >= len(_START_AND_SIZE) and content.startswith(_CAPABILITIES, start + size)


def _truncated(image: Slice) -> MimirError:
    return MimirError(
        "PIXELS_TRUNCATED",
        f"the pixels of file '{image.entry.name}' of series '{image.series.description}' are cut"
        " off",
        "Export or download the study again.",
    )


def _unreadable(image: Slice, reason: str, syntax: Optional[str] = None) -> MimirError:
    what = (
        f"the pixels of file '{image.entry.name}' of series '{image.series.description}'"
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


def _is_installed(package: str) -> bool:
    module = "gdcm" if package.startswith("mimir") else "openjpeg"
    return find_spec(module) is not None
