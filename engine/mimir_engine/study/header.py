"""File headers to slice records: what each image slice shows and where it lies.

The headers are the truth. A slice record holds everything that assembling stations needs, so
that pixels are read only of slices that are used. Classic files hold one slice, enhanced
multi-frame files many; both become the same records.
"""

from __future__ import annotations

import io
import math
import warnings
from collections.abc import Container, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from typing import Any, Optional, Union

from mimir_engine.errors import MimirError
from mimir_engine.study.contrast import Contrast, classify
from mimir_engine.study.explicit import NeedMore, NotPlain, Tags, read_tags
from mimir_engine.study.source import Entry

#: Bytes read at first of each file: enough for most headers, quadrupled as long as it isn't.
FIRST_BYTES = 2048
#: The media directory, which may lie beside the images and describes no image itself.
DICOMDIR_CLASS = "1.2.840.10008.1.3.10"
#: Private attribute of Philips: factor from stored to physical signal.
PHILIPS_SCALE_SLOPE = (0x2005, 0x100E)


@dataclass(frozen=True)
class Rescale:
    """How stored values become signal: ``stored * slope + intercept``, in units of ``kind``.

    ``signal_scale`` is the vendor's further factor between displayed and physical signal, None
    where the headers give none.
    """

    slope: float = 1.0
    intercept: float = 0.0
    kind: str = ""
    signal_scale: Optional[float] = None

    @property
    def is_identity(self) -> bool:
        """Whether signal is the stored value itself."""
        return self.slope == 1.0 and self.intercept == 0.0


@dataclass(frozen=True)
class Slice:
    """One image slice as its header describes it.

    Attributes:
        entry: File it is in.
        frame: Index of the frame in a multi-frame file, None in a classic one.
        position_mm: LPS centre of the first pixel.
        orientation: Direction cosines of a row and of a column (LPS).
        spacing_mm: Distance of rows, distance of columns.
        acquired: When, as seconds of a proleptic calendar; None where the headers do not say.
        patient, study_uid: To notice mixed studies; never shown.
        header_end: Where pixels may be looked for in a plain file; None in all others.
    """

    entry: Entry
    frame: Optional[int]
    contrast: Contrast
    series_uid: str
    series_number: int
    description: str
    study_uid: str
    patient: str
    vendor: str
    model: str
    field_strength_t: Optional[float]
    acquired: Optional[float]
    position_mm: tuple[float, ...]
    orientation: tuple[float, ...]
    rows: int
    columns: int
    spacing_mm: tuple[float, ...]
    rescale: Rescale
    header_end: Optional[int] = None

    @property
    def is_plain(self) -> bool:
        """Whether pixels are uncompressed 16-bit unsigned values of an explicit VR file."""
        return self.header_end is not None


def read_slices(entries: Sequence[Entry], contrasts: Container[Contrast]) -> list[Slice]:
    """Records of all slices of the given contrasts; other files and contrasts are passed over.

    Raises:
        MimirError: ``DICOM_UNREADABLE`` where a DICOM file cannot be parsed,
            ``CONTRAST_CONTRADICTION``, ``GEOMETRY_UNREADABLE``.
    """
    classifier = _Classifier()
    slices: list[Slice] = []
    for entry in entries:
        for frame, tags in _frames(entry):
            contrast = classifier(tags)
            if contrast in contrasts and tags.get("Modality", "MR") == "MR":
                slices.append(_slice(entry, frame, contrast, tags))
    return slices


class _Classifier:
    """``classify`` remembered: the slices of a series say the same a hundred times."""

    def __init__(self) -> None:
        self._known: dict[tuple[object, ...], Optional[Contrast]] = {}

    def __call__(self, tags: Tags) -> Optional[Contrast]:
        key = (tags.get("FrameType"), tags.get("ImageType"), tags.get("SeriesDescription"))
        if key not in self._known:
            self._known[key] = classify({k: str(v) for k, v in tags.items()})
        return self._known[key]


def _frames(entry: Entry) -> Iterator[tuple[Optional[int], Tags]]:
    """The header of each image frame of a file; nothing for a file that is no DICOM image."""
    size = FIRST_BYTES
    data = entry.read(size)
    if data[128:132] != b"DICM":
        if entry.name.lower().endswith(".dcm"):
            raise _unreadable(entry)
        return
    tags: Optional[dict[str, Union[str, int]]] = None
    while tags is None:
        try:
            tags, end = read_tags(data)
        except NeedMore:
            if len(data) < size:
                raise _unreadable(entry) from None
            size *= 4
            data = entry.read(size)
        except NotPlain:
            break
    if tags is None or _needs_library(tags):
        yield from _library_frames(entry)
    elif "SeriesInstanceUID" not in tags:
        raise _unreadable(entry)
    elif "Rows" in tags:
        if _is_plain(tags):
            tags["HeaderEnd"] = end
        yield None, tags


def _unreadable(entry: Entry) -> MimirError:
    return MimirError(
        "DICOM_UNREADABLE",
        f"file '{entry.name}' cannot be read as DICOM",
        "Export or download the study again.",
    )


def _needs_library(tags: Tags) -> bool:
    """Multi-frame files, look-up tables, and vendors whose scale stands in private attributes."""
    return (
        "NumberOfFrames" in tags
        or "ModalityLUTSequence" in tags
        or str(tags.get("Manufacturer", "")).lower().startswith("philips")
    )


def _is_plain(tags: Tags) -> bool:
    return tags.get("BitsAllocated") == 16 and tags.get("PixelRepresentation") == 0


