"""Read the pixels of slices: from the file through stored values to signal.

All encodings lead to the same stored values: only decompression is left to libraries.
"""

from __future__ import annotations

import io
import warnings
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from itertools import groupby
from math import ceil, prod
from typing import Any, Optional

import numpy as np

from mimir_engine.errors import MimirError
from mimir_engine.headers.deflated import DEFLATED
from mimir_engine.headers.entry_stream import MAX_ITEMS, count_items
from mimir_engine.headers.little_endian import (
    EXPLICIT_LITTLE_ENDIAN,
    IMPLICIT_LITTLE_ENDIAN,
    DataTooShort,
    Unexpected,
    only_pixels,
    pixel_bytes,
)
from mimir_engine.headers.pixel_format import PixelFormat
from mimir_engine.headers.rescale import Rescale
from mimir_engine.headers.slices import Slice
from mimir_engine.study.compressed_pixels import decompressed, unreadable

#: Size in bytes of the decoded pixels of one file, and of those that are kept of several files.
MAX_DECODED_BYTES = 256 * 2**20
#: Size in bytes of the signal of slices that is computed at once, which takes five times as much.
#: UK Biobank's stations have 10 MB as float32.
MAX_BYTES_AT_ONCE = 32 * 2**20
#: Noise in air may be below zero, by no more than this share of the largest signal.
MAX_NEGATIVE_SHARE = 0.1
#: Transfer syntaxes of uncompressed pixels, and their byte order.
_NATIVE = {
    IMPLICIT_LITTLE_ENDIAN: "<",
    EXPLICIT_LITTLE_ENDIAN: "<",
    DEFLATED: "<",
    "1.2.840.10008.1.2.2": ">",
}


@dataclass(frozen=True)
class Signal:
    """The signal of some slices.

    Attributes:
        array: ``[slice, row, column]``; uint16 if all stored values are, and need no scale, else
            float32. Never negative; zero at padding.
        uses_other_bits: Whether bits outside the stored values were set, and ignored.
        has_padding_within: Whether other stored values lie below and above the padding.
        has_negative: Whether values below zero were set to zero.
    """

    array: np.ndarray
    uses_other_bits: bool = False
    has_padding_within: bool = False
    has_negative: bool = False


class DecodedFiles:
    """The files whose frames were decoded last: each multi-frame file is decoded once."""

    def __init__(self) -> None:
        self._frames: dict[int, np.ndarray] = {}

    def frames(self, image: Slice) -> np.ndarray:
        """Return all frames of a slice's file: ``[frame, row, column]``, unsigned integers."""
        if image.frame is None:
            return _frames(image)
        frames = self._frames.get(id(image.entry))
        if frames is None:
            if sum(kept.nbytes for kept in self._frames.values()) > MAX_DECODED_BYTES // 2:
                self._frames.clear()
            frames = self._frames[id(image.entry)] = _frames(image)
        return frames


class PixelRoom:
    """One piece of memory for the images of all stations.

    The system gives a large piece in large pages, which takes a tenth off the time of reading.
    """

    def __init__(self, size: int) -> None:
        """Take ``size`` bytes."""
        self._bytes = np.empty(size, np.uint8)

    def array(self, shape: tuple[int, ...], dtype: np.dtype) -> np.ndarray:
        """Return an array in the part that is left, or outside if it does not fit."""
        size = prod(shape) * dtype.itemsize
        if size > len(self._bytes):
            return np.empty(shape, dtype)
        own, self._bytes = self._bytes[:size], self._bytes[size:]
        return own.view(dtype).reshape(shape)


def room_for(images: Iterable[Sequence[Slice]]) -> PixelRoom:
    """Return room for images whose signal is their stored values; others take their own."""
    return PixelRoom(sum(signal_bytes(i) for i in images if _dtype(i) == np.uint16))


