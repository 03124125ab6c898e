"""Find pixels so bright that they would darken the rest of the projection."""

from __future__ import annotations

import numpy as np

from mimir_engine.checks.pixel_sample import Sample
from mimir_engine.study.finding import Finding
from mimir_engine.study.station import Station

#: Largest value of an image in that of its brightest tissue. Arteries, and fat beside a coil, reach
#: about 1.5; a sum along the line of sight has some fifty times the signal of one pixel.
MAX_BRIGHTNESS = 3.0
#: Percentile of all pixels that stands for the brightest tissue.
BRIGHT_PERCENTILE = 99.5


def brightness(station: Station, sample: Sample) -> dict[str, float]:
    """Return the largest value of water and of fat, divided by those of the brightest tissue."""
    found = {}
    for contrast, pixels in sample.items():
        bright = float(np.percentile(pixels[::3], BRIGHT_PERCENTILE))
        largest = float(station.images[contrast].max(initial=0))
        found[contrast.value] = largest / bright if bright > 0 else 1.0
    return found


def find_bright_outliers(station: Station, sample: Sample, number: int) -> list[Finding]:
    """Find images whose largest value is far above the rest.

    Args:
        station: The station.
        sample: Its sparse pixels.
        number: Its number, from the head.
    """
    return [
        Finding(
            "BRIGHT_OUTLIERS",
            f"the brightest pixel of the {contrast} image of station {number} (from the head) has"
            f" {value:.1f} times the signal of the brightest tissue",
            remedy="Look for single bright pixels: they darken the image that the networks see.",
            station=number,
            value=value,
            threshold=MAX_BRIGHTNESS,
        )
        for contrast, value in brightness(station, sample).items()
        if value > MAX_BRIGHTNESS
    ]
