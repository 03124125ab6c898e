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
#: Image types of maps computed from water and fat, and of views computed from a stack of slices.
#: Series with these types are none of the four contrasts, whatever else their headers contain.
COMPUTED = {
    *("FATFRACTION", "WATERFRACTION", "FF", "WF", "PDFF", "T2STAR", "R2STAR", "FIELDMAP"),
    *("MPR", "MIP", "MINIP", "PROJECTIONIMAGE", "COMPOSED"),
}

_BY_SPELLING = {spelling: contrast for contrast, all_ in SPELLINGS.items() for spelling in all_}
#: GE's prefix of a description: the words before a colon.
_PREFIX = re.compile(r"^\s*([A-Za-z][A-Za-z _-]*?)\s*:")
#: Siemens' suffix of a description: its last word, or two words such as ``out_phase``.
_SUFFIX = re.compile(
    r"(?:^|[_\s-])((?:in|opp|opposed|out|out[_\s-]of|op)[_\s-]phase|[A-Za-z]+)\s*$", re.IGNORECASE
)
#: A W that means "weighted".
_WEIGHTED = re.compile(r"(?:^|[_\s-])(?:T1|T2|PD|DW)[_\s-]*W\s*$", re.IGNORECASE)

TagValue = Union[str, Sequence[str], None]


def classify(tags: Mapping[str, TagValue]) -> Optional[Contrast]:
    """Return the contrast that the headers of a series (or a frame) name.

    Examples:
        >>> classify({"SeriesDescription": "Dixon_BH_17s_W"})
        <Contrast.WATER: 'water'>

    Contrasts are named in the frame's own ``FrameType``, in ``ImageType``, and in the suffix
    (Siemens) or prefix (GE) of ``SeriesDescription``. All that name one must agree.

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
    if any(_normalized(value) in COMPUTED for value in (*frame_type, *image_type)):
        return None
    named = {
        "FrameType": _named(frame_type[2:]),
        "ImageType": _named(image_type[2:]),
        "SeriesDescription": _named(_affixes(description)),
    }
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


def _affixes(description: str) -> list[str]:
    """Return the words of a description that may name its contrast: before a colon, or last."""
    matches = [_PREFIX.search(description)]
    if not _WEIGHTED.search(description):
        matches.append(_SUFFIX.search(description))
    return [match.group(1) for match in matches if match]