def load_slices(
    slices: Sequence[Slice],
    files: Optional[DecodedFiles] = None,
    room: Optional[PixelRoom] = None,
) -> Signal:
    """Read the signal of one or more slices of one size, in the order given.

    Args:
        slices: The slices.
        files: Files that other slices may share; they live as long as it.
        room: Where the signal is put if it is that of ``room_for``.

    Raises:
        MimirError: ``PIXELS_TRUNCATED``, ``PIXELS_UNREADABLE``, ``PIXELS_UNSUPPORTED``, and any
            error of ``Entry.read``.
    """
    signal = _scaled(slices, files or DecodedFiles(), room)
    lowest = 0.0 if signal.array.dtype == np.uint16 else float(signal.array.min(initial=0))
    if lowest == 0:
        return signal
    if lowest < -MAX_NEGATIVE_SHARE * float(signal.array.max(initial=0)):
        raise MimirError(
            "PIXELS_UNSUPPORTED",
            f"the signal of series '{slices[0].series.description}' is negative, down to"
            f" {lowest:.4g}: it is not a magnitude image",
            "Export the magnitude images with their original scaling.",
        )
    return replace(signal, array=np.maximum(signal.array, 0, out=signal.array), has_negative=True)


def first_difference(
    pairs: Sequence[tuple[Slice, Slice]], files: Optional[DecodedFiles] = None
) -> Optional[Slice]:
    """Return the first slice whose signal is not that of its partner; None if all are equal.

    Args:
        pairs: Slices and their partners.
        files: As in ``load_slices``.

    Raises:
        MimirError: As ``load_slices``.
    """
    files = files or DecodedFiles()
    for _, group in groupby(pairs, key=lambda both: [(s.rows, s.columns) for s in both]):
        ones, others = zip(*group)
        for part in _parts(ones):
            both = zip(_scaled(ones[part], files).array, _scaled(others[part], files).array)
            for image, (one, other) in zip(ones[part], both):
                if not np.array_equal(one, other):
                    return image
    return None


def signal_bytes(slices: Sequence[Slice]) -> int:
    """Return the size of the signal of slices of one size, as ``load_slices`` returns it."""
    return len(slices) * slices[0].rows * slices[0].columns * _dtype(slices).itemsize


def _dtype(slices: Sequence[Slice]) -> np.dtype:
    """Return the type of the signal of slices, before they are read."""
    kinds = {(s.series.pixel_format, s.rescale) for s in slices}
    is_stored = all(form.is_uint16 and rescale.is_identity for form, rescale in kinds)
    return np.dtype(np.uint16 if is_stored else np.float32)


def _parts(slices: Sequence[Slice]) -> list[slice]:
    """Divide slices so that each part's signal has at most ``MAX_BYTES_AT_ONCE``."""
    count = min(len(slices), ceil(signal_bytes(slices) / MAX_BYTES_AT_ONCE))
    size = ceil(len(slices) / count)
    return [slice(start, start + size) for start in range(0, len(slices), size)]


def _scaled(
    slices: Sequence[Slice], files: DecodedFiles, room: Optional[PixelRoom] = None
) -> Signal:
    """Read the signal of slices, which may be negative."""
    parts = _parts(slices)
    if len(parts) == 1:
        return _scaled_at_once(slices, files, room if _dtype(slices) == np.uint16 else None)
    array = np.empty((len(slices), slices[0].rows, slices[0].columns), _dtype(slices))
    uses_other_bits = has_padding_within = False
    for part in parts:
        signal = _scaled_at_once(slices[part], files)
        array[part] = signal.array
        uses_other_bits |= signal.uses_other_bits
        has_padding_within |= signal.has_padding_within
    return Signal(array, uses_other_bits, has_padding_within)


