"""ImageNet weights, which the published recipe starts from."""

from __future__ import annotations

import torch

from mimir_engine.errors import MimirError


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
            f"the recipe starts from torchvision's weights for {architecture}, which cannot be"
            f" downloaded ({type(error).__name__})",
            "Train from random weights: --recipe from-scratch with a graphics card, --recipe short"
            " on a processor. The published recipe does not suit random weights.",
        ) from error
    return {name: value for name, value in weights.items() if not name.startswith("fc.")}
