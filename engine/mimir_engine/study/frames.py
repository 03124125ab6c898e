"""Read the header of each image frame as text, in any encoding.

A classic file has one frame, an enhanced multi-frame file many; both become ``Frame``. Files in
explicit VR little endian are read quickly (``explicit_vr``), all others through pydicom.
"""

from __future__ import annotations

import io
import warnings
from collections.abc import Iterable, Iterator
from typing import Any, NamedTuple, Optional, Union

from mimir_engine.errors import MimirError
from mimir_engine.study.deflated import DEFLATED, inflated
from mimir_engine.study.explicit_vr import (
    EXPLICIT_LITTLE_ENDIAN,
    KEYWORDS,
    SEQUENCE,
    DataTooShort,
    NotExplicitVR,
    Tags,
    read_meta,
    read_tags,
)
from mimir_engine.study.source import FIRST_BYTES, Entry

#: SOP classes of MR images: classic, enhanced, and enhanced converted from classic. Files of any
#: other class (reports, presentation states, a DICOMDIR, screen captures) are skipped.
IMAGE_CLASSES = (
    "1.2.840.10008.5.1.4.1.1.4",
    "1.2.840.10008.5.1.4.1.1.4.1",
    "1.2.840.10008.5.1.4.1.1.4.4",
)
#: Private attribute of Philips with the factor from stored to physical signal.
PHILIPS_SCALE_SLOPE = (0x2005, 0x100E)
#: Private creator of the block with that attribute.
PHILIPS_CREATOR = (0x2005, 0x0010)
#: Private sequence of Philips with that attribute for each frame of an enhanced file.
PHILIPS_FRAME = (0x2005, 0x140F)
#: First bytes of the attribute files that macOS writes beside others (``._name.dcm``).
APPLE_DOUBLE = b"\0\5\26\7"
#: Attributes of an enhanced MR image that are in functional groups (PS3.3 C.7.6.16), by group.
_FUNCTIONAL_GROUPS = {
    "MRImageFrameTypeSequence": ("FrameType",),
    "FrameContentSequence": ("FrameAcquisitionDateTime",),
    "PlanePositionSequence": ("ImagePositionPatient",),
    "PlaneOrientationSequence": ("ImageOrientationPatient",),
    "PixelMeasuresSequence": ("PixelSpacing",),
    "PixelValueTransformationSequence": ("RescaleIntercept", "RescaleSlope", "RescaleType"),
}
#: Attributes that pydicom reads; all attributes of a malicious header could exhaust the memory.
_PYDICOM_TAGS: list[Any] = [
    *(keyword for tag, keyword in KEYWORDS.items() if tag >> 16 > 2),
    *("SharedFunctionalGroupsSequence", "PerFrameFunctionalGroupsSequence"),
    *(PHILIPS_CREATOR, PHILIPS_SCALE_SLOPE),
]


class Frame(NamedTuple):
    """One image frame of a file.

    Attributes:
        entry: The file.
        number: Index of the frame in a multi-frame file, None in a classic one.
        tags: Keyword to value; values of the frame replace those of the file.
        header_end: Position behind the header if the pixels are uncompressed unsigned 16-bit
            values in an explicit VR little endian file, else None.
    """

    entry: Entry
    number: Optional[int]
    tags: Tags
    header_end: Optional[int] = None


def read_frames(entry: Entry) -> Iterator[Frame]:
    """Yield the image frames of a file; nothing for a file that is not an MR image.

    Raises:
        MimirError: ``DICOM_UNREADABLE`` if a DICOM file cannot be parsed, and any error of
            ``entry.read``.
    """
    data = entry.read(FIRST_BYTES)
    if data[128:132] != b"DICM":
        if entry.name.lower().endswith(".dcm") and not data.startswith(APPLE_DOUBLE):
            raise _unreadable(entry)
        return
    try:
        meta, data_set = read_meta(data)
    except (DataTooShort, NotExplicitVR):
        meta, data_set = {}, 0
    if meta.get("MediaStorageSOPClassUID", IMAGE_CLASSES[0]) not in IMAGE_CLASSES:
        return
    syntax = meta.get("TransferSyntaxUID")
    if syntax == DEFLATED:
        yield from read_frames(inflated(entry, data_set))
        return
    header = (
        _explicit_vr_header(entry, data, data_set) if syntax == EXPLICIT_LITTLE_ENDIAN else None
    )
    if header is None or _needs_pydicom(header[0]):
        yield from _pydicom_frames(entry)
        return
    tags, end = header
    if "SeriesInstanceUID" not in tags:  # the header was cut off or overwritten
        raise _unreadable(entry)
    is_uint16 = tags.get("BitsAllocated") == 16 and tags.get("PixelRepresentation") == 0
    yield Frame(entry, None, tags, end if is_uint16 else None)


