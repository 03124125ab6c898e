"""Take a sparse sample of a station's pixels, so that checks of all pixels stay cheap."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np

from mimir_engine.headers.contrast import Contrast
from mimir_engine.study.station import Station

#: Distance of sampled rows, and of sampled columns, in pixels.
STEP = 8
#: Water or fat, ``[slice, row, column]``: every ``STEP``-th row and column of all slices.
Sample = Mapping[Contrast, np.ndarray]


def sample_pixels(station: Station) -> Sample:
    """Return every ``STEP``-th row and column of water and of fat.

    What differs in the sample differs in the image; what is equal in it must be compared in full.
    """
    return {
        contrast: np.ascontiguousarray(station.images[contrast][:, ::STEP, ::STEP])
        for contrast in (Contrast.WATER, Contrast.FAT)
    }
