"""Streams of the bytes of volume files, compressed by gzip or not.

ISA-L (extra ``fast``) takes a third of zlib's time. Streams inflate what is asked for and no more.
"""

from __future__ import annotations

import gzip
import zlib
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import IO, Any, Union, cast

from mimir_engine.errors import MimirError
from mimir_engine.files.regular_file import open_regular
from mimir_engine.fusion.volume_files.volume_error import volume_error
from mimir_engine.source.entry import unreadable

fast_gzip: Any
fast_zlib: Any
try:
    from isal import igzip as fast_gzip
    from isal import isal_zlib as fast_zlib
except ImportError:
    fast_gzip, fast_zlib = gzip, zlib

#: Compression level of zlib and of ISA-L. Higher ones take many times as long and save a few
#: percent, since the last bits are noise.
COMPRESSION_LEVEL = 1
#: What a damaged stream raises.
_DAMAGED: tuple[type[Exception], ...] = (OSError, EOFError, zlib.error, fast_zlib.error)
_GZIP_MAGIC = b"\x1f\x8b"


@contextmanager
def opened_volume(path: Path) -> Iterator[IO[bytes]]:
    """Open the content of a file; errors in the block become errors about this file.

    Raises:
        MimirError: ``FILE_UNREADABLE``; ``VOLUME_UNREADABLE`` if a compressed stream is damaged.
    """
    try:
        file = open_regular(path)
    except (OSError, ValueError) as error:
        raise unreadable(str(path), error) from error
    with file:
        try:
            is_compressed = file.read(2) == _GZIP_MAGIC
            file.seek(0)
            yield inflated(file) if is_compressed else file
        except MimirError as error:
            what = f"volume '{path.name}': {error.what}"
            raise MimirError(error.code, what, error.remedy) from error
        except _DAMAGED as error:
            what = f"volume '{path.name}': it is damaged or incomplete"
            raise volume_error("VOLUME_UNREADABLE", what) from error


def inflated(file: IO[bytes]) -> IO[bytes]:
    """Return the content of a gzip stream that begins where the file stands."""
    return cast("IO[bytes]", fast_gzip.GzipFile(fileobj=file, mode="rb"))


def deflated(file: IO[bytes]) -> IO[bytes]:
    """Return a stream whose content is written to a file by gzip.

    The bytes do not tell when they were written, nor the name of a file.
    """
    return cast("IO[bytes]", fast_gzip.GzipFile("", "wb", COMPRESSION_LEVEL, file, 0))


def read_exactly(stream: IO[bytes], target: Union[bytearray, memoryview]) -> None:
    """Fill a buffer from a stream.

    Raises:
        MimirError: ``VOLUME_UNREADABLE`` if the stream ends before.
    """
    left = memoryview(target)
    while left:
        count = cast("Any", stream).readinto(left)
        if not count:
            raise volume_error("VOLUME_UNREADABLE", "it ends before its last voxel")
        left = left[count:]


def check_end(stream: IO[bytes]) -> None:
    """Check that a stream ends here, and so the checksum of a compressed one.

    Raises:
        MimirError: ``VOLUME_UNREADABLE``.
    """
    if stream.read(1):
        raise volume_error("VOLUME_UNREADABLE", "it has more bytes than its header says")
