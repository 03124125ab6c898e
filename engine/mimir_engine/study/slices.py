"""Headers to slice records: what each image slice shows, where it lies and what its values mean.

The headers are the truth. A slice record holds everything that assembling stations needs, so
that pixels are read only of slices that are used.
"""

from __future__ import annotations

import math
import re
from collections.abc import Container, Sequence
from dataclasses import dataclass
from datetime import date
from typing import Optional

from mimir_engine.errors import MimirError
from mimir_engine.study.contrast import Contrast, classify
from mimir_engine.study.explicit_vr import Tags
from mimir_engine.study.frames import Frame, read_frames
from mimir_engine.study.source import Entry

#: Most rows and columns of an image; UK Biobank's have 224.
MOST_PIXELS_A_SIDE = 2048
#: Positions (mm) farther than this from the scanner's centre are none.
FARTHEST_MM = 10_000.0
#: Slopes and intercepts beyond these leave no room for sums in single precision.
LEAST_SLOPE, LARGEST_SCALE = 1e-9, 1e9


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
        acquired: When, in seconds since the year 1; None where the headers do not say.
        patient, study_uid: To notice mixed studies; the patient is never shown.
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
        MimirError: ``DICOM_UNREADABLE`` where a DICOM file cannot be parsed; of slices of these
            contrasts ``CONTRAST_CONTRADICTION``, ``GEOMETRY_UNREADABLE``, ``SCALE_UNSUPPORTED``,
            ``PIXELS_UNSUPPORTED``.
    """
    classifier = _Classifier()
    slices: list[Slice] = []
    for entry in entries:
        for frame in read_frames(entry):
            contrast = classifier(frame.tags)
            if contrast and contrast in contrasts and frame.tags.get("Modality", "MR") == "MR":
                slices.append(_slice(frame, contrast))
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


def _slice(frame: Frame, contrast: Contrast) -> Slice:
    tags = frame.tags
    _check_monochrome(tags)
    return Slice(
        entry=frame.entry,
        frame=frame.number,
        contrast=contrast,
        series_uid=str(tags["SeriesInstanceUID"]),
        series_number=int(_number(tags, "SeriesNumber") or 0),
        description=_description(tags),
        study_uid=str(tags.get("StudyInstanceUID", "")),
        patient=str(tags.get("PatientID", "")),
        vendor=str(tags.get("Manufacturer", "")),
        model=str(tags.get("ManufacturerModelName", "")),
        field_strength_t=_number(tags, "MagneticFieldStrength"),
        acquired=_acquired(tags),
        position_mm=_numbers(tags, "ImagePositionPatient", 3),
        orientation=_numbers(tags, "ImageOrientationPatient", 6),
        rows=_side(tags, "Rows"),
        columns=_side(tags, "Columns"),
        spacing_mm=_numbers(tags, "PixelSpacing", 2),
        rescale=_rescale(tags),
        header_end=frame.header_end,
    )


def _description(tags: Tags) -> str:
    return str(tags.get("SeriesDescription", ""))


def _check_monochrome(tags: Tags) -> None:
    """Colours and inverted greys are made for looking at, not signal."""
    kind = str(tags.get("PhotometricInterpretation", "MONOCHROME2"))
    if kind != "MONOCHROME2" or str(tags.get("SamplesPerPixel", 1)) != "1":
        raise MimirError(
            "PIXELS_UNSUPPORTED",
            f"the pixels of series '{_description(tags)}' are {kind}, not plain signal",
            "Export the original images.",
        )


def _numbers(tags: Tags, keyword: str, count: int) -> tuple[float, ...]:
    try:
        values = tuple(map(float, str(tags[keyword]).split("\\")))
        if len(values) == count and all(abs(v) <= FARTHEST_MM for v in values):  # NaN is not
            return values
    except (KeyError, ValueError):
        pass
    raise _geometry_unreadable(tags, keyword)


def _side(tags: Tags, keyword: str) -> int:
    size = tags.get(keyword)
    if isinstance(size, int) and 1 <= size <= MOST_PIXELS_A_SIDE:
        return size
    raise _geometry_unreadable(tags, keyword)


def _geometry_unreadable(tags: Tags, keyword: str) -> MimirError:
    said = f"is '{tags[keyword]}'" if keyword in tags else "is missing"
    return MimirError(
        "GEOMETRY_UNREADABLE",
        f"{keyword} of series '{_description(tags)}' {said}",
        "Export the study again; without its geometry nothing can be measured.",
    )


def _number(tags: Tags, keyword: str) -> Optional[float]:
    try:
        value = float(tags[keyword])
    except (KeyError, ValueError, OverflowError):
        return None
    return value if math.isfinite(value) else None


def _rescale(tags: Tags) -> Rescale:
    if "ModalityLUTSequence" in tags:
        raise _scale_unsupported(tags, "maps its pixels by a look-up table")
    rescale = Rescale(
        _scale_number(tags, "RescaleSlope", 1.0),
        _scale_number(tags, "RescaleIntercept", 0.0),
        str(tags.get("RescaleType", "")),
        _number(tags, "SignalScale"),
    )
    if rescale.slope < LEAST_SLOPE:
        raise _scale_unsupported(tags, f"has the rescale slope {rescale.slope:g}")
    return rescale


def _scale_number(tags: Tags, keyword: str, default: float) -> float:
    if tags.get(keyword, "") == "":
        return default
    value = _number(tags, keyword)
    if value is None or abs(value) > LARGEST_SCALE:
        raise _scale_unsupported(tags, f"has the {keyword} '{tags[keyword]}'")
    return value


def _scale_unsupported(tags: Tags, what: str) -> MimirError:
    return MimirError(
        "SCALE_UNSUPPORTED",
        f"series '{_description(tags)}' {what}",
        "Export it with plain pixel values.",
    )


def _acquired(tags: Tags) -> Optional[float]:
    """Seconds at which the slice was acquired; the series' time where that is not said.

    A date goes with its own time where it can, since series are reconstructed after midnight of
    what was acquired before.
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


_MOMENT = re.compile(
    r"(\d{4})(\d\d)(\d\d)([01]\d|2[0-3])(?:([0-5]\d)(?:([0-5]\d|60)(\.\d*)?)?)?\s*", re.ASCII
)


def _seconds(moment: str) -> Optional[float]:
    """Seconds since year 1 of a DICOM date and time ``YYYYMMDDHHMMSS.ffffff``."""
    match = _MOMENT.fullmatch(moment)
    if match is None:
        return None
    year, month, day, hours, minutes, seconds = (int(part or 0) for part in match.groups()[:6])
    try:
        days = date(year, month, day).toordinal()
    except ValueError:
        return None
    fraction = float(f"0{match.group(7) or ''}")
    return ((days * 24 + hours) * 60 + minutes) * 60 + seconds + fraction
