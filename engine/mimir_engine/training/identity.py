"""What a module is called, what it may be used on, and whose it is: ``identity.json``.

{
 "name": "bodycomp", "version": "1.0", "title": "Body composition", "description": "...",
 "population": "4,000 volunteers of ...", "reference": "volunteers of ...",
 "accepts": {"vendors": ["SIEMENS"], "field_strengths_t": [1.5], "stations": [6]},
 "limits": ["Nobody under 40 was seen in training."], "licence": "CC-BY-4.0"
}
"""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path
from typing import Union

from mimir_engine.files.json_file import REQUIRED, read_json
from mimir_engine.inference_module import Accepts

INVALID = "IDENTITY_INVALID"
MAX_FILE_BYTES = 1 << 20


@dataclass(frozen=True)
class Identity:
    """What a module is called, what it may be used on, and whose it is.

    name, version, title, description, accepts, licence, column_prefix, demonstration: as in
    `InferenceModule`. population: whom training and calibration saw. reference: the same in few
    words, to follow a number: "held-out synthetic phantoms". limits: sentences for the model card.
    """

    name: str
    version: str
    title: str
    description: str
    reference: str
    accepts: Accepts
    licence: str
    column_prefix: str = ""
    demonstration: bool = False
    population: str = field(default="", metadata=REQUIRED)
    limits: tuple[str, ...] = ()


# The model name that phantoms carry keeps every real scanner's study out.
PHANTOM = Identity(
    name="phantom",
    version="1.1",
    title="Demonstration on synthetic phantoms",
    description=(
        "Trained on computer-made phantoms only. It shows that the software works from end to end;"
        " what it says about a person means nothing."
    ),
    reference="held-out synthetic phantoms",
    accepts=Accepts(
        vendors=("SIEMENS",),
        models=("synthetic",),
        field_strengths_t=(1.5,),
        stations=(6,),
        head_foot_mm=(1000.0, 1250.0),
        contrasts=("water", "fat"),
    ),
    licence="Apache-2.0",
    column_prefix="phantom_",
    demonstration=True,
    population="Synthetic phantoms of the population in mimir_engine/phantom/population.py.",
    limits=(
        "Bodies are stacks of smooth shapes with a few tissues. How well a network reads them does"
        " not tell how well one would read people.",
        "Truth is exact here; labels of people are not.",
    ),
)


def read_identity(path: Union[str, Path]) -> Identity:
    """Read ``identity.json``. Raises MimirError IDENTITY_INVALID."""
    return read_json(Path(path), Identity, INVALID, MAX_FILE_BYTES)
