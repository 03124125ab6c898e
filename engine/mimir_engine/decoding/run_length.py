"""Decode run-length encoded pixels with pydicom's own decoder (DICOM PS3.5 G)."""

from __future__ import annotations

import warnings
from typing import Any

import numpy as np

from mimir_engine.decoding.frames import frame_streams


def run_length_frames(value: bytes, shape: tuple[int, int, int], allocated: int) -> np.ndarray:
    """Return the frames of run-length encoded pixels.

    Args:
        value: Encapsulated PixelData.
        shape: Frames, rows, columns.
        allocated: Bits of a pixel.

    Returns:
        ``[frame, row, column]``, unsigned integers.

    Raises:
        StreamRefused: As ``frame_streams``. pydicom raises other errors.
    """
    import pydicom

    decode = _by_decoder if int(pydicom.__version__.split(".")[0]) >= 3 else _by_handler
    pixels = np.empty(shape, f"u{allocated // 8}")
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        # pydicom cuts run-length encoded pixels that are more than the header declares.
        warnings.filterwarnings("error", message=".*RLE segment contains")
        for number, stream in enumerate(frame_streams(value, shape[0])):
            pixels[number] = decode(_image(stream, *shape[1:], allocated)).reshape(shape[1:])
    return pixels


def _image(stream: bytes, rows: int, columns: int, allocated: int) -> Any:
    """Return a data set of one frame."""
    from pydicom.dataset import Dataset, FileMetaDataset
    from pydicom.encaps import encapsulate
    from pydicom.uid import RLELossless

    image = Dataset()
    image.file_meta = FileMetaDataset()
    image.file_meta.TransferSyntaxUID = RLELossless
    image.Rows, image.Columns, image.SamplesPerPixel = rows, columns, 1
    image.BitsAllocated = image.BitsStored = allocated
    image.PixelRepresentation, image.PhotometricInterpretation = 0, "MONOCHROME2"
    image.PixelData = encapsulate([stream], has_bot=False)
    return image


def _by_decoder(image: Any) -> np.ndarray:
    """Decode with pydicom 3, which would prefer any other decoder that is installed."""
    from pydicom.pixels.decoders.base import get_decoder

    decoder = get_decoder(image.file_meta.TransferSyntaxUID)
    pixels, _ = decoder.as_array(image, raw=True, decoding_plugin="pydicom")
    return pixels


def _by_handler(image: Any) -> np.ndarray:
    """Decode with pydicom 2."""
    from pydicom.pixel_data_handlers import rle_handler

    image.is_little_endian, image.is_implicit_VR = True, False
    return rle_handler.get_pixeldata(image)
