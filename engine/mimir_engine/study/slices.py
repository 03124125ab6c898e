"""Turn frame headers into ``Slice``: contrast, position, scale and time of each image slice.

A slice holds everything that assembling stations needs, so pixels are read only of slices that
are used. Headers decide, never file names or the order of files.
"""

from __future__ import annotations

import math
import re
from collections.abc import Container, Sequence
from dataclasses import dataclass
from datetime import date
from functools import lru_cache
from typing import Optional, Union

from mimir_engine.errors import MimirError
from mimir_engine.study.contrast import Contrast, classify
from mimir_engine.study.dixon_study import Scanner
from mimir_engine.study.explicit_vr import Tags
from mimir_engine.study.frames import Frame, read_frames
from mimir_engine.study.source import Entry

#: Rows and columns of an image; UK Biobank's have 224.
MAX_SIDE = 2048
#: Distance of a position from the scanner's isocentre, in mm.
MAX_POSITION_MM = 10_000.0
#: Rescale slope.
MIN_SLOPE = 1e-9
#: Absolute rescale slope and intercept; sums of larger values would not fit single precision.
MAX_SCALE = 1e9
#: A DICOM date and time, ``YYYYMMDDHHMMSS.ffffff``; parts of the time may be missing.
_DATE_TIME = re.compile(
    r"(\d{4})(\d\d)(\d\d)([01]\d|2[0-3])(?:([0-5]\d)(?:([0-5]\d|60)(\.\d*)?)?)?\s*", re.ASCII
)


@dataclass(frozen=True)
class Rescale:
    """The modality LUT of a slice: signal is ``stored * slope + intercept``.

    Attributes:
        slope: Rescale slope, positive.
        intercept: Rescale intercept.
        kind: RescaleType, the unit of the signal; empty if the header has none.
        signal_scale: Philips' factor between displayed and physical signal; None if the header
            has none.
    """

    slope: float = 1.0
    intercept: float = 0.0
    kind: str = ""
    signal_scale: Optional[float] = None

    @property
    def is_identity(self) -> bool:
        """True if signal is the stored value itself."""
        return self.slope == 1.0 and self.intercept == 0.0


@dataclass(frozen=True)
class Slice:
    """One image slice as its header describes it.

    Attributes:
        entry: The file with the slice.
        frame: Index of the frame in a multi-frame file, None in a classic one.
        contrast: Water, fat, in-phase or opposed-phase.
        series_uid: The series.
        series_number: Its number; 0 if the header has none.
        description: Its description.
        study_uid: The study.
        patient: To detect mixed studies; never shown.
        scanner: Vendor, model and field strength.
        acquired: Time of acquisition in seconds since year 1; None if unknown.
        position_mm: Centre of the first pixel, LPS.
        orientation: Direction cosines of a row and of a column, LPS.
        rows: Height of the image.
        columns: Width of the image.
        spacing_mm: Distance between rows, distance between columns.
        rescale: From stored values to signal.
        header_end: As in ``Frame``; None if pydicom must decode the pixels.
    """

    entry: Entry
    frame: Optional[int]
    contrast: Contrast
    series_uid: str
    series_number: int
    description: str
    study_uid: str
    patient: str
    scanner: Scanner
    acquired: Optional[float]
    position_mm: tuple[float, ...]
    orientation: tuple[float, ...]
    rows: int
    columns: int
    spacing_mm: tuple[float, ...]
    rescale: Rescale
    header_end: Optional[int] = None


def read_slices(entries: Sequence[Entry], contrasts: Container[Contrast]) -> list[Slice]:
    """Read the headers of all slices of the given contrasts, in the order of files and frames.

    Other files and contrasts are skipped.

    Raises:
        MimirError: ``DICOM_UNREADABLE`` if a DICOM file cannot be parsed; for slices of these
            contrasts ``CONTRAST_CONTRADICTION``, ``GEOMETRY_UNREADABLE``, ``SCALE_UNSUPPORTED``,
            ``PIXELS_UNSUPPORTED``.
    """
    slices: list[Slice] = []
    for entry in entries:
        for frame in read_frames(entry):
            tags = frame.tags
            contrast = _contrast(
                tags.get("FrameType"), tags.get("ImageType"), tags.get("SeriesDescription")
            )
            if contrast and contrast in contrasts and tags.get("Modality", "MR") == "MR":
                slices.append(_slice(frame, contrast))
    return slices


@lru_cache(maxsize=1000)
def _contrast(*values: Union[str, int, None]) -> Optional[Contrast]:
    """Call ``classify``; cached, since all slices of a series have the same values."""
    named = zip(("FrameType", "ImageType", "SeriesDescription"), values)
    return classify({keyword: str(value) for keyword, value in named if value is not None})


