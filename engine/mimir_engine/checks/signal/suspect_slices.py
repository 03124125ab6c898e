"""Find slices that are blank or cut off, occur twice, or are the same in water and fat.

Noise makes any two slices differ, and any slice uneven. Pixels are only compared for equality.
"""

from __future__ import annotations

from typing import Optional

import numpy as np

from mimir_engine.checks.pixel_sample import STEP, Sample
from mimir_engine.checks.station_place import station_place
from mimir_engine.headers.contrast import Contrast
from mimir_engine.study.finding import STOP, Finding
from mimir_engine.study.station import Station

#: Part of the rows that is cut off at least, and slices on each side that are looked at.
MIN_ROWS_CUT, NEIGHBOURS = 0.25, 3


def find_blank(station: Station, sample: Sample, number: int) -> list[Finding]:
    """Find slices that are zero or otherwise the same everywhere; a stop if all are."""
    findings = []
    slices = station.shape[0]
    for contrast, pixels in sample.items():
        even = (pixels == pixels[:, :1, :1]).all(axis=(1, 2))
        blank = sum(_is_blank(station.images[contrast][k]) for k in np.flatnonzero(even))
        if blank == slices:
            findings.append(_empty(contrast, number))
        elif blank:
            findings.append(
                Finding(
                    "SLICE_BLANK",
                    f"{blank} of {slices} {contrast.value} slices of station {number} (from the"
                    " head) are the same everywhere, as if their pixels were lost",
                    station=number,
                    value=blank,
                    threshold=0,
                )
            )
    return findings


def find_empty_volumes(station: Station) -> list[Finding]:
    """Find fused volumes, given as one station, that are the same everywhere: a stop."""
    return [
        _empty(contrast, None)
        for contrast, image in station.images.items()
        if all(_is_blank(plane) and plane[0, 0] == image[0, 0, 0] for plane in image)
    ]


def _empty(contrast: Contrast, number: Optional[int]) -> Finding:
    return Finding(
        "EMPTY_IMAGE",
        f"the {contrast.value} image of {station_place(number)} is the same everywhere",
        STOP,
        "Export the study again.",
        number,
    )


def find_cut_off(station: Station, sample: Sample, number: int) -> list[Finding]:
    """Find slices whose last rows are zero though those of slices on both sides are not."""
    findings = []
    for contrast, pixels in sample.items():
        filled = (pixels != 0).any(axis=2)
        rows = filled.shape[1]
        last = (rows - filled[:, ::-1].argmax(axis=1)).tolist()  # until the last row with signal
        image = station.images[contrast]
        cut = sum(
            min(max(last[max(k - NEIGHBOURS, 0) : k]), max(last[k + 1 : k + 1 + NEIGHBOURS]))
            >= last[k] + MIN_ROWS_CUT * rows
            and not image[k, last[k] * STEP :].any()
            for k in range(1, len(image) - 1)
        )
        if cut:
            findings.append(
                Finding(
                    "SLICE_BLANK",
                    f"{cut} of {len(image)} {contrast.value} slices of station {number} (from the"
                    " head) end in rows of zeros, as if their pixels were cut off",
                    station=number,
                    value=cut,
                    threshold=0,
                )
            )
    return findings


def find_identical_contrasts(
    station: Station, sample: Sample, number: Optional[int]
) -> list[Finding]:
    """Find a station whose water and fat images are the same: a stop.

    Args:
        station: The station.
        sample: Its sparse pixels.
        number: Its number, from the head; None if it is a fused volume.
    """
    if not np.array_equal(sample[Contrast.WATER], sample[Contrast.FAT]):
        return []
    if not np.array_equal(station.water, station.fat):
        return []
    return [
        Finding(
            "CONTRASTS_IDENTICAL",
            f"water and fat of {station_place(number)} have the same pixels",
            STOP,
            "One of them was written twice. Export the study again.",
            number,
        )
    ]


def find_identical(station: Station, sample: Sample, number: int) -> list[Finding]:
    """Find slices that repeat the pixels of another slice of the same station."""
    first: dict[bytes, np.ndarray] = {}
    repeats = 0
    for contrast, pixels in sample.items():
        for content, image in zip(pixels, station.images[contrast]):
            other = first.setdefault(content.tobytes(), image)
            if other is not image and np.array_equal(other, image) and not _is_blank(image):
                repeats += 1
    if not repeats:
        return []
    return [
        Finding(
            "SLICES_IDENTICAL",
            f"{'1 slice' if repeats == 1 else f'{repeats} slices'} of station {number} (from the"
            f" head) {'repeats' if repeats == 1 else 'repeat'} the pixels of another slice of this"
            " station, at another position or of the other contrast",
            station=number,
            value=repeats,
            threshold=0,
        )
    ]


def _is_blank(image: np.ndarray) -> bool:
    return bool((image == image[0, 0]).all())
