"""Tell to which study a file or an archive belongs, without reading all of it."""

from __future__ import annotations

import gzip
import io
import warnings
from collections.abc import Iterator
from contextlib import suppress
from itertools import islice
from typing import IO, NamedTuple, Optional, cast

from mimir_engine.errors import MimirError
from mimir_engine.headers.deflated import DEFLATED, inflated
from mimir_engine.headers.little_endian import (
    EXPLICIT_LITTLE_ENDIAN,
    DataTooShort,
    Tags,
    Unexpected,
    read_meta,
    read_tags,
)
from mimir_engine.source.entry import FIRST_BYTES, Entry
from mimir_engine.source.file_kind import DICOM, GZIP, TAR, ZIP, file_kind
from mimir_engine.source.open_source import StudySource, open_source
from mimir_engine.source.tar_archive import first_files
from mimir_engine.source.zip_archive import first_entry

#: Bytes of a header that are read to find the study; its UID is among the first attributes.
MAX_HEADER_BYTES = 2**16
#: Files of an archive that are looked at before it is listed as a whole.
MAX_FIRST_FILES = 1000
#: Bytes of a file in which its SOP instance UID stands (PS3.10 7.1), and how the element begins.
MAX_META_BYTES = 512
_INSTANCE_UID = b"\x02\x00\x03\x00UI"
#: SOP class of a DICOMDIR, which belongs to no study.
_DICOMDIR = "1.2.840.10008.1.3.10"
_KEYWORDS = ("StudyInstanceUID", "PatientID", "StudyDate", "SeriesInstanceUID", "SeriesNumber")
#: Last attribute of those.
_LAST_TAG = 0x00200011


class StudyIdentity(NamedTuple):
    """Where one DICOM file belongs, as its header says; empty texts where it says nothing.

    Attributes:
        study_uid: The study.
        patient: The patient, in lower case; never shown.
        date: Date of the study.
        series_uid: The series.
        series_number: Its number.
        first: The file's first bytes, to recognise copies.
    """

    study_uid: str = ""
    patient: str = ""
    date: str = ""
    series_uid: str = ""
    series_number: str = ""
    first: bytes = b""


def study_identity(entry: Entry, first: bytes) -> Optional[StudyIdentity]:
    """Tell to which study a file belongs.

    Args:
        entry: The file.
        first: Its first bytes.

    Returns:
        Its identity; None if it is not a DICOM file of a study.
    """
    if file_kind(entry.name, first) is not DICOM:
        return None
    meta: Tags = {}
    data_set = 0
    with suppress(DataTooShort, Unexpected):
        data_set = read_meta(first, meta)
    if meta.get("MediaStorageSOPClassUID") == _DICOMDIR:
        return None
    syntax = meta.get("TransferSyntaxUID")
    if syntax == DEFLATED:
        entry = inflated(entry, data_set)
        first, syntax = entry.read(FIRST_BYTES), EXPLICIT_LITTLE_ENDIAN
    tags = _explicit_tags(entry, first, data_set) if syntax == EXPLICIT_LITTLE_ENDIAN else None
    tags = _other_tags(entry) if tags is None else tags
    uid, patient, date, series, number = (str(tags.get(key, "")).strip() for key in _KEYWORDS)
    return StudyIdentity(uid, patient.casefold(), date, series, number, first)


def identity_of_source(source: StudySource) -> Optional[StudyIdentity]:
    """Tell to which study the first DICOM file of a source belongs; None if it holds none.

    Raises:
        MimirError: any error of ``open_source`` and of reading files.
    """
    with open_source(source) as files:
        found = (study_identity(entry, first) for entry, first in files.with_first_bytes())
        return next((identity for identity in found if identity is not None), None)


def instances_of(source: StudySource) -> set[bytes]:
    """Return the SOP instance UIDs of all DICOM files of a source, as their first lines have them.

    Raises:
        MimirError: any error of ``open_source`` and of reading files.
    """
    with open_source(source) as files:
        return {
            first[begin + 8 : begin + 8 + int.from_bytes(first[begin + 6 : begin + 8], "little")]
            for _, first in files.with_first_bytes()
            if (begin := first.find(_INSTANCE_UID, 0, MAX_META_BYTES)) >= 0
        }


def identity_of_archive(path: str) -> Optional[StudyIdentity]:
    """Like ``identity_of_source``, but most archives are read only up to their first DICOM file.

    Raises:
        MimirError: as ``identity_of_source``.
    """
    try:
        with open(path, "rb") as file:
            for first in islice(_first_files(file), MAX_FIRST_FILES):
                identity = _identity_of_bytes(first)
                if identity is not None and identity.study_uid:
                    return identity
    except (OSError, ValueError):
        pass  # reading it as a source says what is wrong
    return identity_of_source(path)


def _first_files(file: IO[bytes]) -> Iterator[bytes]:
    """Yield the first bytes of the first files of an archive, without listing all of it."""
    kind = file_kind("", file.read(FIRST_BYTES))
    file.seek(0)
    if kind is ZIP:
        yield first_entry(file, FIRST_BYTES)
    elif kind is TAR:
        yield from first_files(file, FIRST_BYTES)
    elif kind is GZIP:
        yield from first_files(cast("IO[bytes]", gzip.GzipFile(fileobj=file)), FIRST_BYTES)


def _identity_of_bytes(first: bytes) -> Optional[StudyIdentity]:
    return study_identity(Entry("", len(first), lambda count: first), first)


def _explicit_tags(entry: Entry, data: bytes, data_set: int) -> Optional[Tags]:
    """Read the attributes of an explicit VR file; None if it is another or a longer one."""
    tags: Tags = {}
    while True:
        try:
            read_tags(data, data_set, tags)
            return tags
        except Unexpected:
            return None
        except DataTooShort:
            size = 4 * len(data)
            data = entry.read(size) if size <= MAX_HEADER_BYTES else b""
            if len(data) <= size // 4:
                return None


def _other_tags(entry: Entry) -> Tags:
    """Read the attributes of a file in any encoding; none if it is damaged."""
    from pydicom.filereader import read_partial

    try:
        content = io.BytesIO(entry.read(MAX_HEADER_BYTES))
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            header = read_partial(content, lambda tag, vr, length: tag > _LAST_TAG, force=True)
            return {key: str(header.get(key, "")) for key in _KEYWORDS}
    except (MimirError, MemoryError):
        raise
    except Exception:  # pydicom raises many kinds on damaged files
        return {}
