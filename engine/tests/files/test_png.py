from __future__ import annotations

import struct
import zlib
from pathlib import Path

import numpy as np
import pytest

from mimir_engine.errors import MimirError
from mimir_engine.files.png import NONE, UP, png_bytes, read_png, write_png

COLOURS = (np.arange(5 * 7 * 3) * 11 % 256).astype(np.uint8).reshape(5, 7, 3)
GREYS = COLOURS[:, :, 0]


@pytest.mark.parametrize("row_filter", [NONE, UP])
@pytest.mark.parametrize("picture", [COLOURS, GREYS], ids=["colours", "greys"])
def test_a_library_for_pictures_reads_the_same_colours(
    tmp_path: Path, picture: np.ndarray, row_filter: int
) -> None:
    image = pytest.importorskip("matplotlib.image")
    (tmp_path / "a.png").write_bytes(png_bytes(picture, row_filter))
    assert np.array_equal(np.rint(255 * image.imread(tmp_path / "a.png")), picture)


@pytest.mark.parametrize("row_filter", [NONE, UP])
@pytest.mark.parametrize("picture", [COLOURS, GREYS], ids=["colours", "greys"])
def test_what_was_written_is_read(tmp_path: Path, picture: np.ndarray, row_filter: int) -> None:
    (tmp_path / "a.png").write_bytes(png_bytes(picture, row_filter))
    assert np.array_equal(read_png(tmp_path / "a.png"), picture)


def test_rows_that_other_programs_filter_by_the_pixel_before_are_read(tmp_path: Path) -> None:
    rows = np.diff(COLOURS, axis=1, prepend=np.uint8(0)).reshape(5, -1)
    lines = np.concatenate([np.ones((5, 1), np.uint8), rows], axis=1)
    (tmp_path / "a.png").write_bytes(with_pixels(lines.tobytes()))
    assert np.array_equal(read_png(tmp_path / "a.png"), COLOURS)


WHOLE = png_bytes(COLOURS)


def chunk(kind: bytes, content: bytes) -> bytes:
    checksum = struct.pack(">I", zlib.crc32(kind + content))
    return struct.pack(">I", len(content)) + kind + content + checksum


def with_pixels(lines: bytes, width: int = 7, height: int = 5, depth: int = 8) -> bytes:
    header = struct.pack(">IIBBBBB", width, height, depth, 2, 0, 0, 0)
    parts = ((b"IHDR", header), (b"IDAT", zlib.compress(lines)), (b"IEND", b""))
    return WHOLE[:8] + b"".join(chunk(*part) for part in parts)


@pytest.mark.parametrize(
    "content",
    [
        b"",
        b"GIF89a",
        WHOLE[:8],
        WHOLE[:-14],
        WHOLE.replace(b"IDAT", b"IDAX"),
        WHOLE[:50] + bytes([WHOLE[50] ^ 1]) + WHOLE[51:],
        with_pixels(bytes(5 * 22 - 1)),
        with_pixels(bytes(10**8)),
        with_pixels(b"", 0, 0),
        with_pixels(b"\4" + bytes(5 * 22 - 1)),
        with_pixels(bytes(5 * 22), depth=16),
        with_pixels(b"", 2**31 - 1, 2**31 - 1),
        WHOLE[:8] + struct.pack(">I", 2**32 - 1) + b"IHDR",
    ],
    ids=range(13),
)
def test_a_damaged_or_foreign_file_is_refused(tmp_path: Path, content: bytes) -> None:
    (tmp_path / "a.png").write_bytes(content)
    with pytest.raises(MimirError, match="PICTURE_UNREADABLE"):
        read_png(tmp_path / "a.png")


def test_a_missing_file_and_a_folder_are_refused(tmp_path: Path) -> None:
    for path in (tmp_path, tmp_path / "a.png"):
        with pytest.raises(MimirError, match="PICTURE_UNREADABLE"):
            read_png(path)


def test_a_picture_is_written_atomically_with_its_folder(tmp_path: Path) -> None:
    write_png(tmp_path / "new" / "a.png", GREYS)
    assert [path.name for path in (tmp_path / "new").iterdir()] == ["a.png"]
