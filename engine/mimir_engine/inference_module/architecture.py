"""Build the networks: torchvision's ResNets with two outputs per target."""

from __future__ import annotations

import torch
from torch import nn

from mimir_engine.errors import MimirError

#: The published one, and a smaller one for short trainings.
ARCHITECTURES = ("resnet50", "resnet18")


def build_network(architecture: str, target_count: int) -> nn.Module:
    """Build a network with random weights and two outputs per target.

    Args:
        architecture: One of `ARCHITECTURES`, torchvision's, with ``fc`` of
            ``2 * target_count`` outputs.
        target_count: Number of targets, at least one.

    Raises:
        MimirError: ``ARCHITECTURE_UNKNOWN`` for another architecture.
    """
    from torchvision.models import get_model

    if architecture not in ARCHITECTURES:
        raise MimirError(
            "ARCHITECTURE_UNKNOWN",
            f"unknown architecture {architecture!r}",
            f"Known architectures: {', '.join(ARCHITECTURES)}.",
        )
    network: nn.Module = get_model(architecture, weights=None, num_classes=2 * target_count)
    return network


def expected_shapes(architecture: str, target_count: int) -> dict[str, tuple[int, ...]]:
    """Return names and shapes of the state dict, without allocating any weight."""
    with torch.device("meta"):
        network = build_network(architecture, target_count)
    return {name: tuple(tensor.shape) for name, tensor in network.state_dict().items()}
