"""Phantoms unlike those of training, to see how intervals fail where a network has not been.

Each shift changes one thing by an amount that a real change of protocol or population could have.
The truth is that of the changed body.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from types import MappingProxyType

from mimir_engine.errors import MimirError
from mimir_engine.phantom.body import Body
from mimir_engine.phantom.population import Person
from mimir_engine.phantom.scanner import ScannedStation

#: The population's own limits of subcutaneous (mm) and visceral fat (L): a shift stays within.
MOST_SUBCUTANEOUS, MOST_VISCERAL = 58.0, 10.0


@dataclass(frozen=True)
class Shift:
    """What differs from the population and the scanner of training, as factors.

    Attributes:
        noise: Of the noise's SD.
        height: Of body height.
        fat: Of the thickness of subcutaneous fat and of the volume of visceral fat.
        water: Of the water signal of all tissues, as another flip angle would have it; fat stays.
    """

    noise: float = 1.0
    height: float = 1.0
    fat: float = 1.0
    water: float = 1.0


#: What evaluations use, by name.
SHIFTS: Mapping[str, Shift] = MappingProxyType(
    {
        "none": Shift(),
        "noise": Shift(noise=1.5),
        "bodies": Shift(height=0.96, fat=1.35),
        "contrast": Shift(water=0.8),
    }
)


def find_shift(name: str) -> Shift:
    """The shift of that name.

    Raises:
        MimirError: ``SHIFT_UNKNOWN``.
    """
    if name not in SHIFTS:
        raise MimirError(
            "SHIFT_UNKNOWN", f"there is no shift '{name}'", f"Choose one of {', '.join(SHIFTS)}."
        )
    return SHIFTS[name]


def shifted_person(person: Person, shift: Shift) -> Person:
    """The same person, shorter or fatter."""
    return replace(
        person,
        height=person.height * shift.height,
        subcutaneous=min(person.subcutaneous * shift.fat, MOST_SUBCUTANEOUS),
        visceral=min(person.visceral * shift.fat, MOST_VISCERAL),
    )


def shifted_signal(body: Body, shift: Shift) -> Body:
    """The same body with other signals; its truth is to be taken before."""
    tissues = tuple(replace(tissue, water=tissue.water * shift.water) for tissue in body.tissues)
    return replace(body, tissues=tissues)


def shifted_stations(
    stations: Sequence[ScannedStation], shift: Shift
) -> tuple[ScannedStation, ...]:
    """The same stations with another noise."""
    return tuple(replace(station, sigma=station.sigma * shift.noise) for station in stations)