def _explicit_vr_header(entry: Entry, data: bytes, data_set: int) -> Optional[tuple[Tags, int]]:
    """Return ``read_tags`` of as many bytes as it needs, or None in another encoding."""
    size = FIRST_BYTES
    while True:
        try:
            return read_tags(data, data_set)
        except NotExplicitVR:
            return None
        except DataTooShort:
            if len(data) < size:
                raise _unreadable(entry) from None
        size *= 4
        data = entry.read(size)


def _unreadable(entry: Entry) -> MimirError:
    return MimirError(
        "DICOM_UNREADABLE",
        f"file '{entry.name}' cannot be read as DICOM",
        "Export or download the study again.",
    )


def _needs_pydicom(tags: Tags) -> bool:
    """True for multi-frame files, and for Philips, whose signal scale is in private attributes."""
    vendor = str(tags.get("Manufacturer", ""))
    return "NumberOfFrames" in tags or vendor.lower().startswith("philips")


def _pydicom_frames(entry: Entry) -> Iterator[Frame]:
    """Yield the image frames of a file in any encoding."""
    import pydicom

    content = io.BytesIO(entry.read(-1))
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            dataset = pydicom.dcmread(content, stop_before_pixels=True, specific_tags=_PYDICOM_TAGS)
            image_class = dataset.file_meta.get("MediaStorageSOPClassUID", IMAGE_CLASSES[0])
            if image_class not in IMAGE_CLASSES:
                return
            tags = _texts(dataset, KEYWORDS.values())
            tags.update(_signal_scale(dataset))
            frames = [
                {**tags, **_frame_tags(dataset, per_frame)}
                for per_frame in dataset.get("PerFrameFunctionalGroupsSequence") or ()
            ]
    except Exception as error:  # pydicom raises many kinds on damaged files
        raise _unreadable(entry) from error
    if "SeriesInstanceUID" not in tags:
        raise _unreadable(entry)
    if not frames:
        yield Frame(entry, None, tags)
    elif str(tags.get("NumberOfFrames")) != str(len(frames)):
        raise _unreadable(entry)
    for number, frame_tags in enumerate(frames):
        yield Frame(entry, number, frame_tags)


def _frame_tags(dataset: Any, per_frame: Any) -> Tags:
    """Return attributes of one frame from its functional groups, or from the shared ones."""
    shared = (dataset.get("SharedFunctionalGroupsSequence") or [{}])[0]
    tags: Tags = {}
    for group, keywords in _FUNCTIONAL_GROUPS.items():
        sequence = per_frame.get(group) or shared.get(group)
        if sequence:
            tags.update(_texts(sequence[0], keywords))
    if "FrameAcquisitionDateTime" in tags:
        tags["AcquisitionDateTime"] = tags["FrameAcquisitionDateTime"]
    private = per_frame.get(PHILIPS_FRAME)
    if private is not None and private.VR == "SQ" and private.value:
        tags.update(_signal_scale(private.value[0]))
    return tags


def _signal_scale(dataset: Any) -> Tags:
    scale = dataset.get(PHILIPS_SCALE_SLOPE)
    return {} if scale is None else {"SignalScale": _text(scale.value)}


def _texts(dataset: Any, keywords: Iterable[str]) -> Tags:
    values = {keyword: dataset.get(keyword) for keyword in keywords}
    return {keyword: _text(value) for keyword, value in values.items() if value is not None}


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
