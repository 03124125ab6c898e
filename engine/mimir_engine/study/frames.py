"""Files to image frames: what each header says, as plain text, whatever its encoding.

Classic files hold one frame, enhanced multi-frame files many; both become the same. Files in the
plainest encoding take the quick way (``explicit``), all others the general library's.
"""

from __future__ import annotations

import io
import warnings
from collections.abc import Iterator
from typing import Any, NamedTuple, Optional, Union

from mimir_engine.errors import MimirError
from mimir_engine.study.explicit_vr import (
    DEFLATED,
    EXPLICIT_LITTLE_ENDIAN,
    KEYWORDS,
    SEQUENCE,
    NeedMore,
    NotPlain,
    Tags,
    read_meta,
    read_tags,
    undeflated,
)
from mimir_engine.study.source import Entry

#: Bytes read at first of each file: enough for most headers, quadrupled as long as it isn't.
FIRST_BYTES = 2048
#: SOP classes of MR images: classic, enhanced, and enhanced converted from classic. Files of any
#: other class (reports, presentation states, a DICOMDIR, captured screens) are passed over.
IMAGE_CLASSES = (
    "1.2.840.10008.5.1.4.1.1.4",
    "1.2.840.10008.5.1.4.1.1.4.1",
    "1.2.840.10008.5.1.4.1.1.4.4",
)
#: Private attributes of Philips: the factor from stored to physical signal, whose block they are
#: in, and the sequence that holds the factor in each frame of an enhanced file.
PHILIPS_SCALE_SLOPE, PHILIPS_BLOCK = (0x2005, 0x100E), (0x2005, 0x0010)
PHILIPS_FRAME = (0x2005, 0x140F)
#: First bytes of the files with attributes that macOS puts beside others (``._name.dcm``).
APPLE_DOUBLE = b"\0\5\26\7"


class Frame(NamedTuple):
    """One image frame of a file.

    Attributes:
        entry: The file.
        number: Index of the frame in a multi-frame file, None in a classic one.
        tags: Keyword to value, of the frame where it differs from the file.
        header_end: Where pixels may be looked for, if they are uncompressed unsigned 16-bit
            values of a plain file; else None.
    """

    entry: Entry
    number: Optional[int]
    tags: Tags
    header_end: Optional[int] = None


def read_frames(entry: Entry) -> Iterator[Frame]:
    """The image frames of a file; nothing for a file that is no MR image.

    Raises:
        MimirError: ``DICOM_UNREADABLE`` where a DICOM file cannot be parsed, and whatever reading
            the entry raises.
    """
    data = entry.read(FIRST_BYTES)
    if data[128:132] != b"DICM":
        if entry.name.lower().endswith(".dcm") and not data.startswith(APPLE_DOUBLE):
            raise _unreadable(entry)
        return
    try:
        meta, data_set = read_meta(data)
    except (NeedMore, NotPlain):
        meta, data_set = {}, 0
    if meta.get("MediaStorageSOPClassUID", IMAGE_CLASSES[0]) not in IMAGE_CLASSES:
        return
    syntax = meta.get("TransferSyntaxUID")
    if syntax == DEFLATED:
        yield from read_frames(undeflated(entry, data_set))
        return
    plain = _plain_tags(entry, data, data_set) if syntax == EXPLICIT_LITTLE_ENDIAN else None
    if plain is None or _needs_library(plain[0]):
        yield from _library_frames(entry)
        return
    tags, end = plain
    _check_series(entry, tags)
    yield Frame(entry, None, tags, end if _is_plain(tags) else None)


def _plain_tags(entry: Entry, data: bytes, data_set: int) -> Optional[tuple[Tags, int]]:
    """What ``read_tags`` gives, reading on as long as it takes; None where it declines."""
    size = FIRST_BYTES
    while True:
        try:
            return read_tags(data, data_set)
        except NotPlain:
            return None
        except NeedMore:
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


def _check_series(entry: Entry, tags: Tags) -> None:
    """A header without its series was cut off or overwritten."""
    if "SeriesInstanceUID" not in tags:
        raise _unreadable(entry)


def _needs_library(tags: Tags) -> bool:
    """Multi-frame files, and vendors whose signal scale stands in private attributes."""
    return "NumberOfFrames" in tags or str(tags.get("Manufacturer", "")).lower().startswith(
        "philips"
    )


