"""Read the header of each image frame as text, in any encoding.

A classic file has one frame, an enhanced multi-frame file many; both become ``Frame``. Classic
files in little endian are read quickly (``little_endian``), all others through pydicom.
"""

from __future__ import annotations

import struct
import warnings
from collections.abc import Iterable, Iterator
from functools import lru_cache
from typing import Any, Callable, NamedTuple, Optional, Union

from mimir_engine.errors import MimirError
from mimir_engine.headers.contrast import Contrast, classify
from mimir_engine.headers.deflated import DEFLATED, inflated
from mimir_engine.headers.entry_stream import MAX_HEADER_BYTES, EntryStream, header_too_large
from mimir_engine.headers.little_endian import (
    BEHIND_HEADER,
    BEHIND_IDENTITY,
    BEHIND_PLACE,
    EXPLICIT_LITTLE_ENDIAN,
    IMPLICIT_LITTLE_ENDIAN,
    KEYWORDS,
    MAX_VALUE_BYTES,
    PHILIPS_BLOCKS,
    PHILIPS_CREATOR,
    PHILIPS_SCALE_SLOPE,
    SEQUENCE,
    DataTooShort,
    PixelPlace,
    Tags,
    Unexpected,
    philips_scale,
    read_meta,
    read_tags,
)
from mimir_engine.headers.number_text import first_integer
from mimir_engine.headers.preamble import has_preamble, with_preamble
from mimir_engine.source.open_source import FIRST_BYTES, Entry

#: SOP classes of MR images: classic, enhanced, and enhanced converted from classic.
CLASSIC, *ENHANCED = IMAGE_CLASSES = (
    "1.2.840.10008.5.1.4.1.1.4",
    "1.2.840.10008.5.1.4.1.1.4.1",
    "1.2.840.10008.5.1.4.1.1.4.4",
)
#: Kind of the file that lists all others of a disc.
DICOMDIR = "DICOMDIR"
#: Beginnings of the SOP classes of other files, and what they are.
OTHER_CLASSES = {
    "1.2.840.10008.1.3.10": DICOMDIR,
    "1.2.840.10008.5.1.4.1.1.7": "secondary capture",
    "1.2.840.10008.5.1.4.1.1.88": "report",
    "1.2.840.10008.5.1.4.1.1.104": "document",
    "1.2.840.10008.5.1.4.1.1.11": "presentation state",
    "1.2.840.10008.5.1.4.1.1.66": "raw data or segmentation",
    "1.2.840.10008.5.1.4.1.1.4.2": "spectroscopy",
}
#: Transfer syntaxes of compressed pixels; their headers are in explicit VR little endian.
_COMPRESSED = ("1.2.840.10008.1.2.4.", "1.2.840.10008.1.2.5")
#: Transfer syntaxes that always lose something: JPEG with 8 and 12 bits.
_LOSSY = ("1.2.840.10008.1.2.4.50", "1.2.840.10008.1.2.4.51", "1.2.840.10008.1.2.4.81")
#: Attributes that name the contrast.
_CONTRAST_KEYWORDS = ("FrameType", "ImageType", "SeriesDescription")
#: Private sequence of Philips with the scale slope of each frame of an enhanced file.
_PHILIPS_FRAME = (0x2005, 0x140F)
#: Attributes of an enhanced MR image that are in functional groups (PS3.3 C.7.6.16), by group.
_FUNCTIONAL_GROUPS = {
    "MRImageFrameTypeSequence": ("FrameType",),
    "FrameContentSequence": (
        *("FrameAcquisitionDateTime", "FrameAcquisitionNumber", "StackID"),
        *("InStackPositionNumber", "TemporalPositionIndex"),
    ),
    "PlanePositionSequence": ("ImagePositionPatient",),
    "PlaneOrientationSequence": ("ImageOrientationPatient",),
    "PixelMeasuresSequence": ("PixelSpacing",),
    "PixelValueTransformationSequence": ("RescaleIntercept", "RescaleSlope", "RescaleType"),
}
#: Attributes of a frame, and those of a classic file that mean the same.
_SAME_AS = {
    "FrameAcquisitionDateTime": "AcquisitionDateTime",
    "FrameAcquisitionNumber": "AcquisitionNumber",
    "TemporalPositionIndex": "TemporalPositionIdentifier",
    "InStackPositionNumber": "InstanceNumber",
}
#: Attributes that pydicom reads; all attributes of a malicious header could exhaust the memory.
_PYDICOM_TAGS: list[Any] = [
    *(keyword for tag, keyword in KEYWORDS.items() if tag >> 16 > 2),
    *("SharedFunctionalGroupsSequence", "PerFrameFunctionalGroupsSequence"),
    *((0x2005, block) for block in PHILIPS_BLOCKS),
    *((0x2005, block << 8 | PHILIPS_SCALE_SLOPE) for block in PHILIPS_BLOCKS),
]


