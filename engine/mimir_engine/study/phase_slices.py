"""Read a few in-phase and opposed-phase slices of each station, to compare them with water and fat.

They are not measured: what is damaged, compressed, one of many images of a file, or not on the
voxels of water, is left out.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from math import isclose

import numpy as np

from mimir_engine.errors import MimirError
from mimir_engine.headers.contrast import Contrast
from mimir_engine.headers.frames import NotAnImage
from mimir_engine.headers.slices import PHASE_CONTRASTS, Companion, companion_slices
from mimir_engine.study.companion_scans import CompanionScan, scans_of_acquisition
from mimir_engine.study.pixels import load_slices
from mimir_engine.study.stack import POSITION_TOLERANCE_MM, Stack
from mimir_engine.study.station_plan import StationPlan

#: Places of the slices, as shares of the station. In reversed order other slices lie there.
PLACES = (0.3, 0.6)
#: Size of a file in bytes. Larger ones hold more than the slice that is looked for.
MAX_BYTES = 16 * 2**20


def plan_phases(plan: StationPlan, water: Stack, scans: Sequence[CompanionScan]) -> StationPlan:
    """Add in-phase and opposed-phase slices of the same acquisition to a plan.

    Args:
        plan: What to read for a station.
        water: Its water.
        scans: In-phase and opposed-phase scans of the study.
    """
    phases: dict[Contrast, dict[int, Companion]] = {}
    slices = plan.crops[Contrast.WATER].slices
    for contrast in PHASE_CONTRASTS:
        own = scans_of_acquisition(contrast, water, scans)
        if len(own) != 1:  # nothing tells which of several belongs to water
            continue
        phases[contrast] = {}
        for index in dict.fromkeys(int(place * len(slices)) for place in PLACES):
            z = slices[index].position_mm[2]
            found = [c for c in own[0].images if abs(c.z_mm - z) <= POSITION_TOLERANCE_MM]
            if len(found) == 1 and found[0].frame is None and found[0].entry.size <= MAX_BYTES:
                phases[contrast][index] = found[0]
    return replace(plan, phases=phases)


def load_phases(plan: StationPlan) -> Mapping[Contrast, Mapping[int, np.ndarray]]:
    """Read the slices of a plan on the voxels of water; leave out those that cannot be read."""
    crop = plan.crops[Contrast.WATER]
    images: dict[Contrast, dict[int, np.ndarray]] = {}
    for contrast, companions in plan.phases.items():
        images[contrast] = {}
        for index, companion in companions.items():
            try:
                image, own = companion_slices([companion])[0], crop.slices[index]
                places = zip(image.position_mm + image.spacing_mm, own.position_mm + own.spacing_mm)
                is_same_grid = (image.rows, image.columns) == (own.rows, own.columns) and all(
                    isclose(a, b, abs_tol=POSITION_TOLERANCE_MM) for a, b in places
                )
                if is_same_grid and image.pixels is not None:  # a decoder may end the process
                    signal = load_slices([image]).array[0]
                    images[contrast][index] = signal[crop.rows, crop.columns]
            except (MimirError, NotAnImage):
                continue
    return images
