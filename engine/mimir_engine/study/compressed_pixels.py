"""Decompress the pixels of a slice's file, and say why they cannot be."""

from __future__ import annotations

from typing import Optional

import numpy as np

from mimir_engine.decoding import StreamRefused, compression_name, decoded, has_decoder
from mimir_engine.errors import MimirError
from mimir_engine.headers.slices import Slice


def decompressed(value: bytes, syntax: str, frames: int, image: Slice) -> np.ndarray:
    """Return the frames of a file with compressed pixels.

    Args:
        value: Its encapsulated PixelData.
        syntax: Its transfer syntax.
        frames: Its number of frames.
        image: A slice of the file.

    Returns:
        ``[frame, row, column]``, unsigned integers.

    Raises:
        MimirError: ``PIXELS_UNREADABLE``.
    """
    form = image.series.pixel_format
    if form.high_bit != form.stored - 1:  # encoders differ in what they make of such values
        raise unreadable(image, f"highest bit {form.high_bit}", syntax)
    try:
        return decoded(value, syntax, (frames, image.rows, image.columns), form)
    except StreamRefused as error:
        raise unreadable(image, str(error), syntax) from None
    except MemoryError:
        raise
    except Exception as error:  # pydicom and the decoders raise many kinds
        _check_memory(image)
        raise unreadable(image, type(error).__name__, syntax) from error


def unreadable(image: Slice, reason: str, syntax: Optional[str] = None) -> MimirError:
    """Describe pixels that cannot be decoded; ``syntax`` if they are compressed."""
    what = (
        f"the pixels of file '{image.entry.shown}' of series '{image.series.description}'"
        f" cannot be decoded ({reason})"
    )
    if syntax is None:
        return MimirError("PIXELS_UNREADABLE", what, "Export or download the study again.")
    compression = f"compressed as {compression_name(syntax) or 'an unknown kind'}, {syntax}"
    remedy = "Export the study uncompressed (explicit VR little endian)"
    if not has_decoder(syntax):
        remedy += ", or install a decoder: pip install 'mimir-engine[compressed]'"
    return MimirError("PIXELS_UNREADABLE", f"{what}; they are {compression}", f"{remedy}.")


def _check_memory(image: Slice) -> None:
    """Raise MemoryError if memory is short: decoders hide it behind errors of their own."""
    bytearray(4 * image.rows * image.columns * image.series.pixel_format.allocated // 8)
