"""The weights that the published recipe starts from, and what to do where they can't be had."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import torch

from mimir_engine.errors import MimirError
from mimir_engine.training.checkpoint import FILE_NAME, load_checkpoint
from mimir_engine.training.recipe import Recipe


def imagenet_weights(architecture: str) -> dict[str, torch.Tensor]:
    """torchvision's weights for ImageNet, without the last layer.

    Raises MimirError IMAGENET_UNAVAILABLE where they are neither here nor to be downloaded.
    """
    from torchvision.models import get_model_weights

    try:
        weights = get_model_weights(architecture).DEFAULT.get_state_dict(check_hash=True)
    except (OSError, RuntimeError) as error:
        raise MimirError(
            "IMAGENET_UNAVAILABLE",
            f"torchvision's weights for {architecture} can't be downloaded ({error})",
            "Train from random weights with the recipe from-scratch.",
        ) from error
    return {name: value for name, value in weights.items() if not name.startswith("fc.")}


def with_obtainable_start(recipe: Recipe, run_dir: Path) -> Recipe:
    """The recipe itself, or one that starts from random weights where ImageNet's can't be had.

    The name then says so, and with it every record of the run. A run that has begun goes on as it
    began, whatever can be had by now.
    """
    if recipe.start != "imagenet":
        return recipe
    without = replace(recipe, name=f"{recipe.name}, random start", start="random")
    if (run_dir / FILE_NAME).exists():
        return without if load_checkpoint(run_dir).recipe == without else recipe
    try:
        imagenet_weights(recipe.architecture)
    except MimirError:
        return without
    return recipe
