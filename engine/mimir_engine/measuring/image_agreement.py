"""Compare estimates with what was measured directly in the images.

A network may be wrong about images unlike those of its training, and say nothing. Total fat, lean
tissue, waist or weight far from what the images themselves show is a sign of it. The check flags
an estimate; it never changes it.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Optional

from mimir_engine.direct.direct_measurement import DirectMeasurement
from mimir_engine.inference_module.direct_reference import DirectReference
from mimir_engine.inference_module.format import InferenceModule
from mimir_engine.measuring.flags import DISAGREES_WITH_IMAGE
from mimir_engine.measuring.measurement import Measurement

#: Distance from the line of a module's direct reference, in SD of the studies around it.
MAX_REFERENCE_SD = 4.0
#: Half-width of the estimate's own interval that is added, in its SD.
ESTIMATE_SD = 2.0


@dataclass(frozen=True)
class Bounds:
    """Physical bounds of a target: multiples of a direct measurement.

    They are wide: a target may be a mass, leave out a part of the body, or include parts that are
    not in view.

    Attributes:
        quantities: Direct measurements that are added up.
        low, high: Multiples of their sum, in the target's unit.
    """

    quantities: tuple[str, ...]
    low: float
    high: float


_FAT, _LEAN, _BODY = ("fat_volume",), ("lean_volume",), ("body_volume",)
_THIGHS = ("right_thigh_lean_volume", "left_thigh_lean_volume")
_PART_OF_FAT = Bounds(_FAT, 0, 1)

#: Bounds of targets with names of the published modules, or of the phantoms' module, and the unit
#: that they hold in. Masses are in kg, of 0.9 to 1.1 kg per L; head, lower legs and often the arms
#: are not in view.
BOUNDS: Mapping[tuple[str, str], Bounds] = {
    ("weight", "kg"): Bounds(_BODY, 0.9, 2.2),
    ("DxaTotalTissueMass", "kg"): Bounds(_BODY, 0.85, 2.2),
    ("waist", "cm"): Bounds(("waist",), 0.75, 1.35),
    ("hip", "cm"): Bounds(("hip",), 0.75, 1.35),
    ("totalFatVolume", "L"): Bounds(_FAT, 0.3, 1.2),
    ("AtlasTotalAdiposeTissueVolume", "L"): Bounds(_FAT, 0.3, 1.2),
    ("DxaTotalFatMass", "kg"): Bounds(_FAT, 0.35, 2.2),
    ("visceralFatVolume", "L"): _PART_OF_FAT,
    ("abdominalSubcutaneousFatVolume", "L"): _PART_OF_FAT,
    ("AtlasVatVolume", "L"): _PART_OF_FAT,
    ("AtlasAsatVolume", "L"): _PART_OF_FAT,
    ("AtlasTotalTrunkFat", "L"): _PART_OF_FAT,
    ("DxaVatVolume", "L"): _PART_OF_FAT,
    ("DxaTrunkFatMass", "kg"): Bounds(_FAT, 0.1, 1.2),
    ("DxaLegsFatMass", "kg"): Bounds(_FAT, 0.05, 1.2),
    ("totalLeanVolume", "L"): Bounds(_LEAN, 0.4, 1.3),
    ("AtlasTotalLeanTissueVolume", "L"): Bounds(_LEAN, 0.3, 1.3),
    ("DxaTotalLeanMass", "kg"): Bounds(_LEAN, 0.7, 2.5),
    ("DxaTotalFatFreeMass", "kg"): Bounds(_LEAN, 0.7, 2.6),
    ("DxaTrunkLeanMass", "kg"): Bounds(_LEAN, 0.2, 1.3),
    ("DxaLegsLeanMass", "kg"): Bounds(_LEAN, 0.1, 1.3),
    ("liverVolume", "L"): Bounds(_LEAN, 0, 0.2),
    ("thighMuscleVolume", "L"): Bounds(_THIGHS, 0.3, 1.6),
    ("AtlasTotalThighMuscleVolume", "L"): Bounds(_THIGHS, 0.3, 2.5),
}
#: Targets of one module that together are part of the fat in view.
FAT_DEPOTS = (
    ("AtlasVatVolume", "AtlasAsatVolume"),
    ("visceralFatVolume", "abdominalSubcutaneousFatVolume"),
)


def flag_disagreements(
    measurements: Sequence[Measurement],
    module: InferenceModule,
    direct: Sequence[DirectMeasurement],
) -> list[Measurement]:
    """Flag the measurements of a module that the images themselves contradict.

    Targets with a reference in the module's statistics are compared with it; others with
    ``BOUNDS``, if their name and unit are known.

    Args:
        measurements: By this module, of one study.
        module: The inference module.
        direct: What was measured in the images of the study.
    """
    known = {quantity.name: quantity.value for quantity in direct if quantity.value is not None}
    statistics = module.statistics()
    references = statistics.direct if statistics else {}
    outside = {m.target for m in measurements if _is_outside(m, references.get(m.target), known)}
    least = {m.target: m.value - ESTIMATE_SD * m.sd for m in measurements if m.unit == "L"}
    for depots in FAT_DEPOTS:
        together = math.fsum(least.get(depot, -math.inf) for depot in depots)
        if together > known.get("fat_volume", math.inf):
            outside.update(depots)
    return [
        replace(m, flags=(*m.flags, DISAGREES_WITH_IMAGE)) if m.target in outside else m
        for m in measurements
    ]


def _is_outside(
    measurement: Measurement, reference: Optional[DirectReference], known: Mapping[str, float]
) -> bool:
    """Return whether an estimate with its uncertainty is outside its reference, or its bounds."""
    margin = ESTIMATE_SD * measurement.sd
    if reference is not None:
        value = known.get(reference.quantity)
        if value is None or not reference.low <= value <= reference.high:
            return False
        expected = reference.intercept + reference.slope * value
        return abs(measurement.value - expected) > MAX_REFERENCE_SD * reference.sd + margin
    bounds = BOUNDS.get((measurement.target, measurement.unit))
    if bounds is None or not all(name in known for name in bounds.quantities):
        return False
    size = math.fsum(known[name] for name in bounds.quantities)
    return not bounds.low * size - margin <= measurement.value <= bounds.high * size + margin
