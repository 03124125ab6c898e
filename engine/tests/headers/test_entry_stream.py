"""A header is parsed from a file of which only the beginning was read."""

from __future__ import annotations

import io

import pytest
from changes import water
from dicom_builder import IMPLICIT, File, encoded
from station_builder import slices_of

from mimir_engine.errors import MimirError
from mimir_engine.headers.entry_stream import EntryStream
from mimir_engine.source.open_source import Entry

CONTENT = bytes(range(256)) * 2000


class Counted:
    """A file that remembers how much of it was read."""

    def __init__(self, content: bytes) -> None:
        self.content, self.most = content, 0
        self.entry = Entry("image", len(content), self.read)

    def read(self, count: int) -> bytes:
        data = self.content if count < 0 else self.content[:count]
        self.most = max(self.most, len(data))
        return data


def test_a_stream_reads_what_the_file_contains() -> None:
    stream, plain = EntryStream(Counted(CONTENT).entry), io.BytesIO(CONTENT)
    for position, count in ((0, 132), (70_000, 9), (-20, 3), (300_000, 7), (511_990, 99)):
        whence = io.SEEK_END if position < 0 else io.SEEK_SET
        assert stream.seek(position, whence) == plain.seek(position, whence)
        assert stream.read(count) == plain.read(count)
        assert stream.tell() == plain.tell()
    with pytest.raises(io.UnsupportedOperation):
        stream.read()


def test_a_header_is_read_without_the_pixels_behind_it() -> None:
    file = Counted(CONTENT)
    stream = EntryStream(file.entry)
    stream.read(1000)
    assert file.most < len(CONTENT) / 4


def test_an_endless_header_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("mimir_engine.headers.entry_stream.MAX_HEADER_BYTES", 2**17)
    stream = EntryStream(Counted(CONTENT).entry)
    with pytest.raises(MimirError, match=r"DICOM_UNREADABLE.*'image' has more than"):
        stream.read(2**18)


@pytest.mark.parametrize("length", [100, 2**17])
def test_headers_of_any_length_are_read_in_implicit_vr(length: int) -> None:
    dataset = water(ImageComments="x" * 900)
    dataset.add_new(0x00190010, "LO", "SOMEBODY")
    dataset.add_new(0x00191008, "OB", bytes(length))
    (image,) = slices_of(File("a.dcm", encoded(dataset, IMPLICIT)))
    assert image.rows == 48
