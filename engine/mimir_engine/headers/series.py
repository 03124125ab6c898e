"""Turn what all slices of one series say in their headers into ``Series``."""

from __future__ import annotations

import re
from dataclasses import dataclass
from functools import lru_cache
from typing import Optional

from mimir_engine.errors import MimirError
from mimir_engine.headers.contrast import Contrast
from mimir_engine.headers.little_endian import SEQUENCE, Tags
from mimir_engine.headers.number_text import decimal, integer
from mimir_engine.headers.patient_traits import PatientTraits, patient_traits
from mimir_engine.headers.pixel_format import PixelFormat, pixel_format
from mimir_engine.headers.scanner import Scanner, device_label

#: Words of ImageType for the way in which an image was reconstructed (Siemens): corrected for the
#: coils' sensitivity, corrected for distortion in two and in three dimensions.
RECONSTRUCTIONS = frozenset(("NORM", "DIS2D", "DIS3D"))
#: Field strengths above this are in gauss, as older GE systems write them.
MAX_TESLA = 100.0
GAUSS_PER_TESLA = 10_000.0
#: Texts in ContrastBolusAgent that mean that none was given.
_NO_AGENT = re.compile(
    r"[\W_0]*|n|non|false|null|nil|n/?a|n\.a\.|0 ?ml|pre([ -]?contrast)?|.*\bnone"
    r"|(no|none|not|nein|kein\w{0,2}|without|w/o|ohne|nativ\w?|unenhanced|sans|sin|senza|aucun)\b.*",
    re.IGNORECASE,
)
#: Attributes that describe a series: equal values give the same object.
KEYWORDS = (
    *("SeriesInstanceUID", "SeriesNumber", "SeriesDescription", "ImageType", "StudyInstanceUID"),
    *("PatientID", "PatientSex", "PatientAge", "PatientSize", "PatientWeight"),
    *("Manufacturer", "ManufacturerModelName", "MagneticFieldStrength"),
    *("DeviceSerialNumber", "StationName"),
    *("PatientPosition", "LossyImageCompression", "ImagesInAcquisition"),
    *("ContrastBolusAgent", "ContrastBolusAgentSequence"),
    *("SamplesPerPixel", "PhotometricInterpretation", "BitsAllocated", "BitsStored", "HighBit"),
    *("PixelRepresentation", "PixelPaddingValue", "PixelPaddingRangeLimit"),
)


@dataclass(frozen=True)
class Series:
    """The part of a header that all slices of one series and contrast share.

    Attributes:
        uid: Its UID; empty if the header has none.
        number: Its number; 0 if the header has none.
        description: Its description.
        contrast: Water, fat, in-phase or opposed-phase.
        reconstruction: Those of ``RECONSTRUCTIONS`` that ImageType contains; none in raw images.
        study_uid: The study.
        patient: To detect mixed studies; never shown.
        traits: Sex, age, height and weight of the patient; never shown.
        scanner: Vendor, model, field strength and device.
        patient_position: ``HFS``, ``FFS``, ``HFP`` …; empty if unknown.
        has_agent: Whether a contrast agent is named.
        is_lossy: Whether the pixels were ever compressed with loss.
        images: Number of images of the acquisition that the scanner declares; None if unknown.
        pixel_format: The form of stored values.
    """

    uid: str
    number: int
    description: str
    contrast: Contrast
    reconstruction: frozenset[str]
    study_uid: str
    patient: str
    traits: PatientTraits
    scanner: Scanner
    patient_position: str
    has_agent: bool
    is_lossy: bool
    images: Optional[int]
    pixel_format: PixelFormat


def series_of(tags: Tags, contrast: Contrast) -> Series:
    """Return the series of a slice.

    Raises:
        MimirError: ``PIXELS_UNSUPPORTED``.
    """
    return _series(contrast, *map(tags.get, KEYWORDS))


@lru_cache(maxsize=1000)
def _series(contrast: Contrast, *values: object) -> Series:
    tags = {k: v for k, v in zip(KEYWORDS, values) if v is not None}

    def text(keyword: str) -> str:
        return str(tags.get(keyword, ""))

    description = text("SeriesDescription")
    _check_monochrome(tags, description)
    return Series(
        uid=text("SeriesInstanceUID"),
        number=integer(text("SeriesNumber")) or 0,
        description=description,
        contrast=contrast,
        reconstruction=RECONSTRUCTIONS & {*text("ImageType").upper().split("\\")},
        study_uid=text("StudyInstanceUID"),
        patient=text("PatientID"),
        traits=patient_traits(tags),
        scanner=Scanner(
            text("Manufacturer"),
            text("ManufacturerModelName"),
            _tesla(text("MagneticFieldStrength")),
            device_label(text("Manufacturer"), text("DeviceSerialNumber"), text("StationName")),
        ),
        patient_position=text("PatientPosition").upper(),
        has_agent=text("ContrastBolusAgentSequence") == SEQUENCE
        or not _NO_AGENT.fullmatch(text("ContrastBolusAgent")),
        is_lossy=text("LossyImageCompression") == "01",
        images=integer(text("ImagesInAcquisition")),
        pixel_format=pixel_format(tags, description),
    )


def _check_monochrome(tags: dict[str, object], description: str) -> None:
    """Refuse colours and inverted grey levels: they are made for display, not signal."""
    kind = str(tags.get("PhotometricInterpretation", "MONOCHROME2"))
    samples = str(tags.get("SamplesPerPixel", 1))
    if kind != "MONOCHROME2" or samples != "1":
        raise MimirError(
            "PIXELS_UNSUPPORTED",
            f"the pixels of series '{description}' are {kind} with {samples} samples each,"
            " not MONOCHROME2 with one",
            "Export the original images.",
        )


def _tesla(text: str) -> Optional[float]:
    strength = decimal(text)
    if strength is not None and strength > MAX_TESLA:
        return strength / GAUSS_PER_TESLA
    return strength
