"""Each kind of stream is decoded exactly, and one that does not fit its header is refused."""

from __future__ import annotations

import base64
import struct

import numpy as np
import pytest
from compressed_builder import (
    ANY_PREDICTOR,
    HTJ2K,
    HTJ2K_LOSSY,
    HTJ2K_RPCL,
    JPEG,
    JPEG_12_BIT,
    JPEG_2000,
    JPEG_2000_LOSSY,
    JPEG_LOSSLESS,
    JPEG_LS,
    JPEG_LS_LOSSY,
    LOSSLESS,
    encapsulated,
    needs_imagecodecs,
    stream,
)

from mimir_engine.decoding import StreamRefused, compression_name, decoded, decoders, has_decoder
from mimir_engine.headers.pixel_format import PixelFormat

ROWS, COLUMNS = 30, 28
#: An image of 9 x 7 pixels of 12 bits, as other encoders write it.
ELSEWHERE = (np.add.outer(np.arange(9) * 450, np.arange(7) ** 2 * 13) & 0xFFF).astype(np.uint16)
STREAMS = {
    "GDCM's lossless JPEG": (
        JPEG_LOSSLESS,
        "/9j/wwALEAAJAAcBAREA/8QAGQABAAMBAQAAAAAAAAAAAAAABwQGCAkQ/9oACAEBAAEAAPTbOgrbro/uFNs6"
        "Ctuuj+4U2zoK266P7hTbOgrbro/uFNs6Ctuuj+4U2zoK266P7hTbOgrbro/uFNs6Ctuuj+4U2zoK266P/9kA",
    ),
    "GDCM's JPEG-LS": (
        JPEG_LS,
        "/9j/9wALEAAJAAcBAREA//gADQH//wASAEMBFABA/9oACAEBAAAAAKDMTZAy1nPR3wkGonSCltOij3hIMRMk"
        "BWVyUc8FC0lT9V3gxrwEKSRPmq7mMd+iVGvWm7GLd8iFEvGi6mKd6h1Cu2e6GJd4hlAuma5iIP/Z",
    ),
    "GDCM's JPEG 2000": (
        JPEG_2000,
        "/0//UQApAAAAAAAHAAAACQAAAAAAAAAAAAAABwAAAAkAAAAAAAAAAAABDwEB/1IADAAAAAEAAQQEAAH/XAAH"
        "QICIiJD/ZAAqAAFDcmVhdGVkIGJ5IEdEQ00vT3BlbkpQRUcgdmVyc2lvbiAyLjMuMP+QAAoAAAAAAEIAAf+T"
        "3/iRKBIQ9GX1jSbWhw0XhSMBNVkgqGqwKahsjJVe1ahAB7Xp61f4/w/AAPkDABFQLBjx4P/Z",
    ),
    "OpenJPH's HTJ2K": (
        HTJ2K,
        "/0//UQApQAAAAAAHAAAACQAAAAAAAAAAAAAABwAAAAkAAAAAAAAAAAABDwEB/1AACAACAAAACv9SAAwAAgAB"
        "AAUEBEAB/1wAEyCIkJCQkJCQkJCQkJCQiIiI/2QAFwABT3BlbkpQSCBWZXIgMC4yNi4zLv+QAAoAAAAAAFIA"
        "Af+TwAAmEfEFB3QAAMAAEwAe/AOHdADAABOAOur4Agt0AMAAFYBnzhgwcIaBA5kCtQDAAC0QmXNmZs6ZmTMA"
        "yXl/5ej5uQD/2Q==",
    ),
}


def image(bits: int, is_signed: bool = False) -> np.ndarray:
    """Return noise over the whole range of values."""
    low, high = (-(1 << bits - 1), 1 << bits - 1) if is_signed else (0, 1 << bits)
    kind = "i2" if is_signed else "u2"
    values = np.random.default_rng(bits).integers(low, high, (ROWS, COLUMNS)).astype(kind)
    values.flat[:2] = low, high - 1
    return values


def form(stored: int, is_signed: bool = False, allocated: int = 16) -> PixelFormat:
    return PixelFormat(allocated, stored, stored - 1, is_signed)


def values_of(value: bytes, syntax: str, shape: tuple[int, ...], form: PixelFormat) -> np.ndarray:
    """Return stored values."""
    pixels = decoded(value, syntax, shape, form)  # type: ignore[arg-type]
    assert pixels.dtype == f"u{form.allocated // 8}"
    return form.stored_values(pixels)[0]


@pytest.mark.parametrize("syntax", LOSSLESS)
@pytest.mark.parametrize("is_signed", [False, True])
@pytest.mark.parametrize("bits", [9, 10, 12, 15, 16])
def test_lossless_streams_are_read_exactly(syntax: str, bits: int, is_signed: bool) -> None:
    needs_imagecodecs()
    pixels = image(bits, is_signed)
    value = encapsulated(stream(pixels, syntax, bits))
    read = values_of(value, syntax, (1, ROWS, COLUMNS), form(bits, is_signed))
    np.testing.assert_array_equal(read[0], pixels)


