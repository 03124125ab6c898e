"""The decoder of each transfer syntax, and how a file is decoded with it.

Each kind of stream has one decoder, whatever else is installed: imagecodecs (libjpeg-turbo, CharLS,
OpenJPEG), or pydicom for run-length encoding. A decoder gets no stream whose header does not fit
the DICOM header: they trust what a stream says about its size, some accept one that is cut off, and
CharLS takes seconds for it.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import NamedTuple

import numpy as np

from mimir_engine.decoding.frames import frame_streams
from mimir_engine.decoding.jpeg_2000_header import jpeg_2000_header
from mimir_engine.decoding.jpeg_header import jpeg_header
from mimir_engine.decoding.run_length import run_length_frames
from mimir_engine.decoding.stream import (
    HIGH_THROUGHPUT,
    JPEG,
    JPEG_2000,
    JPEG_LS,
    LOSSLESS_JPEG,
    MAX_STREAM_BITS,
    StreamHeader,
    StreamRefused,
)
from mimir_engine.files.optional_packages import is_installed
from mimir_engine.headers.pixel_format import PixelFormat

#: The end marker of all kinds of JPEG streams, and the bytes that scanners fill up fragments with.
_END, _FILL = b"\xff\xd9", b"\0\xff"


def _decode_jpeg(stream: bytes, out: np.ndarray) -> None:
    import imagecodecs

    imagecodecs.jpeg8_decode(stream, out=out)


def _decode_jpeg_ls(stream: bytes, out: np.ndarray) -> None:
    import imagecodecs

    try:
        imagecodecs.jpegls_decode(stream, out=out)
    except RuntimeError:
        # CharLS older than 2.4.4 refuses a zero byte in front of the end marker.
        if not stream.endswith(b"\0" + _END):
            raise
        imagecodecs.jpegls_decode(stream[: -len(_END) - 1] + _END, out=out)


def _decode_jpeg_2000(stream: bytes, out: np.ndarray) -> None:
    import imagecodecs

    imagecodecs.jpeg2k_decode(stream, numthreads=1, out=out)


class _Decoder(NamedTuple):
    """How streams of one kind are read: their header, and then their pixels into an array."""

    kind: str
    header: Callable[[bytes], StreamHeader]
    decode: Callable[[bytes, np.ndarray], None]


_JPEG = _Decoder(JPEG, jpeg_header, _decode_jpeg)
_LOSSLESS_JPEG = _Decoder(LOSSLESS_JPEG, jpeg_header, _decode_jpeg)
_JPEG_LS = _Decoder(JPEG_LS, jpeg_header, _decode_jpeg_ls)
_JPEG_2000 = _Decoder(JPEG_2000, jpeg_2000_header, _decode_jpeg_2000)
_HIGH_THROUGHPUT = _Decoder(HIGH_THROUGHPUT, jpeg_2000_header, _decode_jpeg_2000)

RUN_LENGTH = "1.2.840.10008.1.2.5"
_JPEG_SYNTAXES = "1.2.840.10008.1.2.4."
#: Transfer syntaxes, and the decoder of each.
_DECODERS = {
    f"{_JPEG_SYNTAXES}{number}": decoder
    for number, decoder in {
        50: _JPEG,
        51: _JPEG,
        57: _LOSSLESS_JPEG,
        70: _LOSSLESS_JPEG,
        80: _JPEG_LS,
        81: _JPEG_LS,
        90: _JPEG_2000,
        91: _JPEG_2000,
        201: _HIGH_THROUGHPUT,
        202: _HIGH_THROUGHPUT,
        203: _HIGH_THROUGHPUT,
    }.items()
}
#: Beginnings of other transfer syntaxes, and what they are called.
_OTHER_NAMES = {
    RUN_LENGTH: "run-length encoding",
    f"{_JPEG_SYNTAXES}5": JPEG,
    f"{_JPEG_SYNTAXES}6": JPEG,
    f"{_JPEG_SYNTAXES}9": JPEG_2000,
    f"{_JPEG_SYNTAXES}10": "MPEG video",
}


def decoded(
    value: bytes, syntax: str, shape: tuple[int, int, int], form: PixelFormat
) -> np.ndarray:
    """Return the frames of compressed pixels.

    Args:
        value: Encapsulated PixelData.
        syntax: Its transfer syntax.
        shape: Frames, rows, columns as in the header; the caller bounds their product.
        form: The form of stored values in the header.

    Returns:
        ``[frame, row, column]``, unsigned integers of ``form.allocated`` bits; negative values in
        two's complement.

    Raises:
        StreamRefused: There is no decoder, or a stream is not what the header says. Decoders and
            pydicom raise other errors on damaged streams.
    """
    if syntax == RUN_LENGTH:
        return run_length_frames(value, shape, form.allocated)
    decoder = _DECODERS.get(syntax)
    if decoder is None:
        raise StreamRefused("no decoder is known")
    pixels = np.empty(shape, f"i{form.allocated // 8}")
    for number, stream in enumerate(frame_streams(value, shape[0])):
        pixels[number] = _frame(decoder, stream.rstrip(_FILL), shape[1:], form)
    return pixels.view(f"u{pixels.itemsize}")


def compression_name(syntax: str) -> str:
    """Return what a compression is called; empty if it is unknown."""
    if syntax in _DECODERS:
        return _DECODERS[syntax].kind
    names = (name for start, name in _OTHER_NAMES.items() if syntax.startswith(start))
    return next(names, "")


def has_decoder(syntax: str) -> bool:
    """Return whether the decoder of a transfer syntax is installed; True if none is known."""
    return syntax not in _DECODERS or is_installed("compressed")


def _frame(
    decoder: _Decoder, stream: bytes, shape: tuple[int, ...], form: PixelFormat
) -> np.ndarray:
    """Check and decode a stream."""
    header = decoder.header(stream)
    _check(header, decoder.kind, shape, form)
    if not stream.endswith(_END):
        raise StreamRefused("a stream without its end marker")
    kind = "i" if header.is_signed else "u"
    # Zeros: nothing of other images may show in what a decoder leaves out.
    frame = np.zeros(shape, f"{kind}{1 if header.bits <= 8 else 2}")
    decoder.decode(stream, frame)
    if form.is_signed and not header.is_signed:
        return _with_sign(frame, header.bits)
    return frame


def _check(header: StreamHeader, kind: str, shape: tuple[int, ...], form: PixelFormat) -> None:
    """Compare the header of a stream with that of DICOM."""
    if header.kind != kind:
        raise StreamRefused(f"another kind of stream, {header.kind}")
    if (header.rows, header.columns) != shape:
        raise StreamRefused(f"a stream of {header.rows} x {header.columns}")
    if not 2 <= header.bits <= min(form.allocated, MAX_STREAM_BITS):
        raise StreamRefused(f"a stream of {header.bits} bits")
    if header.is_signed and not form.is_signed:
        raise StreamRefused("a stream with signed values")


def _with_sign(frame: np.ndarray, bits: int) -> np.ndarray:
    """Read the highest bit of a stream's values as their sign."""
    unused = 8 * frame.itemsize - bits
    return (frame << frame.dtype.type(unused)).view(f"i{frame.itemsize}") >> np.int8(unused)
