"""Name, validity, population and licence of a module: ``identity.json``.

{
 "name": "bodycomp", "version": "1.0", "title": "Body composition", "description": "...",
 "population": "4,000 volunteers of ...", "reference": "volunteers of ...",
 "accepts": {"vendors": ["SIEMENS"], "field_strengths_t": [1.5], "stations": [6]},
 "limits": ["Nobody under 40 was part of the training."], "licence": "CC-BY-4.0"
}
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from mimir_engine.errors import MimirError
from mimir_engine.files.json_file import REQUIRED, read_json
from mimir_engine.inference_module import Accepts, InferenceModule

INVALID = "IDENTITY_INVALID"
MAX_FILE_BYTES = 1 << 20
#: Facts that have no field of their own in ``module.json``.
_PROVENANCE = ("population", "reference", "limits")


@dataclass(frozen=True)
class Identity:
    """Facts about a module that only people know; other fields are as in `InferenceModule`.

    Attributes:
        population: The people of training and calibration.
        reference: The same in few words, to follow a number: "held-out synthetic phantoms".
        limits: Sentences for the model card.
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


#: Identity of networks of phantoms; no real scanner has the model name "synthetic".
PHANTOM = Identity(
    name="phantom",
    version="2.0",
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
    population="Synthetic phantoms: stacks of ellipses, and smooth bodies (docs/training.md).",
    limits=(
        "Bodies consist of smooth shapes with a few tissues. How well a network reads them does"
        " not tell how well one would read people.",
        "Truth is exact here; labels of people are not.",
    ),
)


def module_fields(identity: Identity, provenance: Mapping[str, Any]) -> dict[str, Any]:
    """Return a module's fields with this identity; facts without a field go to the provenance."""
    fields = {name: value for name, value in vars(identity).items() if name not in _PROVENANCE}
    facts = {name: getattr(identity, name) for name in _PROVENANCE}
    facts["limits"] = list(identity.limits)
    return {**fields, "provenance": {**provenance, **facts}}


def training_runs(module: InferenceModule) -> list[Mapping[str, Any]]:
    """Return the provenance of each network; the first modules hold their only one directly."""
    runs = module.provenance.get("training", ())
    return [runs] if isinstance(runs, Mapping) else list(runs)


def check_provenance(module: InferenceModule) -> None:
    """Refuse a module whose provenance has not the form that a model card shows.

    Raises:
        MimirError: ``MODULE_INVALID``.
    """
    provenance, runs = module.provenance, module.provenance.get("training", ())
    limits, notes = provenance.get("limits", ()), provenance.get("notes", ())
    lists = all(isinstance(value, (list, tuple, Mapping)) for value in (runs, limits, notes))
    if not lists or not (
        all(isinstance(run, Mapping) for run in training_runs(module))
        and all(
            isinstance(run.get(part, {}), Mapping)
            for run in training_runs(module)
            for part in ("data", "recipe")
        )
        and all(isinstance(text, str) for text in (*limits, *notes))
        and isinstance(provenance.get("reference", ""), str)
    ):
        raise MimirError(
            "MODULE_INVALID",
            f"the provenance of the inference module {module.name} has another form than MIMIR's",
            "Get the module again.",
        )


def read_identity(path: Path) -> Identity:
    """Read ``identity.json``.

    Raises:
        MimirError: ``IDENTITY_INVALID``.
    """
    return read_json(path, Identity, INVALID, MAX_FILE_BYTES)
