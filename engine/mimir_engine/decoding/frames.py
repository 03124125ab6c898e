"""Split encapsulated pixels into the streams of their frames (DICOM PS3.5 A.4)."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import islice

from mimir_engine.decoding.stream import StreamRefused

#: Fragments of a file. Scanners write one for each frame, some a few.
MAX_FRAGMENTS = 100_000
_ITEM = b"\xfe\xff\x00\xe0"


def frame_streams(value: bytes, frames: int) -> Iterator[bytes]:
    """Yield the stream of each frame.

    Args:
        value: Encapsulated PixelData.
        frames: Number of frames in the header.

    Raises:
        StreamRefused: There are more or fewer streams, or too many fragments. pydicom raises other
            errors on damaged fragments.
    """
    if value.count(_ITEM) > MAX_FRAGMENTS:
        raise StreamRefused(f"more than {MAX_FRAGMENTS:,} fragments")
    count = 0
    for count, stream in enumerate(islice(_split(value, frames), frames + 1), 1):
        if count > frames:
            break
        yield stream
    if count != frames:
        raise StreamRefused(f"{'more' if count > frames else count} streams for {frames} frames")


def _split(value: bytes, frames: int) -> Iterator[bytes]:
    from pydicom import encaps

    if hasattr(encaps, "generate_frames"):  # pydicom 3
        return encaps.generate_frames(value, number_of_frames=frames)
    return encaps.generate_pixel_data_frame(value, frames)
