"""What the header of a stream says about its image."""

from __future__ import annotations

from dataclasses import dataclass

#: Bits of a pixel that the decoders return exactly.
MAX_STREAM_BITS = 16
#: Kinds of streams.
JPEG, LOSSLESS_JPEG, JPEG_LS = "JPEG", "lossless JPEG", "JPEG-LS"
JPEG_2000, HIGH_THROUGHPUT = "JPEG 2000", "high-throughput JPEG 2000"


class StreamRefused(ValueError):
    """Compressed pixels that are damaged, or not what the DICOM header says; the text says why."""


@dataclass(frozen=True)
class StreamHeader:
    """The header of a stream with one image of one component.

    Attributes:
        kind: ``JPEG``, ``JPEG_2000`` and so on.
        rows: Number of rows.
        columns: Number of columns.
        bits: Bits of a value.
        is_signed: Whether values are signed; only JPEG 2000 tells.
    """

    kind: str
    rows: int
    columns: int
    bits: int
    is_signed: bool = False