class Frame(NamedTuple):
    """One image frame of a file.

    Attributes:
        entry: The file.
        number: Index of the frame in a multi-frame file, None in a classic one.
        contrast: The contrast that the header names; None if it names none.
        tags: Keyword to value; values of the frame replace those of the file. Without a contrast,
            only those that describe the series; of in-phase and opposed-phase, those of the place.
        pixels: Place of the pixels in the file; None if only pydicom can find or decode them.
    """

    entry: Entry
    number: Optional[int]
    contrast: Optional[Contrast]
    tags: Tags
    pixels: Optional[PixelPlace] = None


class NotAnImage(Exception):
    """The file is not an MR image.

    Attributes:
        reason: Its kind in a few words; empty if it is not a DICOM file.
    """

    def __init__(self, reason: str = "") -> None:
        self.reason = reason


def read_frames(entry: Entry, first: bytes, whole: bool = False) -> Iterator[Frame]:
    """Yield the image frames of a file.

    Args:
        entry: The file.
        first: Its first bytes.
        whole: Read the complete header of in-phase and opposed-phase, too.

    Raises:
        NotAnImage: The file is not an MR image.
        MimirError: ``DICOM_UNREADABLE`` if a DICOM file cannot be parsed;
            ``CONTRAST_CONTRADICTION``; any error of ``entry.read``.
    """
    if not has_preamble(first):
        completed = with_preamble(entry, first)
        if completed is None:
            if entry.name.lower().endswith(".dcm"):
                raise _unreadable(entry)
            raise NotAnImage
        entry, first = completed, completed.read(FIRST_BYTES)
    meta: Tags = {}
    data_set = 0
    try:
        data_set = read_meta(first, meta)
    except DataTooShort:
        _check_class(meta.get("MediaStorageSOPClassUID"))
        if entry.size <= len(first):
            raise _unreadable(entry) from None
    except Unexpected:
        pass
    _check_class(meta.get("MediaStorageSOPClassUID"))
    syntax = str(meta.get("TransferSyntaxUID", ""))
    if syntax == DEFLATED:
        entry, syntax = inflated(entry, data_set), EXPLICIT_LITTLE_ENDIAN
        first = entry.read(len(first))
    is_native = syntax in (EXPLICIT_LITTLE_ENDIAN, IMPLICIT_LITTLE_ENDIAN)
    if is_native or syntax.startswith(_COMPRESSED):
        header = _GrowingHeader(entry, first, data_set, syntax == IMPLICIT_LITTLE_ENDIAN)
        try:
            frame = _classic_frame(header, is_native, whole)
            if syntax in _LOSSY:
                frame.tags["LossyImageCompression"] = "01"
            yield frame
            return
        except Unexpected:
            pass
    yield from _pydicom_frames(entry)


def _check_class(sop_class: Union[str, int, None]) -> None:
    if sop_class is not None and sop_class not in IMAGE_CLASSES:
        kinds = (
            kind for uid, kind in OTHER_CLASSES.items() if f"{sop_class}.".startswith(f"{uid}.")
        )
        raise NotAnImage(next(kinds, "not an MR image"))


