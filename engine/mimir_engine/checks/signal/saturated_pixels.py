"""Find images whose largest values were cut off."""

from __future__ import annotations

import numpy as np

from mimir_engine.checks.pixel_sample import Sample
from mimir_engine.study.finding import Finding

#: Pixels at the largest value, as a share of all: one in a thousand. Phantoms have one in a
#: hundred thousand.
MIN_SHARE = 1000
#: Pixels just below the largest value, for each at it: fewer mean that a tail was cut off. Where
#: nothing was, the largest value is one of some hundred that are about as rare.
MAX_BELOW = 4


def find_saturated_pixels(sample: Sample, number: int) -> list[Finding]:
    """Find contrasts of which many pixels have the largest value, as after clipping.

    Args:
        sample: Pixels of a station.
        number: Number of the station, from the head.
    """
    findings = []
    for contrast, pixels in sample.items():
        largest = pixels.max(initial=0)
        upper = pixels[pixels > largest // 10 * 9]
        at_largest = int(np.count_nonzero(upper == largest))
        below = len(upper) - at_largest
        if at_largest * MIN_SHARE >= pixels.size and below <= MAX_BELOW * at_largest:
            findings.append(
                Finding(
                    "PIXELS_SATURATED",
                    f"the {contrast.value} image of station {number} (from the head) is cut off at"
                    f" {largest:g}: {at_largest / pixels.size:.1%} of its pixels have this value",
                    station=number,
                    value=100 * at_largest / pixels.size,
                    threshold=100 / MIN_SHARE,
                    unit="%",
                )
            )
    return findings
