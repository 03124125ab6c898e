"""Phantoms unlike those of training, to test where intervals fail.

Each shift changes one thing by an amount that a real change of protocol or population could have.
The truth is that of the changed body.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

from mimir_engine.errors import MimirError
from mimir_engine.phantom.body import Body
from mimir_engine.phantom.population import Person
from mimir_engine.phantom.scanner import ScannedStation

#: The population's limits of subcutaneous (mm) and visceral fat (L); a shift stays within.
MAX_SUBCUTANEOUS, MAX_VISCERAL = 58.0, 10.0


@dataclass(frozen=True)
class Shift:
    """Factors by which phantoms differ from the population and the scanner of training.

    Attributes:
        noise: Factor of the noise's SD.
        height: Factor of body height.
        fat: Factor of the thickness of subcutaneous fat and of the volume of visceral fat.
        water: Factor of the water signal of all tissues, as with another flip angle.
    """

    noise: float = 1.0
    height: float = 1.0
    fat: float = 1.0
    water: float = 1.0


#: The shifts that evaluations use, by name.
SHIFTS = {
    "none": Shift(),
    "noise": Shift(noise=1.5),
    "bodies": Shift(height=0.96, fat=1.35),
    "contrast": Shift(water=0.8),
}


def find_shift(name: str) -> Shift:
    """Find a shift by its name.

    Raises:
        MimirError: ``SHIFT_UNKNOWN``.
    """
    if name not in SHIFTS:
        raise MimirError(
            "SHIFT_UNKNOWN", f"unknown shift '{name}'", f"Choose one of {', '.join(SHIFTS)}."
        )
    return SHIFTS[name]


def shifted_person(person: Person, shift: Shift) -> Person:
    """Change a person's height and fat."""
    return replace(
        person,
        height=person.height * shift.height,
        subcutaneous=min(person.subcutaneous * shift.fat, MAX_SUBCUTANEOUS),
        visceral=min(person.visceral * shift.fat, MAX_VISCERAL),
    )


def shifted_signal(body: Body, shift: Shift) -> Body:
    """Change the signals of a body; compute its truth before."""
    tissues = tuple(replace(tissue, water=tissue.water * shift.water) for tissue in body.tissues)
    return replace(body, tissues=tissues)


def shifted_noise(stations: Sequence[ScannedStation], shift: Shift) -> list[ScannedStation]:
    """Change the noise of the stations."""
    return [replace(station, sigma=station.sigma * shift.noise) for station in stations]
