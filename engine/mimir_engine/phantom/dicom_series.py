"""Encode the images of one series as DICOM files, in explicit little endian.

What the slices share is encoded once, by pydicom; the five elements of each slice by hand, since
a study has 1,328 of them.
"""

from __future__ import annotations

import struct
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
from pydicom.dataset import Dataset, FileMetaDataset
from pydicom.filebase import DicomBytesIO
from pydicom.filewriter import write_data_element, write_file_meta_info
from pydicom.uid import UID, ExplicitVRLittleEndian

#: Root of UIDs made from UUIDs or hashes (ITU-T X.667), which need no registration.
UID_ROOT = "2.25."

_SOP_INSTANCE_UID = 0x00080018
_INSTANCE_NUMBER = 0x00200013
_POSITION = 0x00200032
_SLICE_LOCATION = 0x00201041
_PIXEL_DATA = 0x7FE00010


class SeriesEncoder:
    """Encodes the images of a series, each with the same header but for its place."""

    def __init__(self, header: Dataset) -> None:
        """Encode what all images share."""
        self._shared = {
            int(element.tag): _little_endian(write_data_element, element) for element in header
        }
        self._class = UID(header.SOPClassUID)
        self._preambles: dict[int, tuple[bytes, bytes]] = {}

    def file(self, uid: str, number: int, position: Sequence[float], pixels: np.ndarray) -> bytes:
        """Encode the file of one image.

        Args:
            uid: SOP instance UID.
            number: Instance number.
            position: LPS position of the first pixel (mm).
            pixels: uint16 ``(rows, columns)``.
        """
        place = [decimal(value) for value in position]
        own = {
            _SOP_INSTANCE_UID: _short(_SOP_INSTANCE_UID, "UI", uid),
            _INSTANCE_NUMBER: _short(_INSTANCE_NUMBER, "IS", str(number)),
            _POSITION: _short(_POSITION, "DS", "\\".join(place)),
            _SLICE_LOCATION: _short(_SLICE_LOCATION, "DS", place[2]),
            _PIXEL_DATA: struct.pack("<HH2sHI", *_split(_PIXEL_DATA), b"OW", 0, pixels.nbytes)
            + pixels.astype("<u2", copy=False).tobytes(),
        }
        elements = {**self._shared, **own}
        return self._preamble(uid) + b"".join(elements[tag] for tag in sorted(elements))

    def _preamble(self, uid: str) -> bytes:
        """Preamble and file meta information: the same for all UIDs of a length but for the UID."""
        if len(uid) not in self._preambles:
            meta = FileMetaDataset()
            meta.MediaStorageSOPClassUID = self._class
            meta.MediaStorageSOPInstanceUID = UID(uid)
            meta.TransferSyntaxUID = ExplicitVRLittleEndian
            meta.ImplementationClassUID = UID(UID_ROOT + "277440265487465716")
            encoded = bytes(128) + b"DICM" + _little_endian(write_file_meta_info, meta)
            before, _, after = encoded.partition(uid.encode("ascii"))
            self._preambles[len(uid)] = before, after
        before, after = self._preambles[len(uid)]
        return before + uid.encode("ascii") + after


def decimal(value: float) -> str:
    """Format a decimal string of at most 16 characters."""
    return f"{float(value):.10g}"


def _short(tag: int, representation: str, text: str) -> bytes:
    """Encode an element of text."""
    value = text.encode("ascii")
    if len(value) % 2:
        value += b"\0" if representation == "UI" else b" "
    head = struct.pack("<HH2sH", *_split(tag), representation.encode("ascii"), len(value))
    return head + value


def _split(tag: int) -> tuple[int, int]:
    return tag >> 16, tag & 0xFFFF


def _little_endian(write: Callable[[DicomBytesIO, Any], None], content: Any) -> bytes:
    file = DicomBytesIO()
    file.is_little_endian, file.is_implicit_VR = True, False
    write(file, content)
    return bytes(file.getvalue())
