"""Read the pixels of slices: stored values through the modality LUT to signal."""

from __future__ import annotations

import io
import warnings
from collections.abc import Sequence
from itertools import groupby

import numpy as np

from mimir_engine.errors import MimirError
from mimir_engine.study.explicit_vr import DataTooShort, NotExplicitVR, pixel_bytes
from mimir_engine.study.slices import Rescale, Slice

#: Size of the decoded pixels of one file in bytes.
MAX_DECODED_BYTES = 512 * 2**20


def load_slices(slices: Sequence[Slice]) -> np.ndarray:
    """Read the signal of one or more slices of one size.

    Returns:
        ``[slice, row, column]`` in the order given; uint16 if all stored values are, and the
        modality LUT is the identity, else float32.

    Raises:
        MimirError: ``PIXELS_TRUNCATED``, ``PIXELS_UNREADABLE``, and any error of ``Entry.read``.
    """
    stored = all(s.header_end is not None and s.rescale.is_identity for s in slices)
    shape = (len(slices), slices[0].rows, slices[0].columns)
    volume = np.empty(shape, np.uint16 if stored else np.float32)
    targets = iter(volume)
    for _, file_slices in groupby(slices, key=lambda s: id(s.entry)):
        images = list(file_slices)
        frames = _frames(images[0])
        for image in images:
            pixels = _frame(frames, image)
            next(targets)[:] = pixels if stored else _signal(pixels, image.rescale)
    if not stored and not np.isfinite(volume).all():
        raise _unreadable(slices[0], "they contain values that are not finite")
    return volume


def _signal(pixels: np.ndarray, rescale: Rescale) -> np.ndarray:
    """Apply the linear modality LUT (PS3.3 C.11.1.1.2) in single precision."""
    return pixels.astype(np.float32) * np.float32(rescale.slope) + np.float32(rescale.intercept)


def _frame(frames: np.ndarray, image: Slice) -> np.ndarray:
    index = image.frame or 0
    if frames.shape[1:] != (image.rows, image.columns) or index >= len(frames):
        raise _unreadable(image, f"their shape is {frames.shape}")
    return frames[index]


def _frames(image: Slice) -> np.ndarray:
    """Read all frames of a slice's file: ``[frame, row, column]``."""
    if image.header_end is None:
        return _decode(image)
    size = image.rows * image.columns * 2
    try:
        value = pixel_bytes(image.entry.read(-1), image.header_end)
        if len(value) < size:
            raise DataTooShort
    except DataTooShort:
        raise MimirError(
            "PIXELS_TRUNCATED",
            f"the pixels of file '{image.entry.name}' of series '{image.description}' are cut off",
            "Export or download the study again.",
        ) from None
    except NotExplicitVR:
        raise _unreadable(image, "unexpected encoding") from None
    if len(value) > size:
        raise _unreadable(image, f"more than {image.rows} x {image.columns} values")
    return np.frombuffer(value, "<u2").reshape(1, image.rows, image.columns)


def _decode(image: Slice) -> np.ndarray:
    """Decode the frames of a file in any encoding with pydicom."""
    import pydicom

    content = io.BytesIO(image.entry.read(-1))
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            dataset = pydicom.dcmread(content)
            frames = int(dataset.get("NumberOfFrames") or 1)
            bits = frames * int(dataset.Rows) * int(dataset.Columns) * int(dataset.BitsAllocated)
            if bits // 8 > MAX_DECODED_BYTES:
                raise _unreadable(image, f"more than {MAX_DECODED_BYTES // 2**20} MB")
            pixels = np.asarray(dataset.pixel_array)
    except MimirError:
        raise
    except Exception as error:  # pydicom and its plugins raise many kinds
        raise _unreadable(image, type(error).__name__) from error
    return pixels[np.newaxis] if pixels.ndim == 2 else pixels


def _unreadable(image: Slice, reason: str) -> MimirError:
    return MimirError(
        "PIXELS_UNREADABLE",
        f"the pixels of file '{image.entry.name}' of series '{image.description}'"
        f" cannot be decoded ({reason})",
        "If they are compressed, install the decoders: pip install 'mimir-engine[compressed]'.",
    )