def _is_plain(tags: Tags) -> bool:
    return tags.get("BitsAllocated") == 16 and tags.get("PixelRepresentation") == 0


def _library_frames(entry: Entry) -> Iterator[Frame]:
    """The same through pydicom, which knows every encoding."""
    import pydicom

    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            dataset = pydicom.dcmread(
                io.BytesIO(entry.read(-1)), stop_before_pixels=True, specific_tags=_LIBRARY_TAGS
            )
            image_class = dataset.file_meta.get("MediaStorageSOPClassUID", IMAGE_CLASSES[0])
            if image_class not in IMAGE_CLASSES:
                return
            tags = _dataset_tags(dataset)
            frames = [
                {**tags, **_frame_tags(dataset, per_frame)}
                for per_frame in dataset.get("PerFrameFunctionalGroupsSequence") or ()
            ]
    except MimirError:
        raise
    except Exception as error:  # pydicom raises many kinds on damaged files
        raise _unreadable(entry) from error
    _check_series(entry, tags)
    if frames and str(tags.get("NumberOfFrames")) != str(len(frames)):
        raise _unreadable(entry)
    for number, frame_tags in enumerate(frames):
        yield Frame(entry, number, frame_tags)
    if not frames:
        yield Frame(entry, None, tags)


def _dataset_tags(dataset: Any) -> dict[str, Union[str, int]]:
    tags = {k: _text(dataset.get(k)) for k in KEYWORDS.values() if dataset.get(k) is not None}
    return {**tags, **_signal_scale(dataset)}


def _frame_tags(dataset: Any, per_frame: Any) -> dict[str, Union[str, int]]:
    """What the functional groups say of one frame: its own group first, then the shared one."""
    shared = (dataset.get("SharedFunctionalGroupsSequence") or [{}])[0]
    tags: dict[str, Union[str, int]] = {}
    for group, keywords in _FUNCTIONAL_GROUPS.items():
        sequence = per_frame.get(group) or shared.get(group)
        for keyword in keywords if sequence else ():
            value = sequence[0].get(keyword)
            if value is not None:
                tags[keyword] = _text(value)
    if "FrameAcquisitionDateTime" in tags:
        tags["AcquisitionDateTime"] = tags["FrameAcquisitionDateTime"]
    private = per_frame.get(PHILIPS_FRAME)
    if private is not None and private.VR == "SQ" and private.value:
        tags.update(_signal_scale(private.value[0]))
    return tags


def _signal_scale(dataset: Any) -> dict[str, Union[str, int]]:
    scale = dataset.get(PHILIPS_SCALE_SLOPE)
    return {} if scale is None else {"SignalScale": _text(scale.value)}


#: Where an enhanced MR image keeps what a classic one has at top level (PS3.3 C.7.6.16).
_FUNCTIONAL_GROUPS = {
    "MRImageFrameTypeSequence": ("FrameType",),
    "FrameContentSequence": ("FrameAcquisitionDateTime",),
    "PlanePositionSequence": ("ImagePositionPatient",),
    "PlaneOrientationSequence": ("ImageOrientationPatient",),
    "PixelMeasuresSequence": ("PixelSpacing",),
    "PixelValueTransformationSequence": ("RescaleIntercept", "RescaleSlope", "RescaleType"),
}


#: What is kept of a header: a hostile one could fill the memory with attributes.
_LIBRARY_TAGS: list[Any] = [
    *(keyword for tag, keyword in KEYWORDS.items() if tag >> 16 > 2),
    *("SharedFunctionalGroupsSequence", "PerFrameFunctionalGroupsSequence"),
    *(PHILIPS_BLOCK, PHILIPS_SCALE_SLOPE),
]


def _text(value: Any) -> Union[str, int]:
    """A value as the quick reader would give it."""
    if isinstance(value, int) and not isinstance(value, bool):
        return int(value)
    if isinstance(value, (str, bytes)) or not hasattr(value, "__iter__"):
        return str(value).strip("\0 ")
    values = list(value)
    if any(hasattr(v, "elements") for v in values):
        return SEQUENCE
    return "\\".join(str(v) for v in values)
