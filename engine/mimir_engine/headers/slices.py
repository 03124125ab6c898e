"""Turn frame headers into ``Slice``: series, position, scale and time of each image slice.

A slice holds everything that assembling stations needs, so pixels are read only of slices that
are used. Headers decide, never file names or the order of files.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field, replace
from functools import lru_cache
from typing import NamedTuple, Optional

from mimir_engine.errors import MimirError
from mimir_engine.headers.acquisition_time import SECONDS_PER_DAY, acquired, starts_next_day
from mimir_engine.headers.contrast import COMPUTED, Contrast
from mimir_engine.headers.dicomdir import Dicomdir, read_dicomdir
from mimir_engine.headers.frames import DICOMDIR, Frame, NotAnImage, read_frames
from mimir_engine.headers.little_endian import PixelPlace, Tags
from mimir_engine.headers.manifest import (
    MAX_MANIFEST_BYTES,
    Manifest,
    is_manifest,
    read_manifest,
)
from mimir_engine.headers.number_text import decimal, first_integer
from mimir_engine.headers.rescale import Rescale, rescale_of
from mimir_engine.headers.series import Series, series_of
from mimir_engine.source.entry import FIRST_BYTES, Entry, FileOnDisk
from mimir_engine.source.passed_over import PassedOver
from mimir_engine.source.reading_limits import ReadingLimits

#: Contrasts that every station must have; pixels of no others are read.
REQUIRED_CONTRASTS = (Contrast.WATER, Contrast.FAT)
#: Contrasts that are listed and compared, but not needed to measure.
PHASE_CONTRASTS = (Contrast.IN_PHASE, Contrast.OPPOSED_PHASE)
#: Rows and columns of an image; UK Biobank's have 224.
MAX_SIDE = 2048
#: Distance of a position from the scanner's isocentre, in mm.
MAX_POSITION_MM = 10_000.0


@dataclass(frozen=True)
class Slice:
    """One image slice as its header describes it.

    Attributes:
        entry: The file with the slice.
        frame: Index of the frame in a multi-frame file, None in a classic one.
        series: What it shares with the other slices of its series.
        acquired: Time of acquisition in seconds since year 1; None if unknown.
        has_own_date: False if the date of that time is the study's.
        position_mm: Centre of the first pixel, LPS.
        orientation: Direction cosines of a row and of a column, LPS.
        rows: Height of the image.
        columns: Width of the image.
        spacing_mm: Distance between rows, distance between columns.
        rescale: From stored values to signal.
        instance: Number of the image in its series; None if unknown.
        acquisition: AcquisitionNumber; empty if unknown.
        stack_id: StackID, which Philips gives each station of one series; empty if unknown.
        phase: TemporalPositionIdentifier of a dynamic scan; 1 if unknown.
        pixels: As in ``Frame``; None if pydicom must find the pixels.
    """

    entry: Entry
    frame: Optional[int]
    series: Series
    acquired: Optional[float]
    has_own_date: bool
    position_mm: tuple[float, ...]
    orientation: tuple[float, ...]
    rows: int
    columns: int
    spacing_mm: tuple[float, ...]
    rescale: Rescale
    instance: Optional[int] = None
    acquisition: str = ""
    stack_id: str = ""
    phase: int = 1
    pixels: Optional[PixelPlace] = None

    @property
    def contrast(self) -> Contrast:
        """Water, fat, in-phase or opposed-phase."""
        return self.series.contrast


class Companion(NamedTuple):
    """An in-phase or opposed-phase slice, which is only compared with water and fat.

    Attributes:
        entry: The file with the slice.
        frame: Index of the frame in a multi-frame file, None in a classic one.
        series: What it shares with the other slices of its series.
        acquired: Time of acquisition in seconds since year 1; None if unknown.
        z_mm: Place of the slice from foot to head.
        scan: AcquisitionNumber, StackID and time: the same for all slices of one scan.
        instance: Number of the image in its series; None if unknown.
    """

    entry: Entry
    frame: Optional[int]
    series: Series
    acquired: Optional[float]
    z_mm: float
    scan: tuple[object, ...]
    instance: Optional[int]


@dataclass(frozen=True)
class Headers:
    """What the headers of a source tell.

    Attributes:
        slices: Water and fat slices, in the order of files and frames.
        companions: In-phase and opposed-phase slices whose headers are readable.
        passed_over: One entry per file or frame that is none of these.
        names: Paths or names of all files.
        manifests: Lists of files that lie in the source.
        dicomdirs: Directories of discs.
    """

    slices: list[Slice] = field(default_factory=list)
    companions: list[Companion] = field(default_factory=list)
    passed_over: list[PassedOver] = field(default_factory=list)
    names: set[str] = field(default_factory=set)
    manifests: list[Manifest] = field(default_factory=list)
    dicomdirs: list[Dicomdir] = field(default_factory=list)


def read_headers(files: Iterable[tuple[Entry, bytes]]) -> Headers:
    """Read the headers of all images of a source.

    Args:
        files: Each file and its first bytes.

    Raises:
        MimirError: ``DICOM_UNREADABLE`` if a DICOM file cannot be parsed; for water and fat
            ``CONTRAST_CONTRADICTION``, ``GEOMETRY_UNREADABLE``, ``SCALE_UNSUPPORTED``,
            ``PIXELS_UNSUPPORTED``, ``STUDY_TOO_LARGE`` if there are very many images.
    """
    headers, images, listed = Headers(), ReadingLimits(), ReadingLimits()
    for entry, first in files:
        headers.names.add(path_of(entry))
        try:
            for frame in read_frames(entry, first):
                images.count(1)
                _add(frame, headers)
        except NotAnImage as error:
            if error.reason == DICOMDIR:
                headers.dicomdirs.append(read_dicomdir(entry))
                listed.count(len(headers.dicomdirs[-1].files))
            elif error.reason:
                headers.passed_over.append(PassedOver(entry.shown, error.reason))
            elif is_manifest(entry):
                room = MAX_MANIFEST_BYTES - sum(len(m.text) for m in headers.manifests)
                headers.manifests.append(read_manifest(entry, room))
    headers.slices[:] = _around_midnight(headers.slices)
    return headers


def companion_slices(companions: Sequence[Companion]) -> list[Slice]:
    """Read the complete headers of in-phase and opposed-phase slices, in their order.

    Raises:
        NotAnImage: The file is not the one that was read before.
        MimirError: As ``read_headers``, for damaged headers.
    """
    by_file: dict[int, list[int]] = {}
    for place, companion in enumerate(companions):
        by_file.setdefault(id(companion.entry), []).append(place)
    slices: dict[int, Slice] = {}
    for places in by_file.values():
        entry = companions[places[0]].entry
        frames = {f.number: f for f in read_frames(entry, entry.read(FIRST_BYTES), whole=True)}
        for place in places:
            frame = frames.get(companions[place].frame)
            if frame is None:
                raise NotAnImage
            slices[place] = _slice(frame, companions[place].series.contrast)
    return [slices[place] for place in range(len(companions))]


def path_of(entry: Entry) -> str:
    """Return the path of a file on disk, or its name in an archive; only to compare names."""
    return entry.path if isinstance(entry, FileOnDisk) else entry.name


def _add(frame: Frame, headers: Headers) -> None:
    if frame.contrast is not None and _is_picture(frame.tags):
        headers.passed_over.append(_passed_over(frame.tags, "picture made for display"))
    elif frame.contrast in REQUIRED_CONTRASTS:
        headers.slices.append(_slice(frame, frame.contrast))
    elif frame.contrast is not None:
        try:
            headers.companions.append(_companion(frame, frame.contrast))
        except MimirError:  # such an image is not measured
            headers.passed_over.append(_passed_over(frame.tags, "header not readable"))
    else:
        headers.passed_over.append(_passed_over(frame.tags, _reason(frame.tags)))


def _is_picture(tags: Tags) -> bool:
    """Return whether an image was made after the scan, in colours or with 8 bits."""
    if tags.get("BitsAllocated") != 8 and tags.get("SamplesPerPixel") != 3:
        return False
    return str(tags.get("ImageType", "")).upper().split("\\")[1:2] == ["SECONDARY"]


def _passed_over(tags: Tags, reason: str) -> PassedOver:
    return PassedOver(str(tags.get("SeriesDescription", "")), reason)


def _reason(tags: Tags) -> str:
    """Return why an image is not one of the four contrasts, in a few words."""
    if tags.get("Modality", "MR") not in ("MR", ""):
        return "not an MR image"
    words = f"{tags.get('FrameType', '')}\\{tags.get('ImageType', '')}".upper().split("\\")
    plain = {word.replace("_", "") for word in words}
    if "COMPOSED" in plain:
        return "composed from stations"
    return "computed from other images" if plain & COMPUTED else "names no Dixon contrast"


def _slice(frame: Frame, contrast: Contrast) -> Slice:
    tags = frame.tags
    moment = acquired(tags)
    series = series_of(tags, contrast)
    return Slice(
        entry=frame.entry,
        frame=frame.number,
        series=series,
        acquired=None if moment is None else moment.seconds,
        has_own_date=moment is None or moment.has_own_date,
        position_mm=_numbers(tags, "ImagePositionPatient", 3),
        orientation=_numbers(tags, "ImageOrientationPatient", 6),
        rows=_side(tags, "Rows"),
        columns=_side(tags, "Columns"),
        spacing_mm=_numbers(tags, "PixelSpacing", 2),
        rescale=rescale_of(tags, series.description),
        instance=first_integer(tags, "InstanceNumber"),
        acquisition=str(tags.get("AcquisitionNumber", "")),
        stack_id=str(tags.get("StackID", "")),
        phase=first_integer(tags, "TemporalPositionIdentifier") or 1,
        pixels=frame.pixels,
    )


def _companion(frame: Frame, contrast: Contrast) -> Companion:
    tags = frame.tags
    moment = acquired(tags)
    scan = str(tags.get("AcquisitionNumber", "")), str(tags.get("StackID", "")), moment
    return Companion(
        frame.entry,
        frame.number,
        series_of(tags, contrast),
        None if moment is None else moment.seconds,
        _numbers(tags, "ImagePositionPatient", 3)[2],
        scan,
        first_integer(tags, "InstanceNumber"),
    )


def _numbers(tags: Tags, keyword: str, count: int) -> tuple[float, ...]:
    values = _decimals(str(tags[keyword])) if keyword in tags else ()
    if len(values) != count:
        raise _geometry_unreadable(tags, keyword)
    return values


@lru_cache(maxsize=5000)
def _decimals(text: str) -> tuple[float, ...]:
    """Return the numbers of a multiple value; empty if one of them is none, or implausible."""
    values = tuple(decimal(part) for part in text.split("\\"))
    are_plausible = all(v is not None and abs(v) <= MAX_POSITION_MM for v in values)
    return tuple(v for v in values if v is not None) if are_plausible else ()


def _side(tags: Tags, keyword: str) -> int:
    size = tags.get(keyword)
    if isinstance(size, int) and 1 <= size <= MAX_SIDE:
        return size
    raise _geometry_unreadable(tags, keyword)


def _geometry_unreadable(tags: Tags, keyword: str) -> MimirError:
    value = f"is '{tags[keyword]}'" if keyword in tags else "is missing"
    return MimirError(
        "GEOMETRY_UNREADABLE",
        f"{keyword} of series '{tags.get('SeriesDescription', '')}' {value}",
        "Export the study again with its complete headers.",
    )


def _around_midnight(slices: list[Slice]) -> list[Slice]:
    """Move slices after midnight to the next day if their headers have only the study's date."""
    dated = [s for s in slices if s.acquired is not None and not s.has_own_date]
    end = starts_next_day([(s.acquired or 0.0) % SECONDS_PER_DAY for s in dated])
    if end is None:
        return slices
    return [
        replace(s, acquired=s.acquired + SECONDS_PER_DAY)
        if s.acquired is not None and not s.has_own_date and s.acquired % SECONDS_PER_DAY < end
        else s
        for s in slices
    ]
