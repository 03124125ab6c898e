from __future__ import annotations

import struct
import zlib
from pathlib import Path

import numpy as np
import pytest

from mimir_engine.files.png import png_bytes, read_png, write_png

PICTURE = (np.arange(5 * 7 * 3) * 11 % 256).astype(np.uint8).reshape(5, 7, 3)


def test_a_library_for_pictures_reads_the_same_colours(tmp_path: Path) -> None:
    image = pytest.importorskip("matplotlib.image")
    write_png(tmp_path / "a.png", PICTURE)
    assert np.array_equal(np.rint(255 * image.imread(tmp_path / "a.png")), PICTURE)


@pytest.mark.parametrize("is_noisy", [True, False])
def test_a_library_for_pictures_reads_the_same_greys(tmp_path: Path, is_noisy: bool) -> None:
    image = pytest.importorskip("matplotlib.image")
    (tmp_path / "a.png").write_bytes(png_bytes(PICTURE[:, :, 0], is_noisy))
    assert np.array_equal(np.rint(255 * image.imread(tmp_path / "a.png")), PICTURE[:, :, 0])


@pytest.mark.parametrize("seed", range(3))
def test_a_picture_is_read_back_exactly(tmp_path: Path, seed: int) -> None:
    picture = np.random.default_rng(seed).integers(0, 256, (256, 250, 3)).astype(np.uint8)
    picture[:100] = seed
    write_png(tmp_path / "a.png", picture)
    assert np.array_equal(read_png(tmp_path / "a.png", 256, 250), picture)


def damaged_pictures() -> dict[str, bytes]:
    """Files that are not the picture of 5 x 7 pixels, by what is wrong with them."""
    good = png_bytes(PICTURE)
    bomb = zlib.compress(bytes(50 << 20), 9)
    return {
        "empty": b"",
        "no picture": b"\x89PNG\r\n\x1a\n",
        "cut off": good[:-1],
        "longer": good + b"\0",
        "much longer": good + bytes(1 << 20),
        "another size": png_bytes(PICTURE[:, :6]),
        "another checksum": good[:-14] + bytes([good[-14] ^ 1]) + good[-13:],
        "damaged pixels": with_pixels(b"\xff" * 40),
        "too few pixels": with_pixels(zlib.compress(b"\2" * 109)),
        "too many pixels": with_pixels(zlib.compress(b"\2" * 111)),
        "pixels that inflate to 50 MB": with_pixels(bomb),
        "other filter": with_pixels(zlib.compress(bytes(110))),
        "bytes after the pixels": with_pixels(zlib.compress(b"\2" * 110) + b"x"),
        "pixels that do not end": with_pixels(zlib.compress(b"\2" * 110)[:-2]),
    }


def with_pixels(packed: bytes) -> bytes:
    """Return a file of 5 x 7 pixels with these compressed rows and right checksums."""
    good = png_bytes(PICTURE)
    chunk = b"IDAT" + packed
    checksum = struct.pack(">I", zlib.crc32(chunk))
    return good[:33] + struct.pack(">I", len(packed)) + chunk + checksum + good[-12:]


@pytest.mark.parametrize("fault", damaged_pictures())
def test_a_file_that_is_not_such_a_picture_is_refused(tmp_path: Path, fault: str) -> None:
    path = tmp_path / "a.png"
    path.write_bytes(damaged_pictures()[fault])
    with pytest.raises(ValueError, match=r"picture|pixels"):
        read_png(path, 5, 7)


def test_the_damaged_pictures_differ_from_a_good_one_in_their_damage_alone(tmp_path: Path) -> None:
    (tmp_path / "a.png").write_bytes(with_pixels(zlib.compress(b"\2" * 110)))
    assert read_png(tmp_path / "a.png", 5, 7).shape == (5, 7, 3)