@lru_cache(maxsize=1000)
def _contrast(*values: Union[str, int, None]) -> Optional[Contrast]:
    """Call ``classify``; cached, since all slices of a series have the same values."""
    named = zip(_CONTRAST_KEYWORDS, values)
    return classify({keyword: str(value) for keyword, value in named if value is not None})


def _contrast_of(tags: Tags) -> Optional[Contrast]:
    if tags.get("Modality", "MR") not in ("MR", ""):
        return None
    return _contrast(*map(tags.get, _CONTRAST_KEYWORDS))


class _GrowingHeader:
    """Reads a header in steps, with as many bytes of the file as each needs."""

    def __init__(self, entry: Entry, data: bytes, position: int, is_implicit: bool) -> None:
        self.entry = entry
        self.tags: Tags = {}
        self.place = PixelPlace(position, is_implicit)
        self._data, self._size = data, len(data)

    def read_until(self, until: range) -> None:
        """Read the attributes before the given tags."""
        start, is_implicit = self.place
        end = self._grow(lambda data: read_tags(data, start, self.tags, until, is_implicit))
        self.place = PixelPlace(end, is_implicit)

    def read_philips_scale(self) -> None:
        """Read Philips' scale slope, if it exists."""
        scale = self._grow(lambda data: philips_scale(data, *self.place))
        if scale is not None:
            self.tags["SignalScale"] = repr(scale)

    def _grow(self, read: Callable[[bytes], Any]) -> Any:
        while True:
            try:
                return read(self._data)
            except DataTooShort:
                if len(self._data) < self._size:  # this is the complete file
                    if self.place.is_implicit:  # it may be explicit all the same
                        raise Unexpected from None
                    raise _unreadable(self.entry) from None
            if len(self._data) >= MAX_HEADER_BYTES:
                raise header_too_large(self.entry)
            self._size = min(4 * len(self._data), MAX_HEADER_BYTES)
            self._data = self.entry.read(self._size)


def _classic_frame(header: _GrowingHeader, is_native: bool, whole: bool) -> Frame:
    """Read the header of a classic file quickly: all of it if it is water or fat, or ``whole``.

    Raises:
        Unexpected: pydicom has to read the file.
    """
    header.read_until(BEHIND_IDENTITY)
    tags, entry = header.tags, header.entry
    _check_class(tags.get("SOPClassUID"))
    if tags.get("SOPClassUID") in ENHANCED:
        raise Unexpected
    contrast = _contrast_of(tags)
    if contrast is None and {"ImageType", "SeriesDescription"} & {*tags}:
        return Frame(entry, None, None, tags)
    if contrast in (Contrast.IN_PHASE, Contrast.OPPOSED_PHASE) and not whole:  # only their places
        header.read_until(BEHIND_PLACE)
        return Frame(entry, None, contrast, tags)
    header.read_until(BEHIND_HEADER)
    if (first_integer(tags, "NumberOfFrames") or 1) > 1:
        raise Unexpected
    _check_is_complete(entry, tags)
    place = header.place
    vendor = str(tags.get("Manufacturer", "")).lower()
    if "RescaleSlope" in tags or not vendor or vendor.startswith("philips"):
        header.read_philips_scale()
    return Frame(entry, None, contrast, tags, place if is_native else None)


def _check_is_complete(entry: Entry, tags: Tags) -> None:
    """Refuse a header that was cut off or overwritten; a missing UID alone is accepted."""
    if "SeriesInstanceUID" not in tags and "Rows" not in tags:
        raise _unreadable(entry)


def _unreadable(entry: Entry) -> MimirError:
    return MimirError(
        "DICOM_UNREADABLE",
        f"file '{entry.shown}' cannot be read as DICOM",
        "Export or download the study again.",
    )


