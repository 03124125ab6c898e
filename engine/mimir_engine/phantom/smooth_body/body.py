"""A body of population 2: its shapes, its tissues, and how a slice of it is painted."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np

from mimir_engine.phantom.anatomy.columns import MUSCLE_SIGNAL, PIVOT_Z_MM, Columns
from mimir_engine.phantom.anatomy.trunk import add_trunk
from mimir_engine.phantom.body import (
    ADIPOSE,
    AIR,
    BLOOD,
    CORTICAL_BONE,
    FEMUR_MARROW,
    FLUID,
    KIDNEY,
    LUNG,
    RED_MARROW,
    SPLEEN,
    VISCERA,
    Tissue,
    mixed,
)
from mimir_engine.phantom.population import Person
from mimir_engine.phantom.scanner import TOP_Z_MM, patient_z
from mimir_engine.phantom.smooth_body.bones import Bone, hip_joint, skeleton
from mimir_engine.phantom.smooth_body.build import Build
from mimir_engine.phantom.smooth_body.cavity import Room, make_room
from mimir_engine.phantom.smooth_body.organs import Organs, place_organs
from mimir_engine.phantom.smooth_body.shapes import Grid, Rod, Waves
from mimir_engine.phantom.smooth_body.surface import Arm, Part, arm, breasts, leg_part, trunk_part

#: Share of the belly's fat that the bowel's field decides; the rest lies around the organs.
BOWEL = 0.5


@dataclass(frozen=True)
class SmoothBody:
    """One body; all tables are over the heights ``z`` (patient z in mm, ascending).

    Attributes:
        person, build: What it was built from.
        z: Heights of the tables.
        trunk, legs, arms, breasts, room, organs, bones: Its shapes; right before left.
        tissues: By name.
        waves: Smooth random fields by purpose.
        bowel: Level of the bowel's field above which there is fat.
    """

    person: Person
    build: Build
    z: np.ndarray
    trunk: Part
    legs: tuple[Part, Part]
    arms: tuple[Arm, Arm]
    breasts: tuple[Rod, ...]
    room: Room
    organs: Organs
    bones: tuple[Bone, ...]
    tissues: Mapping[str, Tissue]
    waves: Mapping[str, Waves]
    bowel: float

    @property
    def hip(self) -> tuple[float, float, float]:
        """Centre of the right femoral head (LPS mm)."""
        return hip_joint(self.person, -1.0)

    def level_of(self, z: float) -> float:
        """Convert patient z (mm) to a level."""
        return self.person.scan_top_level + (z - TOP_Z_MM) / self.person.height

    def grid_at(self, grid: Grid, z: float) -> Grid:
        """Move the pixels of a slice to the body's own coordinates: it may lie askew."""
        p = self.person
        x = grid.x - np.float32(p.shift_x + p.lean_x * (z - PIVOT_Z_MM))
        return Grid(x, grid.y - np.float32(p.shift_y), grid.spacing)

    def middle(self, z: float) -> float:
        """x of the trunk's middle at a height, in the body's own coordinates."""
        return float(np.interp(z, self.z, self.trunk.skin.x))

    def field(self, name: str, grid: Grid, z: float) -> np.ndarray:
        """Evaluate a random field; it lies in the body, wherever the body lies."""
        return self.waves[name].at(grid, z - float(self.z[0]))

    def z_of(self, level: float) -> float:
        """Convert a level to patient z (mm)."""
        return patient_z(level, self.person)


def build_smooth_body(person: Person, build: Build) -> SmoothBody:
    """Build a body from the skin inwards."""
    c = Columns(person)
    outline = add_trunk(c)
    trunk = trunk_part(c, outline, build)
    legs = leg_part(c, -1.0), leg_part(c, 1.0)
    arms = arm(c, trunk, legs, -1.0, build), arm(c, trunk, legs, 1.0, build)
    room = make_room(c, outline, trunk)
    rng = np.random.default_rng(build.clutter)
    bowel_share = 1.0 - BOWEL * person.visceral / (person.bowel + person.visceral)
    return SmoothBody(
        person=person,
        build=build,
        z=TOP_Z_MM + c.h - person.scan_top_level * person.height,
        trunk=trunk,
        legs=legs,
        arms=arms,
        breasts=breasts(c, trunk),
        room=room,
        organs=place_organs(c, room, trunk),
        bones=skeleton(c, room.spine.y, trunk, legs, arms),
        tissues=_tissues(person, build),
        waves={
            "fat": Waves(rng, (130.0, 130.0, 160.0)),
            "bowel": Waves(rng, (62.0, 62.0, 62.0), 10),
            "loops": Waves(rng, (34.0, 34.0, 38.0), 10),
            "streaks": Waves(rng, (90.0, 60.0, 330.0), 6),
            "texture": Waves(rng, (40.0, 40.0, 60.0), 8),
        },
        bowel=float(np.log(bowel_share / (1 - bowel_share)) / 1.7),
    )


def _tissues(person: Person, build: Build) -> dict[str, Tissue]:
    """Tissues by name, with this body's signals."""
    plain = {
        "subcutaneous": ADIPOSE,
        "visceral": ADIPOSE,
        "chest fat": ADIPOSE,
        "muscle fat": ADIPOSE,
        "muscle": mixed(MUSCLE_SIGNAL, person.muscle_fat),
        "liver": mixed(1.0, person.liver_fat),
        "viscera": VISCERA,
        "stomach": mixed(0.6, 0.03),
        "gland": mixed(0.6, 0.15),
        "spleen": SPLEEN,
        "kidney": KIDNEY,
        "blood": BLOOD,
        "heart": mixed(0.72, 0.03),
        "fluid": FLUID,
        "disc": Tissue(0.45, 0.05),
        "red marrow": RED_MARROW,
        "marrow": FEMUR_MARROW,
        "cortex": CORTICAL_BONE,
        "lung": LUNG,
        "air": AIR,
    }
    rng = np.random.default_rng(build.clutter + 1)
    tissues = {}
    for name, tissue in plain.items():
        own = float(np.exp(np.clip(rng.normal(0.0, 0.04), -0.1, 0.1)))
        fat = 1.0 if tissue == ADIPOSE else own
        water = own * build.water
        tissues[name] = Tissue(tissue.water * water, tissue.fat * fat, tissue.density)
    return tissues