def _slice(frame: Frame, contrast: Contrast) -> Slice:
    tags = frame.tags
    _check_monochrome(tags)
    return Slice(
        entry=frame.entry,
        frame=frame.number,
        contrast=contrast,
        series_uid=str(tags["SeriesInstanceUID"]),
        series_number=int(_number(tags, "SeriesNumber") or 0),
        description=_series(tags),
        study_uid=str(tags.get("StudyInstanceUID", "")),
        patient=str(tags.get("PatientID", "")),
        scanner=Scanner(
            str(tags.get("Manufacturer", "")),
            str(tags.get("ManufacturerModelName", "")),
            _number(tags, "MagneticFieldStrength"),
        ),
        acquired=_acquired(tags),
        position_mm=_numbers(tags, "ImagePositionPatient", 3),
        orientation=_numbers(tags, "ImageOrientationPatient", 6),
        rows=_side(tags, "Rows"),
        columns=_side(tags, "Columns"),
        spacing_mm=_numbers(tags, "PixelSpacing", 2),
        rescale=_rescale(tags),
        header_end=frame.header_end,
    )


def _series(tags: Tags) -> str:
    return str(tags.get("SeriesDescription", ""))


def _check_monochrome(tags: Tags) -> None:
    """Refuse colours and inverted grey levels: they are made for display, not signal."""
    kind = str(tags.get("PhotometricInterpretation", "MONOCHROME2"))
    samples = str(tags.get("SamplesPerPixel", 1))
    if kind != "MONOCHROME2" or samples != "1":
        raise MimirError(
            "PIXELS_UNSUPPORTED",
            f"the pixels of series '{_series(tags)}' are {kind} with {samples} samples each,"
            " not MONOCHROME2 with one",
            "Export the original images.",
        )


def _numbers(tags: Tags, keyword: str, count: int) -> tuple[float, ...]:
    try:
        values = tuple(map(float, str(tags[keyword]).split("\\")))
        if len(values) == count and all(abs(v) <= MAX_POSITION_MM for v in values):  # NaN is not
            return values
    except (KeyError, ValueError):
        pass
    raise _geometry_unreadable(tags, keyword)


def _side(tags: Tags, keyword: str) -> int:
    size = tags.get(keyword)
    if isinstance(size, int) and 1 <= size <= MAX_SIDE:
        return size
    raise _geometry_unreadable(tags, keyword)


def _geometry_unreadable(tags: Tags, keyword: str) -> MimirError:
    value = f"is '{tags[keyword]}'" if keyword in tags else "is missing"
    return MimirError(
        "GEOMETRY_UNREADABLE",
        f"{keyword} of series '{_series(tags)}' {value}",
        "Export the study again with its complete headers.",
    )


def _number(tags: Tags, keyword: str) -> Optional[float]:
    try:
        value = float(tags[keyword])
    except (KeyError, ValueError, OverflowError):
        return None
    return value if math.isfinite(value) else None


def _rescale(tags: Tags) -> Rescale:
    if "ModalityLUTSequence" in tags:
        raise _scale_unsupported(tags, "uses a look-up table for its pixel values")
    return Rescale(
        _scale_number(tags, "RescaleSlope", 1.0, MIN_SLOPE),
        _scale_number(tags, "RescaleIntercept", 0.0, -MAX_SCALE),
        str(tags.get("RescaleType", "")),
        _number(tags, "SignalScale"),
    )


def _scale_number(tags: Tags, keyword: str, default: float, smallest: float) -> float:
    if tags.get(keyword, "") == "":
        return default
    value = _number(tags, keyword)
    if value is None or not smallest <= value <= MAX_SCALE:
        raise _scale_unsupported(tags, f"has the {keyword} '{tags[keyword]}'")
    return value


def _scale_unsupported(tags: Tags, what: str) -> MimirError:
    return MimirError(
        "SCALE_UNSUPPORTED",
        f"series '{_series(tags)}' {what}",
        "Export it with linearly scaled pixel values.",
    )


def _acquired(tags: Tags) -> Optional[float]:
    """Return the time of acquisition of the slice, or else of its series, in seconds.

    A date is combined with its own time if possible: a series may be reconstructed after midnight
    from data acquired before.
    """
    moment = str(tags.get("AcquisitionDateTime", ""))
    if moment:
        return _seconds(re.split("[+-]", moment)[0])
    for day, time in (
        ("AcquisitionDate", "AcquisitionTime"),
        ("SeriesDate", "SeriesTime"),
        ("StudyDate", "AcquisitionTime"),
        ("StudyDate", "SeriesTime"),
    ):
        if tags.get(day) and tags.get(time):
            return _seconds(f"{tags[day]}{tags[time]}")
    return None


def _seconds(moment: str) -> Optional[float]:
    """Return the seconds since year 1 of a DICOM date and time; None if it is not valid."""
    match = _DATE_TIME.fullmatch(moment)
    if match is None:
        return None
    year, month, day, hours, minutes, seconds = (int(part or 0) for part in match.groups()[:6])
    try:
        days = date(year, month, day).toordinal()
    except ValueError:
        return None
    fraction = float(f"0{match.group(7) or ''}")
    return ((days * 24 + hours) * 60 + minutes) * 60 + seconds + fraction