def _scaled_at_once(
    slices: Sequence[Slice], files: DecodedFiles, room: Optional[PixelRoom] = None
) -> Signal:
    formats = {s.series.pixel_format for s in slices}
    scales = {s.rescale for s in slices}
    raw = _read_raw(slices, max(f.allocated for f in formats), files, room or PixelRoom(0))
    if len(formats) == len(scales) == 1:
        return _signal(raw, formats.pop(), scales.pop())
    parts = [
        _signal(raw[k : k + 1], s.series.pixel_format, s.rescale) for k, s in enumerate(slices)
    ]
    return Signal(
        np.concatenate([part.array for part in parts]),
        any(part.uses_other_bits for part in parts),
        any(part.has_padding_within for part in parts),
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
    if padding is None or not padding.any():
        return Signal(array, uses_other_bits)
    array[padding] = 0
    below, above = form.beside_padding(values)
    return Signal(array, uses_other_bits, below and above)


def _read_raw(
    slices: Sequence[Slice], bits: int, files: DecodedFiles, room: PixelRoom
) -> np.ndarray:
    """Read the pixels of slices as unsigned integers of the given number of bits."""
    shape = len(slices), slices[0].rows, slices[0].columns
    raw = room.array(shape, np.dtype(f"u{bits // 8}"))
    by_file: dict[int, list[int]] = {}
    for place, image in enumerate(slices):
        by_file.setdefault(id(image.entry), []).append(place)
    for places in by_file.values():
        frames = files.frames(slices[places[0]])
        for place in places:
            image, index = slices[place], slices[place].frame or 0
            if frames.shape[1:] != (image.rows, image.columns) or index >= len(frames):
                raise unreadable(image, f"their shape is {frames.shape}")
            raw[place] = frames[index]
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
        raise unreadable(image, "unexpected encoding") from None
    return _native(value, 1, image, "<")


def _native(value: Any, frames: int, image: Slice, byte_order: str) -> np.ndarray:
    """Return uncompressed pixels; refuse more or fewer than the header declares."""
    bytes_ = image.series.pixel_format.allocated // 8
    size = frames * image.rows * image.columns * bytes_
    if len(value) < size:
        raise _truncated(image)
    if len(value) > size:
        raise unreadable(image, f"more than {frames} x {image.rows} x {image.columns} values")
    array = np.frombuffer(value, f"{byte_order}u{bytes_}")
    return array.reshape(frames, image.rows, image.columns)


def _pydicom_frames(image: Slice) -> np.ndarray:
    """Read the frames of a file in any encoding with pydicom."""
    import pydicom

    content = _described(image)
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            dataset = pydicom.dcmread(io.BytesIO(content))
        syntax = str(dataset.file_meta.TransferSyntaxUID)
        frames = int(dataset.get("NumberOfFrames") or 1)
        value = dataset.PixelData
    except MemoryError:
        raise
    except Exception as error:  # pydicom raises many kinds on damaged files
        raise unreadable(image, type(error).__name__) from error
    if not isinstance(value, bytes):  # an empty element, or a text
        raise unreadable(image, "no values")
    pixels = frames * image.rows * image.columns
    if pixels * image.series.pixel_format.allocated // 8 > MAX_DECODED_BYTES:
        raise unreadable(image, f"more than {MAX_DECODED_BYTES // 2**20} MB")
    if syntax in _NATIVE:
        return _native(value, frames, image, _NATIVE[syntax])
    return decompressed(value, syntax, frames, image)


def _described(image: Slice) -> bytes:
    """Return a slice's file, in most encodings with nothing but its pixels."""
    content = image.entry.read(-1)
    pixels = only_pixels(content)
    if pixels is None and count_items(content) > MAX_ITEMS:
        raise unreadable(image, f"more than {MAX_ITEMS:,} items")
    return content if pixels is None else pixels


def _truncated(image: Slice) -> MimirError:
    return MimirError(
        "PIXELS_TRUNCATED",
        f"the pixels of file '{image.entry.shown}' of series '{image.series.description}' are cut"
        " off",
        "Export or download the study again.",
    )
