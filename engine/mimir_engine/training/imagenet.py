"""ImageNet weights, which the published recipe starts from, and a start without them."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import torch

from mimir_engine.errors import MimirError
from mimir_engine.training.checkpoint import FILE_NAME, load_checkpoint
from mimir_engine.training.recipe import Recipe


def imagenet_weights(architecture: str) -> dict[str, torch.Tensor]:
    """Load torchvision's weights for ImageNet, without the last layer.

    Raises:
        MimirError: ``IMAGENET_UNAVAILABLE`` if they are neither cached nor downloadable.
    """
    from torchvision.models import get_model_weights

    try:
        weights = get_model_weights(architecture).DEFAULT.get_state_dict(check_hash=True)
    except (OSError, RuntimeError) as error:
        raise MimirError(
            "IMAGENET_UNAVAILABLE",
            f"torchvision's weights for {architecture} cannot be downloaded ({error})",
            "Train from random weights with the recipe from-scratch.",
        ) from error
    return {name: value for name, value in weights.items() if not name.startswith("fc.")}


def with_obtainable_start(recipe: Recipe, run_dir: Path) -> Recipe:
    """Return the recipe, or one with a random start if ImageNet's weights are not available.

    The name of the recipe, which each file of a run contains, then says so. A run that has begun
    continues as it began, even if the weights are available by now.
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
