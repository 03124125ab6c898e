"""Build small files that ask for much memory or time, each a kind of attack."""

from __future__ import annotations

import struct
import zipfile
from collections.abc import Iterable, Iterator
from pathlib import Path

import numpy as np
from dicom_builder import (
    EXPLICIT,
    Change,
    File,
    Scan,
    compressed,
    encoded,
    enhanced_file,
    set_pixels,
)
from pydicom.dataset import Dataset

RLE = "1.2.840.10008.1.2.5"
SHARED_GROUPS, GROUPS_PER_FRAME = 0x52009229, 0x52009230
_ITEM, _SEQUENCE_END = b"\xfe\xff\x00\xe0", b"\xfe\xff\xdd\xe0" + bytes(4)


def with_element(content: bytes, tag: int, vr: bytes, value: bytes, length: int = -1) -> bytes:
    """Put an element of any size in front of the next one of an explicit VR file."""
    header = struct.pack("<HH2sHI", tag >> 16, tag & 0xFFFF, vr, 0, length % 2**32)
    position = _first_behind(content, tag)
    return content[:position] + header + value + content[position:]


def _first_behind(content: bytes, tag: int) -> int:
    """Return the position of the first element of the data set behind a tag."""
    position = content.index(b"\x08\x00\x05\x00CS")  # the specific character set is first
    while True:
        group, element, vr, length = struct.unpack_from("<HH2sH", content, position)
        if group << 16 | element >= tag:
            return position
        position += 8 + length
        if vr in (b"SQ", b"OB", b"OW", b"UN", b"UT"):
            position += 4 + struct.unpack_from("<I", content, position)[0]


def long_text(size: int, keyword_tag: int = 0x0008103E) -> Change:
    """Give slices a text of this many characters (SeriesDescription by default)."""

    def change(dataset: Dataset, k: int) -> None:
        dataset.add_new(keyword_tag, "UT", f"{'x' * size}_{dataset.SeriesDescription[-1]}")

    return change


def with_items(tag: int, count: int, content: bytes = b"") -> File:
    """Return an enhanced file of two frames with many items in one of its sequences.

    Args:
        tag: The sequence, which the file has not otherwise.
        count: Number of items.
        content: Content of each.
    """

    file = enhanced_file(Scan(slices=1), [("W", "WATER"), ("F", "FAT")])
    items = (_ITEM + struct.pack("<I", len(content)) + content) * count + _SEQUENCE_END
    plain = _without(file.content, tag)
    return File(file.name, with_element(plain, tag, b"SQ", items))


def _without(content: bytes, tag: int) -> bytes:
    """Remove a sequence of known length."""
    position = _first_behind(content, tag)
    assert struct.unpack_from("<HH2s", content, position) == (tag >> 16, tag & 0xFFFF, b"SQ")
    (length,) = struct.unpack_from("<I", content, position + 8)
    return content[:position] + content[position + 12 + length :]


def nested_items(depth: int) -> bytes:
    """Return sequences inside each other, of undefined length, as the content of an item."""
    begin = struct.pack("<HH2sHI", 0x0040, 0xA730, b"SQ", 0, 0xFFFFFFFF) + _ITEM + b"\xff" * 4
    return begin * depth + (b"\xfe\xff\x0d\xe0" + bytes(4) + _SEQUENCE_END) * depth


def blank_slices(slices: int, side: int, syntax: str = EXPLICIT) -> Iterator[File]:
    """Yield water and fat of one station, all of whose pixels are zero."""
    scan = Scan(slices=slices, step_mm=1.0, pixel_mm=(0.5, 0.5), shape=(side, side))
    small = Scan(slices=slices, step_mm=1.0, pixel_mm=(0.5, 0.5))

    def blank(dataset: Dataset, k: int) -> None:
        set_pixels(dataset, np.zeros(scan.shape, np.uint16))

    pixels: dict[str, bytes] = {}
    for series, suffix in enumerate(("F", "W")):
        for k in range(slices):
            dataset = small.dataset(suffix, k, series)
            blank(dataset, k)
            if syntax == RLE and not pixels:
                content = compressed(small_copy(dataset), syntax)
                pixels[syntax] = content[content.rindex(b"\xe0\x7f\x10\x00") :]
            if syntax == RLE:
                del dataset.PixelData
                yield File(f"{suffix}{k:05}.dcm", encoded(dataset, syntax) + pixels[syntax])
            else:
                yield File(f"{suffix}{k:05}.dcm", encoded(dataset, syntax))


def small_copy(dataset: Dataset) -> Dataset:
    """Return a data set that may be changed."""
    import copy

    return copy.deepcopy(dataset)


def many_entries(count: int, name: bytes = b"a", declared: int = -1) -> bytes:
    """Return a zip archive (zip64) of many empty files.

    Args:
        count: Number of entries in its directory.
        name: Name of each.
        declared: Number of entries that the archive declares; the true one by default.
    """
    local = struct.pack("<4s5H3I2H", b"PK\3\4", 20, 0, 0, 0, 33, 0, 0, 0, len(name), 0) + name
    entry = struct.pack(
        "<4s6H3I5H2I",
        *(b"PK\1\2", 20, 20, 0, 0, 0, 33, 0, 0, 0, len(name), 0, 0, 0, 0, 0, 0),
    )
    directory = (entry + name) * count
    declared = count if declared < 0 else declared
    size, start = len(directory), len(local)
    end64 = struct.pack("<4sQ2H2I4Q", b"PK\6\6", 44, 45, 45, 0, 0, declared, declared, size, start)
    locator = struct.pack("<4sIQI", b"PK\6\7", 0, start + size, 1)
    end = struct.pack("<4s4H2IH", b"PK\5\6", 0, 0, 0xFFFF, 0xFFFF, 0xFFFFFFFF, 0xFFFFFFFF, 0)
    return local + directory + end64 + locator + end


def write_attack(path: Path, files: Iterable[File]) -> Path:
    """Write files to a zip archive, one after the other; return its path."""
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED, compresslevel=1) as archive:
        for file in files:
            archive.writestr(file.name, file.content)
    return path
