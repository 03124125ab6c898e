"""Save and load the state of a training run."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import torch

from mimir_engine.cohort.images.image_folder import TargetDefinition
from mimir_engine.errors import MimirError
from mimir_engine.files.atomic import atomic_file
from mimir_engine.training.recipe import Recipe
from mimir_engine.training.standardisation import Standardisation

#: Version of the file's format.
SCHEMA = 1
FILE_NAME = "checkpoint.pt"
#: Fields that are saved as they are.
_UNCHANGED = ("step", "finished", "network", "optimiser", "projection", "fingerprint", "provenance")


@dataclass(frozen=True, eq=False)
class Checkpoint:
    """Everything needed to resume a run, or to package a finished one.

    Attributes:
        step: Steps done. The order of studies, the shifts and the learning rate follow from recipe
            and step, so no random state is kept.
        finished: The batch-norm statistics are settled, the network is final.
        network: State dict of the network.
    """

    recipe: Recipe
    step: int
    finished: bool
    network: dict[str, torch.Tensor]
    optimiser: dict[str, Any]
    definitions: tuple[TargetDefinition, ...]
    standardisation: Standardisation
    projection: str
    fingerprint: str
    provenance: dict[str, Any]


def save_checkpoint(folder: Path, checkpoint: Checkpoint) -> None:
    """Replace the folder's checkpoint atomically.

    Raises:
        MimirError: ``OUTPUT_UNWRITABLE``.
    """
    content = {
        **{name: getattr(checkpoint, name) for name in _UNCHANGED},
        "schema": SCHEMA,
        "recipe": asdict(checkpoint.recipe),
        "definitions": [asdict(definition) for definition in checkpoint.definitions],
        "mean": torch.from_numpy(checkpoint.standardisation.mean),
        "sd": torch.from_numpy(checkpoint.standardisation.sd),
    }
    with atomic_file(folder / FILE_NAME) as file:
        torch.save(content, file)


def load_checkpoint(folder: Path) -> Checkpoint:
    """Read a checkpoint; only tensors and plain values are accepted.

    Raises:
        MimirError: ``CHECKPOINT_UNREADABLE``.
    """
    try:
        content = torch.load(folder / FILE_NAME, map_location="cpu", weights_only=True)
        if content["schema"] != SCHEMA:
            raise ValueError(f"schema {content['schema']}, expected {SCHEMA}")
        recipe = dict(content["recipe"])
        if recipe.pop("image_sizes", ()) and not content["finished"]:
            raise ValueError("an earlier version began it with small images")
        return Checkpoint(
            **{name: content[name] for name in _UNCHANGED},
            recipe=Recipe(**recipe),
            definitions=tuple(TargetDefinition(**entry) for entry in content["definitions"]),
            standardisation=Standardisation(content["mean"].numpy(), content["sd"].numpy()),
        )
    except Exception as error:  # torch.load raises whatever its zip and pickle readers raise
        raise unreadable(folder, error) from error


def unreadable(folder: Path, error: Exception) -> MimirError:
    """Make the error about a folder's checkpoint that cannot be read or used."""
    return MimirError(
        "CHECKPOINT_UNREADABLE",
        f"{folder.name} has no readable checkpoint ({error})",
        "Start again in an empty folder.",
    )