def _pydicom_frames(entry: Entry) -> Iterator[Frame]:
    """Yield the image frames of a file in any encoding."""
    import pydicom

    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            dataset = pydicom.dcmread(
                EntryStream(entry), stop_before_pixels=True, specific_tags=_PYDICOM_TAGS
            )
            sop_class = dataset.file_meta.get("MediaStorageSOPClassUID", dataset.get("SOPClassUID"))
            _check_class(None if sop_class is None else str(sop_class))
            tags = _texts(dataset, KEYWORDS.values())
            tags.update(_signal_scale(dataset))
            if dataset.file_meta.get("TransferSyntaxUID") in _LOSSY:
                tags["LossyImageCompression"] = "01"
            shared = (dataset.get("SharedFunctionalGroupsSequence") or [pydicom.Dataset()])[0]
            frames = [
                {**tags, **_frame_tags(shared, per_frame)}
                for per_frame in dataset.get("PerFrameFunctionalGroupsSequence") or ()
            ]
    except (NotAnImage, MimirError, MemoryError):
        raise
    except _TooLong as error:
        raise MimirError(
            "DICOM_UNREADABLE",
            f"file '{entry.name}' has more than {MAX_VALUE_BYTES} characters in one of the values"
            f" that are read ({error})",
            "Correct the header, or export the study again.",
        ) from None
    except Exception as error:  # pydicom raises many kinds on damaged files
        raise _unreadable(entry) from error
    found = [Frame(entry, number, _contrast_of(t), t) for number, t in enumerate(frames)] or [
        Frame(entry, None, _contrast_of(tags), tags)
    ]
    _check_is_complete(entry, tags)
    declared = first_integer(tags, "NumberOfFrames") or 1
    if declared != len(found) and any(frame.contrast for frame in found):
        raise MimirError(
            "DICOM_UNREADABLE",
            f"file '{entry.shown}' declares {declared} images but describes {len(found)}",
            "Export the study again as single images or as complete enhanced files.",
        )
    yield from found


class _TooLong(Exception):
    """A value has more than ``MAX_VALUE_BYTES``; the text is its keyword."""


def _frame_tags(shared: Any, per_frame: Any) -> Tags:
    """Return attributes of one frame from its functional groups, or from the shared ones."""
    tags: Tags = {}
    for group, keywords in _FUNCTIONAL_GROUPS.items():
        sequence = per_frame.get(group) or shared.get(group)
        if sequence:
            tags.update(_texts(sequence[0], keywords))
    for keyword, classic in _SAME_AS.items():
        if keyword in tags:
            tags[classic] = tags[keyword]
    private = per_frame.get(_PHILIPS_FRAME)
    if private is not None and private.VR == "SQ" and private.value:
        tags.update(_signal_scale(private.value[0]))
    return tags


def _signal_scale(dataset: Any) -> Tags:
    """Return Philips' scale slope, if its private creator is there."""
    for block in PHILIPS_BLOCKS:
        creator = _value(dataset, (0x2005, block))
        number = _value(dataset, (0x2005, block << 8 | PHILIPS_SCALE_SLOPE))
        if creator is None or number in (None, "", b""):
            continue
        if str(_text(creator)).lower() != PHILIPS_CREATOR:
            continue
        if isinstance(number, bytes) and len(number) == 4:
            number = struct.unpack("<f", number)[0]
        return {"SignalScale": _text(number)}
    return {}


def _texts(dataset: Any, keywords: Iterable[str]) -> Tags:
    values = {keyword: _value(dataset, keyword) for keyword in keywords}
    return {keyword: _text(value) for keyword, value in values.items() if value is not None}


def _value(dataset: Any, tag: Any) -> Any:
    """Return the value of an attribute, which pydicom converts only now; None if it is missing."""
    element = dataset.get_item(tag) if tag in dataset else None
    if element is None:
        return None
    if isinstance(element.value, bytes) and len(element.value) > MAX_VALUE_BYTES:
        if str(tag).endswith("Sequence"):
            return SEQUENCE
        raise _TooLong(tag)
    return dataset[tag].value


def _text(value: Any) -> Union[str, int]:
    """Convert a value of pydicom to that of ``read_tags``."""
    if isinstance(value, int) and not isinstance(value, bool):
        return int(value)
    if isinstance(value, (str, bytes)) or not hasattr(value, "__iter__"):
        return str(value).strip("\0 ")
    values = list(value)
    if any(hasattr(v, "elements") for v in values):
        return SEQUENCE
    return "\\".join(str(v) for v in values)
