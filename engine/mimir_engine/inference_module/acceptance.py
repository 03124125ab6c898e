"""Whether a study is of the kind that an inference module was validated on."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Optional

from mimir_engine.study import DixonStudy

FIELD_TOLERANCE_T = 0.1
"""Headers give the nominal field or the measured one: 1.5, 1.494, 1.49 T."""


@dataclass(frozen=True)
class Accepts:
    """What an inference module was validated on; an empty tuple or None accepts anything.

    Attributes:
        vendors: Beginnings of the manufacturer's name, in any case: ``SIEMENS`` accepts
            ``Siemens Healthineers``.
        models: Parts of the scanner's model name, in any case.
        field_strengths_t: Field strengths in tesla.
        stations: Numbers of stations.
        head_foot_mm: Least and largest head-foot extent of the fused volume, in mm.
        contrasts: Contrasts that each station needs, by the values of ``Contrast``.
    """

    vendors: tuple[str, ...] = ()
    models: tuple[str, ...] = ()
    field_strengths_t: tuple[float, ...] = ()
    stations: tuple[int, ...] = ()
    head_foot_mm: Optional[tuple[float, float]] = None
    contrasts: tuple[str, ...] = ("water", "fat")


UK_BIOBANK = Accepts(
    vendors=("SIEMENS",),
    field_strengths_t=(1.5,),
    stations=(6,),
    head_foot_mm=(1000.0, 1250.0),
)
"""The one kind of study that the published modules were validated on: UK Biobank's neck-to-knee
Dixon protocol, six stations on a Siemens Aera of 1.5 T, about 1,090 mm from head to foot."""


def outside_validation(accepts: Accepts, study: DixonStudy, extent_mm: float) -> list[str]:
    """Why the study lies outside what the module was validated on, in plain words.

    What the headers don't say counts as outside.

    Args:
        accepts: The module's ``accepts``.
        study: The study as read.
        extent_mm: Head-foot extent of its fused volume, in mm.

    Returns:
        One reason an entry, e.g. ``"its vendor is GE MEDICAL SYSTEMS, not SIEMENS"``; none where
        the study is inside.
    """
    reasons = [
        *_outside_scanner(accepts, study),
        *_outside_stations(accepts, study),
    ]
    if accepts.head_foot_mm is not None:
        least, largest = accepts.head_foot_mm
        if not least <= extent_mm <= largest:
            reasons.append(
                f"it is {extent_mm:.0f} mm from head to foot, not {least:.0f} to {largest:.0f} mm"
            )
    return reasons


def _outside_scanner(accepts: Accepts, study: DixonStudy) -> list[str]:
    scanner = study.scanner
    vendor, model, field = scanner.vendor.strip(), scanner.model.strip(), scanner.field_strength_t
    reasons = []
    if accepts.vendors:
        if not vendor:
            reasons.append("its vendor is unknown")
        elif not any(vendor.casefold().startswith(name.casefold()) for name in accepts.vendors):
            reasons.append(f"its vendor is {vendor}, not {_alternatives(accepts.vendors)}")
    if accepts.models:
        if not model:
            reasons.append("its scanner model is unknown")
        elif not any(name.casefold() in model.casefold() for name in accepts.models):
            reasons.append(f"its scanner model is {model}, not {_alternatives(accepts.models)}")
    if accepts.field_strengths_t:
        strengths = accepts.field_strengths_t
        if field is None:
            reasons.append("its field strength is unknown")
        elif not any(abs(field - strength) <= FIELD_TOLERANCE_T for strength in strengths):
            known = _alternatives(tuple(f"{strength:g} T" for strength in strengths))
            reasons.append(f"its field strength is {field:g} T, not {known}")
    return reasons


def _outside_stations(accepts: Accepts, study: DixonStudy) -> list[str]:
    reasons = []
    count = len(study.stations)
    if accepts.stations and count not in accepts.stations:
        known = _alternatives(tuple(str(number) for number in accepts.stations))
        reasons.append(f"it has {count} stations, not {known}")
    present = [{contrast.value for contrast in station.images} for station in study.stations]
    for contrast in accepts.contrasts:
        if not all(contrast in station for station in present):
            reasons.append(f"a station has no {contrast} image")
    return reasons


def _alternatives(names: tuple[str, ...]) -> str:
    """``a``, ``a or b``, ``a, b or c``."""
    return " or ".join([", ".join(names[:-1]), names[-1]] if len(names) > 1 else names)
