"""Phantoms unlike the usual ones, to test where checks and intervals fail.

Each shift changes one thing by an amount that a real change of protocol, patient or population
could have, at size 1; half and double the size are half and twice as far from usual. The truth is
that of the changed body.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np

from mimir_engine.errors import MimirError
from mimir_engine.phantom.body import Body
from mimir_engine.phantom.population import Person, stream
from mimir_engine.phantom.scanner import ScannedStation

#: The population's limits of subcutaneous (mm) and visceral fat (L); a shift stays within unless
#: it says ``beyond``.
MAX_SUBCUTANEOUS, MAX_VISCERAL = 58.0, 10.0
#: The same for bodies beyond the population, in which the shapes still hold together.
MIN_BEYOND, MAX_BEYOND = (2.0, 0.15), (95.0, 15.0)


@dataclass(frozen=True)
class Shift:
    """What differs from the usual population and scanner.

    Factors are 1 and amounts 0 in usual phantoms. Amounts after ``water`` need population 2.

    Attributes:
        noise: Factor of the noise's SD.
        height: Factor of body height.
        fat: Factor of the thickness of subcutaneous fat and of the volume of visceral fat.
        beyond: True if the fat may leave the population's range.
        water: Factor of the water signal of all tissues, as with another flip angle.
        shading: SD of a further unevenness of the coils, as a share of the signal.
        breathing_mm: Mean distance of the diaphragm between breath-holds.
        step: Factor of the gain of one station.
        bend_mm: Sideways bend of the spine.
        arms_up: 0: arms beside the trunk; 1: over the head.
        metal_mm: Radius of the void around a hip prosthesis.
        ghosts: Signal of a moving body's ghosts, as a share of the body's.
    """

    noise: float = 1.0
    height: float = 1.0
    fat: float = 1.0
    beyond: bool = False
    water: float = 1.0
    shading: float = 0.0
    breathing_mm: float = 0.0
    step: float = 1.0
    bend_mm: float = 0.0
    arms_up: float = 0.0
    metal_mm: float = 0.0
    ghosts: float = 0.0

    def times(self, size: float) -> Shift:
        """Return the shift at another size: factors to its power, amounts multiplied."""
        return Shift(
            noise=self.noise**size,
            height=self.height**size,
            fat=self.fat**size,
            beyond=self.beyond,
            water=self.water**size,
            shading=self.shading * size,
            breathing_mm=self.breathing_mm * size,
            step=self.step**size,
            bend_mm=self.bend_mm * size,
            arms_up=min(self.arms_up * size, 1.0),
            metal_mm=self.metal_mm * size,
            ghosts=self.ghosts * size,
        )


#: The shifts by name. The first four also exist in population 1.
SHIFTS = {
    "none": Shift(),
    "noise": Shift(noise=1.5),
    "bodies": Shift(height=0.96, fat=1.35),
    "contrast": Shift(water=0.8),
    "signal": Shift(water=1.3),
    "shading": Shift(shading=0.1),
    "breathing": Shift(breathing_mm=15.0),
    "gain": Shift(step=1.5),
    "lean": Shift(fat=0.4, beyond=True),
    "obese": Shift(fat=1.9, beyond=True),
    "scoliosis": Shift(bend_mm=25.0),
    "arms": Shift(arms_up=0.6),
    "metal": Shift(metal_mm=36.0),
    "ghosts": Shift(ghosts=0.12),
}
#: Not one difference, but another one for each seed: bodies from lean to obese, and signals as of
#: other scanners. Networks that learn from such phantoms know more than the usual.
VARIED = "varied"
#: Shifts that population 1 can show.
FIRST_SHIFTS = ("none", "noise", "bodies", "contrast")


def find_shift(name: str, size: float = 1.0) -> Shift:
    """Find a shift by its name, at a size.

    Raises:
        MimirError: ``SHIFT_UNKNOWN``.
    """
    if name not in SHIFTS:
        raise MimirError(
            "SHIFT_UNKNOWN",
            f"unknown shift '{name}'",
            f"Choose one of {', '.join((*SHIFTS, VARIED))}.",
        )
    return SHIFTS[name].times(size)


def drawn_shift(name: str, size: float, seed: int) -> Shift:
    """Find a shift by its name, or draw the one of a seed if the name is `VARIED`.

    Raises:
        MimirError: ``SHIFT_UNKNOWN``.
    """
    if name != VARIED:
        return find_shift(name, size)
    rng = stream("variety", seed)
    is_usual_body = rng.random() < 0.5
    fat, water, noise = np.exp(rng.uniform(np.log((0.4, 0.8, 0.8)), np.log((1.9, 1.25, 1.5))))
    return Shift(
        noise=float(noise),
        fat=1.0 if is_usual_body else float(fat),
        beyond=not is_usual_body,
        water=float(water),
        shading=float(rng.uniform(0.0, 0.08)),
    ).times(size)


def shifted_person(person: Person, shift: Shift) -> Person:
    """Change a person's height and fat."""
    (thin, few), (thick, much) = (0.0, 0.0), (MAX_SUBCUTANEOUS, MAX_VISCERAL)
    if shift.beyond:
        (thin, few), (thick, much) = MIN_BEYOND, MAX_BEYOND
    return replace(
        person,
        height=person.height * shift.height,
        subcutaneous=max(min(person.subcutaneous * shift.fat, thick), thin),
        visceral=max(min(person.visceral * shift.fat, much), few),
    )


def shifted_signal(body: Body, shift: Shift) -> Body:
    """Change the signals of a body; compute its truth before."""
    tissues = tuple(replace(tissue, water=tissue.water * shift.water) for tissue in body.tissues)
    return replace(body, tissues=tissues)


def shifted_noise(stations: Sequence[ScannedStation], shift: Shift) -> list[ScannedStation]:
    """Change the noise of the stations."""
    return [replace(station, sigma=station.sigma * shift.noise) for station in stations]