@pytest.mark.parametrize("predictor", range(1, 8))
@pytest.mark.parametrize("bits", [2, 5, 8, 12, 16])
def test_every_predictor_of_lossless_jpeg_is_read(bits: int, predictor: int) -> None:
    needs_imagecodecs()
    pixels = image(bits)
    value = encapsulated(stream(pixels, ANY_PREDICTOR, bits, predictor))
    read = values_of(value, ANY_PREDICTOR, (1, ROWS, COLUMNS), form(max(bits, 9)))
    np.testing.assert_array_equal(read[0], pixels)


@pytest.mark.parametrize("syntax", LOSSLESS)
@pytest.mark.parametrize("allocated", [16, 32])
def test_a_stream_of_8_bits_is_widened(syntax: str, allocated: int) -> None:
    needs_imagecodecs()
    pixels = image(8).astype(np.uint8)
    read = values_of(
        encapsulated(stream(pixels, syntax)), syntax, (1, ROWS, COLUMNS), form(12, False, allocated)
    )
    np.testing.assert_array_equal(read[0], pixels)


@pytest.mark.parametrize("syntax", [HTJ2K, HTJ2K_RPCL, HTJ2K_LOSSY])
@pytest.mark.parametrize("is_signed", [False, True])
def test_high_throughput_streams_are_read_exactly(syntax: str, is_signed: bool) -> None:
    if not hasattr(needs_imagecodecs(), "htj2k_encode"):
        pytest.skip("this imagecodecs writes no such streams")
    pixels = image(12, is_signed)
    value = encapsulated(stream(pixels, syntax))
    read = values_of(value, syntax, (1, ROWS, COLUMNS), form(16, is_signed))
    np.testing.assert_array_equal(read[0], pixels)


@pytest.mark.parametrize(
    ("syntax", "bits", "error"), [(JPEG, 8, 8), (JPEG_12_BIT, 12, 8), (JPEG_LS_LOSSY, 16, 2)]
)
def test_lossy_streams_are_read_within_their_error(syntax: str, bits: int, error: int) -> None:
    needs_imagecodecs()
    smooth = np.add.outer(np.arange(ROWS), np.arange(COLUMNS)) * ((1 << bits) - 1) // 57
    pixels = smooth.astype(np.uint8 if bits == 8 else np.uint16)
    value = encapsulated(stream(pixels, syntax, bits))
    read = values_of(value, syntax, (1, ROWS, COLUMNS), form(max(bits, 9)))
    assert abs(read[0].astype(int) - pixels).max() <= error


@pytest.mark.parametrize("name", STREAMS)
def test_streams_of_other_encoders_are_read_exactly(name: str) -> None:
    needs_imagecodecs()
    syntax, text = STREAMS[name]
    value = encapsulated(base64.b64decode(text))
    read = values_of(value, syntax, (1, *ELSEWHERE.shape), form(12))
    np.testing.assert_array_equal(read[0], ELSEWHERE)


@pytest.mark.parametrize("syntax", LOSSLESS)
def test_frames_and_their_fragments_are_told_apart(syntax: str) -> None:
    """Three frames: one fragment each, or cut in two without a table of offsets."""
    needs_imagecodecs()
    frames = np.stack([image(bits) for bits in (9, 12, 16)])
    streams = [stream(frame, syntax) for frame in frames]
    cut = [part for s in streams for part in (s[:100], s[100:])]
    for value in (encapsulated(*streams), encapsulated(*cut)):
        read = values_of(value, syntax, frames.shape, form(16))
        np.testing.assert_array_equal(read, frames)


@pytest.mark.parametrize("syntax", LOSSLESS)
@pytest.mark.parametrize("fill", [b"\0", b"\xff", bytes(6)])
def test_bytes_that_fill_up_a_fragment_are_no_part_of_the_stream(syntax: str, fill: bytes) -> None:
    needs_imagecodecs()
    value = encapsulated(stream(image(12), syntax) + fill)
    read = values_of(value, syntax, (1, ROWS, COLUMNS), form(12))
    np.testing.assert_array_equal(read[0], image(12))


def test_a_zero_byte_in_front_of_the_end_of_a_jpeg_ls_stream_is_passed_over() -> None:
    needs_imagecodecs()
    whole = stream(image(12), JPEG_LS)
    value = encapsulated(whole[:-2] + b"\0" + whole[-2:])
    read = values_of(value, JPEG_LS, (1, ROWS, COLUMNS), form(12))
    np.testing.assert_array_equal(read[0], image(12))


