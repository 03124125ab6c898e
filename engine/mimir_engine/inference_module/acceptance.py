"""Compare a study with what an inference module was validated on."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Optional

from mimir_engine.study.study_facts import StudyFacts

#: Headers give the nominal field or the measured one: 1.5, 1.494, 1.49 T.
FIELD_TOLERANCE_T = 0.1


@dataclass(frozen=True)
class Accepts:
    """Describe what an inference module was validated on.

    An empty tuple or None accepts anything.

    Attributes:
        vendors: Beginnings of the manufacturer's name, in any case: ``SIEMENS`` accepts
            ``Siemens Healthineers``.
        models: Parts of the scanner's model name, in any case.
        field_strengths_t: Field strengths in tesla.
        stations: Numbers of stations.
        head_foot_mm: Smallest and largest head-foot extent of the fused volume, in mm.
        contrasts: Contrasts that each station must have, by the values of ``Contrast``.
    """

    vendors: tuple[str, ...] = ()
    models: tuple[str, ...] = ()
    field_strengths_t: tuple[float, ...] = ()
    stations: tuple[int, ...] = ()
    head_foot_mm: Optional[tuple[float, float]] = None
    contrasts: tuple[str, ...] = ()

    def __post_init__(self) -> None:
        if self.head_foot_mm is not None and self.head_foot_mm[0] > self.head_foot_mm[1]:
            raise ValueError("'head_foot_mm' must be the smallest and the largest extent")

    def __str__(self) -> str:
        """Return it in one line: ``scanners by SIEMENS, 1.5 T, 6 stations``."""
        parts = {
            "scanners by {}": _alternatives(self.vendors),
            "model {}": _alternatives(self.models),
            "{} T": _alternatives([f"{tesla:g}" for tesla in self.field_strengths_t]),
            "{} stations": _alternatives(self.stations),
            "{} mm from head to foot": " to ".join(f"{mm:g}" for mm in self.head_foot_mm or ()),
        }
        known = (text.format(value) for text, value in parts.items() if value)
        return ", ".join(known) or "any neck-to-knee Dixon study"


#: The only kind of study that the published modules were validated on: UK Biobank's neck-to-knee
#: Dixon protocol, six stations on a Siemens Aera of 1.5 T, about 1,090 mm from head to foot.
UK_BIOBANK = Accepts(
    vendors=("SIEMENS",),
    field_strengths_t=(1.5,),
    stations=(6,),
    head_foot_mm=(1000.0, 1250.0),
    contrasts=("water", "fat"),
)


def outside_validation(accepts: Accepts, study: StudyFacts, extent_mm: float) -> list[str]:
    """List the reasons why a study lies outside what a module was validated on.

    Facts that the headers do not give count as outside.

    Args:
        accepts: The module's ``accepts``.
        study: What is known of the study.
        extent_mm: Head-foot extent of its fused volume, in mm.

    Returns:
        Clauses such as ``"its vendor is GE MEDICAL SYSTEMS, not SIEMENS"``; empty if the study
        is inside.
    """
    reasons = _outside_scanner(accepts, study)
    count = len(study.contrasts)
    if accepts.stations and count not in accepts.stations:
        known = _alternatives(accepts.stations)
        reasons.append(
            f"it has {count} stations, not {known}" if count else "its stations are unknown"
        )
    for contrast in accepts.contrasts:
        if not all(contrast in station for station in study.contrasts):
            reasons.append(f"a station has no {contrast} image")
    if accepts.head_foot_mm is not None:
        low, high = accepts.head_foot_mm
        if not low <= extent_mm <= high:
            reasons.append(
                f"it is {extent_mm:.0f} mm from head to foot, not {low:.0f} to {high:.0f} mm"
            )
    return reasons


def _outside_scanner(accepts: Accepts, study: StudyFacts) -> list[str]:
    scanner, tesla = study.scanner, study.scanner.field_strength_t
    vendor, model = scanner.vendor.strip(), scanner.model.strip()
    vendors = [v for v in accepts.vendors if vendor.casefold().startswith(v.casefold())]
    models = [m for m in accepts.models if m.casefold() in model.casefold()]
    strengths = accepts.field_strengths_t
    near = [s for s in strengths if tesla is not None and abs(tesla - s) <= FIELD_TOLERANCE_T]
    found = "" if tesla is None else f"{tesla:g} T"
    facts = (
        ("vendor", vendor, accepts.vendors, vendors),
        ("scanner model", model, accepts.models, models),
        ("field strength", found, [f"{strength:g} T" for strength in strengths], near),
    )
    return [
        f"its {what} is {value}, not {_alternatives(known)}" if value else f"its {what} is unknown"
        for what, value, known, matching in facts
        if known and not (value and matching)
    ]


def _alternatives(values: Sequence[object]) -> str:
    """Join names: ``a``, ``a or b``, ``a, b or c``."""
    names = [str(value) for value in values]
    return " or ".join([", ".join(names[:-1]), names[-1]] if len(names) > 1 else names)
