"""Compress pixels of one component with imagecodecs, as DICOM files hold them."""

from __future__ import annotations

import struct
from typing import Any

import numpy as np
import pytest
from dicom_builder import encoded
from pydicom.dataset import Dataset

JPEG, JPEG_12_BIT, ANY_PREDICTOR, JPEG_LOSSLESS = (
    f"1.2.840.10008.1.2.4.{number}" for number in (50, 51, 57, 70)
)
JPEG_LS, JPEG_LS_LOSSY, JPEG_2000, JPEG_2000_LOSSY = (
    f"1.2.840.10008.1.2.4.{number}" for number in (80, 81, 90, 91)
)
HTJ2K, HTJ2K_RPCL, HTJ2K_LOSSY = (f"1.2.840.10008.1.2.4.{number}" for number in (201, 202, 203))
#: Syntaxes whose streams `stream` writes without loss under every version of imagecodecs.
LOSSLESS = (ANY_PREDICTOR, JPEG_LOSSLESS, JPEG_LS, JPEG_2000)


def needs_imagecodecs() -> Any:
    """Return the package, or skip the test."""
    return pytest.importorskip("imagecodecs", reason="imagecodecs is not installed")


def stream(pixels: np.ndarray, syntax: str, bits: int | None = None, predictor: int = 1) -> bytes:
    """Return the stream of an image ``[row, column]``; JPEG-LS has 8 or 16 bits only."""
    import imagecodecs

    bits = bits or 8 * pixels.itemsize
    if syntax in (JPEG, JPEG_12_BIT):
        return bytes(imagecodecs.jpeg8_encode(pixels, level=98, bitspersample=bits))
    if syntax in (ANY_PREDICTOR, JPEG_LOSSLESS):
        unsigned = pixels.view(f"u{pixels.itemsize}") & np.uint16((1 << bits) - 1)
        unsigned = unsigned.astype(np.uint8 if bits <= 8 else np.uint16)
        options = {"lossless": True, "predictor": predictor, "bitspersample": bits}
        return bytes(imagecodecs.jpeg8_encode(unsigned, **options))
    if syntax in (JPEG_LS, JPEG_LS_LOSSY):
        unsigned = pixels.view(f"u{pixels.itemsize}")
        return bytes(imagecodecs.jpegls_encode(unsigned, level=2 * (syntax == JPEG_LS_LOSSY)))
    if syntax in (HTJ2K, HTJ2K_RPCL, HTJ2K_LOSSY):
        return bytes(imagecodecs.htj2k_encode(pixels, reversible=True))
    options = {"codecformat": "J2K", "reversible": True, "level": 0, "bitspersample": bits}
    return bytes(imagecodecs.jpeg2k_encode(pixels, **options))


def encapsulated(*fragments: bytes) -> bytes:
    """Return the value of PixelData; each fragment is filled up with a zero byte if it is odd."""
    even = (fragment + bytes(len(fragment) % 2) for fragment in fragments)
    items = (struct.pack("<HHI", 0xFFFE, 0xE000, len(data)) + data for data in (b"", *even))
    return b"".join((*items, struct.pack("<HHI", 0xFFFE, 0xE0DD, 0)))


def with_streams(dataset: Dataset, syntax: str, *fragments: bytes) -> bytes:
    """Return a DICOM file of a data set with these fragments instead of its pixels."""
    dataset.PixelData = encapsulated(*fragments)
    dataset["PixelData"].VR = "OB"
    dataset["PixelData"].is_undefined_length = True
    return encoded(dataset, syntax)


def losslessly_compressed(dataset: Dataset, syntax: str) -> bytes:
    """Return a DICOM file of a data set, each frame of its 16-bit pixels compressed."""
    pixels = np.frombuffer(dataset.PixelData, "<i2" if dataset.PixelRepresentation else "<u2")
    frames = pixels.reshape(-1, dataset.Rows, dataset.Columns)
    return with_streams(dataset, syntax, *(stream(frame, syntax) for frame in frames))
