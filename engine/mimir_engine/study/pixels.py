"""Pixels of slices: stored values through the modality LUT to signal."""

from __future__ import annotations

import io
import warnings
from collections.abc import Sequence

import numpy as np

from mimir_engine.errors import MimirError
from mimir_engine.study.explicit import NeedMore, NotPlain, pixel_bytes
from mimir_engine.study.header import Rescale, Slice
from mimir_engine.study.source import Entry


def load_slices(slices: Sequence[Slice]) -> np.ndarray:
    """Signal of slices of one size: ``[slice, row, column]``, in the order given.

    Returns:
        uint16 where all stored values are such and the modality LUT is the identity, else float32.

    Raises:
        MimirError: ``PIXELS_TRUNCATED``, ``PIXELS_UNREADABLE``, ``ZIP_DAMAGED``,
            ``FILE_UNREADABLE``.
    """
    stored = all(s.is_plain and s.rescale.is_identity for s in slices)
    shape = (len(slices), slices[0].rows, slices[0].columns)
    volume = np.empty(shape, np.uint16 if stored else np.float32)
    decoder = _Decoder()
    for target, record in zip(volume, slices):
        pixels = _plain_pixels(record) if record.is_plain else decoder.frame(record)
        target[:] = pixels if stored else _signal(pixels, record.rescale)
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
        raise _undecodable(record, "unexpected encoding") from None
    if len(value) < size:
        raise _truncated(record)
    return np.frombuffer(value[:size], "<u2").reshape(record.rows, record.columns)


class _Decoder:
    """Frames through pydicom and its plugins; keeps the last file, whose frames come together."""

    def __init__(self) -> None:
        self._entry: object = None
        self._pixels = np.empty(0)

    def frame(self, record: Slice) -> np.ndarray:
        if self._entry is not record.entry:
            self._pixels = _decode(record)
            self._entry = record.entry
        pixels = self._pixels if record.frame is None else self._pixels[record.frame]
        if pixels.shape != (record.rows, record.columns):
            raise _undecodable(record, f"its pixels have the shape {pixels.shape}")
        return pixels


def _decode(record: Slice) -> np.ndarray:
    import pydicom

    entry: Entry = record.entry
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        try:
            dataset = pydicom.dcmread(io.BytesIO(entry.read(-1)))
            pixels: np.ndarray = dataset.pixel_array
        except MimirError:
            raise
        except Exception as error:  # pydicom and its plugins raise many kinds
            raise _undecodable(record, type(error).__name__) from error
    frames = int(dataset.get("NumberOfFrames") or 1)
    if record.frame is not None and frames == 1:
        return pixels[np.newaxis]
    return pixels


def _truncated(record: Slice) -> MimirError:
    return MimirError(
        "PIXELS_TRUNCATED",
        f"file '{record.entry.name}' of series '{record.description}' ends within its pixels",
        "Export or download the study again.",
    )


def _undecodable(record: Slice, reason: str) -> MimirError:
    return MimirError(
        "PIXELS_UNREADABLE",
        f"the pixels of file '{record.entry.name}' of series '{record.description}'"
        f" cannot be decoded ({reason})",
        "For compressed images install the extra: pip install 'mimir-engine[compressed]'.",
    )