# ------------------------------------------------------------------ refused


@pytest.mark.parametrize("syntax", LOSSLESS)
@pytest.mark.parametrize("shape", [(1, 29, 28), (1, 30, 27), (2, 30, 28), (1, 28, 30)])
def test_another_size_or_number_of_frames_is_refused(
    syntax: str, shape: tuple[int, int, int]
) -> None:
    needs_imagecodecs()
    value = encapsulated(stream(image(12), syntax))
    try:
        with pytest.raises(StreamRefused):
            decoded(value, syntax, shape, form(12))
    except ValueError:  # pydicom's own: fewer fragments than frames
        assert shape[0] == 2


@pytest.mark.parametrize("syntax", LOSSLESS)
def test_more_streams_than_frames_are_refused(syntax: str) -> None:
    needs_imagecodecs()
    value = encapsulated(*[stream(image(12), syntax)] * 3)
    with pytest.raises(StreamRefused):
        decoded(value, syntax, (2, ROWS, COLUMNS), form(12))


@pytest.mark.parametrize("syntax", LOSSLESS)
@pytest.mark.parametrize("share", [0.3, 0.9, 0.999])
def test_a_stream_without_end_is_refused(syntax: str, share: float) -> None:
    """libjpeg-turbo would return other pixels, and CharLS would take seconds."""
    needs_imagecodecs()
    whole = stream(image(12), syntax)
    with pytest.raises(StreamRefused):
        decoded(
            encapsulated(whole[: int(share * len(whole))]), syntax, (1, ROWS, COLUMNS), form(12)
        )


@pytest.mark.parametrize("syntax", LOSSLESS)
def test_another_kind_of_stream_is_refused(syntax: str) -> None:
    needs_imagecodecs()
    other = JPEG_2000 if syntax != JPEG_2000 else JPEG_LS
    for wrong in (other, HTJ2K, JPEG):
        with pytest.raises(StreamRefused):
            decoded(encapsulated(stream(image(12), syntax)), wrong, (1, ROWS, COLUMNS), form(12))


def test_signed_values_in_an_unsigned_image_are_refused() -> None:
    needs_imagecodecs()
    value = encapsulated(stream(image(12, True), JPEG_2000, 12))
    with pytest.raises(StreamRefused):
        decoded(value, JPEG_2000, (1, ROWS, COLUMNS), form(12))


def test_many_fragments_are_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    needs_imagecodecs()
    monkeypatch.setattr("mimir_engine.decoding.frames.MAX_FRAGMENTS", 100)
    value = encapsulated(*[b""] * 100, stream(image(12), JPEG_LS))
    with pytest.raises(StreamRefused):
        decoded(value, JPEG_LS, (1, ROWS, COLUMNS), form(12))


@pytest.mark.parametrize("size", [(60000, 60000), (30, 60000), (0, 28)])
def test_no_decoder_sees_a_stream_of_another_size(
    monkeypatch: pytest.MonkeyPatch, size: tuple[int, int]
) -> None:
    needs_imagecodecs()
    whole = stream(image(12), JPEG_LOSSLESS)
    old = struct.pack(">HH", ROWS, COLUMNS)
    assert whole.count(old) == 1
    monkeypatch.setattr("imagecodecs.jpeg8_decode", None)
    value = encapsulated(whole.replace(old, struct.pack(">HH", *size)))
    with pytest.raises(StreamRefused, match=f"a stream of {size[0]} x {size[1]}"):
        decoded(value, JPEG_LOSSLESS, (1, ROWS, COLUMNS), form(12))


# ------------------------------------------------------------------ names


@pytest.mark.parametrize(
    ("syntax", "name"),
    [
        (JPEG_12_BIT, "JPEG"),
        (JPEG_LOSSLESS, "lossless JPEG"),
        (JPEG_LS_LOSSY, "JPEG-LS"),
        (JPEG_2000_LOSSY, "JPEG 2000"),
        (HTJ2K_RPCL, "high-throughput JPEG 2000"),
        ("1.2.840.10008.1.2.4.53", "JPEG"),
        ("1.2.840.10008.1.2.4.102", "MPEG video"),
        ("1.2.840.10008.1.2.5", "run-length encoding"),
        ("1.2.3", ""),
    ],
)
def test_compressions_have_names(syntax: str, name: str) -> None:
    assert compression_name(syntax) == name


def test_only_streams_that_imagecodecs_reads_lack_it(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(decoders, "is_installed", lambda extra: extra != "compressed")
    lacking = [JPEG, JPEG_LS, JPEG_2000, HTJ2K]
    assert not any(map(has_decoder, lacking))
    assert all(map(has_decoder, ["1.2.840.10008.1.2.5", "1.2.840.10008.1.2.4.53", "1.2.3"]))