def _library_frames(entry: Entry) -> Iterator[tuple[Optional[int], Tags]]:
    """The same through pydicom, which knows every encoding."""
    import pydicom

    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            dataset = pydicom.dcmread(io.BytesIO(entry.read(-1)), stop_before_pixels=True)
            if dataset.file_meta.get("MediaStorageSOPClassUID") == DICOMDIR_CLASS:
                return
            tags = _dataset_tags(dataset)
            frames = [
                {**tags, **_frame_tags(dataset, per_frame)}
                for per_frame in dataset.get("PerFrameFunctionalGroupsSequence", ())
            ]
    except MimirError:
        raise
    except Exception as error:  # pydicom raises many kinds on damaged files
        raise _unreadable(entry) from error
    if "SeriesInstanceUID" not in tags:
        raise _unreadable(entry)
    if frames:
        yield from enumerate(frames)
    elif "Rows" in tags:
        yield None, tags


def _dataset_tags(dataset: Any) -> dict[str, Union[str, int]]:
    from mimir_engine.study.explicit import KEYWORDS

    tags = {k: _text(dataset.get(k)) for k in KEYWORDS.values() if dataset.get(k) is not None}
    scale = dataset.get(PHILIPS_SCALE_SLOPE)
    if scale is not None:
        tags["SignalScale"] = _text(scale.value)
    return tags


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
    return tags


#: Where an enhanced MR image keeps what a classic one has at top level (PS3.3 C.7.6.16).
_FUNCTIONAL_GROUPS = {
    "MRImageFrameTypeSequence": ("FrameType",),
    "FrameContentSequence": ("FrameAcquisitionDateTime",),
    "PlanePositionSequence": ("ImagePositionPatient",),
    "PlaneOrientationSequence": ("ImageOrientationPatient",),
    "PixelMeasuresSequence": ("PixelSpacing",),
    "PixelValueTransformationSequence": ("RescaleIntercept", "RescaleSlope", "RescaleType"),
}


def _text(value: Any) -> Union[str, int]:
    if isinstance(value, int) and not isinstance(value, bool):
        return int(value)
    if isinstance(value, (str, bytes)) or not hasattr(value, "__iter__"):
        return str(value).strip("\0 ")
    return "\\".join(str(v) for v in value)


def _slice(entry: Entry, frame: Optional[int], contrast: Contrast, tags: Tags) -> Slice:
    return Slice(
        entry=entry,
        frame=frame,
        contrast=contrast,
        series_uid=str(tags["SeriesInstanceUID"]),
        series_number=int(_number(tags, "SeriesNumber") or 0),
        description=str(tags.get("SeriesDescription", "")),
        study_uid=str(tags.get("StudyInstanceUID", "")),
        patient=str(tags.get("PatientID", "")),
        vendor=str(tags.get("Manufacturer", "")),
        model=str(tags.get("ManufacturerModelName", "")),
        field_strength_t=_number(tags, "MagneticFieldStrength"),
        acquired=_acquired(tags),
        position_mm=_numbers(tags, "ImagePositionPatient", 3),
        orientation=_numbers(tags, "ImageOrientationPatient", 6),
        rows=int(tags["Rows"]),
        columns=int(tags.get("Columns", 0)),
        spacing_mm=_numbers(tags, "PixelSpacing", 2),
        rescale=_rescale(tags),
        header_end=int(tags["HeaderEnd"]) if "HeaderEnd" in tags else None,
    )


def _numbers(tags: Tags, keyword: str, count: int) -> tuple[float, ...]:
    try:
        values = tuple(map(float, str(tags[keyword]).split("\\")))
        if len(values) == count and all(map(math.isfinite, values)):
            return values
    except (KeyError, ValueError):
        pass
    raise MimirError(
        "GEOMETRY_UNREADABLE",
        f"{keyword} of series '{tags.get('SeriesDescription', '')}' is missing or not a number",
        "Export the study again; without its geometry nothing can be measured.",
    )


def _number(tags: Mapping[str, Union[str, int]], keyword: str) -> Optional[float]:
    try:
        value = float(tags[keyword])
    except (KeyError, ValueError):
        return None
    return value if math.isfinite(value) else None


def _rescale(tags: Tags) -> Rescale:
    if "ModalityLUTSequence" in tags:
        raise MimirError(
            "SCALE_UNSUPPORTED",
            f"series '{tags.get('SeriesDescription', '')}' maps its pixels by a look-up table",
            "Export it with plain pixel values.",
        )
    slope, intercept = _number(tags, "RescaleSlope"), _number(tags, "RescaleIntercept")
    return Rescale(
        1.0 if slope is None else slope,
        0.0 if intercept is None else intercept,
        str(tags.get("RescaleType", "")),
        _number(tags, "SignalScale"),
    )


def _acquired(tags: Tags) -> Optional[float]:
    """Seconds at which the slice was acquired; the series' time where that is not said."""
    moment = str(tags.get("AcquisitionDateTime", ""))[:21].split("+")[0].split("-")[0]
    if not moment:
        day = tags.get("AcquisitionDate") or tags.get("SeriesDate") or tags.get("StudyDate")
        time = tags.get("AcquisitionTime") or tags.get("SeriesTime")
        if not day or not time:
            return None
        moment = f"{day}{time}"
    try:
        return _seconds(moment)
    except ValueError:
        return None


def _seconds(moment: str) -> float:
    """Seconds since year 1 of a DICOM date and time ``YYYYMMDDHHMMSS.ffffff``."""
    day = date(int(moment[:4]), int(moment[4:6]), int(moment[6:8])).toordinal()
    hours, minutes, seconds = int(moment[8:10]), int(moment[10:12]), float(moment[12:])
    return ((day * 24 + hours) * 60 + minutes) * 60 + seconds
