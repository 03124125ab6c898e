"""Classify a series by its headers: water, fat, in-phase, opposed-phase, or none of them."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from enum import Enum
from typing import Optional, Union

from mimir_engine.errors import MimirError


class Contrast(str, Enum):
    """The four contrasts of a two-point Dixon acquisition."""

    WATER = "water"
    FAT = "fat"
    IN_PHASE = "in-phase"
    OPPOSED_PHASE = "opposed-phase"


#: Spellings of the contrasts in image types and descriptions, without separators, upper case.
#: Siemens: ``_W _F _in _opp`` and OPP_PHASE; GE: ``WATER:``, ``InPhase:``, OUT_PHASE; Philips: W,
#: F, IP, OP; the DICOM standard's frame types: WATER, FAT, IN_PHASE, OUT_PHASE.
SPELLINGS = {
    Contrast.WATER: ("W", "WA", "WATER", "WATERONLY"),
    Contrast.FAT: ("F", "FAT", "FATONLY"),
    Contrast.IN_PHASE: ("IN", "IP", "INP", "INPHASE"),
    Contrast.OPPOSED_PHASE: (
        *("OPP", "OP", "OOP", "OPPOSED", "OPPHASE", "OPPPHASE", "OPPOSEDPHASE"),
        *("OUT", "OUTPHASE", "OUTOFPHASE"),
    ),
}
#: Image types of maps computed from water and fat, of differences of scans, and of views computed
#: from a stack of slices. Series with these types are none of the four contrasts, whatever else
#: their headers contain.
COMPUTED = {
    *("FATFRACTION", "WATERFRACTION", "FF", "WF", "PDFF", "T2STAR", "R2STAR", "FIELDMAP"),
    *("MPR", "MIP", "MINIP", "PROJECTIONIMAGE", "COMPOSED", "SUB", "SUBTRACTION"),
}
#: Words in a description that say the same of a series, whatever contrast its other words name.
COMPUTED_WORDS = {
    *("COMPOSED", "COMP", "MPR", "MIP", "MINIP", "SUBTRACTION"),
    *("MAP", "PDFF", "FRACTION", "PERCENT"),
}
#: Words after the contrast that name the reconstruction. Siemens: ND (not corrected for
#: distortion), DIS2D and DIS3D (corrected), NORM (normalised), FIL (filtered), DRB and DRG (deep
#: learning). Philips: SENSE, CLEAR, CS (acceleration and uniformity).
RECONSTRUCTION_WORDS = {
    *("ND", "DIS2D", "DIS3D", "NORM", "FIL", "DRB", "DRG"),
    *("SENSE", "CLEAR", "CS", "CSENSE"),
}
#: Words that follow another word of a contrast, as in ``out_of_phase`` and ``water only``.
SECOND_WORDS = {"PHASE", "ONLY"}

_BY_SPELLING = {spelling: contrast for contrast, all_ in SPELLINGS.items() for spelling in all_}
_SEPARATORS = re.compile(r"[_\s-]+")
#: Words of scans that may be Dixon scans: Siemens' VIBE Dixon and GRE, GE's LAVA-Flex and IDEAL,
#: United Imaging's WFI (water-fat imaging).
_DIXON = re.compile(r"dixon|vibe|lava|ideal|wfi|(?<![a-z])gre(?![a-z])", re.IGNORECASE)
#: Third value of the image type of an ordinary image: magnitude, phase, real or imaginary part.
_ORDINARY = re.compile(r"[MPRI](_|$)")
#: Words before a W that means "weighted".
_WEIGHTINGS = {"T1", "T2", "PD", "DW"}

TagValue = Union[str, Sequence[str], None]


def classify(tags: Mapping[str, TagValue]) -> Optional[Contrast]:
    """Return the contrast that the headers of a series (or a frame) name.

    Examples:
        >>> classify({"SeriesDescription": "Dixon_BH_17s_W"})
        <Contrast.WATER: 'water'>

    Contrasts are named in the frame's own ``FrameType``, in ``ImageType``, and at the end (Siemens,
    Philips) or beginning (GE) of ``SeriesDescription``. All that name one must agree. A single
    letter at the end names none if the image type is that of an ordinary image, unless another word
    is one of Dixon scans: the F of ``t2_haste_F`` is not fat.

    Args:
        tags: DICOM keyword to value; multiple values as a sequence or joined by backslashes. Only
            the three keywords above are used, and each may be missing.

    Returns:
        The contrast, or None if the series is none of the four.

    Raises:
        MimirError: ``CONTRAST_CONTRADICTION`` if the headers name different contrasts.
    """
    frame_type, image_type = _values(tags.get("FrameType")), _values(tags.get("ImageType"))
    description = " ".join(_values(tags.get("SeriesDescription")))
    types = {_normalized(value) for value in (*frame_type, *image_type)}
    words = [word.upper() for word in _SEPARATORS.split(description) if word]
    if types & COMPUTED or COMPUTED_WORDS.intersection(words):
        return None
    named = {
        "FrameType": _named(frame_type[2:]),
        "ImageType": _named(image_type[2:]),
        "SeriesDescription": _named(description.split(":")[:-1]),
    }
    third_values = (*frame_type[2:3], *image_type[2:3])
    is_ordinary = any(_ORDINARY.match(value) for value in third_values)
    if not is_ordinary or not _is_letter_alone(words) or _DIXON.search(description):
        named["SeriesDescription"] |= _named([_last_word(words)])
    contrasts = set().union(*named.values())
    if len(contrasts) > 1:
        shown = ", ".join(
            f"{keyword} names {' and '.join(sorted(c.value for c in found))}"
            for keyword, found in named.items()
            if found
        )
        raise MimirError(
            "CONTRAST_CONTRADICTION",
            f"the headers of series '{description}' contradict each other: {shown}",
            "Find out which is correct and correct the others.",
        )
    return contrasts.pop() if contrasts else None


def _values(value: TagValue) -> Sequence[str]:
    if value is None:
        return ()
    return value.split("\\") if isinstance(value, str) else [str(v) for v in value]


def _normalized(value: str) -> str:
    """Return upper case without separators: ``In-Phase`` and ``IN_PHASE`` become one word."""
    return re.sub(r"[_\s-]", "", value).upper()


def _named(values: Sequence[str]) -> set[Contrast]:
    return {_BY_SPELLING[w] for w in map(_normalized, values) if w in _BY_SPELLING}


def _last_word(words: Sequence[str]) -> str:
    """Return the last word of a description, without words for the reconstruction.

    Words such as ``out of phase`` become one. A W that means "weighted" is left out.
    """
    end = len(words)
    while end and words[end - 1] in RECONSTRUCTION_WORDS:
        end -= 1
    if words[end - 1 : end] == ["W"] and _WEIGHTINGS.intersection(words[end - 2 : end - 1]):
        return ""
    begin = end - 1
    while begin > 0 and words[begin] in (*SECOND_WORDS, "OF"):
        begin -= 1
    return "".join(words[max(begin, 0) : end])


def _is_letter_alone(words: Sequence[str]) -> bool:
    """Return whether a description ends in a single letter after other words."""
    return len(words) > 1 and len(_last_word(words)) == 1
