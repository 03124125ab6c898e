"""Pixels of slices: stored values through the modality LUT to signal."""

from __future__ import annotations

import io
import warnings
from collections.abc import Sequence
from typing import Any, Optional

import numpy as np

from mimir_engine.errors import MimirError
from mimir_engine.study.explicit_vr import NeedMore, NotPlain, pixel_bytes
from mimir_engine.study.slices import Rescale, Slice
from mimir_engine.study.source import Entry

#: Most bytes that the pixels of one file may decode to.
MOST_DECODED_BYTES = 512 * 2**20


def load_slices(slices: Sequence[Slice]) -> np.ndarray:
    """Signal of slices of one size: ``[slice, row, column]``, in the order given.

    Returns:
        uint16 where all stored values are such and the modality LUT is the identity, else float32.

    Raises:
        MimirError: ``PIXELS_TRUNCATED``, ``PIXELS_UNREADABLE``, and whatever reading the entries
            raises.
    """
    stored = all(s.is_plain and s.rescale.is_identity for s in slices)
    shape = (len(slices), slices[0].rows, slices[0].columns)
    volume = np.empty(shape, np.uint16 if stored else np.float32)
    decoder = _Decoder()
    for target, record in zip(volume, slices):
        pixels = _plain_pixels(record) if record.is_plain else decoder.pixels(record)
        target[:] = pixels if stored else _signal(pixels, record.rescale)
    if not stored and not np.isfinite(volume).all():
        raise _unreadable(slices[0], "some are not finite numbers")
    return volume


def _signal(pixels: np.ndarray, rescale: Rescale) -> np.ndarray:
    """The modality LUT's linear form (PS3.3 C.11.1.1.2)."""
    return pixels.astype(np.float32) * np.float32(rescale.slope) + np.float32(rescale.intercept)


def _plain_pixels(record: Slice) -> np.ndarray:
    size = record.rows * record.columns * 2
    try:
        value = pixel_bytes(record.entry.read(-1), record.header_end or 0)
    except NeedMore:
        raise _truncated(record) from None
    except NotPlain:
        raise _unreadable(record, "unexpected encoding") from None
    if len(value) < size:
        raise _truncated(record)
    if len(value) > size:
        raise _unreadable(record, f"more than {record.rows} x {record.columns} values")
    return np.frombuffer(value, "<u2").reshape(record.rows, record.columns)


class _Decoder:
    """Frames through pydicom and its plugins; keeps the last file, whose frames come together."""

    def __init__(self) -> None:
        self._entry: Optional[Entry] = None
        self._frames: np.ndarray = np.empty((0, 0, 0))

    def pixels(self, record: Slice) -> np.ndarray:
        if self._entry is not record.entry:
            self._frames = _decode(record)
            self._entry = record.entry
        index = record.frame or 0
        if self._frames.shape[1:] != (record.rows, record.columns) or index >= len(self._frames):
            raise _unreadable(record, f"their shape is {self._frames.shape}")
        return self._frames[index]


def _decode(record: Slice) -> np.ndarray:
    """All frames of a file: ``[frame, row, column]``."""
    import pydicom

    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        try:
            dataset = pydicom.dcmread(io.BytesIO(record.entry.read(-1)))
            if _decoded_bytes(dataset) > MOST_DECODED_BYTES:
                raise _unreadable(record, f"more than {MOST_DECODED_BYTES // 2**20} MB")
            pixels = np.asarray(dataset.pixel_array)
        except MimirError:
            raise
        except Exception as error:  # pydicom and its plugins raise many kinds
            raise _unreadable(record, type(error).__name__) from error
    return pixels[np.newaxis] if pixels.ndim == 2 else pixels


def _decoded_bytes(dataset: Any) -> int:
    frames = int(dataset.get("NumberOfFrames") or 1)
    return frames * int(dataset.Rows) * int(dataset.Columns) * int(dataset.BitsAllocated) // 8


def _truncated(record: Slice) -> MimirError:
    return MimirError(
        "PIXELS_TRUNCATED",
        f"file '{record.entry.name}' of series '{record.description}' ends within its pixels",
        "Export or download the study again.",
    )


def _unreadable(record: Slice, reason: str) -> MimirError:
    return MimirError(
        "PIXELS_UNREADABLE",
        f"the pixels of file '{record.entry.name}' of series '{record.description}'"
        f" cannot be decoded ({reason})",
        "For compressed images install the extra: pip install 'mimir-engine[compressed]'.",
    )
